//! Accuracy against floating-point operations of training: the course of every α and its end,
//! the prior's, and the plain MLP's (α = 0). What trains the prior counts for every α > 0.

use super::axis::Range;
use super::colour::{Colour, GREEN, ORANGE};
use super::course::{self, Images, by_alpha, mean};
use super::curve::percent;
use super::error::FigureError;
use super::frame::{
    Layout, frame, number_axis, number_axis_height, spines, value_axis, value_margin,
};
use super::kind::Kind;
use super::legend::{Entry, Legend};
use super::named::{Named, shared};
use super::scene::{Mark, Point, Scene};
use super::series::{Marker, SERIES, Series};
use super::style::{Height, Style};
use crate::curve::alpha_label;
use crate::description::TrainingCost;
use crate::view::{PointView, View};

/// Maximum number of α in the legend; of more, some between the ends are left out.
const MOST_NAMES: usize = 8;

/// The networks of one α, or the priors, of a configuration.
struct Run {
    name: String,
    series: Series,
    /// FLOPs and accuracy by epoch.
    course: Vec<(f64, f64)>,
}

/// Draws configurations, by colour of α where there is one.
pub fn scene(all: &[Named<'_>], style: &Style) -> Result<Scene, FigureError> {
    let lacking = |reason: &str| FigureError::Lacking {
        kind: Kind::Compute.name(),
        reason: reason.to_owned(),
    };
    let trials = || all.iter().flat_map(|n| &n.configuration.trials);
    let priors = || all.iter().flat_map(|n| &n.configuration.priors);
    course::check(trials().flat_map(|t| &t.points))?;
    course::check(priors().flat_map(|p| &p.points))?;
    if all.iter().all(|n| n.configuration.cost.is_none()) {
        return Err(lacking(
            "the folder does not say what training costs; run its imlp sweep again, which \
             trains nothing that is finished",
        ));
    }
    if all
        .iter()
        .all(|n| by_alpha(&n.configuration.trials).is_empty())
    {
        return Err(lacking("no trial has finished without diverging"));
    }
    let images = Images::measured(trials().flat_map(|t| &t.points))
        .ok_or_else(|| lacking("no accuracy was measured while the trials trained"))?;
    let drawn = &all[..all.len().min(SERIES)];
    let runs: Vec<Run> = drawn
        .iter()
        .enumerate()
        .flat_map(|(index, named)| runs(named, (drawn.len() > 1).then_some(index), images))
        .filter(|run| !run.course.is_empty())
        .collect();
    if runs.is_empty() {
        return Err(lacking("no trial has come to the end of an epoch"));
    }
    let points = || runs.iter().flat_map(|run| &run.course);
    let amounts = Range::of_amounts(points().map(|(flops, _)| *flops));
    let range = Range::of_accuracies(points().map(|(_, accuracy)| *accuracy), []);
    let left = value_margin(&range, style);
    let layout = Layout {
        kind: "compute",
        title: "Accuracy against the work of training",
        subtitle: shared(all.iter()).map_or("", View::subject),
        description: description(&runs, images),
        legend: Legend::new(&entries(&runs, drawn), left, style),
        notes: notes(all, all.len() - drawn.len()),
        left,
        right: style.edge + 12.0,
        plot: match style.height {
            Height::Plot(height) => height,
            Height::Page(_) => 0.0,
        },
        below: number_axis_height(style),
    };
    let (mut scene, area) = frame(style, layout);
    let metric = percent(images.metric());
    scene.marks.extend(value_axis(
        area,
        &range,
        &[metric.as_str(), "Accuracy (%)", "%"],
        left,
        style,
    ));
    let at = |(flops, accuracy): &(f64, f64)| -> Point {
        let x = amounts.place(*flops, area.left, area.right);
        [x, range.place(*accuracy, area.bottom, area.top)]
    };
    for run in &runs {
        let line = Mark::line(run.course.iter().map(at)).stroke(run.series.colour, 1.4);
        scene
            .marks
            .push(line.opacity(0.55).clip(area).class("course"));
    }
    for run in &runs {
        if let Some(end @ (flops, accuracy)) = run.course.last() {
            let tip = format!(
                "{}: {:.2} % at {flops:.2e} FLOPs",
                run.name,
                100.0 * accuracy
            );
            scene
                .marks
                .push(run.series.mark(at(end)).class("end").tip(tip));
        }
    }
    scene.marks.push(spines(area));
    let names = [
        "floating-point operations of training (log scale)",
        "FLOPs of training (log scale)",
        "FLOPs",
    ];
    scene
        .marks
        .extend(number_axis(area, &amounts, &names, style));
    Ok(scene)
}

/// The runs of one configuration, with the look of its index among several.
fn runs(named: &Named<'_>, index: Option<usize>, images: Images) -> Vec<Run> {
    let configuration = named.configuration;
    let Some(cost) = configuration.cost else {
        return Vec::new();
    };
    let prefix = match index {
        Some(_) => format!("{}, ", named.name),
        None => String::new(),
    };
    let of_several = index.map(Series::new);
    let priors: Vec<&[PointView]> = configuration
        .priors
        .iter()
        .filter(|p| p.diverged_epoch.is_none())
        .map(|p| p.points.as_slice())
        .collect();
    let prior_epochs = priors.iter().filter_map(|points| points.last());
    let prior_epochs = prior_epochs.map(|p| p.epoch).fold(0.0, f64::max);
    let alphas = by_alpha(&configuration.trials);
    let mut runs = Vec::new();
    for (rank, of_alpha) in alphas.iter().enumerate() {
        let courses: Vec<&[PointView]> = of_alpha.trials.iter().map(|t| &*t.points).collect();
        let last = courses.iter().filter_map(|points| points.last());
        let last = last.map(|p| p.epoch).fold(0.0, f64::max);
        let prior = if of_alpha.alpha > 0.0 {
            prior_epochs
        } else {
            0.0
        };
        let plain = of_alpha.alpha == 0.0;
        let series = of_several.unwrap_or(match plain {
            true => look(ORANGE, Marker::Square),
            false => look(course::colour(rank, &alphas), Marker::Circle),
        });
        let name = match plain {
            true => "plain MLP".to_owned(),
            false => format!("α = {}", alpha_label(of_alpha.alpha)),
        };
        runs.push(Run {
            name: prefix.clone() + &name,
            series: match plain {
                true => Series {
                    marker: Marker::Square,
                    ..series
                },
                false => series,
            },
            course: mean(&courses, |p| images.accuracy(p))
                .into_iter()
                .map(|(epoch, accuracy)| (flops(cost, epoch, prior, last), accuracy))
                .filter(|(flops, _)| *flops > 0.0)
                .collect(),
        });
    }
    let series = of_several.unwrap_or(look(GREEN, Marker::Diamond));
    runs.push(Run {
        name: prefix + "prior",
        series: Series {
            marker: Marker::Diamond,
            ..series
        },
        course: mean(&priors, |p| images.accuracy(p))
            .into_iter()
            .map(|(epoch, accuracy)| {
                let images = epoch * cost.epoch_images as f64;
                (images * cost.prior_flops as f64, accuracy)
            })
            .filter(|(flops, _)| *flops > 0.0)
            .collect(),
    });
    runs
}

/// What a twin took that has trained `epoch` of `last` epochs, toward a prior that trained
/// `prior` epochs beside it.
fn flops(cost: TrainingCost, epoch: f64, prior: f64, last: f64) -> f64 {
    let of_prior = if last > 0.0 {
        prior * epoch / last
    } else {
        0.0
    };
    cost.epoch_images as f64 * (epoch * cost.twin_flops as f64 + of_prior * cost.prior_flops as f64)
}

fn look(colour: Colour, marker: Marker) -> Series {
    Series {
        colour,
        dash: &[],
        marker,
        hollow: false,
    }
}

/// Every run of one configuration, or some from the first α to the last; of several, the
/// configurations.
fn entries(runs: &[Run], drawn: &[Named<'_>]) -> Vec<Entry> {
    if drawn.len() > 1 {
        let names = drawn.iter().enumerate();
        return names
            .map(|(i, named)| Entry::Curve(named.name.clone(), Series::new(i)))
            .collect();
    }
    let shown = runs.len().min(MOST_NAMES);
    let step = (runs.len() - 1) as f64 / (shown.max(2) - 1) as f64;
    let run = |i: usize| &runs[(i as f64 * step).round() as usize];
    (0..shown)
        .map(run)
        .map(|run| Entry::Marker(run.name.clone(), run.series))
        .collect()
}

fn notes(all: &[Named<'_>], left_out: usize) -> Vec<String> {
    let mut notes = vec![
        "Lines are means over seeds by epoch, marks their ends; a multiply-add counts as 2. What \
         trains the prior counts for every α > 0."
            .to_owned(),
    ];
    if left_out > 0 {
        notes.push(format!(
            "Only the first {SERIES} configurations are drawn, {left_out} are not."
        ));
    }
    notes.extend(course::unfinished(all));
    notes.extend(course::diverged(all));
    notes
}

fn description(runs: &[Run], images: Images) -> String {
    let mut words = format!(
        "{} against floating-point operations of training.",
        images.metric()
    );
    for run in runs {
        if let Some((flops, accuracy)) = run.course.last() {
            words += &format!(
                " {}: {:.2} % after {flops:.3e}.",
                run.name,
                100.0 * accuracy
            );
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_that_of_the_twin_and_of_its_prior() {
        let cost = TrainingCost {
            prior_parameters: 1,
            twin_parameters: 1,
            prior_macs: 1,
            twin_macs: 1,
            prior_flops: 10,
            twin_flops: 100,
            epoch_images: 50,
        };
        // 2 epochs of 50 images at 100; a prior of 4 epochs, half of which are over.
        assert_eq!(flops(cost, 2.0, 4.0, 4.0), 50.0 * (200.0 + 20.0));
        assert_eq!(flops(cost, 2.0, 0.0, 4.0), 50.0 * 200.0);
        // A frozen prior of 8 epochs beside 4 of the twin.
        assert_eq!(flops(cost, 4.0, 8.0, 4.0), 50.0 * (400.0 + 80.0));
    }
}
