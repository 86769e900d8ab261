//! The vertical axis: the metric as per cent on a linear scale.
//!
//! The range holds every seed's value and both reference lines. Intervals extend it by at
//! most [`INTERVAL_SHARE`] of that span on either side: with two seeds Student's
//! interval is so wide that it would flatten the curve. An interval that reaches
//! further is clipped, and the figure says so.

use crate::curve::Curve;

/// Minimum span of the axis, as a fraction: one per cent.
const LEAST_SPAN: f64 = 0.01;
/// Maximum extension of the range by intervals on one side, in spans of the values.
const INTERVAL_SHARE: f64 = 0.6;
/// Free space above and below, in spans.
const PADDING: f64 = 0.06;
/// Maximum number of intervals between ticks.
const MOST_STEPS: f64 = 6.0;

/// Maps a fraction to px.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueAxis {
    top: f64,
    bottom: f64,
    low: f64,
    high: f64,
}

impl ValueAxis {
    /// An axis between `top` and `bottom` px (top < bottom) for curves of
    /// fractions; from 0 to 1 when nothing finished.
    pub fn new(curves: &[&Curve], top: f64, bottom: f64) -> Self {
        let references = curves.iter().flat_map(|c| [&c.prior, &c.plain_mlp]);
        let references = references.flatten();
        let points = curves.iter().flat_map(|c| &c.points);
        let values = points
            .clone()
            .flat_map(|p| &p.seeds.values)
            .map(|v| v.value);
        let solid = values.chain(references.clone().filter_map(|l| l.mean));
        let (mut low, mut high) = extent(solid).unwrap_or((0.0, 1.0));
        let missing = LEAST_SPAN - (high - low);
        if missing > 0.0 {
            low -= missing / 2.0;
            high += missing / 2.0;
        }
        let reach = INTERVAL_SHARE * (high - low);
        let intervals = points
            .filter_map(|p| p.seeds.ci95)
            .chain(references.filter_map(|l| l.ci95));
        if let Some((least, most)) = extent(intervals.flatten().map(|v| v.clamp(0.0, 1.0))) {
            low = low.min(least.max(low - reach));
            high = high.max(most.min(high + reach));
        }
        let padding = PADDING * (high - low);
        Self {
            top,
            bottom,
            low: low - padding,
            high: high + padding,
        }
    }

    /// Position of a fraction in px; an interval may reach beyond the axis.
    pub fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.bottom - share * (self.bottom - self.top)
    }

    /// Whether a possible part (0 to 1) of an interval lies beyond the axis.
    pub fn clips(&self, interval: [f64; 2]) -> bool {
        interval[0].max(0.0) < self.low || interval[1].min(1.0) > self.high
    }

    /// Ticks from low to high: position in px and label in per cent.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        // In per cent; only what the metric can take.
        let low = (100.0 * self.low).max(0.0);
        let high = (100.0 * self.high).min(100.0);
        let (step, decimals) = nice_step((high - low) / MOST_STEPS);
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|i| {
                let per_cent = i as f64 * step;
                (self.y(per_cent / 100.0), format!("{per_cent:.decimals$}"))
            })
            .collect()
    }
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `rough`, and
/// the decimals that its multiples need.
fn nice_step(rough: f64) -> (f64, usize) {
    let exponent = rough.max(1e-6).log10().floor();
    let power = 10f64.powf(exponent);
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.into_iter().find(|f| f * power >= rough * 0.999);
    let step = factor.unwrap_or(10.0) * power;
    let decimals = (-(step * 1.001).log10().floor()).max(0.0) as usize;
    (step, decimals)
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent, v| match extent {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;

    fn axis(values: &[f64]) -> ValueAxis {
        let rows: Vec<TrialValue> = values
            .iter()
            .enumerate()
            .map(|(i, v)| TrialValue {
                alpha: 0.1,
                seed: i as u64,
                value: Some(*v),
            })
            .collect();
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        ValueAxis::new(&[&curve], 100.0, 400.0)
    }

    fn labels(axis: &ValueAxis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn higher_values_are_higher_up_and_inside() {
        let axis = axis(&[0.5, 0.6, 0.7]);
        assert!(axis.y(0.7) < axis.y(0.6) && axis.y(0.6) < axis.y(0.5));
        assert!(axis.y(0.7) > 100.0 && axis.y(0.5) < 400.0);
        let middle = (axis.y(0.5) + axis.y(0.7)) / 2.0;
        assert!((axis.y(0.6) - middle).abs() < 1e-9);
    }

    #[test]
    fn a_flat_curve_spans_one_per_cent() {
        assert_eq!(
            labels(&axis(&[0.7, 0.7])),
            ["69.6", "69.8", "70.0", "70.2", "70.4"]
        );
    }

    #[test]
    fn ticks_stay_between_0_and_100() {
        assert_eq!(labels(&axis(&[1.0]))[0], "99.5");
        assert_eq!(labels(&axis(&[1.0])).last().unwrap(), "100.0");
        assert_eq!(labels(&axis(&[0.0]))[0], "0.0");
        assert_eq!(
            labels(&axis(&[0.0, 1.0])),
            ["0", "20", "40", "60", "80", "100"]
        );
    }

    #[test]
    fn the_wide_interval_of_two_seeds_is_clipped_and_known() {
        let axis = axis(&[0.5, 0.6]);
        assert!(axis.clips([0.1, 0.9]));
        assert!(!axis.clips([0.5, 0.6]));
        assert!(labels(&axis).len() >= 3);
    }
}
