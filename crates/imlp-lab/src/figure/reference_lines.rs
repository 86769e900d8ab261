//! The networks that the curve runs between, the prior and the plain MLP, as
//! horizontal lines, labelled in the right margin so that no label covers data.

use maud::{Markup, html};

use super::style::{GREEN, GREY, INK, ORANGE, TEXT_SIZE, line_height, px};
use super::value_axis::ValueAxis;
use crate::curve::{Curve, SeedStatistics};

/// Distance from the line's end to its label, px.
const LEADER: f64 = 14.0;

/// A line with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceLine {
    name: &'static str,
    colour: &'static str,
    dash: Option<&'static str>,
    value: String,
    y: f64,
    /// Vertical centre of the label, px.
    pub label_y: f64,
    band: Option<[f64; 2]>,
}

/// The lines of a curve's prior and plain MLP, labels kept apart and between
/// `top` and `bottom` px.
pub fn reference_lines(
    curve: &Curve,
    axis: &ValueAxis,
    top: f64,
    bottom: f64,
) -> Vec<ReferenceLine> {
    let line = |network: &Option<SeedStatistics>, name, colour, dash, with_band: bool| {
        let network = network.as_ref()?;
        let mean = network.mean?;
        Some(ReferenceLine {
            name,
            colour,
            dash,
            value: per_cent(mean, network.ci95),
            y: axis.y(mean),
            label_y: axis.y(mean),
            // The plain MLP's interval is already drawn at α = 0.
            band: network
                .ci95
                .filter(|_| with_band)
                .map(|c| c.map(|v| axis.y(v))),
        })
    };
    let mut lines: Vec<ReferenceLine> = [
        line(&curve.prior, "prior", GREEN, None, true),
        line(&curve.plain_mlp, "plain MLP", ORANGE, Some("7 4"), false),
    ]
    .into_iter()
    .flatten()
    .collect();
    lines.sort_by(|a, b| a.y.total_cmp(&b.y));
    let height = 2.0 * line_height(TEXT_SIZE);
    let half = height / 2.0;
    for line in &mut lines {
        line.label_y = line.label_y.clamp(top + half, bottom - half);
    }
    if let [upper, lower] = lines.as_mut_slice() {
        let missing = height + 4.0 - (lower.label_y - upper.label_y);
        if missing > 0.0 {
            let middle = (upper.label_y + lower.label_y) / 2.0;
            let reach = half + 2.0;
            let middle = middle.clamp(top + half + reach, bottom - half - reach);
            upper.label_y = middle - reach;
            lower.label_y = middle + reach;
        }
    }
    lines
}

/// The lines from `left` to `right` px, to be drawn under the data; intervals
/// are cut by the clip path `clip`.
pub fn draw_lines(lines: &[ReferenceLine], left: f64, right: f64, clip: &str) -> Markup {
    html! {
        @for line in lines {
            @if let Some([low, high]) = line.band {
                rect class="level-interval" x=(px(left)) y=(px(high)) width=(px(right - left))
                    height=(px(low - high)) fill=(line.colour) fill-opacity="0.13"
                    clip-path=(format!("url(#{clip})")) {}
            }
            line class="level" x1=(px(left)) x2=(px(right)) y1=(px(line.y)) y2=(px(line.y))
                stroke=(line.colour) stroke-width="1.6" stroke-dasharray=[line.dash] {}
        }
    }
}

/// The labels right of `right` px.
pub fn draw_labels(lines: &[ReferenceLine], right: f64) -> Markup {
    let step = line_height(TEXT_SIZE);
    html! {
        @for line in lines {
            polyline points=(format!(
                "{},{} {},{}", px(right), px(line.y), px(right + LEADER - 3.0), px(line.label_y)
            )) fill="none" stroke=(line.colour) stroke-width="1.2" {}
            text x=(px(right + LEADER)) y=(px(line.label_y - 2.0)) font-size=(TEXT_SIZE)
                font-weight="700" fill=(INK) { (line.name) }
            text x=(px(right + LEADER)) y=(px(line.label_y - 2.0 + step)) font-size=(TEXT_SIZE)
                fill=(GREY) { (line.value) }
        }
    }
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
    use crate::curve::TrialValue;

    fn lines(prior: f64, plain: f64) -> Vec<ReferenceLine> {
        let row = TrialValue {
            alpha: 0.0,
            seed: 1,
            value: Some(plain),
        };
        let curve = Curve::from_trials("accuracy", &[row], &[(1, Some(prior))]).unwrap();
        let axis = ValueAxis::new(&[&curve], 100.0, 400.0);
        reference_lines(&curve, &axis, 100.0, 400.0)
    }

    #[test]
    fn labels_never_overlap_and_stay_inside() {
        for (prior, plain) in [
            (0.7, 0.5),
            (0.7, 0.7),
            (0.7, 0.7001),
            (0.2, 0.9),
            (1.0, 1.0),
        ] {
            let lines = lines(prior, plain);
            let step = lines[1].label_y - lines[0].label_y;
            assert!(step >= 2.0 * line_height(TEXT_SIZE), "{step}");
            assert!(lines[0].label_y > 100.0 && lines[1].label_y < 400.0);
        }
    }

    #[test]
    fn the_label_gives_the_half_width() {
        assert_eq!(per_cent(0.7, Some([0.69, 0.71])), "70.00 ± 1.00 %");
        assert_eq!(per_cent(0.7, None), "70.00 %");
    }
}
