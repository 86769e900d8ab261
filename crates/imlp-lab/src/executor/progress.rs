//! Telling someone how the jobs proceed.

use imlp_linear::Alpha;

use crate::experiment::{Experiment, Job};
use crate::text::alpha_text;

/// A job as people know it.
#[derive(Clone, Debug, PartialEq)]
pub enum JobLabel {
    /// Training a prior.
    Prior {
        /// The assignments that set its configuration apart.
        configuration: String,
        /// Seed.
        seed: u64,
    },
    /// Training a trunk.
    Trunk {
        /// The assignments that set its configuration apart.
        configuration: String,
        /// Seed.
        seed: u64,
    },
    /// Running a trial.
    Trial {
        /// The assignments that set its configuration apart.
        configuration: String,
        /// Interpolation weight.
        alpha: Alpha,
        /// Seed.
        seed: u64,
    },
}

impl JobLabel {
    /// The label of `job`.
    pub fn new(experiment: &Experiment, job: &Job) -> Self {
        let configuration = experiment.configurations[job.configuration()].label();
        match job {
            Job::Prior(prior) => Self::Prior {
                configuration,
                seed: prior.seed,
            },
            Job::Trunk(trunk) => Self::Trunk {
                configuration,
                seed: trunk.seed,
            },
            Job::Trial(trial) => Self::Trial {
                configuration,
                alpha: trial.alpha,
                seed: trial.seed,
            },
        }
    }
}

impl std::fmt::Display for JobLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let configuration = match self {
            Self::Prior {
                configuration,
                seed,
            } => {
                write!(f, "prior, seed {seed}")?;
                configuration
            }
            Self::Trunk {
                configuration,
                seed,
            } => {
                write!(f, "trunk, seed {seed}")?;
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

/// How a job ended on this worker.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEnd {
    /// Its result is in the store.
    Done,
    /// It will run again: it exceeded its time limit, or another process has taken
    /// it over.
    GivenBack,
    /// With an error.
    Failed(String),
}

/// Receives the progress of a run, from several threads.
pub trait Progress: Sync {
    /// `jobs` will run, with `steps` optimiser steps in all; `finished` trials have
    /// a result already.
    fn planned(&self, jobs: usize, steps: u64, finished: usize);
    /// `worker` starts a job of `steps` steps.
    fn started(&self, worker: usize, job: &JobLabel, steps: u64);
    /// `worker` has made `count` more steps.
    fn steps(&self, worker: usize, count: u64);
    /// The job of `worker` has ended.
    fn ended(&self, worker: usize, job: &JobLabel, end: &JobEnd);
    /// Another process has finished a job of `steps` steps.
    fn finished_elsewhere(&self, job: &JobLabel, steps: u64);
}
