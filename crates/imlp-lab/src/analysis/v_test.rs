//! The V-test: does a curve fall and then rise?
//!
//! Levels α₀ < … < α_K have the rank scores 0 … K, so that neither 0 nor 1 needs a place
//! on a logarithmic axis. For every interior split j, the left contrast weighs levels
//! 0 … j by falling scores and the right one levels j … K by rising scores, each centred
//! and of unit norm. Per seed, z = Σ cᵢ·yᵢ, which cancels what a seed adds to all its
//! levels; over seeds, t = mean(z) / (sd(z) / √n). The statistic is
//!
//! V = max over j of min(t_left, t_right),
//!
//! the intersection–union test of "falls to j" and "rises from j", at the best split. The
//! null hypothesis is every curve that is constant, monotone or has one hump: for each of
//! them, at each j, one of the two contrasts has a mean of at most 0. The critical value
//! is the 95 % quantile of V under the worst of them, a steep drop and then nothing; it is
//! simulated for the number of levels and seeds at hand.
//!
//! V of the negated values tests for an interior maximum.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::comparison::two_sided_p;
use super::number;
use super::t_power::WANTED_POWER;

/// The test's size.
pub const SIZE: f64 = 0.05;

/// Fewest seeds for a deviation over them.
pub const MIN_SEEDS: usize = 2;

/// Fewest levels for an interior one.
pub const MIN_LEVELS: usize = 3;

/// The statistic V, and where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistic {
    /// The smaller of the two t at the best split.
    #[serde(with = "number")]
    pub v: f64,
    /// Index of the level at the best split.
    pub split: usize,
    /// t of the fall to the split.
    #[serde(with = "number")]
    pub left: f64,
    /// t of the rise from the split.
    #[serde(with = "number")]
    pub right: f64,
}

/// V of `values[seed][level]`; `None` with fewer than [`MIN_SEEDS`] or [`MIN_LEVELS`].
///
/// # Panics
/// If seeds differ in their number of levels.
pub fn statistic(values: &[Vec<f64>]) -> Option<Statistic> {
    let levels = values.first()?.len();
    assert!(values.iter().all(|row| row.len() == levels), "no gaps");
    if values.len() < MIN_SEEDS || levels < MIN_LEVELS {
        return None;
    }
    // Trend of each seed's first 2, 3, … levels, and of its last.
    let falls: Vec<Vec<f64>> = values.iter().map(|row| trends(row.iter())).collect();
    let rises: Vec<Vec<f64>> = values.iter().map(|row| trends(row.iter().rev())).collect();
    let over_seeds = |of: &[Vec<f64>], count: usize| {
        // Reversed levels rise where their trend falls, and forward ones fall likewise.
        t(of.iter().map(|trends| -trends[count - 2]))
    };
    let splits = (1..levels - 1).map(|split| {
        let left = over_seeds(&falls, split + 1);
        let right = over_seeds(&rises, levels - split);
        Statistic {
            v: left.min(right),
            split,
            left,
            right,
        }
    });
    splits.reduce(|best, other| if other.v > best.v { other } else { best })
}

/// The rank trend over all levels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// t of the rank contrast over all levels: positive where the values rise.
    #[serde(with = "number")]
    pub t: f64,
    /// Its two-sided p.
    pub p: f64,
}

/// The trend of `values[seed][level]`; `None` with fewer than [`MIN_SEEDS`], or fewer than
/// 2 levels.
pub fn trend(values: &[Vec<f64>]) -> Option<Trend> {
    let levels = values.first()?.len();
    if values.len() < MIN_SEEDS || levels < 2 {
        return None;
    }
    let t = t(values.iter().map(|row| trends(row.iter())[levels - 2]));
    let p = two_sided_p(t, values.len() - 1);
    Some(Trend { t, p })
}

/// The centred rank contrast of unit norm of the first 2, 3, … values.
fn trends<'a>(values: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let (mut sum, mut weighted) = (0.0, 0.0);
    let mut trends = Vec::new();
    let mut base = None;
    for (rank, value) in values.enumerate() {
        // Contrasts ignore a constant; without it nothing cancels.
        let value = value - *base.get_or_insert(*value);
        sum += value;
        weighted += rank as f64 * value;
        let count = (rank + 1) as f64;
        let norm = (count * (count * count - 1.0) / 12.0).sqrt();
        if rank > 0 {
            trends.push((weighted - sum * rank as f64 / 2.0) / norm);
        }
    }
    trends
}

/// mean / (sd / √n); 0 where all values are 0, infinite where all are another number.
fn t(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
    if mean == 0.0 {
        return 0.0;
    }
    mean / (squares / (n - 1.0) / n).sqrt()
}

