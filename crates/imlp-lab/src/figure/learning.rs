//! Loss and accuracy by epoch, a line per α.

use super::axis::Range;
use super::colour::{Colour, INK};
use super::course::{self, Images, OfAlpha, by_alpha, mean};
use super::curve::percent;
use super::error::FigureError;
use super::frame::{
    Layout, frame, number_axis, number_axis_height, spines, value_axis, value_margin,
};
use super::kind::Kind;
use super::legend::{Entry, Legend};
use super::named::Named;
use super::scene::{Area, Mark, Scene};
use super::style::{Height, Style};
use crate::curve::alpha_label;
use crate::view::{PointView, PriorView};

/// From this width of the page on the panels stand side by side.
const ROOM_FOR_TWO: f64 = 560.0;
/// Height of a panel above another, where the style does not decide it, as a share of a plot's.
const STACKED: f64 = 0.7;
/// Between panels above each other.
const BETWEEN: f64 = 16.0;
/// Maximum number of α in the legend; of more, some between the ends are left out.
const MOST_NAMES: usize = 10;

/// A line in both panels.
struct Line {
    name: String,
    colour: Colour,
    dash: &'static [f64],
    loss: Vec<(f64, f64)>,
    accuracy: Vec<(f64, f64)>,
}

/// Draws one configuration.
pub fn scene(named: &Named<'_>, style: &Style) -> Result<Scene, FigureError> {
    let configuration = named.configuration;
    let points = || {
        let trials = configuration.trials.iter().flat_map(|t| &t.points);
        trials.chain(configuration.priors.iter().flat_map(|p| &p.points))
    };
    course::check(points())?;
    let alphas = by_alpha(&configuration.trials);
    let of_trials = || {
        alphas
            .iter()
            .flat_map(|a| &a.trials)
            .flat_map(|t| &t.points)
    };
    let lacking = |reason: &str| FigureError::Lacking {
        kind: Kind::Learning.name(),
        reason: reason.to_owned(),
    };
    if alphas.is_empty() {
        return Err(lacking("no trial has finished without diverging"));
    }
    let images = Images::measured(of_trials())
        .ok_or_else(|| lacking("no accuracy was measured while the trials trained"))?;
    let mut lines = of_alphas(&alphas, images);
    lines.extend(of_priors(&configuration.priors, images));

    let numbers = |of: fn(&Line) -> &Vec<(f64, f64)>| lines.iter().flat_map(of);
    let losses = Range::of_losses(numbers(|l| &l.loss).map(|(_, v)| *v));
    let accuracies = Range::of_accuracies(numbers(|l| &l.accuracy).map(|(_, v)| *v), []);
    let last = points().map(|p| p.epoch).fold(1.0, f64::max);
    let epochs = Range::whole(0.0, last);
    let left = value_margin(&losses, style).max(value_margin(&accuracies, style));
    let beside = style.width >= ROOM_FOR_TWO;
    let between = match beside {
        true => left - style.edge + 12.0,
        false => BETWEEN,
    };
    let plot = match (style.height, beside) {
        (Height::Page(_), _) => 0.0,
        (Height::Plot(height), true) => height,
        (Height::Plot(height), false) => 2.0 * STACKED * height + between,
    };
    let layout = Layout {
        kind: "learning",
        title: &format!("Learning curves: {}", named.view.subject()),
        subtitle: &configuration.subtitle,
        description: description(&lines, images),
        legend: Legend::new(&entries(&lines), left, style),
        notes: notes(named, &alphas),
        left,
        right: style.edge + 12.0,
        plot,
        below: number_axis_height(style),
    };
    let (mut scene, area) = frame(style, layout);
    let (first, second) = halves(area, between, beside);
    let loss_name = match losses.is_log() {
        true => "Training loss (log scale)",
        false => "Training loss",
    };
    let metric = percent(images.metric());
    let panels = [
        (
            first,
            &losses,
            [loss_name, "Training loss", "Loss"],
            loss as fn(&Line) -> &[(f64, f64)],
        ),
        (
            second,
            &accuracies,
            [metric.as_str(), "Accuracy (%)", "%"],
            accuracy,
        ),
    ];
    for (area, range, names, of) in panels {
        scene
            .marks
            .extend(value_axis(area, range, &names, left, style));
        for line in &lines {
            scene
                .marks
                .push(course_mark(line, of(line), area, range, &epochs));
        }
        scene.marks.push(spines(area));
        if beside || area == second {
            scene
                .marks
                .extend(number_axis(area, &epochs, &["epoch"], style));
        }
    }
    Ok(scene)
}

