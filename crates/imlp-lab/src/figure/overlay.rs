//! Several curves in one plot: means and their intervals, by colour, marker and line.
//!
//! Curves stand a little apart sideways, so that no interval covers another; single seeds
//! are left to each curve's own figure. A prior or plain MLP that all curves share is a
//! reference line; priors that differ stand right of the plot area.

use imlp_suggest::counted;
use maud::{Markup, html};

use super::alpha_axis::AlphaAxis;
use super::alpha_ticks::AlphaTicks;
use super::check;
use super::diverged::{ARM, cross};
use super::draw::{axes, axis_names, paragraph, value_grid};
use super::error::FigureError;
use super::legend::{Entry, Legend};
use super::marks::Marks;
use super::reference_lines::{draw_labels, draw_lines, reference_lines};
use super::series::{SERIES, Series};
use super::style::*;
use super::text::{Face, clean, shorten, width, wrap};
use super::value_axis::ValueAxis;
use crate::curve::{Curve, CurvePoint, SeedStatistics, alpha_label};

/// Maximum number of curves that are drawn; a note in the figure counts the others.
pub const MOST_CURVES: usize = SERIES;

/// Identifiers inside the SVG.
const CLIP: &str = "imlp-overlay-plot";
const TITLE_ID: &str = "imlp-overlay-title";
const DESCRIPTION_ID: &str = "imlp-overlay-description";

/// Maximum distance between neighbouring curves at one α, px.
const STEP: f64 = 5.0;
/// Share of the distance between two α that the curves at one α may take.
const SPREAD: f64 = 0.6;
/// Half the width of an interval's cap.
const CAP: f64 = 2.5;
/// Height of a curve's row of diverged trials.
const ROW: f64 = 16.0;
/// From the plot area to the middle of the priors right of it.
const PRIORS: f64 = 28.0;
/// Radius of the ring around the mean at the chosen α.
const CHOSEN: f64 = 8.0;

/// Draws curves of one metric, each with its name, as an SVG document 800 user units wide;
/// [`svg_to_png`](super::svg_to_png) makes the PNG. Title and subtitle may be empty. The
/// first [`MOST_CURVES`] are drawn, and the figure says how many are not.
///
/// The text is as that of [`render_svg`](super::render_svg).
///
/// # Errors
/// [`FigureError`] without a curve, when their metrics differ, or as
/// [`render_svg`](super::render_svg).
pub fn overlay(
    title: &str,
    subtitle: &str,
    curves: &[(&str, &Curve)],
) -> Result<String, FigureError> {
    let Some((_, first)) = curves.first() else {
        return Err(FigureError::Empty);
    };
    for (_, curve) in curves {
        check(curve)?;
        if curve.metric != first.metric {
            return Err(FigureError::Metrics {
                first: first.metric.clone(),
                other: curve.metric.clone(),
            });
        }
    }
    let drawn = &curves[..curves.len().min(MOST_CURVES)];
    Ok(draw(title, subtitle, drawn, curves.len()).into_string())
}

