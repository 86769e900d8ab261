//! The α-curve: a metric against α, with every seed's value kept.
//!
//! A diverged trial has no value. It is counted beside the mean and never
//! enters it, so a mean over two of three seeds says so.

use serde::Serialize;

use crate::statistics::{self, StatisticsError, Summary};

/// Why trials do not make a curve.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CurveError {
    /// There is no trial.
    #[error("a curve needs at least one trial; none was given")]
    Empty,
    /// An α is not a finite number from 0 to 1.
    #[error("α = {alpha} (seed {seed}) is outside [0, 1]")]
    Alpha {
        /// The offending α.
        alpha: f64,
        /// The seed of its trial.
        seed: u64,
    },
    /// A value is not a fraction.
    #[error(
        "seed {seed} at {place} has the value {value}; expected a fraction from 0 to 1, or no value for a diverged trial"
    )]
    NotAFraction {
        /// `α = …` or `the prior`.
        place: String,
        /// The seed of the value.
        seed: u64,
        /// The value.
        value: f64,
    },
    /// A trial is given twice.
    #[error("seed {seed} occurs twice at {place}; each trial may be given once")]
    DuplicateSeed {
        /// `α = …` or `the prior`.
        place: String,
        /// The seed that occurs twice.
        seed: u64,
    },
    /// A statistic could not be computed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}

/// One trial's result as it comes from the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialValue {
    /// Interpolation weight, 0 to 1.
    pub alpha: f64,
    /// Seed of the trial.
    pub seed: u64,
    /// The metric as a fraction from 0 to 1; `None` when the trial diverged.
    pub value: Option<f64>,
}

/// The value that one seed reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeedValue {
    /// Seed of the trial.
    pub seed: u64,
    /// The metric as a fraction from 0 to 1.
    pub value: f64,
}

/// One network over all seeds: which trials finished, which diverged, and the
/// mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeedStatistics {
    /// Trials that finished, by seed.
    pub values: Vec<SeedValue>,
    /// Seeds of the trials that diverged.
    pub diverged: Vec<u64>,
    /// Mean of `values`; `None` when every trial diverged.
    pub mean: Option<f64>,
    /// Student's 95 % interval of the mean; `None` below two values.
    pub ci95: Option<[f64; 2]>,
    /// Number of values in the mean.
    pub n: usize,
}

impl SeedStatistics {
    /// Number of trials, finished or diverged.
    pub fn trials(&self) -> usize {
        self.n + self.diverged.len()
    }

    /// The values of the seeds that finished here and in `other`: here, and there.
    pub fn paired_with(&self, other: &Self) -> (Vec<f64>, Vec<f64>) {
        let pairs = self.values.iter().filter_map(|v| {
            let there = other.values.iter().find(|o| o.seed == v.seed)?;
            Some((v.value, there.value))
        });
        pairs.unzip()
    }

    /// The values here minus those in `other`, over the seeds that finished at both.
    pub fn minus(&self, other: &Self) -> Vec<f64> {
        let (here, there) = self.paired_with(other);
        here.iter().zip(there).map(|(a, b)| a - b).collect()
    }
}

/// The trials at one α.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Interpolation weight, 0 to 1.
    pub alpha: f64,
    /// The metric over seeds.
    #[serde(flatten)]
    pub seeds: SeedStatistics,
}

/// A metric against α, and the two networks that it runs between.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// What the figure is called.
    pub title: String,
    /// A line under the title: data set, prior, number of seeds …; may be empty.
    pub subtitle: String,
    /// Name of the metric, a fraction from 0 to 1, for example `test accuracy`.
    pub metric: String,
    /// The points by increasing α.
    pub points: Vec<CurvePoint>,
    /// The prior itself, trained on its own; `None` when not measured.
    pub prior: Option<SeedStatistics>,
    /// The point at α = 0; `None` when not measured.
    pub plain_mlp: Option<SeedStatistics>,
    /// The α with the highest mean on the validation split over the most seeds, see
    /// [`Curve::chosen_by`]; `None` without one. Choosing by the test set would
    /// report the luck of the choice as accuracy.
    pub chosen_alpha: Option<f64>,
}

