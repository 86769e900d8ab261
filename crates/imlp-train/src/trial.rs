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
//! Before the first α_i(t) > 0 nothing depends on α: a trial may take that part over from
//! a trunk (see `trunk`).
//!
//! With `interpolation.every = k` the last three lines also come after every k
//! steps; so the loop goes from pause to pause, not from epoch to epoch.
//!
//! A trial has **diverged** when, at a pause, some parameter or some measured
//! logit of the twin is not finite *after* interpolation, or a loss was not and
//! the twin was not assigned anew. It stops there and has no final accuracy. A
//! twin that left the finite numbers but was assigned anew as a whole (α_i = 1
//! for every layer) has not diverged: what it computes is the prior's function,
//! exactly. Its `before` values are missing for that epoch, which is counted in
//! `restored_epochs`.

use std::time::Instant;

use imlp_linear::Alpha;

use crate::config::TestReading;
use crate::error::TrainError;
use crate::interpolation::rule::InterpolationRule;
use crate::interpolation::timing::Pause;
use crate::network::parameters::{HostParameters, ParameterSpec};
use crate::observer::{Observer, Standing};
use crate::prior::PriorTrajectory;
use crate::seeds::RandomStream;
use crate::setup::Setup;
use crate::training::checkpoint::{Checkpoints, NoCheckpoints, RunIdentity};
use crate::training::data::Subset;
use crate::training::evaluation::Measurement;
use crate::training::hooks::RunHooks;
use crate::training::learner::Learner;
use crate::training::progress::SegmentProgress;
use crate::training::run::TrainingRun;
use crate::trial::point::Point;
use crate::trial::prior_share::PriorShare;
use crate::trial::progress::{Progress, TrunkShare};
use crate::trial::record::{TrialRecord, TrialStatus};

pub(crate) mod point;
mod prior_share;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod trunk;

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
    continue_trial(setup, alpha, seed, prior, observer, &NoCheckpoints)
}

/// As [`run_trial`], from the last of `checkpoints`, or else from their trunk, if there is
/// one: the result has the same bits as of a run from the start, but for the seconds and
/// [`TrialRecord::trunk`]. An interruption leaves a checkpoint.
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
    let hooks = RunHooks {
        observer,
        checkpoints,
    };
    let mut trial = TrialRun::new(setup, alpha, seed, prior, hooks)?;
    trial.resume()?;
    let status = trial.train(setup.twin_pauses(trial.progress.training))?;
    let TrialRun {
        rule,
        run,
        progress,
        share,
        ..
    } = trial;
    let twin = run.learner;
    Ok(Trial {
        record: TrialRecord::new(alpha, seed, status, &rule, &twin, progress, &share),
        specs: twin.specs().to_vec(),
        parameters: twin.snapshot(),
    })
}

/// What computes a trial's products, and, where it is interpolated, what computed its
/// prior's: a checkpoint is continued only with the same.
fn instructions(twin: &str, alpha: Alpha, prior: Option<&PriorTrajectory>) -> String {
    let prior = prior.filter(|_| !alpha.is_zero());
    match prior.and_then(|prior| prior.record.instructions.as_deref()) {
        Some(prior) => format!("{twin} toward a prior by {prior}"),
        None => twin.to_owned(),
    }
}

/// What trunks are called in their files.
fn trunk_name(setup: &Setup, seed: u64) -> String {
    format!("the trunk of seed {seed} on {}", setup.backend.name())
}

/// A running trial.
struct TrialRun<'a> {
    setup: &'a Setup,
    seed: u64,
    rule: InterpolationRule,
    prior: Option<&'a PriorTrajectory>,
    /// The dense twin in training.
    run: TrainingRun<'a>,
    progress: Progress,
    /// What of the prior is in the twin.
    share: PriorShare,
}

