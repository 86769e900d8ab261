//! The whole figure: layout from top to bottom, then the drawing.

use imlp_suggest::counted;
use maud::{Markup, html};

use super::alpha_axis::{AlphaAxis, Scale};
use super::alpha_ticks::{AlphaTicks, Tick};
use super::diverged::DivergedStrip;
use super::legend::{Entry, Legend};
use super::marks::Marks;
use super::reference_lines::{draw_labels, draw_lines, reference_lines};
use super::style::*;
use super::text::{Face, clean, shorten, wrap};
use super::value_axis::ValueAxis;
use crate::curve::{Curve, CurvePoint, alpha_label};

/// Identifiers inside the SVG; a page holds one figure of a kind.
const CLIP: &str = "imlp-curve-plot";
const TITLE_ID: &str = "imlp-curve-title";
const DESCRIPTION_ID: &str = "imlp-curve-description";

/// Half the height and the slant of a break's strokes.
const BREAK_SIZE: f64 = 5.0;

/// Draws a checked curve.
pub fn draw(curve: &Curve) -> Markup {
    let references_shown = [&curve.prior, &curve.plain_mlp]
        .into_iter()
        .flatten()
        .any(|l| l.mean.is_some());
    let right = WIDTH
        - if references_shown {
            RIGHT_MARGIN_LABELS
        } else {
            RIGHT_MARGIN
        };
    let alphas: Vec<f64> = curve.points.iter().map(|p| p.alpha).collect();
    let alpha = AlphaAxis::new(&alphas, PLOT_LEFT, right);
    let strip = DivergedStrip::new(&curve.points, |a| alpha.x(a));

    // From top to bottom.
    let text_width = WIDTH - 2.0 * EDGE;
    let title = wrap(&clean(&curve.title), text_width, 3, TITLE_SIZE, Face::Bold);
    let subtitle = wrap(
        &clean(&curve.subtitle),
        text_width,
        2,
        TEXT_SIZE,
        Face::Regular,
    );
    let title_bottom = EDGE + title.len() as f64 * line_height(TITLE_SIZE);
    let subtitle_bottom = title_bottom + subtitle.len() as f64 * line_height(TEXT_SIZE);
    let legend = Legend::new(&entries(curve), PLOT_LEFT, WIDTH - EDGE);
    let legend_top = subtitle_bottom + 10.0;
    let top = legend_top + legend.height + 8.0;
    let bottom = top + PLOT_HEIGHT;
    let base = bottom + strip.height;
    let value = ValueAxis::new(&[curve], top, bottom);
    let notes: Vec<String> = notes(curve, &value)
        .iter()
        .flat_map(|n| wrap(n, WIDTH - PLOT_LEFT - EDGE, 2, SMALL_SIZE, Face::Regular))
        .collect();
    let ticks = AlphaTicks::new(&alpha, &alphas);
    let axis_name_y = base + 46.0 + ticks.extra_height;
    let notes_top = axis_name_y + 8.0;
    let height = notes_top + notes.len() as f64 * line_height(SMALL_SIZE) + EDGE - 4.0;

    let lines = reference_lines(curve, &value, top, bottom);
    let marks = Marks {
        points: &curve.points,
        alpha: &alpha,
        value: &value,
        colour: BLUE,
        dash: None,
        shift: 0.0,
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(px(WIDTH)) height=(px(height))
            viewBox=(format!("0 0 {} {}", px(WIDTH), px(height))) role="img"
            aria-labelledby=(format!("{TITLE_ID} {DESCRIPTION_ID}")) font-family=(FONT_FAMILY) {
            title id=(TITLE_ID) { (clean(&curve.title)) }
            desc id=(DESCRIPTION_ID) { (description(curve)) }
            defs {
                clipPath id=(CLIP) {
                    rect x=(px(PLOT_LEFT)) y=(px(top)) width=(px(right - PLOT_LEFT))
                        height=(px(PLOT_HEIGHT)) {}
                }
            }
            rect width="100%" height="100%" fill=(PAPER) {}
            (paragraph(&title, EDGE, EDGE, TITLE_SIZE, INK, true))
            (paragraph(&subtitle, EDGE, title_bottom, TEXT_SIZE, GREY, false))
            (legend.draw(legend_top))
            (value_grid(&value, right))
            (draw_lines(&lines, PLOT_LEFT, right, CLIP))
            g clip-path=(format!("url(#{CLIP})")) { (marks.intervals()) }
            (marks.mean_line())
            (marks.means())
            (marks.seeds())
            (draw_labels(&lines, right))
            @if strip.height > 0.0 {
                line x1=(px(PLOT_LEFT)) x2=(px(right)) y1=(px(bottom)) y2=(px(bottom))
                    stroke=(GREY) stroke-width="0.8" stroke-dasharray="2 3" {}
            }
            @if curve.points.iter().all(|p| p.seeds.mean.is_none()) {
                text x=(px((PLOT_LEFT + right) / 2.0)) y=(px((top + bottom) / 2.0))
                    font-size=(AXIS_SIZE) text-anchor="middle" fill=(GREY) { "every trial diverged" }
            }
            (strip.draw(bottom))
            (axes(&alpha, &ticks, top, base, right))
            (axis_names(curve, &alpha, top, axis_name_y, right))
            (paragraph(&notes, PLOT_LEFT, notes_top, SMALL_SIZE, GREY, false))
        }
    }
}

