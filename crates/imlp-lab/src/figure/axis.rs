//! An axis of numbers: a range, linear or logarithmic, and its ticks.
//!
//! The range of a curve's axis holds every seed's value and both reference lines. Intervals
//! extend it by at most [`INTERVAL_SHARE`] of that span on either side: with two seeds
//! Student's interval is so wide that it would flatten the curve. An interval that reaches
//! further is clipped, and the figure says so.

use super::alpha_axis::superscript;
use crate::curve::{Curve, SeedStatistics};

/// Minimum span of an axis of accuracies, as a fraction: one per cent.
const LEAST_SPAN: f64 = 0.01;
/// Maximum extension of the range by intervals on one side, in spans of the values.
const INTERVAL_SHARE: f64 = 0.6;
/// Free space at both ends, in spans.
const PADDING: f64 = 0.06;
/// Maximum number of intervals between ticks.
const MOST_STEPS: f64 = 6.0;
/// From this ratio of the largest to the smallest number on, losses are on a log scale.
const WIDE: f64 = 30.0;

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Fractions, shown in per cent, with ticks from 0 to 100.
    PerCent,
    Linear,
    /// With ticks at whole numbers.
    Whole,
    /// The range is of logarithms to base 10.
    Log,
}

/// The numbers that an axis holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Range {
    /// For accuracies as fractions with intervals; from 0 to 1 without any.
    pub fn of_accuracies(
        values: impl IntoIterator<Item = f64>,
        intervals: impl IntoIterator<Item = [f64; 2]>,
    ) -> Self {
        let (mut low, mut high) = extent(values).unwrap_or((0.0, 1.0));
        let missing = LEAST_SPAN - (high - low);
        if missing > 0.0 {
            low -= missing / 2.0;
            high += missing / 2.0;
        }
        let reach = INTERVAL_SHARE * (high - low);
        let ends = intervals.into_iter().flatten().map(|v| v.clamp(0.0, 1.0));
        if let Some((least, most)) = extent(ends) {
            low = low.min(least.max(low - reach));
            high = high.max(most.min(high + reach));
        }
        Self::padded(Scale::PerCent, low, high)
    }

    /// For the accuracies of curves.
    pub fn of_curves(curves: &[&Curve]) -> Self {
        let references = || curves.iter().flat_map(|c| [&c.prior, &c.plain_mlp]);
        let points = || curves.iter().flat_map(|c| &c.points);
        let seeds = points().flat_map(|p| &p.seeds.values).map(|v| v.value);
        let levels = references().flatten().filter_map(|l| l.mean);
        let all = points().map(|p| &p.seeds).chain(references().flatten());
        Self::of_accuracies(
            seeds.chain(levels),
            all.filter_map(|s: &SeedStatistics| s.ci95),
        )
    }

    /// For losses: on a log scale where they differ by orders of magnitude.
    pub fn of_losses(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        if low > 0.0 && high / low >= WIDE {
            return Self::padded(Scale::Log, low.log10(), high.log10());
        }
        let missing = (1e-3 * high.abs()).max(1e-3) - (high - low);
        let wider = missing.max(0.0) / 2.0;
        Self::padded(Scale::Linear, low - wider, high + wider)
    }

    /// For positive amounts on a log scale, at least half a decade of it.
    pub fn of_amounts(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values).unwrap_or((1.0, 10.0));
        let (low, high) = (low.log10(), high.log10());
        let wider = (0.5 - (high - low)).max(0.0) / 2.0;
        Self::padded(Scale::Log, low - wider, high + wider)
    }

    /// From `low` to `high` and no further.
    pub fn exactly(low: f64, high: f64) -> Self {
        Self {
            scale: Scale::Linear,
            low,
            high: if high > low { high } else { low + 1.0 },
        }
    }

    /// From `low` to `high` and no further, with ticks at whole numbers.
    pub fn whole(low: f64, high: f64) -> Self {
        Self {
            scale: Scale::Whole,
            ..Self::exactly(low, high)
        }
    }

    fn padded(scale: Scale, low: f64, high: f64) -> Self {
        let padding = PADDING * (high - low);
        Self {
            scale,
            low: low - padding,
            high: high + padding,
        }
    }

    /// Its ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Whether equal distances are equal ratios.
    pub fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    /// The place of `value` when the range lies from `start` to `end`; an interval may reach
    /// beyond.
    pub fn place(&self, value: f64, start: f64, end: f64) -> f64 {
        let value = match self.scale {
            Scale::Log => value.log10(),
            Scale::PerCent | Scale::Linear | Scale::Whole => value,
        };
        start + (value - self.low) / (self.high - self.low) * (end - start)
    }

    /// Whether a possible part (0 to 1) of an interval lies beyond the axis.
    pub fn clips(&self, interval: [f64; 2]) -> bool {
        interval[0].max(0.0) < self.low || interval[1].min(1.0) > self.high
    }

    /// Ticks from low to high, with their labels.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            // Only what the metric can take.
            Scale::PerCent => {
                let (low, high) = (100.0 * self.low, 100.0 * self.high);
                multiples(low.max(0.0), high.min(100.0), 0.0)
                    .into_iter()
                    .map(|(per_cent, label)| (per_cent / 100.0, label))
                    .collect()
            }
            Scale::Linear => multiples(self.low, self.high, 0.0),
            Scale::Whole => multiples(self.low, self.high, 1.0),
            Scale::Log => self.log_ticks(),
        }
    }

    /// Decades; with 2 and 5 times each where there are few.
    fn log_ticks(&self) -> Vec<(f64, String)> {
        let span = self.high - self.low;
        let every = (span / MOST_STEPS).ceil().max(1.0) as i32;
        let factors: &[f64] = match span {
            ..1.0 => &[1.0, 2.0, 3.0, 5.0, 7.0],
            ..2.2 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let decades = decades.filter(|decade| decade.rem_euclid(every) == 0);
        decades
            .flat_map(|decade| factors.iter().map(move |factor| (*factor, decade)))
            .filter(|(factor, decade)| {
                let log = factor.log10() + f64::from(*decade);
                (self.low..=self.high).contains(&log)
            })
            .map(|(factor, decade)| (factor * 10f64.powi(decade), log_label(factor, decade)))
            .collect()
    }
}

