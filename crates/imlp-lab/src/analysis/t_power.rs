//! Power of the paired t-test: how many seeds a difference needs to be seen.
//!
//! With n pairs whose true mean is `effect` standard deviations, t has the noncentral
//! distribution with n − 1 degrees of freedom and noncentrality δ = effect·√n. Given the
//! sample deviation s (as a fraction of the true one, s² is χ² over its freedom), t·s − δ
//! is standard normal, so that P(|t| ≤ c) = ∫ [Φ(c·s − δ) − Φ(−c·s − δ)] f(s) ds.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

use crate::statistics::t_quantile;

/// The power that a number of seeds is asked for: the customary one.
pub const WANTED_POWER: f64 = 0.8;

/// More seeds than anybody trains.
const MOST_SEEDS: usize = 1_000;

/// The probability that the two-sided paired t-test at 5 % sees a difference whose mean is
/// `effect` (finite) standard deviations over `pairs` ≥ 2 seeds.
pub fn power(effect: f64, pairs: usize) -> f64 {
    /// The integrand is smooth: Simpson's rule errs by less than 1e-8.
    const STEPS: usize = 2_000;
    /// Standard deviations of s beyond which nothing is left.
    const REACH: f64 = 10.0;
    let freedom = (pairs - 1) as f64;
    let critical = t_quantile(pairs - 1);
    let shift = effect.abs() * (pairs as f64).sqrt();
    let normal = Normal::standard();
    let density = |s: f64| {
        if s == 0.0 {
            // Only with one degree of freedom is it not 0.
            return if pairs == 2 {
                (2.0 / std::f64::consts::PI).sqrt()
            } else {
                0.0
            };
        }
        let half = freedom / 2.0;
        let log = std::f64::consts::LN_2 + half * half.ln() + (freedom - 1.0) * s.ln()
            - half * s * s
            - ln_gamma(half);
        log.exp()
    };
    let missed = |s: f64| {
        let within = normal.cdf(critical * s - shift) - normal.cdf(-critical * s - shift);
        within * density(s)
    };
    let spread = REACH / (2.0 * freedom).sqrt();
    let (low, high) = ((1.0 - spread).max(0.0), 1.0 + spread);
    let step = (high - low) / STEPS as f64;
    let sum: f64 = (0..=STEPS)
        .map(|i| {
            let weight = match i {
                0 | STEPS => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * missed(low + i as f64 * step)
        })
        .sum();
    (1.0 - sum * step / 3.0).clamp(0.0, 1.0)
}

/// The fewest seeds that see a difference of `effect` standard deviations with
/// [`WANTED_POWER`]; `None` where a thousand do not.
pub fn seeds_needed(effect: f64) -> Option<usize> {
    let enough = |pairs: usize| power(effect, pairs) >= WANTED_POWER;
    if effect.is_nan() || !enough(MOST_SEEDS) {
        return None;
    }
    let (mut too_few, mut most) = (1, MOST_SEEDS);
    while most - too_few > 1 {
        let middle = usize::midpoint(too_few, most);
        if enough(middle) {
            most = middle;
        } else {
            too_few = middle;
        }
    }
    Some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `statsmodels.stats.power.TTestPower().power(effect, n, 0.05)`.
    #[test]
    fn agrees_with_statsmodels() {
        for (effect, pairs, expected) in [
            (0.5, 2, 0.06194860668713362),
            (1.2, 5, 0.5302212511402787),
            (0.3, 10, 0.13613625849735425),
            (2.0, 3, 0.4707494312784346),
            (-0.8, 7, 0.42846866956259094),
            (0.15, 200, 0.560079668998372),
        ] {
            let got = power(effect, pairs);
            assert!((got - expected).abs() < 1e-7, "{effect} {pairs}: {got}");
        }
        // Without a difference it is the size.
        for pairs in [2, 3, 30] {
            assert!((power(0.0, pairs) - 0.05).abs() < 1e-7);
        }
    }

    /// `TTestPower().solve_power(effect_size=…, alpha=0.05, power=0.8)`, rounded up.
    #[test]
    fn seeds_agree_with_statsmodels() {
        for (effect, expected) in [
            (0.25, 128),
            (0.5, 34),
            (0.8, 15),
            (1.0, 10),
            (1.5, 6),
            (3.0, 4),
        ] {
            assert_eq!(seeds_needed(effect), Some(expected));
            assert_eq!(seeds_needed(-effect), Some(expected));
        }
        assert_eq!(seeds_needed(0.0), None);
        assert_eq!(seeds_needed(f64::NAN), None);
        assert_eq!(seeds_needed(1e9), Some(2));
    }
}
