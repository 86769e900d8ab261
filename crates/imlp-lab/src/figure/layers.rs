//! α of every layer by epoch, as a heat map.

use super::axis::Range;
use super::colour::{INK, sequential};
use super::colour_bar;
use super::course::{self, by_alpha};
use super::error::FigureError;
use super::frame::{Layout, frame, number_axis, number_axis_height};
use super::kind::Kind;
use super::legend::Legend;
use super::named::Named;
use super::scene::{Anchor, Area, Mark, Scene, Shape};
use super::style::{HALF_LETTER, Height, Style};
use super::text::{Face, clean, shorten_inside, width};
use crate::curve::alpha_label;
use crate::view::TrialView;

/// Share of the page that the names of layers may take.
const NAMES: f64 = 0.25;
/// Height of a row where the style does not decide the page's.
const ROW: f64 = 30.0;
/// Between two rows.
const BETWEEN: f64 = 1.5;
/// From the names to the cells.
const GAP: f64 = 6.0;

fn notes(named: &Named<'_>, asked: Option<f64>, trial: &TrialView) -> Vec<String> {
    let shown = format!(
        "The schedule and allocation of the trial with α = {}, seed {}.",
        alpha_label(trial.alpha),
        trial.seed
    );
    let answer = named.configuration.answer.as_ref();
    let chosen = answer.and_then(|answer| answer.best_alpha);
    let other = chosen.filter(|chosen| asked.is_none() && *chosen != trial.alpha);
    let other = other.map(|chosen| {
        format!(
            "The α chosen on validation, {}, is not shown.",
            alpha_label(chosen)
        )
    });
    [Some(shown), other].into_iter().flatten().collect()
}

/// Draws the trial of `alpha`; else of the chosen α if it is not 0, else of the largest below 1.
pub fn scene(named: &Named<'_>, alpha: Option<f64>, style: &Style) -> Result<Scene, FigureError> {
    let trial = trial(named, alpha)?;
    course::check(trial.points.iter())?;
    let rows = trial.points.iter().map(|p| p.alphas.len()).max();
    let rows = rows.unwrap_or_default();
    let layers = &named.configuration.layers;
    let names: Vec<String> = (0..rows)
        .map(|row| {
            let name = layers.get(row).filter(|_| layers.len() == rows);
            name.cloned()
                .unwrap_or_else(|| format!("layer {}", row + 1))
        })
        .map(|name| {
            let limit = NAMES * style.width;
            shorten_inside(&clean(&name), limit, style.text, Face::Regular)
        })
        .collect();
    let alphas = || trial.points.iter().flat_map(|p| &p.alphas);
    if let Some(alpha) = alphas().find(|a| !(0.0..=1.0).contains(*a)) {
        return Err(FigureError::Alpha { alpha: *alpha });
    }
    let largest = alphas().copied().fold(0.0, f64::max);
    let range = Range::exactly(0.0, largest);
    let widest = names.iter().map(|n| width(n, style.text, Face::Regular));
    let left = style.edge + widest.fold(0.0, f64::max) + GAP;
    let plot = match style.height {
        Height::Plot(height) => (rows as f64 * ROW).clamp(0.4 * height, 2.0 * height),
        Height::Page(_) => 0.0,
    };
    let shown = alpha_label(trial.alpha);
    let title = format!("α of every layer by epoch, α = {shown}");
    let layout = Layout {
        kind: "layers",
        title: &title,
        subtitle: named.view.subject(),
        description: description(&names, trial),
        legend: Legend::new(&[], left, style),
        notes: notes(named, alpha, trial),
        left,
        right: colour_bar::margin(&range, style),
        plot,
        below: number_axis_height(style),
    };
    let (mut scene, area) = frame(style, layout);
    let last = trial.points.last().map_or(1.0, |p| p.epoch);
    let epochs = Range::whole(0.0, last);
    let height = area.height() / rows as f64;
    let mut free = f64::NEG_INFINITY;
    for (row, name) in names.iter().enumerate() {
        let top = area.top + row as f64 * height;
        let cells = cells(trial, row).into_iter().map(|cell| {
            let at = |epoch| epochs.place(epoch, area.left, area.right);
            let place = Area {
                left: at(cell.from),
                top,
                // A hair over the next cell, which is drawn later: no seam.
                right: (at(cell.to) + 0.3).min(area.right),
                bottom: top + height - BETWEEN,
            };
            Mark::new(Shape::Rectangle(place))
                .fill(sequential(cell.alpha / range.ends().1))
                .class("cell")
                .tip(format!("{name}, to epoch {}: α = {}", cell.to, cell.alpha))
        });
        scene.marks.extend(cells);
        let y = top + height / 2.0;
        // Names of very many layers have no room.
        if y - free >= style.text {
            free = y;
            let at = [area.left - GAP, y + HALF_LETTER * style.text];
            let name = Mark::text(at, style.text, name).anchor(Anchor::End);
            scene.marks.push(name.fill(INK));
        }
    }
    let border = Mark::new(Shape::Rectangle(area)).stroke(INK, 1.1);
    scene.marks.push(border);
    scene
        .marks
        .extend(number_axis(area, &epochs, &["epoch"], style));
    let colour = |alpha: f64| sequential(alpha / range.ends().1);
    let bar = colour_bar::marks(area, &range, colour, "α", style);
    scene.marks.extend(bar);
    Ok(scene)
}