fn draw(title: &str, subtitle: &str, drawn: &[(&str, &Curve)], all: usize) -> Markup {
    let curves: Vec<&Curve> = drawn.iter().map(|(_, curve)| *curve).collect();
    let shared = shared_references(&curves);
    let priors_apart = shared.prior.is_none() && curves.iter().any(|c| prior_mean(c).is_some());
    let has_lines = [&shared.prior, &shared.plain_mlp]
        .into_iter()
        .any(Option::is_some);
    let right = WIDTH
        - match (has_lines, priors_apart) {
            (true, _) => RIGHT_MARGIN_LABELS,
            (false, true) => 2.0 * PRIORS,
            (false, false) => RIGHT_MARGIN,
        };
    let mut alphas: Vec<f64> = curves
        .iter()
        .flat_map(|c| c.points.iter().map(|p| p.alpha))
        .collect();
    alphas.sort_by(f64::total_cmp);
    alphas.dedup();
    let alpha = AlphaAxis::new(&alphas, PLOT_LEFT, right);
    let shifts = shifts(curves.len(), &alphas, &alpha);

    // From top to bottom.
    let text_width = WIDTH - 2.0 * EDGE;
    let heading = clean(title);
    let title = wrap(&heading, text_width, 3, TITLE_SIZE, Face::Bold);
    let subtitle = wrap(&clean(subtitle), text_width, 3, TEXT_SIZE, Face::Regular);
    let title_bottom = EDGE + title.len() as f64 * line_height(TITLE_SIZE);
    let subtitle_bottom = title_bottom + subtitle.len() as f64 * line_height(TEXT_SIZE);
    let legend = Legend::new(&entries(drawn), PLOT_LEFT, WIDTH - EDGE);
    let legend_top = subtitle_bottom + 10.0;
    let top = legend_top + legend.height + 8.0;
    let bottom = top + PLOT_HEIGHT;
    let with_diverged = curves.iter().filter(|c| diverged(c).next().is_some());
    let rows = with_diverged.count() as f64 * ROW;
    let base = bottom + if rows > 0.0 { rows + 6.0 } else { 0.0 };
    let value = ValueAxis::new(&curves, top, bottom);
    let notes: Vec<String> = notes(&curves, all, &value)
        .iter()
        .flat_map(|n| wrap(n, WIDTH - PLOT_LEFT - EDGE, 2, SMALL_SIZE, Face::Regular))
        .collect();
    let ticks = AlphaTicks::new(&alpha, &alphas);
    let axis_name_y = base + 46.0 + ticks.extra_height;
    let notes_top = axis_name_y + 8.0;
    let height = notes_top + notes.len() as f64 * line_height(SMALL_SIZE) + EDGE - 4.0;

    let lines = reference_lines(&shared, &value, top, bottom);
    let series: Vec<(Series, Marks<'_>)> = curves
        .iter()
        .zip(&shifts)
        .enumerate()
        .map(|(i, (curve, shift))| {
            let series = Series::new(i);
            let marks = Marks {
                points: &curve.points,
                alpha: &alpha,
                value: &value,
                colour: series.colour,
                dash: series.dash,
                shift: *shift,
            };
            (series, marks)
        })
        .collect();
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(px(WIDTH)) height=(px(height))
            viewBox=(format!("0 0 {} {}", px(WIDTH), px(height))) role="img"
            aria-labelledby=(format!("{TITLE_ID} {DESCRIPTION_ID}")) font-family=(FONT_FAMILY) {
            title id=(TITLE_ID) { (heading) }
            desc id=(DESCRIPTION_ID) { (description(drawn)) }
            defs {
                clipPath id=(CLIP) {
                    rect x=(px(PLOT_LEFT)) y=(px(top)) width=(px(WIDTH - PLOT_LEFT))
                        height=(px(PLOT_HEIGHT)) {}
                }
            }
            rect width="100%" height="100%" fill=(PAPER) {}
            (paragraph(&title, EDGE, EDGE, TITLE_SIZE, INK, true))
            (paragraph(&subtitle, EDGE, title_bottom, TEXT_SIZE, GREY, false))
            (legend.draw(legend_top))
            (value_grid(&value, right))
            (draw_lines(&lines, PLOT_LEFT, right, CLIP))
            @for (_, marks) in &series { (marks.mean_line()) }
            g clip-path=(format!("url(#{CLIP})")) {
                @for (_, marks) in &series {
                    @for p in marks.points {
                        (interval(marks.x(p.alpha), &p.seeds, &value, marks.colour))
                    }
                }
            }
            @for ((name, curve), (series, marks)) in drawn.iter().zip(&series) {
                (means(name, curve, series, marks))
            }
            @if priors_apart {
                @for ((name, curve), ((series, marks), shift)) in
                    drawn.iter().zip(series.iter().zip(&shifts)) {
                    (prior(name, curve, *series, right + PRIORS + shift, marks.value))
                }
                text class="alpha-tick" x=(px(right + PRIORS)) y=(px(base + 20.0))
                    font-size=(TEXT_SIZE) text-anchor="middle" fill=(INK) { "priors" }
            }
            (draw_labels(&lines, right))
            @if curves.iter().all(|c| c.points.iter().all(|p| p.seeds.mean.is_none())) {
                text x=(px((PLOT_LEFT + right) / 2.0)) y=(px((top + bottom) / 2.0))
                    font-size=(AXIS_SIZE) text-anchor="middle" fill=(GREY) { "every trial diverged" }
            }
            @if rows > 0.0 {
                line x1=(px(PLOT_LEFT)) x2=(px(right)) y1=(px(bottom)) y2=(px(bottom))
                    stroke=(GREY) stroke-width="0.8" stroke-dasharray="2 3" {}
                text x=(px(PLOT_LEFT - 8.0)) y=(px(bottom + ROW / 2.0 + 8.0)) font-size=(SMALL_SIZE)
                    text-anchor="end" fill=(INK) { "diverged" }
                (diverged_rows(drawn, &series, bottom + 4.0))
            }
            (axes(&alpha, &ticks, top, base, right))
            (axis_names(curves[0], &alpha, top, axis_name_y, right))
            (paragraph(&notes, PLOT_LEFT, notes_top, SMALL_SIZE, GREY, false))
        }
    }
}

