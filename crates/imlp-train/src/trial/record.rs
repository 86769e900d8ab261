//! The record of one trial.

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};

use crate::interpolation::rule::InterpolationRule;
use crate::training::evaluation::Measurement;
use crate::training::learner::Learner;
use crate::trial::point::Point;
use crate::trial::prior_share::PriorShare;
use crate::trial::progress::{Progress, TrunkShare};

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum TrialStatus {
    /// It ran to the end.
    Done,
    /// The twin was not finite after this epoch.
    Diverged {
        /// Epoch, from 1.
        epoch: u32,
    },
    /// The prior diverged in this epoch, so there was nothing to interpolate toward.
    PriorDiverged {
        /// Epoch, from 1.
        epoch: u32,
    },
}

/// What happened in one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Interpolation weight α.
    pub alpha: Alpha,
    /// Seed of initial weights and image order.
    pub seed: u64,
    /// How it ended.
    #[serde(flatten)]
    pub status: TrialStatus,
    /// Interpolations and ends of epochs, in order.
    pub points: Vec<Point>,
    /// At the end, before the last interpolation.
    pub before: Measurement,
    /// At the end: the trial's result.
    pub after: Measurement,
    /// `1 − Π(1−α_i)` of each linear layer over all interpolations.
    pub layer_prior_shares: Vec<f64>,
    /// Their mean, weighted by the layers' weights.
    pub effective_prior_share: f64,
    /// Σ_i α_i over the layers, at all of α: the budget.
    pub budget: f64,
    /// Weights of the twin in layers with α_i > 0.
    pub interpolated_weights: usize,
    /// Epochs after which an assignment (α = 1) restored a twin that had left
    /// the finite numbers.
    pub restored_epochs: u32,
    /// Epochs that were trained.
    pub epochs: u32,
    /// What the twin's products were computed with: an instruction set (`avx2`, `avx512`,
    /// `amx`), or `burn-avx512` and the like where Burn trained it. Results of early
    /// versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What it took over from a trunk, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkShare>,
    /// Seconds of training, evaluation and interpolation excluded, and without those of
    /// the trunk.
    pub train_seconds: f64,
    /// Seconds of interpolation.
    pub interpolation_seconds: f64,
    /// Training images per second of training, both without the trunk's.
    pub images_per_second: f64,
}

impl TrialRecord {
    /// The record of a trial of `seed` that ended with `status` after `progress`.
    pub(super) fn new(
        alpha: Alpha,
        seed: u64,
        status: TrialStatus,
        rule: &InterpolationRule,
        twin: &Learner<'_>,
        progress: Progress,
        share: &PriorShare,
    ) -> Self {
        let Progress {
            training,
            points,
            restored_epochs,
            interpolation_seconds,
            trained_images,
            trunk,
            ..
        } = progress;
        let end = points.last().filter(|_| status == TrialStatus::Done);
        let (before, after) = end.map(|p| (p.before, p.after)).unwrap_or_default();
        let peak = rule.peak_alphas();
        let layers = peak.iter().zip(share.weights());
        let interpolated = layers.filter(|(a, _)| !a.is_zero());
        let interpolated_weights = interpolated.map(|(_, &n)| n).sum();
        let train_seconds = training.train_seconds;
        let own_images = trained_images - trunk.map_or(0, |trunk| trunk.images);
        Self {
            alpha,
            seed,
            status,
            points,
            before,
            after,
            effective_prior_share: share.mean(),
            layer_prior_shares: share.layers(),
            budget: peak.iter().map(|a| a.get()).sum(),
            interpolated_weights,
            restored_epochs,
            epochs: training.epochs,
            instructions: Some(twin.instructions().to_owned()),
            trunk,
            train_seconds,
            interpolation_seconds,
            images_per_second: own_images as f64 / train_seconds.max(f64::MIN_POSITIVE),
        }
    }
}
