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
use crate::error::TrainError;
use crate::interpolation::config::effective_prior_share;
use crate::network::parameters::{HostParameters, ParameterSpec, Role};
use crate::observer::Observer;
use crate::prior::PriorTrajectory;
use crate::seeds::Stream;
use crate::setup::Setup;
use crate::training::checkpoint::{Checkpoints, NoCheckpoints};
use crate::training::evaluation::Measurement;
use crate::training::learner::{Company, Learner, Pause, SegmentProgress};

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

/// How far a trial has come: with the twin's weights and its optimiser's state,
/// all that the rest depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Whole epochs that are done.
    epochs: u32,
    /// Segments of the current epoch that are done.
    segments: usize,
    /// Steps of the current segment.
    within: SegmentProgress,
    /// Whether an assignment restored the twin in the current epoch.
    restored: bool,
    restored_epochs: u32,
    points: Vec<Point>,
    /// α of every layer at each interpolation.
    applied: Vec<Vec<Alpha>>,
    train_seconds: f64,
    interpolation_seconds: f64,
    trained_images: usize,
    /// Training loss since the last point.
    loss: SegmentProgress,
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
    continue_trial(setup, alpha, seed, prior, observer, &NoCheckpoints)
}

/// As [`run_trial`], from the last of `checkpoints` if there is one: the result
/// has the same bits as without an interruption, but for the seconds. An
/// interruption leaves a checkpoint.
///
/// # Errors
/// As [`run_trial`]; [`TrainError::Checkpoint`].
///
/// # Panics
/// As [`run_trial`].
pub fn continue_trial(
    setup: &Setup,
    alpha: Alpha,
    seed: u64,
    prior: Option<&PriorTrajectory>,
    observer: &dyn Observer,
    checkpoints: &dyn Checkpoints,
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
    let run = format!(
        "the trial α = {alpha}, seed {seed} on {}",
        setup.backend_name()
    );
    let company = Company {
        observer,
        checkpoints,
    };
    let mut progress = match checkpoints.load()? {
        Some(file) => {
            let progress: Progress = twin.resume(&run, &file)?;
            observer.steps(setup.steps_before(progress.epochs, progress.segments, progress.within));
            progress
        }
        None => Progress::default(),
    };
    let mut status = TrialStatus::Done;
    'epochs: while progress.epochs < config.train.epochs {
        let epoch = progress.epochs + 1;
        let order = twin.order(data, epoch);
        let segments = setup.segments(epoch);
        while let Some(&segment) = segments.get(progress.segments) {
            let ends_epoch = progress.segments + 1 == segments.len();
            let ends_trial = ends_epoch && epoch == config.train.epochs;

            loop {
                let started = Instant::now();
                let within = &mut progress.within;
                let pause = twin.train(data, &order, epoch, segment, within, company);
                progress.train_seconds += started.elapsed().as_secs_f64();
                if pause == Pause::Ended {
                    break;
                }
                checkpoints.save(&twin.checkpoint(&run, &progress))?;
                if pause == Pause::Interrupted {
                    return Err(TrainError::Interrupted);
                }
            }
            let trained = std::mem::take(&mut progress.within);
            progress.trained_images += trained.images;
            progress.loss.loss += trained.loss;
            progress.loss.images += trained.images;
            progress.loss.diverged |= trained.diverged;
            let measured = ends_epoch || (segment.interpolate && config.evaluation.within_epoch);
            let with_test = ends_trial || config.evaluation.test == TestReading::Always;
            let measure = |twin: &mut Learner| {
                if measured {
                    twin.measure(data, with_test)
                } else {
                    twin.is_finite().then(Measurement::default)
                }
            };
            let before = (!trained.diverged).then(|| measure(&mut twin)).flatten();

            let mut alphas = Vec::new();
            if segment.interpolate {
                alphas = rule.alphas(epoch);
                if alphas.iter().any(|a| !a.is_zero()) {
                    let prior = prior.expect("a trial that interpolates has a prior");
                    let Some(snapshot) = prior.at(progress.applied.len()) else {
                        status = TrialStatus::PriorDiverged {
                            epoch: prior.record.diverged_epoch.unwrap_or(epoch),
                        };
                        progress.epochs = epoch;
                        break 'epochs;
                    };
                    let started = Instant::now();
                    twin.interpolate(&setup.prior, snapshot, &alphas, &rule)?;
                    progress.interpolation_seconds += started.elapsed().as_secs_f64();
                }
                progress.applied.push(alphas.clone());
            }
            let changed = alphas.iter().any(|a| !a.is_zero());
            let after = if changed { measure(&mut twin) } else { before };
            // After a loss that is not finite only an assignment gives weights
            // that mean something, even if they are finite.
            let assigned = !alphas.is_empty() && alphas.iter().all(|a| a.is_one());
            let survived = after.is_some() && (!trained.diverged || assigned);
            progress.restored |= before.is_none() && survived;
            if measured || !survived {
                let loss = std::mem::take(&mut progress.loss);
                progress.points.push(Point {
                    epoch,
                    step: segment.end,
                    alphas: alphas.iter().map(|a| a.get()).collect(),
                    train_loss: (!loss.diverged).then(|| loss.loss / loss.images as f64),
                    before: before.unwrap_or_default(),
                    after: after.filter(|_| survived).unwrap_or_default(),
                });
            }
            if !survived {
                status = TrialStatus::Diverged { epoch };
                progress.epochs = epoch;
                break 'epochs;
            }
            progress.segments += 1;
            if ends_epoch {
                progress.restored_epochs += u32::from(std::mem::take(&mut progress.restored));
                progress.epochs = epoch;
                progress.segments = 0;
            }
            if !ends_trial && checkpoints.due(progress.epochs) {
                checkpoints.save(&twin.checkpoint(&run, &progress))?;
            }
            if ends_epoch {
                break;
            }
        }
    }

    let Progress {
        epochs,
        points,
        applied,
        restored_epochs,
        train_seconds,
        interpolation_seconds,
        trained_images,
        ..
    } = progress;
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
        epochs,
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
