//! Carrying an experiment out.
//!
//! The store is the truth about what is done; an executor only decides who does
//! what is missing, and where. [`local`] uses the cores of this machine;
//! [`batch`] hands work over to the scheduler of a cluster. Any
//! number of executors may work on one store at once.

mod affinity;
pub mod batch;
mod board;
pub mod local;

use std::collections::HashMap;

use imlp_linear::Alpha;
use imlp_train::{PriorRecord, TrialRecord};

use crate::LabError;
use crate::experiment::{Experiment, PlannedPrior, PlannedTrial, Policy, Share};
use crate::identity::PriorId;
use crate::store::{Published, Standing, Store};
use crate::text::alpha_text;

/// A piece of work.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Training a prior.
    Prior {
        /// What sets its configuration apart.
        configuration: String,
        /// Seed.
        seed: u64,
    },
    /// One trial.
    Trial {
        /// What sets its configuration apart.
        configuration: String,
        /// Interpolation weight.
        alpha: Alpha,
        /// Seed.
        seed: u64,
    },
}

impl Task {
    /// The task of a prior.
    pub fn of_prior(experiment: &Experiment, prior: &PlannedPrior) -> Self {
        Self::Prior {
            configuration: experiment.configurations[prior.configuration].label(),
            seed: prior.seed,
        }
    }

    /// The task of a trial.
    pub fn of_trial(experiment: &Experiment, trial: &PlannedTrial) -> Self {
        Self::Trial {
            configuration: experiment.configurations[trial.configuration].label(),
            alpha: trial.alpha,
            seed: trial.seed,
        }
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let configuration = match self {
            Self::Prior {
                configuration,
                seed,
            } => {
                write!(f, "prior, seed {seed}")?;
                configuration
            }
            Self::Trial {
                configuration,
                alpha,
                seed,
            } => {
                write!(f, "α = {}, seed {seed}", alpha_text(*alpha))?;
                configuration
            }
        };
        match configuration.as_str() {
            "" => Ok(()),
            configuration => write!(f, ", {configuration}"),
        }
    }
}

/// How a task ended on this worker.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEnd {
    /// Its result is in the store.
    Done,
    /// It will be tried again: it took longer than allowed, or another process
    /// has taken it over.
    GivenBack,
    /// With an error.
    Failed(String),
}

/// Told what happens; called from several threads.
pub trait Progress: Sync {
    /// `tasks` are to be done, `steps` optimiser steps in all; `kept` trials
    /// were there already.
    fn planned(&self, tasks: usize, steps: u64, kept: usize);
    /// A task begins on `worker`; it has `steps` steps.
    fn started(&self, worker: usize, task: &Task, steps: u64);
    /// `count` more steps are done on `worker`.
    fn steps(&self, worker: usize, count: u64);
    /// The task on `worker` has ended.
    fn ended(&self, worker: usize, task: &Task, end: &TaskEnd);
    /// Another process has finished a task of `steps` steps.
    fn finished_elsewhere(&self, task: &Task, steps: u64);
}

/// A task that failed, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Which.
    pub task: Task,
    /// Why.
    pub reason: String,
}

/// How it stands with every prior and trial of an experiment, whoever tried it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Each prior once.
    pub priors: Vec<(PlannedPrior, Standing)>,
    /// Each trial once; one without a result whose prior failed has failed.
    pub trials: Vec<(PlannedTrial, Standing)>,
}

/// Looks at every prior and trial.
///
/// # Errors
/// [`LabError::Io`].
pub fn outcome(
    experiment: &Experiment,
    store: &Store,
    policy: Policy,
) -> Result<Outcome, LabError> {
    let Share { priors, trials } = experiment.share();
    let worker = store.join(policy, None)?;
    let mut failed = HashMap::new();
    let priors = priors.into_iter().map(|prior| {
        let standing = store.look_at_prior(&worker, &prior.id)?;
        if let Standing::Failed(reason) = &standing {
            failed.insert(prior.id.clone(), reason.clone());
        }
        Ok((prior, standing))
    });
    let priors = priors.collect::<Result<_, LabError>>()?;
    let trials = trials.into_iter().map(|trial| {
        let mut standing = store.look_at_trial(&worker, &trial.id)?;
        let failed = failed.get(&trial.prior).filter(|_| !trial.alpha.is_zero());
        if let (Standing::Free(_) | Standing::Busy, Some(reason)) = (&standing, failed) {
            standing = Standing::Failed(prior_failed(reason));
        }
        Ok((trial, standing))
    });
    Ok(Outcome {
        priors,
        trials: trials.collect::<Result<_, LabError>>()?,
    })
}

impl Outcome {
    /// What failed or was given up, and why.
    pub fn failed(&self, experiment: &Experiment) -> Vec<Failed> {
        let priors = self.priors.iter();
        let priors = priors.map(|(prior, s)| (Task::of_prior(experiment, prior), s));
        let trials = self.trials.iter();
        let trials = trials.map(|(trial, s)| (Task::of_trial(experiment, trial), s));
        priors
            .chain(trials)
            .filter_map(|(task, standing)| match standing {
                Standing::Failed(reason) => Some(Failed {
                    task,
                    reason: reason.clone(),
                }),
                _ => None,
            })
            .collect()
    }

    /// How many trials have neither a result nor failed.
    pub fn left(&self) -> usize {
        let left = |standing: &Standing| matches!(standing, Standing::Free(_) | Standing::Busy);
        self.trials.iter().filter(|(_, s)| left(s)).count()
    }
}

/// Why a trial fails whose prior did.
pub(crate) fn prior_failed(reason: &str) -> String {
    format!("its prior failed: {reason}")
}

/// Everything that is known when nothing is left to do.
#[derive(Clone, Debug)]
pub struct Results {
    /// One entry per trial, in the experiment's order; no record where it
    /// failed.
    pub trials: Vec<(PlannedTrial, Option<Published<TrialRecord>>)>,
    /// The priors that were trained.
    pub priors: HashMap<PriorId, PriorRecord>,
}

/// Reads all records that there are.
///
/// # Errors
/// [`LabError::Damaged`], [`LabError::Io`].
pub fn collect(experiment: &Experiment, store: &Store) -> Result<Results, LabError> {
    let mut priors = HashMap::new();
    let mut trials = Vec::new();
    for trial in experiment.trials() {
        if !priors.contains_key(&trial.prior)
            && let Some(record) = store.prior_record(&trial.prior)?
        {
            priors.insert(trial.prior.clone(), record);
        }
        let record = store.trial(&trial.id, trial.alpha, trial.seed)?;
        trials.push((trial, record));
    }
    Ok(Results { trials, priors })
}
