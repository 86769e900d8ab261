//! Accuracy against α: one curve with every seed, or several by colour, marker and line.
//!
//! Several curves stand a little apart sideways, so that no interval covers another; single
//! seeds are left to each curve's own figure. A prior or plain MLP that all curves share is a
//! reference line; priors that differ stand right of the plot area.

mod marks;
mod words;

use super::alpha_axis::{AlphaAxis, INSET};
use super::alpha_ticks::AlphaTicks;
use super::axis::Range;
use super::colour::{GREY, INK};
use super::diverged::{DivergedStrip, strip_margin};
use super::frame::{Layout, alpha_axis, alpha_axis_height, frame, value_axis, value_margin};
use super::legend::{Entry, Legend};
use super::reference_lines::{label_margin, label_marks, line_marks, reference_lines};
use super::scene::{Anchor, Area, Mark, Scene};
use super::series::{SERIES, Series};
use super::style::{Height, Style};
use crate::curve::{Curve, CurvePoint, SeedStatistics};
use marks::{Marks, rows};

/// Maximum number of curves that are drawn; a note in the figure counts the others.
pub const MOST_CURVES: usize = SERIES;

/// Maximum distance between neighbouring curves at one α.
const STEP: f64 = 5.0;
/// Share of the distance between two α that the curves at one α may take.
const SPREAD: f64 = 0.6;
/// Half the width of an interval's cap.
const CAP: f64 = 2.5;
/// Height of a curve's row of diverged trials.
const ROW: f64 = 16.0;
/// From the plot area to the middle of the priors right of it.
const PRIORS: f64 = 32.0;

/// Draws checked curves of one metric, at least one and each with its name, of `all`;
/// `missing` says what is not in them.
pub fn scene(
    title: &str,
    subtitle: &str,
    drawn: &[(&str, &Curve)],
    all: usize,
    missing: Option<String>,
    style: &Style,
) -> Scene {
    let curves: Vec<&Curve> = drawn.iter().map(|(_, curve)| *curve).collect();
    let several = curves.len() > 1;
    let shared = shared_references(&curves);
    let priors_apart = shared.prior.is_none() && curves.iter().any(|c| prior_mean(c).is_some());
    let lines = reference_lines(&shared, style);
    let range = Range::of_curves(&curves);
    let any = |has: fn(&CurvePoint) -> bool| curves.iter().any(|c| c.points.iter().any(has));
    let any_diverged = any(|p| !p.seeds.diverged.is_empty());

    let left = match any_diverged {
        true => value_margin(&range, style).max(strip_margin(style)),
        false => value_margin(&range, style),
    };
    let right = match (lines.is_empty(), priors_apart) {
        (false, _) => label_margin(&lines, style),
        (true, true) => 2.0 * PRIORS,
        (true, false) => style.edge + 12.0,
    };
    let alphas = alphas(&curves);
    let alpha = AlphaAxis::new(&alphas, left, style.width - right);
    let ticks = AlphaTicks::new(&alpha, &alphas, style);
    let strip = DivergedStrip::new(&curves[0].points, |a| alpha.x(a), style);
    let strip_height = match several {
        false => strip.height,
        true => rows_height(&curves),
    };
    let entries = match several {
        true => names(drawn),
        false => signs(&curves[0].points),
    };
    let mut notes = words::notes(&curves, all, &range);
    notes.extend(missing);
    let layout = Layout {
        kind: if several { "overlay" } else { "curve" },
        title,
        subtitle,
        description: words::description(drawn),
        legend: Legend::new(&entries, left, style),
        notes,
        left,
        right,
        plot: match style.height {
            Height::Plot(height) => height,
            Height::Page(_) => 0.0,
        },
        below: strip_height + alpha_axis_height(&ticks, style),
    };
    let (mut scene, area) = frame(style, layout);
    let base = area.bottom + strip_height;
    let series: Vec<Marks<'_>> = drawn
        .iter()
        .zip(shifts(curves.len(), &alphas, &alpha))
        .enumerate()
        .map(|(index, ((name, curve), shift))| Marks {
            name,
            curve,
            alpha: &alpha,
            range: &range,
            area,
            series: Series::new(index),
            shift,
        })
        .collect();

    let mut add = |marks: Vec<Mark>| scene.marks.extend(marks);
    add(value_axis(
        area,
        &range,
        &[percent(&curves[0].metric).as_str()],
        left,
        style,
    ));
    add(line_marks(&lines, area, &range));
    if several {
        add(overlaid(&series));
        if priors_apart {
            add(priors_right(&series, area, base, style));
        }
        add(rows(&series, [area.left, area.bottom + 4.0], ROW, style));
    } else {
        add(alone(&series[0]));
        add(strip.marks([area.left, area.bottom], style));
    }
    add(label_marks(&lines, area, &range, style));
    if strip_height > 0.0 {
        let ends = [[area.left, area.bottom], [area.right, area.bottom]];
        add(vec![Mark::line(ends).stroke(GREY, 0.8).dash(&[2.0, 3.0])]);
    }
    if !any(|p| p.seeds.mean.is_some()) {
        add(vec![every_trial_diverged(area, style)]);
    }
    add(alpha_axis(area, base, &alpha, &ticks, style));
    scene
}