impl<'a> TrialRun<'a> {
    /// A trial at its start.
    fn new(
        setup: &'a Setup,
        alpha: Alpha,
        seed: u64,
        prior: Option<&'a PriorTrajectory>,
        hooks: RunHooks<'a>,
    ) -> Result<Self, TrainError> {
        let rule = setup.rule(alpha)?;
        let backend = &setup.backend;
        let learner = Learner::new(
            &setup.twin,
            setup.training,
            seed,
            RandomStream::Twin,
            backend,
        );
        let run = TrainingRun {
            name: format!("the trial α = {alpha}, seed {seed} on {}", backend.name()),
            instructions: instructions(learner.instructions(), alpha, prior),
            learner,
            data: &setup.data,
            hooks,
        };
        Ok(Self {
            setup,
            seed,
            rule,
            prior,
            share: PriorShare::new(run.learner.specs(), &[]),
            run,
            progress: Progress::default(),
        })
    }

    /// Goes on from the last checkpoint, or else from the trunk, if there is one.
    fn resume(&mut self) -> Result<(), TrainError> {
        let resumed = match self.run.resume()? {
            None => self.take_over_trunk()?,
            resumed => resumed,
        };
        if let Some(resumed) = resumed {
            let done = self.setup.steps_before(&resumed.training);
            self.share = PriorShare::new(self.run.learner.specs(), &resumed.applied);
            self.progress = resumed;
            self.run.hooks.observer.steps(done);
        }
        Ok(())
    }

    /// The progress of the trunk, whose state the twin takes; `None` without one.
    fn take_over_trunk(&mut self) -> Result<Option<Progress>, TrainError> {
        let Some(mut file) = self.run.hooks.checkpoints.trunk()? else {
            return Ok(None);
        };
        let twin = &mut self.run.learner;
        // It was never interpolated: no prior has a part in its bits.
        let instructions = twin.instructions().to_owned();
        let identity = RunIdentity {
            run: &trunk_name(self.setup, self.seed),
            instructions: &instructions,
        };
        let mut progress: Progress = twin.resume(identity, &mut file)?;
        let steps = self.setup.steps_before(&progress.training);
        let parting = self.setup.parting_under(&self.rule);
        if parting.is_some_and(|at| self.setup.twin_steps_at(at.epoch, at.step) < steps) {
            return Err(TrainError::Checkpoint(
                "it lies behind the trial's first interpolation".to_owned(),
            ));
        }
        progress.trunk = Some(TrunkShare {
            steps,
            images: progress.trained_images + progress.training.within.images,
            train_seconds: std::mem::take(&mut progress.training.train_seconds),
        });
        Ok(Some(progress))
    }

    /// The algorithm, from pause to pause.
    fn train(&mut self, pauses: impl Iterator<Item = Pause>) -> Result<TrialStatus, TrainError> {
        for pause in pauses {
            // W ← train dense twin
            let trained = self.train_to(pause)?;

            // evaluate twin → before
            let before = if trained.diverged {
                None
            } else {
                self.evaluate(pause)
            };

            // W_i ← (1−α_i(t))·W_i + α_i(t)·W_P,i(θ)
            let alphas = self.alphas(pause);
            let interpolated = alphas.iter().any(|alpha| !alpha.is_zero());
            if interpolated {
                let prior = self.prior.expect("a trial that interpolates has a prior");
                let Some(theta) = prior.at(self.progress.applied.len()) else {
                    return Ok(self.stop_without_prior(prior, pause));
                };
                self.interpolate(theta, &alphas)?;
            }

            // evaluate twin → after
            let after = if interpolated {
                self.evaluate(pause)
            } else {
                before
            };

            let finite = self.record(pause, trained, alphas, before, after);
            if !finite {
                self.progress.training.epochs = pause.epoch;
                return Ok(TrialStatus::Diverged { epoch: pause.epoch });
            }
            self.pass(pause)?;
        }
        Ok(TrialStatus::Done)
    }

    fn train_to(&mut self, pause: Pause) -> Result<SegmentProgress, TrainError> {
        let trained = self.run.train_to(pause, &mut self.progress)?;
        self.progress.trained_images += trained.images;
        Ok(trained)
    }

    /// α of every linear layer; empty at a pause without interpolation.
    fn alphas(&self, pause: Pause) -> Vec<Alpha> {
        if pause.segment.interpolate {
            self.rule.alphas(pause.epoch)
        } else {
            Vec::new()
        }
    }

