//! The horizontal axis: α from 0 to 1 on a logarithmic scale.
//!
//! α = 0 has no logarithm: it stands at the left end behind a visible break. Two
//! scales lie between the ends:
//!
//! - **log**: log₁₀ α, up to α = 1 at the right end;
//! - **two-sided**: log₁₀(α / (1 − α)), which near 0 is log-spaced in α and near
//!   1 in 1 − α; then α = 1 stands behind a break of its own.
//!
//! [`AlphaAxis::new`] takes the two-sided scale when the closest pair of points
//! would be less than [`CROWDED`] units apart on the log scale and at least
//! [`GAIN`] times as far apart on the two-sided one.

/// Space between the frame and the outermost marks, and around an axis break.
pub const INSET: f64 = 18.0;
/// Width that an end of the axis (α = 0 or 1) and its break take, where there is room.
const BREAK_WIDTH: f64 = 58.0;
/// Share of the axis that it takes at most.
const BREAK_SHARE: f64 = 0.1;

/// Distance, units, below which points need another scale.
const CROWDED: f64 = 12.0;
/// Factor by which another scale must separate the closest pair.
const GAIN: f64 = 1.5;
/// Minimum span of the log scale: one decade below 1.
const WIDEST_START: f64 = 0.1;
/// Above this many decades the ticks between them are left out.
const MINOR_DECADES: f64 = 6.5;

/// The scale between α = 0 and α = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// log₁₀ α.
    Log,
    /// log₁₀(α / (1 − α)).
    TwoSided,
}

/// The part of the axis that an α lies in; breaks separate the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// α = 0.
    Zero,
    /// Between the breaks.
    Between,
    /// α = 1 behind a break.
    One,
}

/// Maps α to units.
#[derive(Debug, Clone, PartialEq)]
pub struct AlphaAxis {
    /// The scale between the ends.
    pub scale: Scale,
    left: f64,
    right: f64,
    low: f64,
    high: f64,
}

impl AlphaAxis {
    /// An axis from `left` to `right` units for weights in [0, 1].
    pub fn new(alphas: &[f64], left: f64, right: f64) -> Self {
        let log = Self::log(alphas, left, right);
        let two_sided = Self::two_sided(alphas, left, right);
        let closest = log.closest(alphas);
        if closest < CROWDED && two_sided.closest(alphas) >= GAIN * closest {
            two_sided
        } else {
            log
        }
    }

    fn log(alphas: &[f64], left: f64, right: f64) -> Self {
        let inner = alphas.iter().copied().filter(|a| *a > 0.0);
        Self {
            scale: Scale::Log,
            left,
            right,
            low: inner.fold(WIDEST_START, f64::min).log10(),
            high: 0.0,
        }
    }

    fn two_sided(alphas: &[f64], left: f64, right: f64) -> Self {
        let inner = || alphas.iter().copied().filter(|a| *a > 0.0 && *a < 1.0);
        Self {
            scale: Scale::TwoSided,
            left,
            right,
            low: log_odds(inner().fold(WIDEST_START, f64::min)),
            high: log_odds(inner().fold(1.0 - WIDEST_START, f64::max)),
        }
    }

    /// Distance of the closest pair of different weights, units.
    fn closest(&self, alphas: &[f64]) -> f64 {
        let mut xs: Vec<f64> = alphas.iter().map(|a| self.x(*a)).collect();
        xs.sort_by(f64::total_cmp);
        let gaps = xs.windows(2).map(|w| w[1] - w[0]);
        gaps.fold(f64::INFINITY, f64::min)
    }

    /// The part of the axis that `alpha` lies in.
    pub fn part(&self, alpha: f64) -> Part {
        if alpha <= 0.0 {
            Part::Zero
        } else if alpha >= 1.0 && self.scale == Scale::TwoSided {
            Part::One
        } else {
            Part::Between
        }
    }

    /// Position of `alpha` in units.
    pub fn x(&self, alpha: f64) -> f64 {
        let t = match self.part(alpha) {
            Part::Zero => return self.left + INSET,
            Part::One => return self.right - INSET,
            Part::Between if self.scale == Scale::Log => alpha.log10(),
            Part::Between => log_odds(alpha),
        };
        let start = self.left + INSET + self.break_width();
        let end = match self.scale {
            Scale::Log => self.right - INSET,
            Scale::TwoSided => self.right - INSET - self.break_width(),
        };
        start + (t - self.low) / (self.high - self.low) * (end - start)
    }

    /// Centres of the axis breaks in units.
    pub fn breaks(&self) -> Vec<f64> {
        let inward = INSET + self.break_width() / 2.0;
        match self.scale {
            Scale::Log => vec![self.left + inward],
            Scale::TwoSided => vec![self.left + inward, self.right - inward],
        }
    }

    fn break_width(&self) -> f64 {
        (BREAK_SHARE * (self.right - self.left)).clamp(BREAK_WIDTH / 2.0, BREAK_WIDTH)
    }

