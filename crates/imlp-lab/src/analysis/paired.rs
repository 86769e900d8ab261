//! Every α against a network that all seeds share a trial of: the plain MLP or the prior.
//!
//! Pairs are the seeds that finished at both. Where a seed diverged at either, the
//! difference is that of the survivors: it is shown, but no test is made of it. The p of a
//! list are adjusted for their number by [Holm's method](super::comparison::holm).

use serde::{Deserialize, Serialize};

use super::bootstrap;
use super::comparison::{equivalence_p, holm, paired_p};
use super::shape::MARGIN;
use crate::curve::{Curve, SeedStatistics};
use crate::statistics::{Summary, summarise};

/// How one α differs from a reference, as fractions of the images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Interpolation weight.
    pub alpha: f64,
    /// Its value minus the reference's, over the seeds that finished at both.
    pub difference: Summary,
    /// Bootstrap interval of the mean difference over seeds, low and high; `None` below two
    /// pairs.
    pub bootstrap: Option<[f64; 2]>,
    /// Two-sided p of the paired t-test; `None` below two pairs, or where a seed diverged.
    pub p: Option<f64>,
    /// The p adjusted for the number of tests in its list.
    pub holm: Option<f64>,
    /// p of the two one-sided tests that the difference is within ±[`MARGIN`]; `None` as
    /// `p`.
    pub equivalence: Option<f64>,
    /// Seeds that diverged at this α or at the reference.
    pub diverged: usize,
}

impl Comparison {
    /// Whether it lies below the reference, all tests of its list considered.
    pub fn is_worse(&self, size: f64) -> bool {
        self.difference.mean < 0.0 && self.holm.is_some_and(|p| p < size)
    }

    /// Whether it lies above the reference, all tests of its list considered.
    pub fn is_better(&self, size: f64) -> bool {
        self.difference.mean > 0.0 && self.holm.is_some_and(|p| p < size)
    }
}

/// Every α > 0 against α = 0; empty where α = 0 was not measured.
pub fn to_plain_mlp(curve: &Curve) -> Vec<Comparison> {
    let reference = curve.plain_mlp.as_ref();
    reference.map_or(Vec::new(), |plain| {
        compared(curve, plain, |alpha| alpha > 0.0)
    })
}

/// Every α < 1 against the prior on its own, or against α = 1 where the prior was not
/// measured; empty without either.
pub fn to_prior(curve: &Curve) -> Vec<Comparison> {
    prior(curve).map_or(Vec::new(), |prior| {
        compared(curve, prior, |alpha| alpha < 1.0)
    })
}

/// The prior on its own, or α = 1 where it was not measured, minus α = 0, by seed;
/// `None` without a common seed.
pub fn prior_to_plain_mlp(curve: &Curve) -> Option<Comparison> {
    one(1.0, prior(curve)?, curve.plain_mlp.as_ref()?)
}

/// The prior on its own, or α = 1 where it was not measured.
pub fn prior(curve: &Curve) -> Option<&SeedStatistics> {
    let last = curve.points.last().filter(|p| p.alpha == 1.0);
    curve.prior.as_ref().or(last.map(|p| &p.seeds))
}

fn compared(
    curve: &Curve,
    reference: &SeedStatistics,
    takes: impl Fn(f64) -> bool,
) -> Vec<Comparison> {
    let points = curve.points.iter().filter(|p| takes(p.alpha));
    let mut all: Vec<Comparison> = points
        .filter_map(|point| one(point.alpha, &point.seeds, reference))
        .collect();
    let tested: Vec<f64> = all.iter().filter_map(|c| c.p).collect();
    let adjusted = holm(&tested);
    let tests = all.iter_mut().filter(|c| c.p.is_some());
    for (comparison, holm) in tests.zip(adjusted) {
        comparison.holm = Some(holm);
    }
    all
}

