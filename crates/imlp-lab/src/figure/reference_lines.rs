//! The networks that the curve runs between, the prior and the plain MLP, as
//! horizontal lines, labelled in the right margin so that no label covers data.

use super::axis::Range;
use super::colour::{Colour, GREEN, GREY, INK, ORANGE};
use super::scene::{Area, Mark, Shape};
use super::style::{Style, line_height};
use super::text::{Face, width};
use crate::curve::{Curve, SeedStatistics};

/// Distance from the line's end to its label.
const LEADER: f64 = 14.0;
/// From this width of the page on the labels have the values.
const ROOM_FOR_VALUES: f64 = 600.0;

/// A line with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceLine {
    name: &'static str,
    colour: Colour,
    dash: &'static [f64],
    value: Option<String>,
    mean: f64,
    interval: Option<[f64; 2]>,
}

/// The lines of a curve's prior and plain MLP.
pub fn reference_lines(curve: &Curve, style: &Style) -> Vec<ReferenceLine> {
    let line = |network: &Option<SeedStatistics>, name, colour, dash, with_band: bool| {
        let network = network.as_ref()?;
        let mean = network.mean?;
        Some(ReferenceLine {
            name,
            colour,
            dash,
            value: (style.width >= ROOM_FOR_VALUES).then(|| per_cent(mean, network.ci95)),
            mean,
            // The plain MLP's interval is already drawn at α = 0.
            interval: network.ci95.filter(|_| with_band),
        })
    };
    let mut lines: Vec<ReferenceLine> = [
        line(&curve.prior, "prior", GREEN, &[], true),
        line(&curve.plain_mlp, "plain MLP", ORANGE, &[7.0, 4.0], false),
    ]
    .into_iter()
    .flatten()
    .collect();
    lines.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    lines
}

/// What the labels need right of the plot.
pub fn label_margin(lines: &[ReferenceLine], style: &Style) -> f64 {
    let widths = lines.iter().map(|line| {
        let value = line.value.as_deref().unwrap_or_default();
        let value = width(value, style.text, Face::Regular);
        width(line.name, style.text, Face::Bold).max(value)
    });
    LEADER + widths.fold(0.0, f64::max) + style.edge
}

/// The lines, to be drawn under the data; intervals are cut at the plot.
pub fn line_marks(lines: &[ReferenceLine], area: Area, range: &Range) -> Vec<Mark> {
    let y = |value| range.place(value, area.bottom, area.top);
    let mut marks = Vec::new();
    for line in lines {
        if let Some([low, high]) = line.interval {
            let band = Area {
                top: y(high),
                bottom: y(low),
                ..area
            };
            let band = Mark::new(Shape::Rectangle(band)).fill(line.colour);
            marks.push(band.opacity(0.13).clip(area).class("level-interval"));
        }
        let ends = [[area.left, y(line.mean)], [area.right, y(line.mean)]];
        let level = Mark::line(ends).stroke(line.colour, 1.6).dash(line.dash);
        marks.push(level.class("level"));
    }
    marks
}

/// The labels right of the plot.
pub fn label_marks(lines: &[ReferenceLine], area: Area, range: &Range, style: &Style) -> Vec<Mark> {
    let step = line_height(style.text);
    let ys: Vec<f64> = lines
        .iter()
        .map(|line| range.place(line.mean, area.bottom, area.top))
        .collect();
    let height = match lines.iter().any(|line| line.value.is_some()) {
        true => 2.0 * step,
        false => step,
    };
    let mut marks = Vec::new();
    for ((line, y), middle) in lines.iter().zip(&ys).zip(apart(&ys, height, area)) {
        let x = area.right + LEADER;
        let leader = [[area.right, *y], [x - 3.0, middle]];
        marks.push(Mark::line(leader).stroke(line.colour, 1.2));
        let top = middle - height / 2.0;
        let baseline = |row: f64| [x, top + row * step + 0.5 * step + 0.36 * style.text];
        let name = Mark::text(baseline(0.0), style.text, line.name).bold();
        marks.push(name.fill(INK));
        if let Some(value) = &line.value {
            marks.push(Mark::text(baseline(1.0), style.text, value).fill(GREY));
        }
    }
    marks
}

/// Where labels of a height stand that belong at `ys`, at most two, from top to bottom: apart
/// from each other and within the plot.
fn apart(ys: &[f64], height: f64, area: Area) -> Vec<f64> {
    let half = height / 2.0;
    let mut places: Vec<f64> = ys
        .iter()
        .map(|y| y.clamp(area.top + half, area.bottom - half))
        .collect();
    if let [upper, lower] = places.as_mut_slice()
        && *lower - *upper < height + 4.0
    {
        let reach = half + 2.0;
        let middle = (*upper + *lower) / 2.0;
        let middle = middle.clamp(area.top + half + reach, area.bottom - half - reach);
        (*upper, *lower) = (middle - reach, middle + reach);
    }
    places
}

fn per_cent(mean: f64, ci95: Option<[f64; 2]>) -> String {
    let mean = 100.0 * mean;
    match ci95 {
        Some([low, high]) => format!("{mean:.2} ± {:.2} %", 50.0 * (high - low)),
        None => format!("{mean:.2} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_overlap_and_stay_inside() {
        let area = Area {
            left: 0.0,
            top: 100.0,
            right: 500.0,
            bottom: 400.0,
        };
        for ys in [
            [100.0, 400.0],
            [250.0, 250.0],
            [101.0, 102.0],
            [399.0, 400.0],
        ] {
            let places = apart(&ys, 34.0, area);
            assert!(places[1] - places[0] >= 34.0, "{places:?}");
            assert!(places[0] >= 117.0 && places[1] <= 383.0, "{places:?}");
        }
        assert_eq!(apart(&[250.0], 34.0, area), [250.0]);
    }

    #[test]
    fn the_label_gives_the_half_width() {
        assert_eq!(per_cent(0.7, Some([0.69, 0.71])), "70.00 ± 1.00 %");
        assert_eq!(per_cent(0.7, None), "70.00 %");
    }
}
