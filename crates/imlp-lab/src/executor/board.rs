//! What is left to do, as one process sees it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imlp_train::PriorTrajectory;

use super::{Failed, Progress, Task, prior_failed};
use crate::LabError;
use crate::experiment::{Configuration, Experiment, PlannedPrior, PlannedTrial, Share};
use crate::identity::{Identity, PriorId};
use crate::store::{Claim, Lease, Standing, Store, Worker};

/// Time between two looks at what another process works on.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Work that can start, with what it needs.
pub(super) struct Start {
    pub work: Work,
    pub task: Task,
    /// Optimiser steps.
    pub steps: u64,
}

/// What there is to do, by index on the board.
pub(super) enum Work {
    /// Train a prior.
    Train { prior: usize, lease: Lease },
    /// Read a trained prior.
    Load { prior: usize },
    /// Run a trial.
    Run {
        trial: usize,
        lease: Lease,
        prior: Option<Arc<PriorTrajectory>>,
    },
}

/// How it stands with one trial or prior.
enum Slot {
    /// It can be asked for.
    Open,
    /// Another process is at it; the time is when to look again.
    Elsewhere(Instant),
    /// A worker of this process is at it.
    Here,
    Finished,
    Failed(String),
}

struct TrialSlot {
    trial: PlannedTrial,
    prior: usize,
    slot: Slot,
}

struct PriorSlot {
    prior: PlannedPrior,
    slot: Slot,
    /// Loaded for trials that wait for it.
    trajectory: Option<Arc<PriorTrajectory>>,
}

/// What is left to do.
pub(super) struct Board<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    worker: &'a Worker,
    workers: usize,
    trials: Vec<TrialSlot>,
    priors: Vec<PriorSlot>,
}

impl<'a> Board<'a> {
    /// Looks at every trial and prior once, and tells what is to be done.
    pub(super) fn plan(
        experiment: &'a Experiment,
        share: Share,
        store: &'a Store,
        worker: &'a Worker,
        workers: usize,
        progress: &dyn Progress,
    ) -> Result<Self, LabError> {
        let index: HashMap<PriorId, usize> = share
            .priors
            .iter()
            .enumerate()
            .map(|(index, prior)| (prior.id.clone(), index))
            .collect();
        let priors = share.priors.into_iter().map(|prior| PriorSlot {
            prior,
            slot: Slot::Elsewhere(Instant::now()),
            trajectory: None,
        });
        let trials = share.trials.into_iter().map(|trial| TrialSlot {
            prior: index[&trial.prior],
            trial,
            slot: Slot::Elsewhere(Instant::now()),
        });
        let mut board = Self {
            experiment,
            store,
            worker,
            workers,
            trials: trials.collect(),
            priors: priors.collect(),
        };
        // Trials of one prior follow each other, so that it can be let go.
        board.trials.sort_by_key(|slot| slot.prior);
        board.look(|_, _| ())?;
        let left = |slot: &Slot| !matches!(slot, Slot::Finished | Slot::Failed(_));
        let trials: Vec<_> = board.trials.iter().filter(|t| left(&t.slot)).collect();
        let priors: Vec<_> = board
            .priors
            .iter()
            .enumerate()
            .filter(|(i, prior)| left(&prior.slot) || board.is_awaited(*i))
            .collect();
        let trial_steps = trials.iter().map(|t| {
            board
                .configuration(t.trial.configuration)
                .setup
                .twin_steps()
        });
        let prior_steps = priors.iter().map(|(_, p)| {
            board
                .configuration(p.prior.configuration)
                .setup
                .prior_steps()
        });
        let kept = board.trials.iter();
        let kept = kept.filter(|t| matches!(t.slot, Slot::Finished)).count();
        progress.planned(
            trials.len() + priors.len(),
            trial_steps.chain(prior_steps).sum(),
            kept,
        );
        Ok(board)
    }