/// `None` without a common seed.
fn one(alpha: f64, seeds: &SeedStatistics, reference: &SeedStatistics) -> Option<Comparison> {
    let differences = seeds.minus(reference);
    let difference = summarise(&differences).ok().flatten()?;
    let mut diverged: Vec<u64> = [&seeds.diverged[..], &reference.diverged].concat();
    diverged.sort_unstable();
    diverged.dedup();
    let is_sample = diverged.is_empty();
    let mean =
        |drawn: &[usize]| drawn.iter().map(|&i| differences[i]).sum::<f64>() / drawn.len() as f64;
    Some(Comparison {
        alpha,
        difference,
        bootstrap: bootstrap::interval(differences.len(), mean),
        p: paired_p(&differences).filter(|_| is_sample),
        holm: None,
        equivalence: equivalence_p(&differences, MARGIN).filter(|_| is_sample),
        diverged: diverged.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;

    fn curve(prior: &[(u64, Option<f64>)]) -> Curve {
        let rows = [
            (0.0, [0.52, 0.50, 0.55, 0.53]),
            (0.1, [0.50, 0.49, 0.51, 0.52]),
            (0.5, [0.57, 0.56, 0.58, 0.57]),
            (1.0, [0.56, 0.54, 0.57, 0.57]),
        ];
        let trials: Vec<TrialValue> = rows
            .into_iter()
            .flat_map(|(alpha, values)| {
                values
                    .into_iter()
                    .zip(1..)
                    .map(move |(value, seed)| TrialValue {
                        alpha,
                        seed,
                        value: (alpha != 0.5 || seed != 4).then_some(value),
                    })
            })
            .collect();
        Curve::from_trials("accuracy", &trials, prior).unwrap()
    }

    /// `scipy.stats.ttest_rel`, `statsmodels…multipletests(method="holm")`.
    #[test]
    fn p_agree_with_scipy_and_survivors_have_none() {
        let found = to_plain_mlp(&curve(&[]));
        let alphas: Vec<f64> = found.iter().map(|c| c.alpha).collect();
        assert_eq!(alphas, [0.1, 0.5, 1.0]);
        let close = |got: Option<f64>, expected: f64| {
            assert!((got.unwrap() - expected).abs() < 1e-9, "{got:?} {expected}");
        };
        assert!((found[0].difference.mean + 0.02).abs() < 1e-12);
        close(found[0].p, 0.06627560274152423);
        close(found[0].holm, 0.06627560274152423);
        close(found[2].p, 0.005986255697707186);
        close(found[2].holm, 0.011972511395414367);
        close(found[2].equivalence, 0.9923037809633487);
        // Seed 4 diverged at 0.5.
        assert_eq!(
            (found[1].p, found[1].holm, found[1].equivalence),
            (None, None, None)
        );
        assert_eq!((found[1].difference.n, found[1].diverged), (3, 1));
        assert!(found[2].is_better(0.06) && !found[2].is_worse(0.06));
        let [low, high] = found[2].bootstrap.unwrap();
        assert!(0.02 < low && low < 0.035 && 0.035 < high && high < 0.0401);
    }

    #[test]
    fn the_prior_on_its_own_is_the_reference_where_it_was_measured() {
        let by_alpha_1 = to_prior(&curve(&[]));
        assert!((by_alpha_1[0].difference.mean + 0.035).abs() < 1e-12);
        let prior: Vec<_> = (1..=4).map(|seed| (seed, Some(0.7))).collect();
        let with_prior = curve(&prior);
        let found = to_prior(&with_prior);
        let alphas: Vec<f64> = found.iter().map(|c| c.alpha).collect();
        assert_eq!(alphas, [0.0, 0.1, 0.5]);
        assert!((found[0].difference.mean - (0.525 - 0.7)).abs() < 1e-12);
        let gain = prior_to_plain_mlp(&with_prior).unwrap();
        assert!((gain.difference.mean - 0.175).abs() < 1e-12);
    }
}
