//! The shape of a curve: which of a fixed list of shapes the tests declare.
//!
//! | falls, then rises | rises, then falls | shape |
//! |---|---|---|
//! | yes | no | valley (the paper's V) |
//! | no | yes | hump |
//! | yes | yes | valley and hump |
//! | no | no | rising or falling, where the rank trend over all levels says so; flat, where every two levels are equivalent within [`MARGIN`] and none diverged; else not shown |
//!
//! The first two columns are the [V-test](super::v_test) of the values and of their
//! negatives.

use serde::{Deserialize, Serialize};

use super::blocks::CompleteBlocks;
use super::bootstrap;
use super::comparison::equivalence_p;
use super::t_power::WANTED_POWER;
use super::v_test::{self, SIZE, Statistic, Trend};

/// Differences within ± this fraction are as good as none: 1 point of accuracy.
pub const MARGIN: f64 = 0.01;

/// Fewest seeds for a verdict. With two, a deviation has one degree of freedom: the V-test
/// would ask for a t above ten, and find nothing.
pub const MIN_SEEDS: usize = 3;

/// Seeds with which a valley of the depth of the noise is mostly found (docs/analysis.md).
pub const GOOD_SEEDS: usize = 7;

/// What the tests declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// It falls, then rises: an interior minimum.
    Valley,
    /// It rises, then falls: an interior maximum.
    Hump,
    /// An interior minimum and an interior maximum.
    ValleyAndHump,
    /// It rises with α.
    Rising,
    /// It falls with α.
    Falling,
    /// All differences are within the margin.
    Flat,
    /// None of these is shown; nor is its absence.
    NotShown,
}

/// The verdict on a curve, with the numbers behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is declared.
    pub shape: Shape,
    /// The V-test of a minimum.
    pub minimum: Statistic,
    /// The V-test of a maximum.
    pub maximum: Statistic,
    /// What either has to exceed.
    pub critical: f64,
    /// The rank trend over all levels.
    pub trend: Trend,
    /// Levels that were tested.
    pub levels: usize,
    /// Seeds that were tested.
    pub seeds: usize,
    /// The share of experiments of this size that would find the minimum that was seen,
    /// were it and the noise the true ones; likewise the maximum.
    pub power: [f64; 2],
    /// The seeds (one of [`SEEDS_TRIED`](v_test::SEEDS_TRIED)) with which this power would
    /// be 80 %: of a minimum and of a maximum; `None` where it is so already, and where
    /// none of these would do.
    pub seeds_needed: [Option<usize>; 2],
}

/// Tests the shape of `blocks`; `None` below [`MIN_SEEDS`] seeds or
/// [`v_test::MIN_LEVELS`] levels.
pub fn verdict(blocks: &CompleteBlocks) -> Option<Verdict> {
    let values = &blocks.values;
    if values.len() < MIN_SEEDS {
        return None;
    }
    let negative = |row: &[f64]| -> Vec<f64> { row.iter().map(|v| -v).collect() };
    let negated: Vec<Vec<f64>> = values.iter().map(|row| negative(row)).collect();
    let (minimum, maximum) = (v_test::statistic(values)?, v_test::statistic(&negated)?);
    let (levels, seeds) = (blocks.alphas.len(), blocks.seeds.len());
    let critical = v_test::critical_value(levels, seeds)?;
    let trend = v_test::trend(values)?;
    let shape = match (minimum.v > critical, maximum.v > critical) {
        (true, true) => Shape::ValleyAndHump,
        (true, false) => Shape::Valley,
        (false, true) => Shape::Hump,
        (false, false) if trend.p < SIZE && trend.t > 0.0 => Shape::Rising,
        (false, false) if trend.p < SIZE => Shape::Falling,
        (false, false) if is_flat(blocks) => Shape::Flat,
        (false, false) => Shape::NotShown,
    };
    let deviations = deviations(blocks);
    let all: Vec<usize> = (0..seeds).collect();
    let means = blocks.means(&all);
    let curves = [means.clone(), negative(&means)];
    let power = curves
        .each_ref()
        .map(|means| v_test::power(means, &deviations, seeds).unwrap_or_default());
    let needed = |of: usize| {
        let is_weak = power[of] < WANTED_POWER;
        let needed = is_weak.then(|| v_test::seeds_needed(&curves[of], &deviations));
        needed.flatten().filter(|&needed| needed > seeds)
    };
    Some(Verdict {
        shape,
        minimum,
        maximum,
        critical,
        trend,
        levels,
        seeds,
        power,
        seeds_needed: [needed(0), needed(1)],
    })
}

/// Whether two one-sided tests put every difference of two levels within [`MARGIN`]. All
/// of them must: no correction for their number is due. Of an α at which a trial diverged
/// nothing is known.
fn is_flat(blocks: &CompleteBlocks) -> bool {
    let levels = 0..blocks.alphas.len();
    let is_whole = blocks.diverged_at.is_empty();
    is_whole
        && levels.clone().all(|a| {
            levels.clone().skip(a + 1).all(|b| {
                let p = equivalence_p(&blocks.differences(b, a), MARGIN);
                p.is_some_and(|p| p < SIZE)
            })
        })
}

