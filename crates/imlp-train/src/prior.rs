//! The training of a prior: `θ ← train prior one epoch` in the algorithm of
//! [`run_trial`](crate::run_trial).
//!
//! A prior's trajectory does not depend on α. It is trained once per seed and
//! shared by every trial of that seed.

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::interpolation::timing::Pause;
use crate::network::parameters::HostParameters;
use crate::network::prior_config::PriorTraining;
use crate::observer::{Observer, Standing};
use crate::prior::epoch::PriorEpoch;
use crate::prior::progress::Progress;
use crate::seeds::RandomStream;
use crate::setup::Setup;
use crate::training::checkpoint::{Checkpoints, NoCheckpoints};
use crate::training::data::Subset;
use crate::training::evaluation::{Measurement, Metrics};
use crate::training::hooks::RunHooks;
use crate::training::learner::Learner;
use crate::training::run::TrainingRun;

pub(crate) mod epoch;
mod progress;

/// The trained prior of one seed, which all trials of that seed share.
#[derive(Clone, Debug)]
pub struct PriorTrajectory {
    /// Its record.
    pub record: PriorRecord,
    /// Parameters at each interpolation point in order (co-trained), or the
    /// one set that is used at all points (frozen, untrained). They end where
    /// the prior diverged.
    pub snapshots: Vec<HostParameters>,
    /// Parameters at the end of training, where no snapshot was taken then.
    pub end: Option<HostParameters>,
}

/// What happened while the prior was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorRecord {
    /// Seed of the trial.
    pub seed: u64,
    /// The epoch in which it diverged; no twin is interpolated toward such a prior.
    pub diverged_epoch: Option<u32>,
    /// One entry per epoch of training.
    pub epochs: Vec<PriorEpoch>,
    /// On the validation split, at the end.
    pub validation: Option<Metrics>,
    /// On the test set, at the end.
    pub test: Option<Metrics>,
    /// What its products were computed with; see
    /// [`TrialRecord::instructions`](crate::TrialRecord::instructions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Seconds of training, evaluation excluded.
    pub train_seconds: f64,
}

impl PriorTrajectory {
    /// The parameters at the end of training, which [`PriorRecord::test`] measures; none
    /// if the prior diverged.
    pub fn at_the_end(&self) -> Option<&HostParameters> {
        let end = self.end.as_ref().or(self.snapshots.last());
        end.filter(|_| self.record.diverged_epoch.is_none())
    }

    /// The snapshot for interpolation point `index` (from 0); none from where
    /// the prior diverged.
    pub(crate) fn at(&self, index: usize) -> Option<&HostParameters> {
        // The one snapshot of a finished prior serves every point; what is left
        // of one that diverged does not.
        if self.snapshots.len() == 1 && self.record.diverged_epoch.is_none() {
            self.snapshots.first()
        } else {
            self.snapshots.get(index)
        }
    }
}

/// Trains the prior of `seed` as `prior.training` says.
///
/// # Errors
/// [`TrainError::Interrupted`]. Divergence is not an error: the record tells.
pub fn train_prior(
    setup: &Setup,
    seed: u64,
    observer: &dyn Observer,
) -> Result<PriorTrajectory, TrainError> {
    continue_prior(setup, seed, observer, &NoCheckpoints)
}

/// As [`train_prior`], from the last of `checkpoints` if there is one; see
/// [`continue_trial`](crate::continue_trial).
///
/// # Errors
/// As [`train_prior`]; [`TrainError::Checkpoint`].
pub fn continue_prior(
    setup: &Setup,
    seed: u64,
    observer: &dyn Observer,
    checkpoints: &dyn Checkpoints,
) -> Result<PriorTrajectory, TrainError> {
    let learner = Learner::new(
        &setup.prior,
        setup.prior_training,
        seed,
        RandomStream::Prior,
        &setup.backend,
    );
    let mut run = TrainingRun {
        name: format!("the prior of seed {seed} on {}", setup.backend.name()),
        instructions: learner.instructions().to_owned(),
        learner,
        data: &setup.data,
        hooks: RunHooks {
            observer,
            checkpoints,
        },
    };
    let mut progress = Progress::default();
    if let Some(resumed) = run.resume()? {
        progress = resumed;
        observer.steps(setup.steps_before(&progress.training));
    }
    let diverged_epoch = train(setup, &mut run, &mut progress)?;
    let (mut at_the_end, mut end) = (Measurement::default(), None);
    if diverged_epoch.is_none() {
        if setup.config.prior.training != PriorTraining::CoTrained {
            progress.keep(run.learner.snapshot());
        } else if setup.prior_ends_apart() {
            end = Some(run.learner.snapshot());
        }
        at_the_end = run
            .learner
            .measure(&setup.data, Subset::Validation, true)
            .unwrap_or_default();
    }
    Ok(PriorTrajectory {
        record: PriorRecord {
            seed,
            diverged_epoch,
            epochs: progress.records,
            validation: at_the_end.validation,
            test: at_the_end.test,
            instructions: Some(run.learner.instructions().to_owned()),
            train_seconds: progress.training.train_seconds,
        },
        snapshots: progress.kept,
        end,
    })
}

/// Trains from `progress` to the end; returns the epoch in which the prior
/// diverged, if it did.
fn train(
    setup: &Setup,
    run: &mut TrainingRun<'_>,
    progress: &mut Progress,
) -> Result<Option<u32>, TrainError> {
    for pause in setup.prior_pauses(progress.training) {
        // θ ← train prior
        run.train_to(pause, progress)?;
        progress.training.loss.diverged |= !run.learner.is_finite();

        let diverged = progress.training.loss.diverged;
        if pause.segment.interpolate && !diverged {
            progress.keep(run.learner.snapshot());
        }
        if pause.ends_epoch || diverged {
            let learner = &mut run.learner;
            let measured = if pause.ends_run || setup.config.evaluation.measures(pause.epoch) {
                learner.measure(&setup.data, Subset::ValidationSample, false)
            } else {
                learner.is_finite().then(Measurement::default)
            };
            if !record(pause, progress, measured) {
                return Ok(Some(pause.epoch));
            }
            if let Some(epoch) = progress.records.last() {
                run.hooks.observer.epoch_ended(Standing {
                    epoch: epoch.epoch,
                    loss: epoch.train_loss,
                    validation: epoch.validation.map(|m| m.accuracy),
                });
            }
        }

        if pause.ends_epoch {
            run.hooks.observer.prior_recorded(&progress.records);
        }
        progress.training.pass(pause);
        if pause.ends_epoch && !pause.ends_run {
            run.save_if_due(pause.epoch, progress)?;
        }
    }
    Ok(None)
}

/// Records the epoch of `pause`; returns whether the prior is finite.
fn record(pause: Pause, progress: &mut Progress, measured: Option<Measurement>) -> bool {
    let loss = std::mem::take(&mut progress.training.loss);
    let finite = !loss.diverged && measured.is_some();
    let measured = measured.unwrap_or_default();
    progress.records.push(PriorEpoch {
        epoch: pause.epoch,
        train_loss: (finite && loss.images > 0).then(|| loss.mean_loss()),
        train: measured.train,
        validation: measured.validation,
    });
    // Logits are checked last; the snapshots of an epoch that diverged are dropped.
    progress.end_epoch(finite);
    finite
}