/// The first curve with only those references that all curves share.
fn shared_references(curves: &[&Curve]) -> Curve {
    let mut shared = curves[0].clone();
    let same =
        |of: fn(&Curve) -> &Option<SeedStatistics>| curves.iter().all(|c| of(c) == of(curves[0]));
    if !same(|c| &c.prior) || prior_mean(&shared).is_none() {
        shared.prior = None;
    }
    // The labels of reference lines and priors that differ would take the same place.
    let priors_apart = shared.prior.is_none() && curves.iter().any(|c| prior_mean(c).is_some());
    let has_mean = shared.plain_mlp.as_ref().is_some_and(|s| s.mean.is_some());
    if !same(|c| &c.plain_mlp) || priors_apart || !has_mean {
        shared.plain_mlp = None;
    }
    shared
}

fn prior_mean(curve: &Curve) -> Option<f64> {
    curve.prior.as_ref()?.mean
}

/// How far right of its α each of `n` curves stands, px.
fn shifts(n: usize, alphas: &[f64], alpha: &AlphaAxis) -> Vec<f64> {
    let gaps = alphas.windows(2).map(|w| alpha.x(w[1]) - alpha.x(w[0]));
    let gap = gaps.fold(f64::INFINITY, f64::min);
    let between = (n.max(2) - 1) as f64;
    let step = STEP
        .min(SPREAD * gap / between)
        .min(2.0 * (INSET - CAP) / between);
    (0..n)
        .map(|i| (i as f64 - (n - 1) as f64 / 2.0) * step)
        .collect()
}

fn entries(drawn: &[(&str, &Curve)]) -> Vec<Entry> {
    let limit = WIDTH - EDGE - PLOT_LEFT - 40.0;
    let entry = |(i, (name, _)): (usize, &(&str, &Curve))| {
        let name = shorten(&clean(name), limit, TEXT_SIZE, Face::Regular);
        Entry::Curve(name, Series::new(i))
    };
    drawn.iter().enumerate().map(entry).collect()
}

fn interval(x: f64, seeds: &SeedStatistics, value: &ValueAxis, colour: &str) -> Markup {
    html! {
        @if let Some([low, high]) = seeds.ci95 {
            @let (y1, y2) = (value.y(low), value.y(high));
            path class="interval" d=(format!(
                "M{x1} {y1}H{x2}M{x1} {y2}H{x2}M{x} {y1}V{y2}",
                x = px(x), x1 = px(x - CAP), x2 = px(x + CAP), y1 = px(y1), y2 = px(y2),
            )) fill="none" stroke=(colour) stroke-width="1.3" stroke-opacity="0.8" {}
        }
    }
}

fn means(name: &str, curve: &Curve, series: &Series, marks: &Marks<'_>) -> Markup {
    let name = clean(name);
    html! {
        @for p in &curve.points {
            @if let Some(mean) = p.seeds.mean {
                @let (x, y) = (marks.x(p.alpha), marks.value.y(mean));
                @if curve.chosen_alpha == Some(p.alpha) {
                    circle class="chosen" cx=(px(x)) cy=(px(y)) r=(CHOSEN) fill="none"
                        stroke=(series.colour) stroke-width="1.4" {}
                }
                (series.marker(x, y, &format!(
                    "{name}, α = {}: mean {:.2} % (n = {})",
                    alpha_label(p.alpha), 100.0 * mean, p.seeds.n
                )))
            }
        }
    }
}

fn prior(name: &str, curve: &Curve, series: Series, x: f64, value: &ValueAxis) -> Markup {
    html! {
        @if let Some((seeds, mean)) = curve.prior.as_ref().and_then(|s| Some((s, s.mean?))) {
            g class="prior" clip-path=(format!("url(#{CLIP})")) {
                (interval(x, seeds, value, series.colour))
            }
            (series.marker(x, value.y(mean), &format!(
                "{}, prior: mean {:.2} % (n = {})", clean(name), 100.0 * mean, seeds.n
            )))
        }
    }
}