/// Standard deviation of the noise at each level, from what is left of the values without
/// the mean of their seed and of their level; at least three levels.
fn deviations(blocks: &CompleteBlocks) -> Vec<f64> {
    let (seeds, levels) = (blocks.seeds.len(), blocks.alphas.len());
    let all: Vec<usize> = (0..seeds).collect();
    let means = blocks.means(&all);
    let grand = means.iter().sum::<f64>() / levels as f64;
    let of_seed = |row: &[f64]| row.iter().sum::<f64>() / levels as f64 - grand;
    let left = |level: usize| -> f64 {
        let rows = blocks.values.iter();
        let squares = rows.map(|row| (row[level] - means[level] - of_seed(row)).powi(2));
        squares.sum::<f64>() / (seeds - 1) as f64
    };
    // A seed's mean holds 1/L of each level's noise, so that level l is left with
    // (1 − 2/L)·σ²ₗ + mean(σ²)/L.
    let left: Vec<f64> = (0..levels).map(left).collect();
    let count = levels as f64;
    let mean = left.iter().sum::<f64>() / (count - 1.0);
    let variances = left
        .iter()
        .map(|v| (v - mean / count) / (1.0 - 2.0 / count));
    variances.map(|v| v.max(0.0).sqrt()).collect()
}

/// An interior minimum or maximum: where it is, and how far from what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extremum {
    /// Its α.
    pub alpha: f64,
    /// The α on either side from which its depth is measured.
    pub from: [f64; 2],
    /// How far it lies below (a minimum) or above (a maximum) the nearer side.
    pub depth: f64,
    /// Bootstrap interval of the depth over seeds, low and high.
    pub ci95: Option<[f64; 2]>,
    /// Whether place and sides were chosen on the validation split, not on the values whose
    /// depth this is: those make every depth too large by the luck of the choice.
    pub chosen_on_validation: bool,
}

/// Whether an extremum is a minimum or a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The lowest point between two higher ones.
    Minimum,
    /// The highest point between two lower ones.
    Maximum,
}

/// The deepest extremum of `kind`: its place and its sides are chosen where `validation`
/// shows them, and its depth is measured on `test`, so that it is no luck of the choice;
/// without a validation split they are chosen on `test` too. Each replicate of the bootstrap
/// chooses again. `None` below three levels, or where the two tables have other seeds or
/// levels.
pub fn extremum(
    kind: Kind,
    validation: Option<&CompleteBlocks>,
    test: &CompleteBlocks,
) -> Option<Extremum> {
    let chosen_on_validation = validation.is_some();
    let validation = validation.unwrap_or(test);
    let alike = validation.alphas == test.alphas && validation.seeds == test.seeds;
    if !alike || test.alphas.len() < v_test::MIN_LEVELS || test.seeds.is_empty() {
        return None;
    }
    let sign = match kind {
        Kind::Minimum => 1.0,
        Kind::Maximum => -1.0,
    };
    let signed = |means: Vec<f64>| -> Vec<f64> { means.iter().map(|m| sign * m).collect() };
    let at = |seeds: &[usize]| {
        let [left, place, right] = deepest(&signed(validation.means(seeds)));
        let test = signed(test.means(seeds));
        (
            [left, place, right],
            test[left].min(test[right]) - test[place],
        )
    };
    let all: Vec<usize> = (0..test.seeds.len()).collect();
    let ([left, place, right], depth) = at(&all);
    Some(Extremum {
        alpha: test.alphas[place],
        from: [test.alphas[left], test.alphas[right]],
        depth,
        ci95: bootstrap::interval(all.len(), |seeds| at(seeds).1),
        chosen_on_validation,
    })
}