/// Lines of text from `top` down.
pub fn paragraph(lines: &[String], x: f64, top: f64, size: f64, fill: &str, bold: bool) -> Markup {
    let step = line_height(size);
    let weight = bold.then_some("700");
    html! {
        @for (i, line) in lines.iter().enumerate() {
            text x=(px(x)) y=(px(top + i as f64 * step + size)) font-size=(size)
                font-weight=[weight] fill=(fill) { (line) }
        }
    }
}

/// Horizontal grid lines with the value axis's labels.
pub fn value_grid(value: &ValueAxis, right: f64) -> Markup {
    html! {
        @for (y, label) in value.ticks() {
            line x1=(px(PLOT_LEFT)) x2=(px(right)) y1=(px(y)) y2=(px(y)) stroke=(FAINT) {}
            text class="value-tick" x=(px(PLOT_LEFT - 8.0)) y=(px(y + TEXT_SIZE * 0.36))
                font-size=(TEXT_SIZE) text-anchor="end" fill=(INK) { (label) }
        }
    }
}

/// Both spines, the breaks and α's ticks.
pub fn axes(alpha: &AlphaAxis, ticks: &AlphaTicks, top: f64, base: f64, right: f64) -> Markup {
    html! {
        g stroke=(INK) stroke-width="1.1" fill="none" {
            path d=(format!("M{l} {t}V{b}H{r}", l = px(PLOT_LEFT), t = px(top), b = px(base),
                r = px(right))) {}
            @for x in alpha.minor_ticks() {
                line x1=(px(x)) x2=(px(x)) y1=(px(base)) y2=(px(base + 3.0)) stroke-width="0.8" {}
            }
            @for tick in &ticks.ticks {
                line x1=(px(tick.x)) x2=(px(tick.x)) y1=(px(base)) y2=(px(base + 6.0)) {}
            }
        }
        @for x in alpha.breaks() {
            (axis_break(x, base))
        }
        @for tick in ticks.ticks.iter().filter(|tick| !tick.label.is_empty()) {
            (tick_label(tick, ticks.upright, base))
        }
    }
}

/// The label of a tick below the axis at `base`; of a sampled α in ink, of another in grey.
fn tick_label(tick: &Tick, upright: bool, base: f64) -> Markup {
    let (x, y, anchor, transform) = if upright {
        // The middle of the small letters is beside the tick.
        let (x, y) = (tick.x + TEXT_SIZE * 0.36, base + 9.0);
        let turned = format!("rotate(-90 {} {})", px(x), px(y));
        (x, y, "end", Some(turned))
    } else {
        let y = base + 20.0 + tick.row as f64 * line_height(TEXT_SIZE);
        (tick.x, y, "middle", None)
    };
    html! {
        text class="alpha-tick" x=(px(x)) y=(px(y)) font-size=(TEXT_SIZE) text-anchor=(anchor)
            transform=[transform] fill=(if tick.sampled { INK } else { GREY }) { (tick.label) }
    }
}

/// Two slanted strokes with nothing between them.
fn axis_break(x: f64, y: f64) -> Markup {
    let stroke = |x: f64| {
        let (l, r) = (px(x - BREAK_SIZE / 2.0), px(x + BREAK_SIZE / 2.0));
        format!(
            "M{l} {b}L{r} {t}",
            b = px(y + BREAK_SIZE),
            t = px(y - BREAK_SIZE)
        )
    };
    html! {
        g class="axis-break" {
            line x1=(px(x - 3.0)) x2=(px(x + 3.0)) y1=(px(y)) y2=(px(y)) stroke=(PAPER)
                stroke-width="3" {}
            path d=(stroke(x - 3.0) + &stroke(x + 3.0)) stroke=(INK) stroke-width="1.1"
                fill="none" {}
        }
    }
}