/// The points of a curve at which a trial diverged.
fn diverged(curve: &Curve) -> impl Iterator<Item = &CurvePoint> {
    curve.points.iter().filter(|p| !p.seeds.diverged.is_empty())
}

/// One row of × per curve with a diverged trial; a count stands right of its × where
/// there is room, and in the tooltip.
fn diverged_rows(drawn: &[(&str, &Curve)], series: &[(Series, Marks<'_>)], top: f64) -> Markup {
    let curves = drawn.iter().zip(series);
    let curves = curves.filter(|((_, curve), _)| diverged(curve).next().is_some());
    html! {
        g class="diverged-strip" {
            @for (row, ((name, curve), (series, marks))) in curves.enumerate() {
                @let y = top + (row as f64 + 0.5) * ROW;
                @let points: Vec<&CurvePoint> = diverged(curve).collect();
                @for (i, p) in points.iter().enumerate() {
                    @let x = marks.x(p.alpha);
                    @let count = format!("{}/{}", p.seeds.diverged.len(), p.seeds.trials());
                    @let next = points.get(i + 1).map_or(f64::INFINITY, |p| marks.x(p.alpha));
                    (cross(x, y, ARM, series.colour, Some(&format!(
                        "{}, α = {}: {} of {} trials diverged", clean(name),
                        alpha_label(p.alpha), p.seeds.diverged.len(), p.seeds.trials()
                    ))))
                    @if next - x > width(&count, SMALL_SIZE, Face::Regular) + 4.0 * ARM {
                        text x=(px(x + 2.0 * ARM)) y=(px(y + SMALL_SIZE * 0.36))
                            font-size=(SMALL_SIZE) fill=(GREY) { (count) }
                    }
                }
            }
        }
    }
}

/// Facts that a reader could overlook.
fn notes(curves: &[&Curve], all: usize, value: &ValueAxis) -> Vec<String> {
    let mut notes = Vec::new();
    if all > curves.len() {
        notes.push(format!(
            "Only the first {} of {all} curves are drawn; the tables have all.",
            curves.len()
        ));
    }
    let points = || curves.iter().flat_map(|c| &c.points);
    if points().any(|p| p.seeds.ci95.is_some()) {
        notes.push(
            "Marks are means over seeds, bars Student's 95 % intervals. Curves stand apart \
             sideways so that no bar covers another."
                .into(),
        );
    }
    if curves
        .iter()
        .any(|c| c.chosen().is_some_and(|p| p.seeds.mean.is_some()))
    {
        notes.push("Ringed: the α that was highest on the validation split.".into());
    }
    let failed: usize = points().map(|p| p.seeds.diverged.len()).sum();
    if failed > 0 {
        let trials: usize = points().map(|p| p.seeds.trials()).sum();
        notes.push(format!(
            "{failed} of {trials} trials diverged; means and intervals are over the others."
        ));
    }
    let intervals = points()
        .map(|p| &p.seeds)
        .chain(curves.iter().filter_map(|c| c.prior.as_ref()));
    let clipped = intervals.filter_map(|s| s.ci95).filter(|c| value.clips(*c));
    match clipped.count() {
        0 => {}
        clipped => notes.push(format!(
            "Cut at the value axis: {}.",
            counted(clipped, "interval")
        )),
    }
    let finished = points().any(|p| p.seeds.n > 0);
    if finished && points().all(|p| p.seeds.n < 2) {
        notes.push("One seed per α: no interval can be given.".into());
    }
    notes
}

/// The figure in words, for screen readers.
fn description(drawn: &[(&str, &Curve)]) -> String {
    let mut words = format!(
        "{} in per cent against the interpolation weight α, {}.",
        clean(&drawn[0].1.metric),
        counted(drawn.len(), "curve")
    );
    for (name, curve) in drawn {
        words += &format!(" {}:", clean(name));
        for p in &curve.points {
            words += &match p.seeds.mean {
                Some(mean) => format!(" {:.2} % at α = {};", 100.0 * mean, alpha_label(p.alpha)),
                None => format!(" diverged at α = {};", alpha_label(p.alpha)),
            };
        }
    }
    words
}

#[cfg(test)]
mod tests;