    fn interpolate(&mut self, theta: &HostParameters, alphas: &[Alpha]) -> Result<(), TrainError> {
        let started = Instant::now();
        let twin = &mut self.run.learner;
        twin.interpolate(&self.setup.prior, theta, alphas, &self.rule)?;
        self.progress.interpolation_seconds += started.elapsed().as_secs_f64();
        Ok(())
    }

    /// Measures the twin, or at a pause that is not measured only checks that
    /// it is finite; `None` if it is not.
    fn evaluate(&mut self, pause: Pause) -> Option<Measurement> {
        let measured = self.is_measured(pause);
        let twin = &mut self.run.learner;
        if !measured {
            return twin.is_finite().then(Measurement::default);
        }
        let always = self.setup.config.evaluation.test == TestReading::Always;
        let validation = if pause.ends_run {
            Subset::Validation
        } else {
            Subset::ValidationSample
        };
        twin.measure(&self.setup.data, validation, pause.ends_run || always)
    }

    /// Whether `pause` has a point in the record.
    fn is_recorded(&self, pause: Pause) -> bool {
        let within_epoch = self.setup.config.evaluation.within_epoch;
        pause.ends_epoch || (pause.segment.interpolate && within_epoch)
    }

    /// Whether that point has measurements.
    fn is_measured(&self, pause: Pause) -> bool {
        let in_epoch = self.setup.config.evaluation.measures(pause.epoch);
        pause.ends_run || (in_epoch && self.is_recorded(pause))
    }

    /// Records what happened up to `pause`; returns whether the twin is finite.
    fn record(
        &mut self,
        pause: Pause,
        trained: SegmentProgress,
        alphas: Vec<Alpha>,
        before: Option<Measurement>,
        after: Option<Measurement>,
    ) -> bool {
        // After a loss that is not finite only an assignment gives weights that
        // mean something, even if they are finite.
        let assigned = !alphas.is_empty() && alphas.iter().all(|alpha| alpha.is_one());
        let finite = after.is_some() && (!trained.diverged || assigned);
        let recorded = self.is_recorded(pause);
        let share_before = self.share.mean();
        self.share.add(&alphas);
        let step = self
            .setup
            .twin_steps_at(pause.epoch, pause.segment.end)
            .saturating_sub(1);
        let progress = &mut self.progress;
        progress.restored |= before.is_none() && finite;
        if recorded || !finite {
            let loss = std::mem::take(&mut progress.training.loss);
            progress.points.push(Point {
                epoch: pause.epoch,
                step: pause.segment.end,
                alphas: alphas.iter().map(|alpha| alpha.get()).collect(),
                train_loss: (!loss.diverged).then(|| loss.mean_loss()),
                before: before.unwrap_or_default(),
                after: after.filter(|_| finite).unwrap_or_default(),
                prior_share_before: Some(share_before),
                prior_share_after: Some(self.share.mean()),
                learning_rate: Some(self.setup.twin_learning_rate(step)),
            });
            self.run.hooks.observer.trial_recorded(&progress.points);
        }
        if pause.segment.interpolate {
            progress.applied.push(alphas);
        }
        if let Some(point) = progress.points.last().filter(|_| pause.ends_epoch) {
            self.run.hooks.observer.epoch_ended(Standing {
                epoch: point.epoch,
                loss: point.train_loss,
                validation: point.after.validation.map(|m| m.accuracy),
            });
        }
        finite
    }

    /// Goes on after `pause`, with a checkpoint if one is due.
    fn pass(&mut self, pause: Pause) -> Result<(), TrainError> {
        let progress = &mut self.progress;
        progress.training.pass(pause);
        if pause.ends_epoch {
            progress.restored_epochs += u32::from(std::mem::take(&mut progress.restored));
        }
        if pause.ends_run {
            return Ok(());
        }
        self.run.save_if_due(progress.training.epochs, progress)
    }

    /// The end of a trial whose prior has diverged before `pause`.
    fn stop_without_prior(&mut self, prior: &PriorTrajectory, pause: Pause) -> TrialStatus {
        self.progress.training.epochs = pause.epoch;
        TrialStatus::PriorDiverged {
            epoch: prior.record.diverged_epoch.unwrap_or(pause.epoch),
        }
    }
}

#[cfg(test)]
mod tests;
