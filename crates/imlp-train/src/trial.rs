//! One trial: a dense twin trained under interpolation.
//!
//! ```text
//! for epoch t = 1..T
//!     θ ← train prior one epoch               (shared by all α: see `prior`)
//!     W ← train dense twin one epoch
//!     evaluate twin                           → before
//!     W_i ← (1−α_i(t))·W_i + α_i(t)·W_P,i(θ)  for each linear layer i
//!     evaluate twin                           → after
//! ```
//!
//! A trial has **diverged** when, at the end of an epoch (or of a segment of
//! `every` steps), some parameter or some measured logit of the twin is not
//! finite *after* interpolation, or a loss was not and the twin was not assigned
//! anew. It stops there and has no final accuracy. A twin that left the finite numbers during an epoch but was
//! assigned anew as a whole (α_i = 1 for every layer) has not diverged: what it
//! computes at the end is the prior's function, exactly. Its `before` values
//! are missing for that epoch, which is counted in `restored_epochs`.

use std::time::Instant;

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};

use crate::config::TestReading;
use crate::evaluate::Measurement;
use crate::interpolation::effective_prior_share;
use crate::learner::Learner;
use crate::parameters::{HostParameters, ParameterSpec, Role};
use crate::seeds::Stream;
use crate::{Observer, PriorTrajectory, Setup, TrainError};

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
    /// The prior diverged in this epoch, so there was nothing to pull toward.
    PriorDiverged {
        /// Epoch, from 1.
        epoch: u32,
    },
}

/// One interpolation, or the end of an epoch without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Optimiser steps done in this epoch.
    pub step: usize,
    /// α_i of every linear layer; empty where nothing was interpolated.
    pub alphas: Vec<f64>,
    /// Mean training loss since the last point (with augmentation and
    /// smoothing).
    pub train_loss: Option<f64>,
    /// Before the interpolation.
    pub before: Measurement,
    /// After it.
    pub after: Measurement,
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
    /// Seconds of training, evaluation and interpolation excluded.
    pub train_seconds: f64,
    /// Seconds of interpolation.
    pub interpolation_seconds: f64,
    /// Training images per second of training.
    pub images_per_second: f64,
}

/// A trial's record and its twin's parameters at the end.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What happened.
    pub record: TrialRecord,
    /// What the parameters are.
    pub specs: Vec<ParameterSpec>,
    /// The parameters, in PyTorch layout.
    pub parameters: HostParameters,
}