/// How one α differs from a network that α does not change (α = 0, or the prior) over the
/// seeds that both have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedDifference {
    /// Interpolation weight, 0 to 1.
    pub alpha: f64,
    /// Difference of the metric as a fraction; `None` without a common seed.
    pub summary: Option<Summary>,
}

impl Curve {
    /// Groups trials by α. `prior` holds (seed, value) of the prior alone, may
    /// be empty. Title and subtitle start as the metric's name and nothing; see
    /// [`Curve::titled`].
    ///
    /// # Errors
    /// [`CurveError`] when there is no trial, an α or a value is outside [0, 1] or
    /// not finite, or a seed occurs twice at one α.
    pub fn from_trials(
        metric: &str,
        trials: &[TrialValue],
        prior: &[(u64, Option<f64>)],
    ) -> Result<Self, CurveError> {
        if trials.is_empty() {
            return Err(CurveError::Empty);
        }
        if let Some(trial) = trials.iter().find(|t| !(0.0..=1.0).contains(&t.alpha)) {
            return Err(CurveError::Alpha {
                alpha: trial.alpha,
                seed: trial.seed,
            });
        }
        let mut sorted = trials.to_vec();
        sorted.sort_by(|a, b| a.alpha.total_cmp(&b.alpha));
        let points = sorted
            .chunk_by(|a, b| a.alpha == b.alpha)
            .map(point)
            .collect::<Result<Vec<_>, _>>()?;
        let plain_mlp = points.iter().find(|p| p.alpha == 0.0);
        let prior = match prior {
            [] => None,
            seeds => Some(seed_statistics(seeds, "the prior")?),
        };
        Ok(Self {
            title: metric.into(),
            subtitle: String::new(),
            metric: metric.into(),
            plain_mlp: plain_mlp.map(|p| p.seeds.clone()),
            points,
            prior,
            chosen_alpha: None,
        })
    }

    /// The same curve, with the α marked at which `validation` is
    /// [highest](Self::highest).
    pub fn chosen_by(mut self, validation: &Self) -> Self {
        self.chosen_alpha = validation.highest().map(|p| p.alpha);
        self
    }

    /// The point at the chosen α.
    pub fn chosen(&self) -> Option<&CurvePoint> {
        self.points
            .iter()
            .find(|p| Some(p.alpha) == self.chosen_alpha)
    }

    /// The same curve with a title and a line under it.
    pub fn titled(mut self, title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        self.title = title.into();
        self.subtitle = subtitle.into();
        self
    }

    /// The paired difference of every α > 0 from α = 0, over the seeds that
    /// finished at both; empty when α = 0 was not measured.
    ///
    /// # Errors
    /// [`StatisticsError`] when a value was replaced by one that is not finite.
    pub fn differences_from_plain_mlp(&self) -> Result<Vec<PairedDifference>, StatisticsError> {
        let above = self.points.iter().filter(|p| p.alpha > 0.0);
        differences(above, self.plain_mlp.as_ref())
    }

    /// The paired difference of every α from the prior, over the seeds for which both
    /// finished; empty when the prior was not measured.
    ///
    /// # Errors
    /// As [`differences_from_plain_mlp`](Self::differences_from_plain_mlp).
    pub fn differences_from_prior(&self) -> Result<Vec<PairedDifference>, StatisticsError> {
        differences(self.points.iter(), self.prior.as_ref())
    }

    /// The point with the highest mean among those with the most values; the smaller α on
    /// a tie. Where seeds diverged, those that did not are the easy ones: their mean is no
    /// match for one over all seeds.
    pub fn highest(&self) -> Option<&CurvePoint> {
        let with_mean = self.points.iter().filter(|p| p.seeds.mean.is_some());
        with_mean.reduce(|best, p| {
            if (p.seeds.n, p.seeds.mean) > (best.seeds.n, best.seeds.mean) {
                p
            } else {
                best
            }
        })
    }
}

fn differences<'a>(
    points: impl Iterator<Item = &'a CurvePoint>,
    reference: Option<&SeedStatistics>,
) -> Result<Vec<PairedDifference>, StatisticsError> {
    let Some(reference) = reference else {
        return Ok(Vec::new());
    };
    let difference = |p: &CurvePoint| {
        let (values, reference) = p.seeds.paired_with(reference);
        Ok(PairedDifference {
            alpha: p.alpha,
            summary: statistics::paired_difference(&values, &reference)?,
        })
    };
    points.map(difference).collect()
}