/// How many experiments are drawn for an estimate: as many as cost `normals` numbers, a
/// fraction of a second, but at least `fewest` and at most `most`.
struct Draws {
    normals: usize,
    fewest: usize,
    most: usize,
}

impl Draws {
    fn of(&self, levels: usize, seeds: usize) -> usize {
        let affordable = self.normals / levels.saturating_mul(seeds).max(1);
        affordable.clamp(self.fewest, self.most)
    }
}

/// For a critical value: at a probability of 5 % the error is 0.1 %; 0.3 % with the fewest.
const CRITICAL_DRAWS: Draws = Draws {
    normals: 8_000_000,
    fewest: 4_000,
    most: 40_000,
};

/// For a power: an error of at most 1 %; 2 % with the fewest.
const POWER_DRAWS: Draws = Draws {
    normals: 1_000_000,
    fewest: 500,
    most: 2_500,
};

/// For the choice among [`SEEDS_TRIED`], which are far apart: critical values, then powers.
const ROUGH_CRITICAL_DRAWS: Draws = Draws {
    normals: 500_000,
    fewest: 1_000,
    most: 4_000,
};
const ROUGH_POWER_DRAWS: Draws = Draws {
    normals: 200_000,
    fewest: 300,
    most: 1_000,
};

/// The generator's key: one number more for each use, and nobody's seed.
const CRITICAL_VALUE: u64 = 1;
const POWER: u64 = 2;

/// The value that V exceeds in 5 % of all experiments under the worst null; `None` with
/// fewer than [`MIN_SEEDS`] or [`MIN_LEVELS`]. Simulated once per process for each pair,
/// always from the same draws: the same number everywhere.
pub fn critical_value(levels: usize, seeds: usize) -> Option<f64> {
    if seeds < MIN_SEEDS || levels < MIN_LEVELS {
        return None;
    }
    let draws = CRITICAL_DRAWS.of(levels, seeds);
    Some(known_critical_value(levels, seeds, draws))
}

/// The critical value from so many draws, which is simulated only once.
fn known_critical_value(levels: usize, seeds: usize, draws: usize) -> f64 {
    type Known = LazyLock<Mutex<HashMap<[usize; 3], f64>>>;
    static KNOWN: Known = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().expect("no holder panics");
    *known
        .entry([levels, seeds, draws])
        .or_insert_with(|| simulate_critical_value(levels, seeds, draws))
}

fn simulate_critical_value(levels: usize, seeds: usize, draws: usize) -> f64 {
    /// Deviations: no fall to any split is ever in doubt.
    const DROP: f64 = 1e6;
    let mut means = vec![0.0; levels];
    means[0] = DROP;
    let mut drawn = simulated(CRITICAL_VALUE, &means, &vec![1.0; levels], seeds, draws);
    drawn.sort_by(f64::total_cmp);
    drawn[((1.0 - SIZE) * draws as f64) as usize]
}

/// The share of experiments with these true `means` and standard deviations by level in
/// which V exceeds its critical value; `None` as [`critical_value`].
///
/// # Panics
/// If the two slices differ in length.
pub fn power(means: &[f64], deviations: &[f64], seeds: usize) -> Option<f64> {
    let critical = critical_value(means.len(), seeds)?;
    let draws = POWER_DRAWS.of(means.len(), seeds);
    Some(exceeding(critical, means, deviations, seeds, draws))
}

/// The share of `draws` experiments in which V exceeds `critical`. As
/// [`power`], where the number of draws is the caller's choice.
///
/// # Panics
/// If `means` and `deviations` differ in length.
pub fn exceeding(
    critical: f64,
    means: &[f64],
    deviations: &[f64],
    seeds: usize,
    draws: usize,
) -> f64 {
    let drawn = simulated(POWER, means, deviations, seeds, draws);
    let declared = drawn.iter().filter(|v| **v > critical).count();
    declared as f64 / draws as f64
}

/// Numbers of seeds among which [`seeds_needed`] chooses.
pub const SEEDS_TRIED: [usize; 7] = [3, 5, 7, 10, 15, 20, 30];

/// The fewest of [`SEEDS_TRIED`] seeds with which the V-test finds a minimum with
/// [`WANTED_POWER`], were these `means` and standard deviations the true ones; `None` where
/// none of them does, and with fewer than [`MIN_LEVELS`].
///
/// # Panics
/// If the two slices differ in length.
pub fn seeds_needed(means: &[f64], deviations: &[f64]) -> Option<usize> {
    let levels = means.len();
    if levels < MIN_LEVELS {
        return None;
    }
    SEEDS_TRIED.into_iter().find(|&seeds| {
        let draws = ROUGH_CRITICAL_DRAWS.of(levels, seeds);
        let critical = known_critical_value(levels, seeds, draws);
        let draws = ROUGH_POWER_DRAWS.of(levels, seeds);
        exceeding(critical, means, deviations, seeds, draws) >= WANTED_POWER
    })
}