/// The names of both axes; the one of α has its baseline at `y` px.
pub fn axis_names(curve: &Curve, alpha: &AlphaAxis, top: f64, y: f64, right: f64) -> Markup {
    let scale = match alpha.scale {
        Scale::Log => "interpolation weight α (log scale)",
        Scale::TwoSided => "interpolation weight α (log scale toward both 0 and 1)",
    };
    let middle = top + PLOT_HEIGHT / 2.0;
    let metric = format!("{} (%)", clean(&curve.metric));
    let metric = shorten(&metric, PLOT_HEIGHT, AXIS_SIZE, Face::Regular);
    html! {
        text x=(px((PLOT_LEFT + right) / 2.0)) y=(px(y)) font-size=(AXIS_SIZE)
            text-anchor="middle" fill=(INK) { (scale) }
        text x="24" y=(px(middle)) font-size=(AXIS_SIZE) text-anchor="middle" fill=(INK)
            transform=(format!("rotate(-90 24 {})", px(middle))) { (metric) }
    }
}

fn entries(curve: &Curve) -> Vec<Entry> {
    let any = |shown: fn(&CurvePoint) -> bool| curve.points.iter().any(shown);
    [
        (Entry::Seed, any(|p| p.seeds.n > 0)),
        (Entry::Mean, any(|p| p.seeds.mean.is_some())),
        (Entry::Interval, any(|p| p.seeds.ci95.is_some())),
        (Entry::Diverged, any(|p| !p.seeds.diverged.is_empty())),
    ]
    .into_iter()
    .filter_map(|(entry, shown)| shown.then_some(entry))
    .collect()
}

/// Facts that a reader could overlook.
fn notes(curve: &Curve, value: &ValueAxis) -> Vec<String> {
    let mut notes = Vec::new();
    let diverged: usize = curve.points.iter().map(|p| p.seeds.diverged.len()).sum();
    let trials: usize = curve.points.iter().map(|p| p.seeds.trials()).sum();
    if diverged > 0 && diverged < trials {
        notes.push(format!(
            "{diverged} of {trials} trials diverged; means and intervals are over the others."
        ));
    }
    if let Some(prior) = curve.prior.as_ref().filter(|l| !l.diverged.is_empty()) {
        notes.push(format!(
            "The prior diverged for {} of {}.",
            prior.diverged.len(),
            counted(prior.trials(), "seed")
        ));
    }
    let of_points = curve.points.iter().filter_map(|p| p.seeds.ci95);
    let of_prior = curve.prior.iter().filter_map(|l| l.ci95);
    let clipped = of_points
        .chain(of_prior)
        .filter(|c| value.clips(*c))
        .count();
    if clipped > 0 {
        notes.push(format!(
            "{clipped} {} beyond the value axis and {} cut there.",
            if clipped == 1 {
                "interval reaches"
            } else {
                "intervals reach"
            },
            if clipped == 1 { "is" } else { "are" },
        ));
    }
    let finished = curve.points.iter().any(|p| p.seeds.n > 0);
    if finished && curve.points.iter().all(|p| p.seeds.n < 2) {
        notes.push("One seed per α: no interval can be given.".into());
    }
    notes
}

/// The figure in words, for screen readers.
fn description(curve: &Curve) -> String {
    let metric = clean(&curve.metric);
    let mut words = format!(
        "{metric} in per cent against the interpolation weight α at {}.",
        counted(curve.points.len(), "weight")
    );
    let mut say = |name: &str, mean: Option<f64>| {
        if let Some(mean) = mean {
            words += &format!(" {name}: {:.2} %.", 100.0 * mean);
        }
    };
    say("Plain MLP", curve.plain_mlp.as_ref().and_then(|l| l.mean));
    say("Prior", curve.prior.as_ref().and_then(|l| l.mean));
    if let Some(chosen) = curve.chosen() {
        let name = format!(
            "Chosen on the validation split, α = {}",
            alpha_label(chosen.alpha)
        );
        say(&name, chosen.seeds.mean);
    }
    words
}
