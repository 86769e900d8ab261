//! Intervals by resampling seeds.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::statistics::CONFIDENCE;

/// Replicates: the ends of an interval move by less than 1 % of its width.
const REPLICATES: usize = 10_000;

/// The generator's key; no experiment's seed.
const KEY: u64 = 3;

/// Percentile interval of `statistic`, which is given `seeds` indices of seeds drawn with
/// replacement, and repeats every choice that it makes with them; `None` below two seeds.
///
/// Over few seeds it is too narrow: of a mean it covers 83 % at 5,
/// 88 % at 7, 89 % at 10.
pub fn interval(seeds: usize, mut statistic: impl FnMut(&[usize]) -> f64) -> Option<[f64; 2]> {
    if seeds < 2 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(KEY);
    let mut drawn = vec![0; seeds];
    let mut replicate = || {
        drawn.fill_with(|| random.random_range(0..seeds));
        statistic(&drawn)
    };
    let mut values: Vec<f64> = (0..REPLICATES).map(|_| replicate()).collect();
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let at = |share: f64| values[(share * (REPLICATES - 1) as f64).round() as usize];
    Some([at(tail), at(1.0 - tail)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of n values, resampled, is nearly normal with deviation σ/√n (divisor n).
    #[test]
    fn the_interval_of_a_mean_is_the_normal_one() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 53)).collect();
        let mean = values.iter().sum::<f64>() / 50.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 50.0;
        let half = 1.959964 * (variance / 50.0).sqrt();
        let of = |drawn: &[usize]| drawn.iter().map(|&i| values[i]).sum::<f64>() / 50.0;
        let [low, high] = interval(50, of).unwrap();
        assert!(
            (low - (mean - half)).abs() < 0.06 * half,
            "{low} {mean} {half}"
        );
        assert!(
            (high - (mean + half)).abs() < 0.06 * half,
            "{high} {mean} {half}"
        );
        assert_eq!(interval(50, of), Some([low, high]));
        assert_eq!(interval(1, |_| 0.0), None);
    }
}