    /// Weights that tell the scale, with their labels, the most telling first: 0, 1, on
    /// the two-sided scale 0.5 and one minus the decades, and the decades.
    pub fn landmarks(&self) -> Vec<(f64, String)> {
        let mut landmarks = vec![(0.0, "0".to_owned()), (1.0, "1".to_owned())];
        if self.scale == Scale::TwoSided {
            landmarks.push((0.5, "0.5".into()));
        }
        // Outer decades first: they tell the range when labels get dense.
        for k in (1..=17).rev() {
            let decade = power_of_ten(-k);
            if self.holds(decade) {
                landmarks.push((decade, decade_label(k)));
            }
            if self.scale == Scale::TwoSided && self.holds(1.0 - decade) {
                landmarks.push((1.0 - decade, (1.0 - decade).to_string()));
            }
        }
        landmarks
    }

    /// Unlabelled ticks: every decade, and 2–9 times each where there is room.
    pub fn minor_ticks(&self) -> Vec<f64> {
        let mut xs = Vec::new();
        let multiples = if self.high - self.low > MINOR_DECADES {
            1..=1
        } else {
            1..=9
        };
        for k in 1..=17 {
            for m in multiples.clone() {
                let alpha = f64::from(m) * power_of_ten(-k);
                if self.holds(alpha) && (self.scale == Scale::Log || alpha < 0.5) {
                    xs.push(self.x(alpha));
                }
                if self.scale == Scale::TwoSided && alpha < 0.5 && self.holds(1.0 - alpha) {
                    xs.push(self.x(1.0 - alpha));
                }
            }
        }
        xs
    }

    /// Whether `alpha` lies between the breaks and within the scale.
    fn holds(&self, alpha: f64) -> bool {
        let slack = 1e-9;
        let t = match self.scale {
            Scale::Log => alpha.log10(),
            Scale::TwoSided => log_odds(alpha),
        };
        alpha < 1.0 && t >= self.low - slack && t <= self.high + slack
    }
}

fn log_odds(alpha: f64) -> f64 {
    alpha.log10() - (1.0 - alpha).log10()
}

/// The nearest number to 10^k, as a literal would be.
fn power_of_ten(k: i32) -> f64 {
    format!("1e{k}").parse().unwrap_or(0.0)
}

/// 0.001 up to four decimals, 10⁻⁵ beyond.
fn decade_label(k: i32) -> String {
    if k <= 4 {
        return power_of_ten(-k).to_string();
    }
    format!("10{}", superscript(-k))
}

/// ⁻⁵ of −5.
pub fn superscript(exponent: i32) -> String {
    let digits = exponent.to_string();
    let digits = digits.chars().map(|c| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_one_sided_grid_gets_a_log_axis_with_decades() {
        let axis = AlphaAxis::new(&[0.0, 0.001, 0.01, 0.1, 0.5, 1.0], 80.0, 660.0);
        assert_eq!(axis.scale, Scale::Log);
        // Equal ratios are equal distances.
        let step = axis.x(0.01) - axis.x(0.001);
        assert!((axis.x(0.1) - axis.x(0.01) - step).abs() < 1e-9);
        assert_eq!(axis.x(1.0), 660.0 - INSET);
        assert_eq!(axis.breaks().len(), 1);
    }

    #[test]
    fn points_close_to_one_get_a_two_sided_axis() {
        let alphas = crate::grid::parse_alphas("two-sided:1e-3:11", true).unwrap();
        let axis = AlphaAxis::new(&alphas, 80.0, 660.0);
        assert_eq!(axis.scale, Scale::TwoSided);
        // Symmetric about 0.5 in the middle.
        assert!((axis.x(0.5) - 370.0).abs() < 1e-9);
        assert!((axis.x(0.01) + axis.x(0.99) - 740.0).abs() < 1e-6);
        assert_eq!(axis.breaks().len(), 2);
    }

    #[test]
    fn many_log_points_stay_on_the_log_axis() {
        let alphas = crate::grid::parse_alphas("log:1e-4..1:100", true).unwrap();
        assert_eq!(AlphaAxis::new(&alphas, 80.0, 660.0).scale, Scale::Log);
    }

    proptest! {
        #[test]
        fn the_mapping_rises_and_stays_inside(
            mut alphas in prop::collection::vec(
                prop_oneof![Just(0.0), Just(1.0), 1e-9f64..1.0, (1e-12f64..0.5).prop_map(|e| 1.0 - e)],
                1..60,
            ),
        ) {
            alphas.sort_by(f64::total_cmp);
            alphas.dedup();
            let axis = AlphaAxis::new(&alphas, 80.0, 660.0);
            let xs: Vec<f64> = alphas.iter().map(|a| axis.x(*a)).collect();
            prop_assert!(xs.iter().all(|x| (80.0..=660.0).contains(x)));
            prop_assert!(xs.windows(2).all(|w| w[0] <= w[1]));
            prop_assert!(axis.minor_ticks().iter().all(|x| (80.0..=660.0).contains(x)));
        }
    }
}