/// Runs one trial against the shared `prior` of the same seed. A trial that
/// never interpolates (α = 0) needs none.
///
/// # Errors
/// [`TrainError::Interrupted`]. Divergence is not an error: the record tells.
///
/// # Panics
/// When α > 0 and there is no prior.
pub fn run_trial(
    setup: &Setup,
    alpha: Alpha,
    seed: u64,
    prior: Option<&PriorTrajectory>,
    observer: &dyn Observer,
) -> Result<Trial, TrainError> {
    let rule = setup.rule(alpha)?;
    let config = &setup.config;
    let data = &setup.data;
    let mut twin = Learner::new(
        &setup.twin,
        setup.training,
        seed,
        Stream::Twin,
        &setup.backend,
    );
    let mut points: Vec<Point> = Vec::new();
    let mut applied: Vec<Vec<Alpha>> = Vec::new();
    let mut status = TrialStatus::Done;
    let (mut train_seconds, mut interpolation_seconds) = (0.0, 0.0);
    let (mut trained_images, mut trained_epochs, mut restored_epochs) = (0, 0, 0);
    let mut interpolations = 0;
    // Training loss since the last point.
    let (mut loss_sum, mut loss_images, mut loss_finite) = (0.0, 0, true);
    'epochs: for epoch in 1..=config.train.epochs {
        let order = twin.order(data, epoch);
        let segments = setup.segments(epoch);
        let last_segment = segments.len() - 1;
        let mut restored = false;
        trained_epochs = epoch;
        for (index, segment) in segments.into_iter().enumerate() {
            let ends_epoch = index == last_segment;
            let ends_trial = ends_epoch && epoch == config.train.epochs;

            let started = Instant::now();
            let loss = twin.train(data, &order, epoch, segment, observer)?;
            train_seconds += started.elapsed().as_secs_f64();
            trained_images += loss.images;
            loss_sum += loss.sum;
            loss_images += loss.images;
            loss_finite &= !loss.diverged;
            let measured = ends_epoch || (segment.interpolate && config.evaluation.within_epoch);
            let with_test = ends_trial || config.evaluation.test == TestReading::Always;
            let measure = |twin: &mut Learner| {
                if measured {
                    twin.measure(data, with_test)
                } else {
                    twin.is_finite().then(Measurement::default)
                }
            };
            let before = (!loss.diverged).then(|| measure(&mut twin)).flatten();

            let mut alphas = Vec::new();
            if segment.interpolate {
                alphas = rule.alphas(epoch);
                if alphas.iter().any(|a| !a.is_zero()) {
                    let prior = prior.expect("a trial that interpolates has a prior");
                    let Some(snapshot) = prior.at(interpolations) else {
                        status = TrialStatus::PriorDiverged {
                            epoch: prior.record.diverged_epoch.unwrap_or(epoch),
                        };
                        break 'epochs;
                    };
                    let started = Instant::now();
                    twin.interpolate(&setup.prior, snapshot, &alphas, &rule)?;
                    interpolation_seconds += started.elapsed().as_secs_f64();
                }
                interpolations += 1;
                applied.push(alphas.clone());
            }
            let changed = alphas.iter().any(|a| !a.is_zero());
            let after = if changed { measure(&mut twin) } else { before };
            // After a loss that is not finite only an assignment gives weights
            // that mean something, even if they are finite.
            let assigned = !alphas.is_empty() && alphas.iter().all(|a| a.is_one());
            let survived = after.is_some() && (!loss.diverged || assigned);
            restored |= before.is_none() && survived;
            if measured || !survived {
                points.push(Point {
                    epoch,
                    step: segment.end,
                    alphas: alphas.iter().map(|a| a.get()).collect(),
                    train_loss: loss_finite.then(|| loss_sum / loss_images as f64),
                    before: before.unwrap_or_default(),
                    after: after.filter(|_| survived).unwrap_or_default(),
                });
                (loss_sum, loss_images, loss_finite) = (0.0, 0, true);
            }
            if !survived {
                status = TrialStatus::Diverged { epoch };
                break 'epochs;
            }
        }
        restored_epochs += u32::from(restored);
    }

    let last = points
        .last()
        .filter(|_| status == TrialStatus::Done)
        .map(|point| (point.before, point.after))
        .unwrap_or_default();
    let weights: Vec<usize> = twin
        .specs()
        .iter()
        .filter(|spec| spec.role == Role::Weight)
        .map(ParameterSpec::len)
        .collect();
    let layer_prior_shares: Vec<f64> = (0..weights.len())
        .map(|layer| effective_prior_share(applied.iter().map(|alphas| alphas[layer])))
        .collect();
    let total: usize = weights.iter().sum();
    let weighted: f64 = layer_prior_shares
        .iter()
        .zip(&weights)
        .map(|(share, &n)| share * n as f64)
        .sum();
    let peak = rule.peak_alphas();
    let record = TrialRecord {
        alpha,
        seed,
        status,
        points,
        before: last.0,
        after: last.1,
        effective_prior_share: weighted / total as f64,
        layer_prior_shares,
        budget: peak.iter().map(|a| a.get()).sum(),
        interpolated_weights: peak
            .iter()
            .zip(&weights)
            .filter(|(a, _)| !a.is_zero())
            .map(|(_, &n)| n)
            .sum(),
        restored_epochs,
        epochs: trained_epochs,
        train_seconds,
        interpolation_seconds,
        images_per_second: trained_images as f64 / train_seconds.max(f64::MIN_POSITIVE),
    };
    Ok(Trial {
        record,
        specs: twin.specs().to_vec(),
        parameters: twin.snapshot(),
    })
}

#[cfg(test)]
mod tests;