/// Left side, bottom and right side of the deepest valley of at least three means: the
/// interior level that lies lowest below the lower one of the highest levels on its two
/// sides.
fn deepest(means: &[f64]) -> [usize; 3] {
    let higher = |a: usize, b: usize| if means[b] > means[a] { b } else { a };
    // The highest level from each one on to the end.
    let mut right: Vec<usize> = (0..means.len()).collect();
    for level in (0..means.len() - 1).rev() {
        right[level] = higher(level, right[level + 1]);
    }
    let (mut deepest, mut depth) = ([0, 1, right[2]], f64::NEG_INFINITY);
    let mut left = 0;
    for place in 1..means.len() - 1 {
        let right = right[place + 1];
        let here = means[left].min(means[right]) - means[place];
        if here > depth {
            (deepest, depth) = ([left, place, right], here);
        }
        left = higher(left, place);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// Means in points, with noise of 0.3 points by level and 1 point by seed.
    fn blocks(means: &[f64], seeds: u64, key: u64) -> CompleteBlocks {
        let mut random = ChaCha8Rng::seed_from_u64(key);
        let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
        let values = (0..seeds).map(|_| {
            let of_seed = noise();
            let row = means.iter();
            row.map(|m| 0.6 + 0.01 * (m + of_seed + 0.3 * noise()))
                .collect()
        });
        CompleteBlocks {
            values: values.collect(),
            alphas: (0..means.len())
                .map(|i| i as f64 / (means.len() - 1) as f64)
                .collect(),
            seeds: (0..seeds).collect(),
            diverged_at: Vec::new(),
            incomplete: Vec::new(),
        }
    }

    #[test]
    fn shapes_that_are_plain_are_declared() {
        for (means, expected) in [
            (&[3.0, 1.0, 0.0, 1.0, 2.0, 3.0][..], Shape::Valley),
            (&[0.0, 1.0, 3.0, 3.0, 1.0, 0.0], Shape::Hump),
            (
                &[3.0, 1.0, 0.0, 1.0, 3.0, 6.0, 5.0, 3.0, 1.0],
                Shape::ValleyAndHump,
            ),
            (&[0.0, 1.0, 2.0, 3.0, 4.0], Shape::Rising),
            (&[4.0, 3.0, 2.0, 1.0, 0.0], Shape::Falling),
            (&[0.0; 6], Shape::Flat),
        ] {
            let verdict = verdict(&blocks(means, 10, 3)).unwrap();
            assert_eq!(verdict.shape, expected, "{verdict:?}");
            assert_eq!((verdict.levels, verdict.seeds), (means.len(), 10));
        }
    }

    #[test]
    fn noise_without_a_shape_is_not_called_flat() {
        let mut few = blocks(&[0.0; 6], 3, 8);
        // Noise of 1.5 points instead of 0.3.
        few.values.iter_mut().flatten().for_each(|v| *v *= 5.0);
        let verdict = verdict(&few).unwrap();
        assert_eq!(verdict.shape, Shape::NotShown, "{verdict:?}");
        assert!(verdict.power[0] < 0.9);
    }

    /// Every split and every pair of sides, tried one by one.
    #[test]
    fn the_deepest_valley_is_the_deepest_of_all() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for levels in [3, 4, 7, 12] {
            for _ in 0..40 {
                let noise = (0..levels).map(|_| StandardNormal.sample(&mut random));
                let means: Vec<f64> = noise.collect();
                let depth = |[l, p, r]: [usize; 3]| means[l].min(means[r]) - means[p];
                let all = (1..levels - 1).flat_map(|p| {
                    (0..p).flat_map(move |l| (p + 1..levels).map(move |r| [l, p, r]))
                });
                let expected = all.map(depth).fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(depth(deepest(&means)), expected, "{means:?}");
            }
        }
    }

    #[test]
    fn one_seed_or_two_levels_have_no_verdict() {
        assert_eq!(verdict(&blocks(&[1.0, 0.0, 1.0], 1, 1)), None);
        assert_eq!(verdict(&blocks(&[1.0, 0.0, 1.0], 2, 1)), None);
        assert!(verdict(&blocks(&[1.0, 0.0, 1.0], 3, 1)).is_some());
        assert_eq!(verdict(&blocks(&[1.0, 0.0], 5, 1)), None);
    }

    #[test]
    fn noise_is_measured_without_the_seeds() {
        let mut blocks = blocks(&[5.0, 1.0, 0.0, 3.0], 4000, 4);
        // Twice the noise at one level.
        for row in &mut blocks.values {
            let seed = row.iter().sum::<f64>();
            row[1] += 0.0052 * (seed * 1e6).sin() * std::f64::consts::SQRT_2;
        }
        let expected = [0.003, 0.006, 0.003, 0.003];
        for (deviation, expected) in deviations(&blocks).into_iter().zip(expected) {
            assert!((deviation - expected).abs() < 0.0003, "{deviation}");
        }
    }

    #[test]
    fn the_place_is_chosen_on_validation_and_the_depth_measured_on_test() {
        let validation = blocks(&[4.0, 2.0, 0.0, 2.0, 3.0], 12, 6);
        let test = blocks(&[4.0, 2.0, 1.0, 0.0, 3.0], 12, 7);
        let minimum = extremum(Kind::Minimum, Some(&validation), &test).unwrap();
        // On test the lowest point is elsewhere, and 3 points below the right side.
        assert_eq!((minimum.alpha, minimum.from), (0.5, [0.0, 1.0]));
        assert!((minimum.depth - 0.02).abs() < 0.004, "{minimum:?}");
        let [low, high] = minimum.ci95.unwrap();
        assert!(low < minimum.depth && minimum.depth < high && low > 0.01);

        let hump = blocks(&[0.0, 1.0, 4.0, 3.0, 2.0], 12, 6);
        let maximum = extremum(Kind::Maximum, None, &hump).unwrap();
        assert_eq!((maximum.alpha, maximum.from), (0.5, [0.0, 1.0]));
        assert!((maximum.depth - 0.02).abs() < 0.004, "{maximum:?}");
        // A curve that only rises has no minimum: its best depth is negative.
        let rising = blocks(&[0.0, 1.0, 2.0, 3.0], 12, 9);
        assert!(extremum(Kind::Minimum, None, &rising).unwrap().depth < 0.0);
        assert_eq!(extremum(Kind::Minimum, Some(&rising), &hump), None);
    }
}
