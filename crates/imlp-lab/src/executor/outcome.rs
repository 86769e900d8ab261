//! The state of every job of an experiment, whoever ran it.

use std::collections::HashMap;

use super::progress::JobLabel;
use crate::error::LabError;
use crate::experiment::{Experiment, Job, Policy};
use crate::identity::{JobId, PriorId};
use crate::store::{Availability, Store, Worker};

/// A job that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The job.
    pub job: JobLabel,
    /// Why it failed.
    pub reason: String,
}

/// The state of every job of an experiment, whoever ran it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Every prior, trunk and trial, each once; a trial without a result fails with its
    /// prior, but not with its trunk.
    pub jobs: Vec<(Job, Availability)>,
}

/// Reads the state of every job.
///
/// # Errors
/// [`LabError::Io`].
pub fn outcome(
    experiment: &Experiment,
    store: &Store,
    policy: Policy,
) -> Result<Outcome, LabError> {
    let worker = store.join(policy, None)?;
    let mut failed: HashMap<PriorId, String> = HashMap::new();
    let mut jobs = Vec::new();
    for job in experiment.jobs() {
        if matches!(job, Job::Trunk(_)) && !policy.share {
            continue;
        }
        let id = job.id();
        let mut state = poll(store, &worker, &job)?;
        let dependency = job.depends_on().and_then(|prior| failed.get(prior));
        if let (Availability::Free(_) | Availability::Busy, Some(reason)) = (&state, dependency) {
            state = Availability::Failed(prior_failed(reason));
        }
        if let (JobId::Prior(prior), Availability::Failed(reason)) = (id, &state) {
            failed.insert(prior, reason.clone());
        }
        jobs.push((job, state));
    }
    Ok(Outcome { jobs })
}

impl Outcome {
    /// The priors and trials that failed.
    pub fn failed(&self, experiment: &Experiment) -> Vec<Failed> {
        let failed = self.jobs.iter().filter_map(|(job, state)| match state {
            Availability::Failed(reason) if !matches!(job, Job::Trunk(_)) => Some(Failed {
                job: JobLabel::new(experiment, job),
                reason: reason.clone(),
            }),
            _ => None,
        });
        failed.collect()
    }

    /// The number of trials that have neither a result nor failed.
    pub fn unfinished_trials(&self) -> usize {
        let unfinished = |(job, state): &&(Job, Availability)| {
            matches!(job, Job::Trial(_))
                && matches!(state, Availability::Free(_) | Availability::Busy)
        };
        self.jobs.iter().filter(unfinished).count()
    }
}

/// Whether `worker` can take `job`. A trunk that cannot be looked at counts as failed:
/// trials do without it.
///
/// # Errors
/// As [`Store::poll`].
pub(super) fn poll(store: &Store, worker: &Worker, job: &Job) -> Result<Availability, LabError> {
    match (job, store.poll(worker, &job.id())) {
        (Job::Trunk(_), Err(error)) => Ok(Availability::Failed(error.to_string())),
        (_, outcome) => outcome,
    }
}

/// Why a trial fails whose prior failed.
pub(super) fn prior_failed(reason: &str) -> String {
    format!("its prior failed: {reason}")
}