/// 0.02, 5, 300; 2·10⁵ where that is shorter.
fn log_label(factor: f64, decade: i32) -> String {
    match decade {
        -3..=3 => {
            let decimals = (-decade).max(0) as usize;
            format!("{:.decimals$}", factor * 10f64.powi(decade))
        }
        _ if factor == 1.0 => format!("10{}", superscript(decade)),
        _ => format!("{factor}·10{}", superscript(decade)),
    }
}

/// The multiples of a round number, at least `least`, between two numbers; few enough to be
/// labels.
fn multiples(low: f64, high: f64, least: f64) -> Vec<(f64, String)> {
    let (step, decimals) = nice_step(((high - low) / MOST_STEPS).max(least));
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .map(|i| {
            let value = i as f64 * step;
            let label = format!("{value:.decimals$}").replace('-', "−");
            (value, label)
        })
        .collect()
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

fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().fold(None, |extent, v| match extent {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracies(values: &[f64]) -> Range {
        Range::of_accuracies(values.iter().copied(), [])
    }

    fn labels(range: &Range) -> Vec<String> {
        range.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn higher_values_are_higher_up_and_inside() {
        let range = accuracies(&[0.5, 0.6, 0.7]);
        let y = |value| range.place(value, 400.0, 100.0);
        assert!(y(0.7) < y(0.6) && y(0.6) < y(0.5));
        // 6 % of the span is free at both ends: 300 / 1.12 between 0.5 and 0.7.
        assert!((y(0.5) - y(0.7) - 300.0 / 1.12).abs() < 1e-9);
        assert!((y(0.6) - 250.0).abs() < 1e-9);
    }

    #[test]
    fn a_flat_curve_spans_one_per_cent() {
        let expected = ["69.6", "69.8", "70.0", "70.2", "70.4"];
        assert_eq!(labels(&accuracies(&[0.7, 0.7])), expected);
    }

    #[test]
    fn ticks_stay_between_0_and_100() {
        assert_eq!(labels(&accuracies(&[1.0]))[0], "99.5");
        assert_eq!(labels(&accuracies(&[1.0])).last().unwrap(), "100.0");
        assert_eq!(labels(&accuracies(&[0.0]))[0], "0.0");
        let all = ["0", "20", "40", "60", "80", "100"];
        assert_eq!(labels(&accuracies(&[0.0, 1.0])), all);
    }

    #[test]
    fn the_wide_interval_of_two_seeds_is_clipped_and_known() {
        let range = Range::of_accuracies([0.5, 0.6], [[0.1, 0.9]]);
        assert!(range.clips([0.1, 0.9]));
        assert!(!range.clips([0.5, 0.6]));
        assert!(labels(&range).len() >= 3);
    }

    #[test]
    fn losses_over_orders_of_magnitude_are_on_a_log_scale() {
        let narrow = Range::of_losses([0.5, 2.0]);
        assert!(!narrow.is_log());
        assert_eq!(labels(&narrow), ["0.5", "1.0", "1.5", "2.0"]);
        let wide = Range::of_losses([1e-5, 2.0]);
        assert!(wide.is_log());
        assert_eq!(labels(&wide), ["10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1"]);
        assert!(!Range::of_losses([0.0, 2.0]).is_log());
        let ratio = |a: f64| wide.place(10.0 * a, 0.0, 1.0) - wide.place(a, 0.0, 1.0);
        assert!((ratio(1e-4) - ratio(0.1)).abs() < 1e-12);
    }

    #[test]
    fn amounts_have_few_and_short_labels() {
        assert_eq!(
            labels(&Range::of_amounts([2e12, 3e12])),
            ["2·10¹²", "3·10¹²"]
        );
        let many = labels(&Range::of_amounts([1.0, 1e30]));
        assert!((3..=8).contains(&many.len()), "{many:?}");
    }
}