/// Neighbouring points of a layer with one α.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    from: f64,
    to: f64,
    alpha: f64,
}

/// The cells of a layer; each point stands for the time since the one before it.
fn cells(trial: &TrialView, layer: usize) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut from = 0.0;
    for point in &trial.points {
        // Nothing was interpolated.
        let alpha = point.alphas.get(layer).copied().unwrap_or(0.0);
        match cells.last_mut() {
            Some(cell) if cell.alpha == alpha => cell.to = point.epoch,
            _ => cells.push(Cell {
                from,
                to: point.epoch,
                alpha,
            }),
        }
        from = point.epoch;
    }
    cells
}

fn trial<'v>(named: &Named<'v>, alpha: Option<f64>) -> Result<&'v TrialView, FigureError> {
    let interpolated = |t: &&TrialView| t.points.iter().any(|p| !p.alphas.is_empty());
    let all = by_alpha(&named.configuration.trials);
    let with_layers: Vec<(f64, &TrialView)> = all
        .iter()
        .filter_map(|of| {
            Some((
                of.alpha,
                of.trials.iter().copied().find(|t| interpolated(t))?,
            ))
        })
        .collect();
    let of = |alpha: f64| with_layers.iter().find(|(a, _)| *a == alpha);
    let found = match alpha {
        Some(alpha) => Some(of(alpha).ok_or_else(|| FigureError::NoAlpha {
            alpha,
            others: with_layers.iter().map(|(a, _)| alpha_label(*a)).collect(),
        })?),
        None => {
            let answer = named.configuration.answer.as_ref();
            // At α = 0 no layer is interpolated.
            let chosen = answer.and_then(|a| a.best_alpha).filter(|a| *a > 0.0);
            let chosen = chosen.and_then(of);
            let below_one = with_layers.iter().rfind(|(a, _)| *a < 1.0);
            chosen.or(below_one).or(with_layers.last())
        }
    };
    found.map(|(_, trial)| *trial).ok_or(FigureError::Lacking {
        kind: Kind::Layers.name(),
        reason: "no trial has interpolated a layer yet".to_owned(),
    })
}

fn description(names: &[String], trial: &TrialView) -> String {
    let mut words = format!(
        "α of {} layers by epoch, for the trial with α = {}.",
        names.len(),
        alpha_label(trial.alpha)
    );
    for (row, name) in names.iter().enumerate() {
        let cells = cells(trial, row);
        if let (Some(first), Some(last)) = (cells.first(), cells.last()) {
            words += &format!(
                " {name}: {} at first, {} at the end.",
                alpha_label(first.alpha),
                alpha_label(last.alpha)
            );
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::experiment;

    #[test]
    fn equal_neighbours_are_one_cell() {
        let mut view = experiment(3, 1, 4);
        let trial = &mut view.configurations[0].trials[1];
        trial.points[2].alphas = vec![0.25, 0.5];
        trial.points[3].alphas = Vec::new();
        let cell = |from, to, alpha| Cell { from, to, alpha };
        assert_eq!(
            cells(trial, 0),
            [
                cell(0.0, 2.0, 0.5),
                cell(2.0, 3.0, 0.25),
                cell(3.0, 4.0, 0.0)
            ]
        );
        assert_eq!(cells(trial, 1), [cell(0.0, 3.0, 0.5), cell(3.0, 4.0, 0.0)]);
    }
}
