//! Telling someone how the jobs proceed.

use imlp_linear::Alpha;
use imlp_train::{Metrics, PriorRecord, Standing};

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
    /// It trained a prior, whose record is in the store.
    TrainedPrior(PriorEnd),
    /// It read a prior that was trained before.
    ReadPrior(PriorEnd),
    /// It will run again: it exceeded its time limit, or another process has taken
    /// it over.
    GivenBack,
    /// With an error.
    Failed(String),
}

/// What became of a prior.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorEnd {
    /// The epoch in which it diverged, if it did.
    pub diverged_epoch: Option<u32>,
    /// On the validation split, at the end.
    pub validation: Option<Metrics>,
    /// On the test set, at the end.
    pub test: Option<Metrics>,
}

impl PriorEnd {
    pub(super) fn of(record: &PriorRecord) -> Self {
        Self {
            diverged_epoch: record.diverged_epoch,
            validation: record.validation,
            test: record.test,
        }
    }
}

/// `84.4 % on validation`; on the test set where there is no validation split.
impl std::fmt::Display for PriorEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let measured = self.validation.map(|m| (m, "validation"));
        let measured = measured.or(self.test.map(|m| (m, "test")));
        match (self.diverged_epoch, measured) {
            (Some(epoch), _) => write!(f, "diverged in epoch {epoch}"),
            (None, Some((metrics, images))) => {
                write!(f, "{:.1} % on {images}", 100.0 * metrics.accuracy)
            }
            (None, None) => write!(f, "not measured"),
        }
    }
}

/// Optimiser steps by the network that makes them: a step of a prior and one of a dense twin
/// take different times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Of priors.
    pub prior: u64,
    /// Of dense twins.
    pub twin: u64,
}

/// Receives the progress of a run, from several threads.
pub trait Progress: Sync {
    /// `jobs` will run, with `steps` optimiser steps in all; `finished` trials have
    /// a result already.
    fn planned(&self, jobs: usize, steps: Steps, finished: usize);
    /// `worker` starts a job of `steps` steps.
    fn started(&self, worker: usize, job: &JobLabel, steps: u64);
    /// `worker` has made `count` more steps.
    fn steps(&self, worker: usize, count: u64);
    /// The job of `worker` goes on from a checkpoint, in this epoch, from 1.
    fn resumed(&self, _worker: usize, _epoch: u32) {}
    /// An epoch of the job of `worker` has ended.
    fn epoch_ended(&self, _worker: usize, _standing: Standing) {}
    /// The job of `worker` has ended.
    fn ended(&self, worker: usize, job: &JobLabel, end: &JobEnd);
    /// Another process has finished a job of `steps` steps.
    fn finished_elsewhere(&self, job: &JobLabel, steps: u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prior_is_told_by_the_split_that_choices_are_made_on() {
        let metrics = |accuracy| {
            Some(Metrics {
                accuracy,
                loss: 0.5,
            })
        };
        let end = |diverged_epoch, validation, test| PriorEnd {
            diverged_epoch,
            validation,
            test,
        };
        for (end, words) in [
            (
                end(None, metrics(0.8437), metrics(0.9)),
                "84.4 % on validation",
            ),
            (end(None, None, metrics(0.9)), "90.0 % on test"),
            (end(Some(3), None, None), "diverged in epoch 3"),
            (end(None, None, None), "not measured"),
        ] {
            assert_eq!(end.to_string(), words);
        }
    }
}