fn loss(line: &Line) -> &[(f64, f64)] {
    &line.loss
}

fn accuracy(line: &Line) -> &[(f64, f64)] {
    &line.accuracy
}

/// A line per α, from the dark end of the ramp to the bright one.
fn of_alphas(alphas: &[OfAlpha<'_>], images: Images) -> Vec<Line> {
    let line = |(rank, of_alpha): (usize, &OfAlpha<'_>)| {
        let courses: Vec<&[PointView]> = of_alpha.trials.iter().map(|t| &*t.points).collect();
        Line {
            name: format!("α = {}", alpha_label(of_alpha.alpha)),
            colour: course::colour(rank, alphas),
            dash: &[],
            loss: mean(&courses, |p| p.loss),
            accuracy: mean(&courses, |p| images.accuracy(p)),
        }
    };
    alphas.iter().enumerate().map(line).collect()
}

/// The line of the priors that have one.
fn of_priors(priors: &[PriorView], images: Images) -> Option<Line> {
    let courses: Vec<&[PointView]> = priors
        .iter()
        .filter(|p| p.diverged_epoch.is_none() && !p.points.is_empty())
        .map(|p| p.points.as_slice())
        .collect();
    (!courses.is_empty()).then(|| Line {
        name: "prior".to_owned(),
        colour: INK,
        dash: &[4.0, 3.0],
        loss: mean(&courses, |p| p.loss),
        accuracy: mean(&courses, |p| images.accuracy(p)),
    })
}

fn course_mark(
    line: &Line,
    values: &[(f64, f64)],
    area: Area,
    range: &Range,
    epochs: &Range,
) -> Mark {
    let at = |(epoch, value): &(f64, f64)| {
        let x = epochs.place(*epoch, area.left, area.right);
        [x, range.place(*value, area.bottom, area.top)]
    };
    let mark = match values {
        // One epoch is no line; its point may lie on the edge, whole.
        [value] => Mark::circle(at(value), 2.6).fill(line.colour),
        values => Mark::line(values.iter().map(at))
            .stroke(line.colour, 1.8)
            .dash(line.dash)
            .clip(area),
    };
    mark.class("course").tip(&*line.name)
}

/// The areas of the two panels.
fn halves(area: Area, between: f64, beside: bool) -> (Area, Area) {
    if beside {
        let width = (area.width() - between) / 2.0;
        let first = Area {
            right: area.left + width,
            ..area
        };
        let left = area.right - width;
        return (first, Area { left, ..area });
    }
    let height = (area.height() - between) / 2.0;
    let first = Area {
        bottom: area.top + height,
        ..area
    };
    let top = area.bottom - height;
    (first, Area { top, ..area })
}

/// All lines, or some from the first α to the last where there are many.
fn entries(lines: &[Line]) -> Vec<Entry> {
    let (of_alphas, others): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| line.dash.is_empty());
    let shown = of_alphas.len().min(MOST_NAMES);
    let step = (of_alphas.len() - 1) as f64 / (shown.max(2) - 1) as f64;
    let some = (0..shown).map(|i| of_alphas[(i as f64 * step).round() as usize]);
    some.chain(others)
        .map(|line| Entry::Line(line.name.clone(), line.colour, line.dash))
        .collect()
}

fn notes(named: &Named<'_>, alphas: &[OfAlpha<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let most = alphas.iter().map(|a| a.trials.len()).max();
    if most > Some(1) {
        notes.push("Lines are means over seeds, as far as all of them came.".to_owned());
    }
    let all = std::slice::from_ref(named);
    notes.extend(course::unfinished(all));
    notes.extend(course::diverged(all));
    notes
}

fn description(lines: &[Line], images: Images) -> String {
    let mut words = format!(
        "Training loss and {} by epoch.",
        images.metric().to_lowercase()
    );
    for line in lines {
        if let (Some((_, loss)), Some((epoch, accuracy))) = (line.loss.last(), line.accuracy.last())
        {
            words += &format!(
                " {}: loss {loss:.3}, {:.2} % after {epoch} epochs.",
                line.name,
                100.0 * accuracy
            );
        }
    }
    words
}