/// α for people: as written when short, else with four significant digits of
/// its distance from 0 or 1, whichever is smaller.
pub fn alpha_label(alpha: f64) -> String {
    if alpha != 0.0 && alpha < 1e-4 {
        return format!("{:e}", significant(alpha));
    }
    let written = alpha.to_string();
    if written.len() <= 7 {
        return written;
    }
    let distance = alpha.min(1.0 - alpha).max(f64::MIN_POSITIVE);
    let decimals = (3.0 - distance.log10().floor()).clamp(0.0, 17.0) as usize;
    let label = format!("{alpha:.decimals$}");
    label.trim_end_matches('0').trim_end_matches('.').into()
}

fn significant(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn point(trials: &[TrialValue]) -> Result<CurvePoint, CurveError> {
    // Adding 0.0 turns −0 into 0.
    let alpha = trials[0].alpha + 0.0;
    let values: Vec<_> = trials.iter().map(|r| (r.seed, r.value)).collect();
    Ok(CurvePoint {
        alpha,
        seeds: seed_statistics(&values, &format!("α = {alpha}"))?,
    })
}

fn seed_statistics(
    seeds: &[(u64, Option<f64>)],
    place: &str,
) -> Result<SeedStatistics, CurveError> {
    let mut seeds = seeds.to_vec();
    seeds.sort_by_key(|(seed, _)| *seed);
    if let Some(pair) = seeds.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(CurveError::DuplicateSeed {
            place: place.into(),
            seed: pair[0].0,
        });
    }
    let mut values = Vec::new();
    let mut diverged = Vec::new();
    for (seed, value) in seeds {
        match value {
            None => diverged.push(seed),
            Some(value) if (0.0..=1.0).contains(&value) => values.push(SeedValue { seed, value }),
            Some(value) => {
                return Err(CurveError::NotAFraction {
                    place: place.into(),
                    seed,
                    value,
                });
            }
        }
    }
    let numbers: Vec<f64> = values.iter().map(|v| v.value).collect();
    let summary = statistics::summarise(&numbers)?;
    Ok(SeedStatistics {
        n: values.len(),
        values,
        diverged,
        mean: summary.map(|s| s.mean),
        ci95: summary.and_then(|s| s.ci95),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(alpha: f64, seed: u64, value: Option<f64>) -> TrialValue {
        TrialValue { alpha, seed, value }
    }

    #[test]
    fn rows_are_grouped_by_alpha_and_sorted() {
        let rows = [
            row(1.0, 1, Some(0.8)),
            row(0.0, 2, Some(0.6)),
            row(0.0, 1, Some(0.5)),
            row(1.0, 2, None),
        ];
        let curve = Curve::from_trials("accuracy", &rows, &[(1, Some(0.9))]).unwrap();
        let alphas: Vec<f64> = curve.points.iter().map(|p| p.alpha).collect();
        assert_eq!(alphas, [0.0, 1.0]);
        assert_eq!(curve.points[0].seeds.values[0].seed, 1);
        assert_eq!(curve.points[0].seeds.mean, Some(0.55));
        assert_eq!(curve.plain_mlp.as_ref().unwrap().mean, Some(0.55));
        assert_eq!(curve.prior.as_ref().unwrap().mean, Some(0.9));
        let last = &curve.points[1].seeds;
        assert_eq!((last.n, last.trials()), (1, 2));
        assert_eq!(last.diverged, [2]);
        assert_eq!((last.mean, last.ci95), (Some(0.8), None));
    }

    #[test]
    fn a_point_is_written_flat() {
        let rows = [row(0.5, 1, Some(0.25)), row(0.5, 2, None)];
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        assert_eq!(
            serde_json::to_string(&curve.points[0]).unwrap(),
            r#"{"alpha":0.5,"values":[{"seed":1,"value":0.25}],"diverged":[2],"mean":0.25,"ci95":null,"n":1}"#
        );
    }

    #[test]
    fn a_diverged_trial_never_enters_the_mean() {
        let rows = [row(0.5, 1, None), row(0.5, 2, None)];
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        assert_eq!(curve.points[0].seeds.mean, None);
        assert_eq!(curve.points[0].seeds.diverged, [1, 2]);
        assert!(curve.highest().is_none());
    }

    #[test]
    fn rows_that_make_no_sense_are_refused() {
        let refused = |rows: &[TrialValue], prior: &[(u64, Option<f64>)]| {
            Curve::from_trials("accuracy", rows, prior)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[], &[]).contains("at least one"));
        assert!(refused(&[row(1.1, 7, None)], &[]).contains("seed 7"));
        assert!(refused(&[row(f64::NAN, 7, None)], &[]).contains("NaN"));
        assert!(refused(&[row(0.1, 7, Some(f64::NAN))], &[]).contains("diverged"));
        assert!(refused(&[row(0.1, 7, Some(71.0))], &[]).contains("fraction"));
        let twice = [row(0.1, 7, None), row(0.1, 7, Some(0.5))];
        assert!(refused(&twice, &[]).contains("twice at α = 0.1"));
        assert!(refused(&twice[..1], &[(3, Some(2.0))]).contains("the prior"));
    }

    #[test]
    fn differences_use_the_common_seeds_only() {
        let rows = [
            row(0.0, 1, Some(0.5)),
            row(0.0, 2, None),
            row(0.0, 3, Some(0.6)),
            row(0.1, 1, Some(0.7)),
            row(0.1, 2, Some(0.1)),
            row(0.1, 3, Some(0.9)),
            row(1.0, 2, Some(0.9)),
        ];
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        let differences = curve.differences_from_plain_mlp().unwrap();
        let first = differences[0].summary.unwrap();
        assert_eq!((differences[0].alpha, first.n), (0.1, 2));
        assert!((first.mean - 0.25).abs() < 1e-12);
        assert_eq!(differences[1].summary, None);
    }

    #[test]
    fn differences_from_the_prior_are_paired_by_seed() {
        let rows = [
            row(0.0, 1, Some(0.5)),
            row(0.0, 2, Some(0.25)),
            row(0.0, 3, Some(0.75)),
            row(0.5, 2, Some(0.875)),
            row(1.0, 1, None),
        ];
        let prior = [(1, Some(0.625)), (2, Some(0.5)), (3, None)];
        let curve = Curve::from_trials("accuracy", &rows, &prior).unwrap();
        let of = |d: &PairedDifference| (d.alpha, d.summary.map(|s| (s.n, s.mean)));
        let all: Vec<_> = curve
            .differences_from_prior()
            .unwrap()
            .iter()
            .map(of)
            .collect();
        // −0.125 and −0.25; the prior of seed 3 diverged.
        let expected = [
            (0.0, Some((2, -0.1875))),
            (0.5, Some((1, 0.375))),
            (1.0, None),
        ];
        assert_eq!(all, expected);
        let alone = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        assert_eq!(alone.differences_from_prior().unwrap(), []);
    }

    #[test]
    fn survivors_are_not_chosen_over_a_complete_alpha() {
        let complete = (1..=6).map(|seed| row(0.1, seed, Some(0.7)));
        let survivors = (1..=6).map(|seed| row(0.5, seed, (seed < 3).then_some(0.9)));
        let rows: Vec<_> = complete.chain(survivors).collect();
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        assert_eq!(curve.highest().unwrap().alpha, 0.1);
        let only = Curve::from_trials("accuracy", &rows[6..], &[]).unwrap();
        assert_eq!(only.highest().unwrap().alpha, 0.5);
    }

    #[test]
    fn the_best_point_is_the_smaller_alpha_on_a_tie() {
        let rows = [
            row(0.0, 1, Some(0.5)),
            row(0.1, 1, Some(0.7)),
            row(1.0, 1, Some(0.7)),
        ];
        let curve = Curve::from_trials("accuracy", &rows, &[]).unwrap();
        assert_eq!(curve.highest().unwrap().alpha, 0.1);
    }

    #[test]
    fn labels_of_alpha_are_short_and_tell_neighbours_apart() {
        for (alpha, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.01, "0.01"),
            (0.00316227766017, "0.003162"),
            (0.99683772234, "0.996838"),
            (1e-5, "1e-5"),
            (0.999999, "0.999999"),
            (0.123456, "0.1235"),
        ] {
            assert_eq!(alpha_label(alpha), expected);
        }
    }
}