    pub(super) fn configuration(&self, index: usize) -> &'a Configuration {
        &self.experiment.configurations[index]
    }

    /// The next thing that can start: a prior as long as there are not trials
    /// enough to keep every worker busy, else the first trial. Few priors are in
    /// memory at a time, and no worker waits long for one.
    pub(super) fn next(&mut self, progress: &dyn Progress) -> Result<Option<Start>, LabError> {
        self.look(|task, steps| progress.finished_elsewhere(task, steps))?;
        loop {
            let startable = (0..self.trials.len())
                .filter(|i| self.can_start(*i))
                .count();
            let prior = (startable <= self.workers)
                .then(|| (0..self.priors.len()).find(|i| self.can_prepare(*i)))
                .flatten();
            // Each turn of the loop starts something or closes a slot.
            if let Some(prior) = prior {
                if let Some(start) = self.start_prior(prior)? {
                    return Ok(Some(start));
                }
            } else if let Some(trial) = (0..self.trials.len()).find(|i| self.can_start(*i)) {
                if let Some(start) = self.start_trial(trial)? {
                    return Ok(Some(start));
                }
            } else {
                return Ok(None);
            }
        }
    }

    /// Whether nothing is left, here or elsewhere.
    pub(super) fn is_finished(&self) -> bool {
        let over = |slot: &Slot| matches!(slot, Slot::Finished | Slot::Failed(_));
        self.trials.iter().all(|t| over(&t.slot)) && self.priors.iter().all(|p| over(&p.slot))
    }

    /// What failed, here or elsewhere.
    pub(super) fn failed(&self) -> Vec<Failed> {
        let priors = (0..self.priors.len()).map(|i| (self.prior_task(i), &self.priors[i].slot));
        let trials = (0..self.trials.len()).map(|i| (self.trial_task(i), &self.trials[i].slot));
        priors
            .chain(trials)
            .filter_map(|(task, slot)| match slot {
                Slot::Failed(reason) => Some(Failed {
                    task,
                    reason: reason.clone(),
                }),
                _ => None,
            })
            .collect()
    }

    /// A prior is trained or read.
    pub(super) fn put_prior(&mut self, prior: usize, trajectory: PriorTrajectory) {
        self.priors[prior].slot = Slot::Finished;
        if self.is_awaited(prior) {
            self.priors[prior].trajectory = Some(Arc::new(trajectory));
        }
    }

    /// A trial is finished.
    pub(super) fn finish_trial(&mut self, trial: usize) {
        self.trials[trial].slot = Slot::Finished;
    }

    /// A prior is to be asked for again.
    pub(super) fn reopen_prior(&mut self, prior: usize) {
        self.priors[prior].slot = Slot::Elsewhere(Instant::now());
    }

    /// A trial is to be asked for again.
    pub(super) fn reopen_trial(&mut self, trial: usize) {
        self.trials[trial].slot = Slot::Elsewhere(Instant::now());
    }

    /// A prior failed, and with it every trial that would be pulled toward it.
    pub(super) fn fail_prior(&mut self, prior: usize, reason: String) {
        for slot in &mut self.trials {
            let waits = matches!(slot.slot, Slot::Open | Slot::Elsewhere(_));
            if slot.prior == prior && waits && !slot.trial.alpha.is_zero() {
                slot.slot = Slot::Failed(prior_failed(&reason));
            }
        }
        self.priors[prior].slot = Slot::Failed(reason);
    }

    /// A trial failed.
    pub(super) fn fail_trial(&mut self, trial: usize, reason: String) {
        self.trials[trial].slot = Slot::Failed(reason);
    }

    pub(super) fn prior_task(&self, prior: usize) -> Task {
        Task::of_prior(self.experiment, &self.priors[prior].prior)
    }

    pub(super) fn trial_task(&self, trial: usize) -> Task {
        Task::of_trial(self.experiment, &self.trials[trial].trial)
    }

    pub(super) fn prior(&self, prior: usize) -> (&PriorId, &'a Configuration, u64) {
        let prior = &self.priors[prior].prior;
        (
            &prior.id,
            self.configuration(prior.configuration),
            prior.seed,
        )
    }

    pub(super) fn trial(&self, trial: usize) -> (&PlannedTrial, &'a Configuration) {
        let trial = &self.trials[trial].trial;
        (trial, self.configuration(trial.configuration))
    }

    /// Whether a trial that can be asked for is pulled toward it.
    fn is_awaited(&self, prior: usize) -> bool {
        self.trials.iter().any(|slot| {
            slot.prior == prior && matches!(slot.slot, Slot::Open) && !slot.trial.alpha.is_zero()
        })
    }

    fn can_start(&self, trial: usize) -> bool {
        let slot = &self.trials[trial];
        matches!(slot.slot, Slot::Open)
            && (slot.trial.alpha.is_zero() || self.priors[slot.prior].trajectory.is_some())
    }

    /// Whether it is to be trained, or read.
    fn can_prepare(&self, prior: usize) -> bool {
        let slot = &self.priors[prior];
        match slot.slot {
            Slot::Open => true,
            Slot::Finished => slot.trajectory.is_none() && self.is_awaited(prior),
            _ => false,
        }
    }

    fn start_prior(&mut self, prior: usize) -> Result<Option<Start>, LabError> {
        let (id, configuration, seed) = self.prior(prior);
        let work = if matches!(self.priors[prior].slot, Slot::Finished) {
            Work::Load { prior }
        } else {
            let identity = Identity::of_prior(&configuration.setup, seed);
            match self.store.claim_prior(self.worker, id, &identity)? {
                Claim::Mine(lease) => Work::Train { prior, lease },
                Claim::Busy => {
                    self.priors[prior].slot = look_later();
                    return Ok(None);
                }
                Claim::Finished => {
                    self.priors[prior].slot = Slot::Finished;
                    return Ok(None);
                }
                Claim::Failed(reason) => {
                    self.fail_prior(prior, reason);
                    return Ok(None);
                }
            }
        };
        self.priors[prior].slot = Slot::Here;
        Ok(Some(Start {
            work,
            task: self.prior_task(prior),
            steps: configuration.setup.prior_steps(),
        }))
    }

    fn start_trial(&mut self, trial: usize) -> Result<Option<Start>, LabError> {
        let (planned, configuration) = self.trial(trial);
        let (alpha, seed) = (planned.alpha, planned.seed);
        let identity = Identity::of_trial(&configuration.setup, alpha, seed);
        let claim = self
            .store
            .claim_trial(self.worker, &planned.id, &identity)?;
        let slot = match claim {
            Claim::Mine(lease) => {
                self.trials[trial].slot = Slot::Here;
                let index = self.trials[trial].prior;
                let prior = (!alpha.is_zero())
                    .then(|| self.priors[index].trajectory.clone())
                    .flatten();
                if !self.is_awaited(index) {
                    self.priors[index].trajectory = None;
                }
                return Ok(Some(Start {
                    work: Work::Run {
                        trial,
                        lease,
                        prior,
                    },
                    task: self.trial_task(trial),
                    steps: configuration.setup.twin_steps(),
                }));
            }
            Claim::Busy => look_later(),
            Claim::Finished => Slot::Finished,
            Claim::Failed(reason) => Slot::Failed(reason),
        };
        self.trials[trial].slot = slot;
        Ok(None)
    }

    /// Looks again at what other processes work on, where it is time to, and
    /// tells `finished` what they have finished.
    fn look(&mut self, finished: impl Fn(&Task, u64)) -> Result<(), LabError> {
        let now = Instant::now();
        let due = |slot: &Slot| matches!(slot, Slot::Elsewhere(time) if *time <= now);
        for prior in 0..self.priors.len() {
            if !due(&self.priors[prior].slot) {
                continue;
            }
            let standing = self
                .store
                .look_at_prior(self.worker, &self.priors[prior].prior.id)?;
            match standing {
                Standing::Failed(reason) => self.fail_prior(prior, reason),
                standing => {
                    // One that is still to be read is told of then.
                    if standing == Standing::Finished && !self.is_awaited(prior) {
                        let steps = self.prior(prior).1.setup.prior_steps();
                        finished(&self.prior_task(prior), steps);
                    }
                    self.priors[prior].slot = slot(standing);
                }
            }
        }
        for trial in 0..self.trials.len() {
            if !due(&self.trials[trial].slot) {
                continue;
            }
            let id = &self.trials[trial].trial.id;
            let standing = self.store.look_at_trial(self.worker, id)?;
            if standing == Standing::Finished {
                let steps = self.trial(trial).1.setup.twin_steps();
                finished(&self.trial_task(trial), steps);
            }
            let TrialSlot {
                prior, trial: t, ..
            } = &self.trials[trial];
            let failed_prior = match &self.priors[*prior].slot {
                Slot::Failed(reason) if !t.alpha.is_zero() => Some(reason.clone()),
                _ => None,
            };
            self.trials[trial].slot = match (slot(standing), failed_prior) {
                (Slot::Open, Some(reason)) => Slot::Failed(prior_failed(&reason)),
                (slot, _) => slot,
            };
        }
        Ok(())
    }
}

fn slot(standing: Standing) -> Slot {
    match standing {
        Standing::Free(_) => Slot::Open,
        Standing::Busy => look_later(),
        Standing::Finished => Slot::Finished,
        Standing::Failed(reason) => Slot::Failed(reason),
    }
}

fn look_later() -> Slot {
    Slot::Elsewhere(Instant::now() + LOOK_AGAIN)
}