/// Every α at which a curve has a point, in order.
fn alphas(curves: &[&Curve]) -> Vec<f64> {
    let points = curves.iter().flat_map(|curve| &curve.points);
    let mut alphas: Vec<f64> = points.map(|point| point.alpha).collect();
    alphas.sort_by(f64::total_cmp);
    alphas.dedup();
    alphas
}

/// One curve, with the interval and every seed of its points.
fn alone(curve: &Marks<'_>) -> Vec<Mark> {
    let mut marks = curve.intervals();
    marks.extend(curve.mean_line());
    marks.extend(curve.means());
    marks.extend(curve.seeds());
    marks
}

/// Several curves: all lines below all intervals, and these below all markers.
fn overlaid(series: &[Marks<'_>]) -> Vec<Mark> {
    let lines = series.iter().flat_map(Marks::mean_line);
    let bars = series.iter().flat_map(|one| one.bars(CAP));
    let markers = series.iter().flat_map(Marks::markers);
    lines.chain(bars).chain(markers).collect()
}

/// The priors of the curves, right of the plot area; `base` is the height of the α-axis.
fn priors_right(series: &[Marks<'_>], area: Area, base: f64, style: &Style) -> Vec<Mark> {
    let x = area.right + PRIORS;
    let name = Mark::text([x, base + 7.5 + style.text], style.text, "priors")
        .anchor(Anchor::Middle)
        .class("alpha-tick")
        .fill(INK);
    let priors = series.iter().flat_map(|one| one.prior(x + one.shift, CAP));
    priors.chain([name]).collect()
}

/// The name of an axis of accuracies.
pub fn percent(metric: &str) -> String {
    format!("{metric} (%)")
}

fn every_trial_diverged(area: Area, style: &Style) -> Mark {
    Mark::text(area.centre(), style.axis, "every trial diverged")
        .anchor(Anchor::Middle)
        .fill(GREY)
}

fn rows_height(curves: &[&Curve]) -> f64 {
    let with_diverged = curves.iter().filter(|c| diverged(c).next().is_some());
    match with_diverged.count() {
        0 => 0.0,
        rows => rows as f64 * ROW + 6.0,
    }
}

/// The points of a curve at which a trial diverged.
fn diverged(curve: &Curve) -> impl Iterator<Item = &CurvePoint> {
    curve.points.iter().filter(|p| !p.seeds.diverged.is_empty())
}

fn names(drawn: &[(&str, &Curve)]) -> Vec<Entry> {
    let names = drawn.iter().enumerate();
    names
        .map(|(i, (name, _))| Entry::Curve((*name).to_owned(), Series::new(i)))
        .collect()
}

fn signs(points: &[CurvePoint]) -> Vec<Entry> {
    let any = |shown: fn(&CurvePoint) -> bool| points.iter().any(shown);
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

/// How far right of its α each of `n` curves stands.
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

#[cfg(test)]
mod tests;
