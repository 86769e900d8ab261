//! What the records of trials say beside the curve, and the curve made of them.

use imlp_train::{Measurement, Metrics, PriorRecord, TrialRecord, TrialStatus};
use serde::Serialize;

use crate::curve::{Curve, CurveError, TrialValue};

/// What is known beside a curve on the test set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The same trials on the validation split.
    pub validation: Option<&'a Curve>,
    /// What each finished trial's record says.
    pub trials: &'a [TrialEvidence],
    /// Trials that have no result (yet).
    pub unfinished: usize,
    /// The share of its most frequent class in the test set, which a network has that has
    /// learned nothing.
    pub most_frequent_class: Option<f64>,
}

/// What a finished trial's record says, beside its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialEvidence {
    /// Interpolation weight.
    pub alpha: f64,
    /// Its seed.
    pub seed: u64,
    /// The epoch after which it (or its prior) was not finite, from 1.
    pub diverged_epoch: Option<u32>,
    /// Whether it was the prior that diverged.
    pub prior_diverged: bool,
    /// Accuracy on training images at the end.
    pub train: Option<f64>,
    /// Accuracy on the validation split at the end.
    pub validation: Option<f64>,
    /// `1 − Π(1−α_i)` over its interpolations, over all layers.
    pub prior_share: f64,
    /// Whether all its weights and biases were last set to the prior's: it then has the
    /// prior's accuracy, but for rounding.
    pub ends_as_prior: bool,
    /// How far its loss on the test set lies from the prior's, as a fraction of that.
    pub loss_to_prior: Option<f64>,
}

impl TrialEvidence {
    /// What `record` says; `prior` is that of its seed, `biases` as in `interpolation.biases`.
    pub fn of(record: &TrialRecord, prior: Option<&PriorRecord>, biases: bool) -> Self {
        let prior_loss = prior.and_then(|prior| Some(prior.test?.loss));
        let loss = record.after.test.map(|m| m.loss);
        let accuracy = |metrics: Option<Metrics>| metrics.map(|m| m.accuracy);
        let last = record.points.last();
        Self {
            alpha: record.alpha.get(),
            seed: record.seed,
            diverged_epoch: match record.status {
                TrialStatus::Done => None,
                TrialStatus::Diverged { epoch } | TrialStatus::PriorDiverged { epoch } => {
                    Some(epoch)
                }
            },
            prior_diverged: matches!(record.status, TrialStatus::PriorDiverged { .. }),
            train: accuracy(record.after.train),
            validation: accuracy(record.after.validation),
            prior_share: record.effective_prior_share,
            ends_as_prior: biases
                && last.is_some_and(|p| !p.alphas.is_empty() && p.alphas.iter().all(|a| *a == 1.0)),
            loss_to_prior: loss
                .zip(prior_loss)
                .map(|(loss, prior)| (loss - prior).abs() / prior.max(f64::MIN_POSITIVE)),
        }
    }
}

/// A set of images on which trials and priors are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasuredOn {
    /// The validation split.
    Validation,
    /// The test set.
    Test,
}

impl MeasuredOn {
    /// The accuracy on it, by that name.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Validation => "Validation accuracy",
            Self::Test => "Test accuracy",
        }
    }

    /// What a measurement says of it.
    fn of(self, measurement: &Measurement) -> Option<Metrics> {
        match self {
            Self::Validation => measurement.validation,
            Self::Test => measurement.test,
        }
    }

    fn of_prior(self, record: &PriorRecord) -> Option<Metrics> {
        match self {
            Self::Validation => record.validation,
            Self::Test => record.test,
        }
    }
}

/// A side of the last interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before it.
    Before,
    /// After it: the result.
    After,
}

impl Moment {
    fn of(self, record: &TrialRecord) -> &Measurement {
        match self {
            Self::Before => &record.before,
            Self::After => &record.after,
        }
    }
}

/// Accuracy against α of finished trials and of their priors, one for each seed, after the
/// last interpolation. A trial without a measurement has diverged.
///
/// # Errors
/// [`CurveError`]: no trial, a trial or a prior given twice, an accuracy that is none.
pub fn curve<'a>(
    on: MeasuredOn,
    trials: impl IntoIterator<Item = &'a TrialRecord>,
    priors: impl IntoIterator<Item = &'a PriorRecord>,
) -> Result<Curve, CurveError> {
    curve_at(on, Moment::After, trials, priors)
}

/// As [`curve`], at a moment of choice.
///
/// # Errors
/// As [`curve`].
pub fn curve_at<'a>(
    on: MeasuredOn,
    at: Moment,
    trials: impl IntoIterator<Item = &'a TrialRecord>,
    priors: impl IntoIterator<Item = &'a PriorRecord>,
) -> Result<Curve, CurveError> {
    let accuracy = |metrics: Option<Metrics>| metrics.map(|m| m.accuracy);
    let trials: Vec<TrialValue> = trials
        .into_iter()
        .map(|record| TrialValue {
            alpha: record.alpha.get(),
            seed: record.seed,
            value: accuracy(on.of(at.of(record))),
        })
        .collect();
    let priors: Vec<(u64, Option<f64>)> = priors
        .into_iter()
        .map(|record| (record.seed, accuracy(on.of_prior(record))))
        .collect();
    Curve::from_trials(on.metric(), &trials, &priors)
}