/// V of `draws` experiments with normal noise.
fn simulated(key: u64, means: &[f64], deviations: &[f64], seeds: usize, draws: usize) -> Vec<f64> {
    assert_eq!(means.len(), deviations.len());
    let mut random = ChaCha8Rng::seed_from_u64(key);
    let mut values = vec![vec![0.0; means.len()]; seeds];
    let mut draw = || {
        for row in &mut values {
            for ((value, mean), deviation) in row.iter_mut().zip(means).zip(deviations) {
                let noise: f64 = StandardNormal.sample(&mut random);
                *value = mean + deviation * noise;
            }
        }
        statistic(&values).map_or(f64::NEG_INFINITY, |s| s.v)
    };
    (0..draws).map(|_| draw()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V with every contrast written out, by the definition.
    fn by_definition(values: &[Vec<f64>]) -> (f64, usize) {
        let levels = values[0].len();
        let t = |from: usize, to: usize, sign: f64| {
            let ranks: Vec<f64> = (from..=to).map(|r| r as f64).collect();
            let mean = ranks.iter().sum::<f64>() / ranks.len() as f64;
            let norm = ranks.iter().map(|r| (r - mean).powi(2)).sum::<f64>().sqrt();
            let z: Vec<f64> = values
                .iter()
                .map(|row| {
                    let terms = row[from..=to].iter().zip(&ranks);
                    terms.map(|(y, r)| sign * (r - mean) / norm * y).sum()
                })
                .collect();
            let n = z.len() as f64;
            let mean = z.iter().sum::<f64>() / n;
            let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0);
            mean / (variance / n).sqrt()
        };
        let split = |j| t(0, j, -1.0).min(t(j, levels - 1, 1.0));
        (1..levels - 1)
            .map(|j| (split(j), j))
            .reduce(|a, b| if b.0 > a.0 { b } else { a })
            .unwrap()
    }

    #[test]
    fn the_statistic_follows_its_definition() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for (seeds, levels) in [(2, 3), (3, 4), (5, 9), (8, 11)] {
            for _ in 0..50 {
                let row = |_| {
                    let noise = (0..levels).map(|_| StandardNormal.sample(&mut random));
                    noise.map(|noise: f64| 0.6 + 0.02 * noise).collect()
                };
                let values: Vec<Vec<f64>> = (0..seeds).map(row).collect();
                let got = statistic(&values).unwrap();
                let (v, split) = by_definition(&values);
                assert!((got.v - v).abs() < 1e-9 * v.abs().max(1.0), "{got:?} {v}");
                assert_eq!(got.split, split);
                assert_eq!(got.v, got.left.min(got.right));
            }
        }
    }

    #[test]
    fn what_a_seed_adds_to_all_its_levels_cancels() {
        let rows = [
            [5.0, 1.0, 2.0, 6.0],
            [4.0, 1.5, 2.0, 4.0],
            [6.0, 1.0, 3.0, 5.0],
        ];
        let shifted = |by: [f64; 3]| -> Vec<Vec<f64>> {
            let rows = rows.iter().zip(by);
            rows.map(|(row, by)| row.iter().map(|y| y + by).collect())
                .collect()
        };
        let plain = statistic(&shifted([0.0; 3])).unwrap();
        assert_eq!(plain, statistic(&shifted([8.0, -16.0, 4.0])).unwrap());
        assert_eq!(plain.split, 1);
        assert!(plain.v > 3.0);
    }

    #[test]
    fn equal_seeds_are_certain_and_constants_show_nothing() {
        let valley = statistic(&vec![vec![2.0, 1.0, 2.0]; 3]).unwrap();
        assert_eq!(valley.v, f64::INFINITY);
        let flat = statistic(&vec![vec![0.1; 5]; 3]).unwrap();
        assert_eq!(flat.v, 0.0);
        assert_eq!(statistic(&[vec![2.0, 1.0, 2.0]]), None);
        assert_eq!(statistic(&[vec![2.0, 1.0], vec![2.0, 1.0]]), None);
        assert_eq!(statistic(&[]), None);
        assert_eq!(critical_value(2, 9), None);
        assert_eq!(critical_value(9, 1), None);
    }

    /// From an independent simulation in NumPy of 40,000 draws of the largest of the right
    /// contrasts alone; both have an error of about 0.03.
    #[test]
    fn critical_values_agree_with_another_simulation() {
        for (levels, seeds, expected) in [
            (7, 5, 3.60),
            (7, 10, 2.72),
            (9, 7, 3.21),
            (11, 5, 4.16),
            (11, 8, 3.19),
            (15, 10, 3.16),
        ] {
            let got = critical_value(levels, seeds).unwrap();
            assert!((got - expected).abs() < 0.1, "{levels} × {seeds}: {got}");
            assert_eq!(critical_value(levels, seeds), Some(got));
        }
    }

    /// Noise in points of accuracy that differs from level to level.
    fn unequal(levels: usize) -> Vec<f64> {
        let levels = 0..levels;
        levels.map(|i| [0.4, 1.2, 0.7, 1.0, 0.5][i % 5]).collect()
    }

    #[test]
    fn nothing_without_a_valley_is_declared_one_too_often() {
        let truths: [(&str, [f64; 11]); 5] = [
            ("flat", [0.0; 11]),
            ("rising", std::array::from_fn(|i| 0.3 * i as f64)),
            (
                "hockey stick",
                std::array::from_fn(|i| (i as f64 - 7.0).max(0.0)),
            ),
            (
                "hump",
                std::array::from_fn(|i| -0.4 * (i as f64 - 6.0).abs()),
            ),
            (
                "drop",
                std::array::from_fn(|i| if i == 0 { 20.0 } else { 0.0 }),
            ),
        ];
        for (name, means) in truths {
            for seeds in [5, 7] {
                let critical = critical_value(11, seeds).unwrap();
                // Their error is 0.2 %.
                let declared = exceeding(critical, &means, &unequal(11), seeds, 10_000);
                assert!(declared <= 0.06, "{name}, {seeds} seeds: {declared}");
            }
        }
    }

    /// Down by `left` over the left half, up by `right` over the right one; the shares that
    /// an independent simulation in NumPy of 40,000 draws declares, with the critical values
    /// of its own.
    #[test]
    fn power_agrees_with_another_simulation() {
        let truth = |left: f64, right: f64| -> [f64; 11] {
            std::array::from_fn(|i| {
                let side = if i < 5 { left } else { right };
                side * (i as f64 / 5.0 - 1.0).abs()
            })
        };
        for (left, right, expected) in [
            (1.0, 1.0, [0.229, 0.565, 0.896]),
            (3.0, 1.0, [0.490, 0.754, 0.942]),
            (3.0, 0.5, [0.153, 0.231, 0.372]),
            (3.0, 1.5, [0.846, 0.986, 1.000]),
        ] {
            for (seeds, expected) in [5, 7, 10].into_iter().zip(expected) {
                let got = power(&truth(left, right), &unequal(11), seeds).unwrap();
                // Errors of 1 % in this, and of the critical values in both.
                assert!(
                    (got - expected).abs() < 0.04,
                    "{left} {right} {seeds}: {got}"
                );
            }
        }
    }

    #[test]
    fn deep_valleys_are_found_and_more_seeds_find_more() {
        // Down by `depth` over the left half, and up again.
        let valley = |depth: f64| -> [f64; 11] {
            std::array::from_fn(|i| -depth * (1.0 - (i as f64 - 5.0).abs() / 5.0))
        };
        let of = |depth, seeds| power(&valley(depth), &unequal(11), seeds).unwrap();
        assert!(of(1.0, 5) < of(1.0, 7) && of(1.0, 7) < of(1.0, 10));
        assert!(of(2.0, 7) > 0.99);
        assert!(of(0.0, 7) < 0.06);
    }

    #[test]
    fn the_seeds_that_are_needed_have_the_power() {
        let hump = |height: f64| -> [f64; 11] {
            std::array::from_fn(|i| height * (1.0 - (i as f64 - 4.0).abs() / 6.0))
        };
        let needed = |height| {
            let negated = hump(height).map(|m: f64| -m);
            (seeds_needed(&negated, &unequal(11)), negated)
        };
        let mut fewest = usize::MAX;
        for height in [1.0, 2.0, 4.0] {
            let (seeds, means) = needed(height);
            let seeds = seeds.unwrap();
            // A few per cent are the error of rough draws.
            assert!(
                power(&means, &unequal(11), seeds).unwrap() > 0.75,
                "{height}: {seeds}"
            );
            assert!(seeds <= fewest, "{height}: {seeds}");
            fewest = seeds;
        }
        assert_eq!(needed(0.0).0, None);
        assert_eq!(seeds_needed(&[1.0, 0.0], &[1.0, 1.0]), None);
    }
}
