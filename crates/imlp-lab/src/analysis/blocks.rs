//! The trials of a curve as complete blocks: every seed has a value at every α.

use serde::Serialize;

use crate::curve::Curve;

/// A metric by seed and α, without gaps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompleteBlocks {
    /// Values of α, increasing.
    pub alphas: Vec<f64>,
    /// Seeds, increasing.
    pub seeds: Vec<u64>,
    /// `[seed][α]`, as in the curve: fractions.
    pub values: Vec<Vec<f64>>,
    /// The α that are left out because a trial of these seeds diverged there.
    pub diverged_at: Vec<f64>,
    /// Seeds that are left out because a trial of theirs is missing.
    pub incomplete: Vec<u64>,
}

impl CompleteBlocks {
    /// The part of `curve` without gaps. A seed that lacks a trial (the experiment is not
    /// finished, or the trial failed) is left out; then every α at which one of the others
    /// diverged is. A contrast needs all its levels, and divergence belongs to an α more
    /// than to a seed; to leave out seeds that diverge would keep the lucky ones.
    pub fn of(curve: &Curve) -> Self {
        let mut all: Vec<u64> = Vec::new();
        for point in &curve.points {
            all.extend(point.seeds.values.iter().map(|v| v.seed));
            all.extend(&point.seeds.diverged);
        }
        all.sort_unstable();
        all.dedup();
        let value = |level: usize, seed: u64| {
            let mut values = curve.points[level].seeds.values.iter();
            values.find(|v| v.seed == seed).map(|v| v.value)
        };
        let diverged = |level: usize, seed: u64| curve.points[level].seeds.diverged.contains(&seed);
        let levels = 0..curve.points.len();
        let (seeds, incomplete): (Vec<u64>, Vec<u64>) = all.into_iter().partition(|&seed| {
            let mut levels = levels.clone();
            levels.all(|level| value(level, seed).is_some() || diverged(level, seed))
        });
        let (kept, left_out): (Vec<usize>, Vec<usize>) =
            levels.partition(|&level| !seeds.iter().any(|&seed| diverged(level, seed)));
        let alphas = |levels: &[usize]| levels.iter().map(|&l| curve.points[l].alpha).collect();
        Self {
            alphas: alphas(&kept),
            values: seeds
                .iter()
                .map(|&seed| kept.iter().filter_map(|&l| value(l, seed)).collect())
                .collect(),
            diverged_at: alphas(&left_out),
            seeds,
            incomplete,
        }
    }

    /// The values at one level, by seed.
    pub fn level(&self, level: usize) -> Vec<f64> {
        self.values.iter().map(|row| row[level]).collect()
    }

    /// `values` of `to` minus those of `from`, by seed.
    pub fn differences(&self, to: usize, from: usize) -> Vec<f64> {
        self.values.iter().map(|row| row[to] - row[from]).collect()
    }

    /// The mean at each level over some seeds, by index; a seed may occur several times.
    pub fn means(&self, seeds: &[usize]) -> Vec<f64> {
        let sum = |level: usize| seeds.iter().map(|&s| self.values[s][level]).sum::<f64>();
        let levels = 0..self.alphas.len();
        levels.map(|l| sum(l) / seeds.len() as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;

    #[test]
    fn seeds_without_a_trial_and_alphas_where_one_diverged_are_left_out() {
        let trial = |alpha, seed, value| TrialValue { alpha, seed, value };
        let curve = Curve::from_trials(
            "accuracy",
            &[
                trial(0.0, 1, Some(0.1)),
                trial(0.0, 2, Some(0.2)),
                trial(0.0, 3, Some(0.3)),
                trial(0.5, 1, Some(0.4)),
                trial(0.5, 2, None),
                trial(0.5, 3, Some(0.6)),
                trial(0.7, 1, Some(0.7)),
                trial(0.7, 2, Some(0.8)),
                // Diverged, but its seed is left out anyway.
                trial(0.7, 3, None),
                trial(1.0, 2, Some(0.9)),
                trial(1.0, 1, Some(1.0)),
            ],
            &[],
        )
        .unwrap();
        let blocks = CompleteBlocks::of(&curve);
        assert_eq!(blocks.seeds, [1, 2]);
        assert_eq!(blocks.incomplete, [3]);
        assert_eq!(blocks.alphas, [0.0, 0.7, 1.0]);
        assert_eq!(blocks.diverged_at, [0.5]);
        assert_eq!(blocks.values, [[0.1, 0.7, 1.0], [0.2, 0.8, 0.9]]);
        assert_eq!(blocks.level(2), [1.0, 0.9]);
        assert_eq!(blocks.means(&[1, 1]), [0.2, 0.8, 0.9]);
    }
}
