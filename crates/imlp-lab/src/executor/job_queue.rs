//! The jobs of one process: which can start, which wait, and for what.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imlp_train::PriorTrajectory;

use super::outcome::{Failed, prior_failed};
use super::progress::{JobLabel, Progress};
use crate::error::LabError;
use crate::experiment::{Configuration, Experiment, Job, PlannedPrior, PlannedTrial};
use crate::identity::{JobId, PriorId};
use crate::store::{Availability, Claim, Lease, Store, Worker};

/// Time between two polls of a job that another process runs.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A job that a worker starts now.
pub(super) struct Start {
    /// Index in the queue.
    pub job: usize,
    pub action: Action,
    pub label: JobLabel,
    /// Optimiser steps.
    pub steps: u64,
}

/// What a worker does for a job.
pub(super) enum Action {
    /// Trains the prior.
    TrainPrior(PlannedPrior, Lease),
    /// Reads the trained prior.
    LoadPrior(PlannedPrior),
    /// Runs the trial, with its prior unless α = 0.
    RunTrial(PlannedTrial, Lease, Option<Arc<PriorTrajectory>>),
}

/// The state of a job, as far as this process knows.
enum JobState {
    /// Nobody runs it.
    Ready,
    /// Another process runs it, or nobody has polled it yet; the time is that of the
    /// next poll.
    Elsewhere(Instant),
    /// A worker of this process runs it.
    Running,
    Finished,
    Failed(String),
}

impl JobState {
    /// To be polled now.
    fn unknown() -> Self {
        Self::Elsewhere(Instant::now())
    }

    /// To be polled after [`POLL_INTERVAL`].
    fn busy() -> Self {
        Self::Elsewhere(Instant::now() + POLL_INTERVAL)
    }

    fn has_ended(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed(_))
    }
}

struct QueuedJob {
    job: Job,
    state: JobState,
    /// Index of the prior that must be trained first.
    depends_on: Option<usize>,
    /// Of a prior: its trajectory, while trials wait for it.
    trajectory: Option<Arc<PriorTrajectory>>,
}

/// The jobs of one process.
pub(super) struct JobQueue<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    worker: &'a Worker,
    workers: usize,
    /// Priors, then trials; the trials of one prior are consecutive, so that few
    /// priors are in memory at a time.
    jobs: Vec<QueuedJob>,
}

impl<'a> JobQueue<'a> {
    /// Polls every job once, and reports how many remain. Each trial of `jobs` has
    /// its prior among them.
    pub(super) fn new(
        experiment: &'a Experiment,
        jobs: Vec<Job>,
        store: &'a Store,
        worker: &'a Worker,
        workers: usize,
        progress: &dyn Progress,
    ) -> Result<Self, LabError> {
        let mut queue = Self {
            experiment,
            store,
            worker,
            workers,
            jobs: queued(jobs),
        };
        queue.poll(|_, _| ())?;
        let remaining = (0..queue.jobs.len())
            .filter(|job| !queue.jobs[*job].state.has_ended() || queue.is_awaited(*job));
        let steps: Vec<u64> = remaining.map(|job| queue.steps(job)).collect();
        let finished = queue.jobs.iter().filter(|queued| {
            matches!(queued.job, Job::Trial(_)) && matches!(queued.state, JobState::Finished)
        });
        progress.planned(steps.len(), steps.iter().sum(), finished.count());
        Ok(queue)
    }

    /// The next job to start: a prior while there are too few startable trials to
    /// keep every worker busy, else the first trial. So few priors are in memory at a
    /// time, and no worker waits long for one.
    pub(super) fn next(&mut self, progress: &dyn Progress) -> Result<Option<Start>, LabError> {
        self.poll(|label, steps| progress.finished_elsewhere(label, steps))?;
        loop {
            let trials: Vec<usize> = (0..self.jobs.len())
                .filter(|job| self.can_run_trial(*job))
                .collect();
            let prior = (trials.len() <= self.workers)
                .then(|| (0..self.jobs.len()).find(|job| self.can_prepare_prior(*job)))
                .flatten();
            let Some(job) = prior.or(trials.first().copied()) else {
                return Ok(None);
            };
            // Each iteration starts a job, or changes the state of one so that it can no
            // longer start.
            if let Some(start) = self.start(job)? {
                return Ok(Some(start));
            }
        }
    }

    /// Whether every job has ended, here or elsewhere.
    pub(super) fn is_finished(&self) -> bool {
        self.jobs.iter().all(|queued| queued.state.has_ended())
    }

    /// The jobs that failed, here or elsewhere.
    pub(super) fn failed(&self) -> Vec<Failed> {
        let failed = self.jobs.iter().filter_map(|queued| match &queued.state {
            JobState::Failed(reason) => Some(Failed {
                job: JobLabel::new(self.experiment, &queued.job),
                reason: reason.clone(),
            }),
            _ => None,
        });
        failed.collect()
    }

    fn job(&self, job: usize) -> &Job {
        &self.jobs[job].job
    }

    fn configuration(&self, job: usize) -> &'a Configuration {
        &self.experiment.configurations[self.jobs[job].job.configuration()]
    }

    /// Marks a job as finished.
    pub(super) fn finish(&mut self, job: usize) {
        self.jobs[job].state = JobState::Finished;
    }

    /// Marks a prior as finished, and keeps it if trials wait for it.
    pub(super) fn finish_prior(&mut self, job: usize, trajectory: PriorTrajectory) {
        self.finish(job);
        if self.is_awaited(job) {
            self.jobs[job].trajectory = Some(Arc::new(trajectory));
        }
    }

    /// Polls a job again, which may then start again.
    pub(super) fn retry(&mut self, job: usize) {
        self.jobs[job].state = JobState::unknown();
    }

    /// Marks a job as failed, and with it every waiting job that depends on it.
    pub(super) fn fail(&mut self, job: usize, reason: String) {
        for queued in &mut self.jobs {
            let waits = matches!(queued.state, JobState::Ready | JobState::Elsewhere(_));
            if waits && queued.depends_on == Some(job) {
                queued.state = JobState::Failed(prior_failed(&reason));
            }
        }
        self.jobs[job].state = JobState::Failed(reason);
    }

    fn steps(&self, job: usize) -> u64 {
        self.job(job).steps(&self.configuration(job).setup)
    }

    fn label(&self, job: usize) -> JobLabel {
        JobLabel::new(self.experiment, self.job(job))
    }

    /// Whether a trial that nobody runs depends on this prior.
    fn is_awaited(&self, prior: usize) -> bool {
        self.jobs.iter().any(|queued| {
            queued.depends_on == Some(prior) && matches!(queued.state, JobState::Ready)
        })
    }

    /// Whether the job is a trial that can run now.
    fn can_run_trial(&self, job: usize) -> bool {
        let QueuedJob {
            job,
            state,
            depends_on,
            ..
        } = &self.jobs[job];
        matches!(job, Job::Trial(_))
            && matches!(state, JobState::Ready)
            && depends_on.is_none_or(|prior| self.jobs[prior].trajectory.is_some())
    }

    /// Whether the job is a prior that must be trained, or read for its trials.
    fn can_prepare_prior(&self, job: usize) -> bool {
        let queued = &self.jobs[job];
        let is_prior = matches!(queued.job, Job::Prior(_));
        is_prior
            && match queued.state {
                JobState::Ready => true,
                JobState::Finished => queued.trajectory.is_none() && self.is_awaited(job),
                _ => false,
            }
    }

    /// Starts a job; none if it cannot start after all, because another process runs
    /// it or has ended it.
    fn start(&mut self, job: usize) -> Result<Option<Start>, LabError> {
        let action = match (self.job(job).clone(), &self.jobs[job].state) {
            (Job::Prior(prior), JobState::Finished) => Action::LoadPrior(prior),
            (planned, _) => match (self.claim(job)?, planned) {
                (None, _) => return Ok(None),
                (Some(lease), Job::Prior(prior)) => Action::TrainPrior(prior, lease),
                (Some(lease), Job::Trial(trial)) => {
                    Action::RunTrial(trial, lease, self.take_prior(job))
                }
            },
        };
        self.jobs[job].state = JobState::Running;
        Ok(Some(Start {
            job,
            action,
            label: self.label(job),
            steps: self.steps(job),
        }))
    }

    /// Takes a job for this process; none if another one has taken or ended it.
    fn claim(&mut self, job: usize) -> Result<Option<Lease>, LabError> {
        let planned = self.job(job);
        let identity = planned.identity(&self.configuration(job).setup);
        match self.store.claim(self.worker, &planned.id(), &identity)? {
            Claim::Acquired(lease) => return Ok(Some(lease)),
            Claim::Busy => self.jobs[job].state = JobState::busy(),
            Claim::Finished => self.finish(job),
            Claim::Failed(reason) => self.fail(job, reason),
        }
        Ok(None)
    }

    /// The prior of a trial that starts, which the queue drops unless other trials
    /// wait for it.
    fn take_prior(&mut self, trial: usize) -> Option<Arc<PriorTrajectory>> {
        self.jobs[trial].state = JobState::Running;
        let prior = self.jobs[trial].depends_on?;
        let trajectory = self.jobs[prior].trajectory.clone();
        if !self.is_awaited(prior) {
            self.jobs[prior].trajectory = None;
        }
        trajectory
    }

    /// Polls the jobs that other processes run, where it is time to, and calls
    /// `finished` with the label and steps of each that has ended there.
    fn poll(&mut self, finished: impl Fn(&JobLabel, u64)) -> Result<(), LabError> {
        let now = Instant::now();
        for job in 0..self.jobs.len() {
            if !matches!(self.jobs[job].state, JobState::Elsewhere(time) if time <= now) {
                continue;
            }
            match self.store.poll(self.worker, &self.job(job).id())? {
                Availability::Free(_) => self.jobs[job].state = self.ready(job),
                Availability::Busy => self.jobs[job].state = JobState::busy(),
                Availability::Finished => {
                    // A prior that trials wait for is reported when it has been read.
                    if !self.is_awaited(job) {
                        finished(&self.label(job), self.steps(job));
                    }
                    self.finish(job);
                }
                Availability::Failed(reason) => self.fail(job, reason),
            }
        }
        Ok(())
    }

    /// The state of a job that nobody runs.
    fn ready(&self, job: usize) -> JobState {
        let prior = self.jobs[job].depends_on.map(|prior| &self.jobs[prior]);
        match prior.map(|prior| &prior.state) {
            Some(JobState::Failed(reason)) => JobState::Failed(prior_failed(reason)),
            _ => JobState::Ready,
        }
    }
}

/// Priors, then trials by prior, with the index of the prior that each needs.
fn queued(mut jobs: Vec<Job>) -> Vec<QueuedJob> {
    let index: HashMap<PriorId, usize> = jobs
        .iter()
        .filter_map(|job| match job.id() {
            JobId::Prior(id) => Some(id),
            JobId::Trial(_) => None,
        })
        .enumerate()
        .map(|(at, id)| (id, at))
        .collect();
    jobs.sort_by_key(|job| match job {
        Job::Prior(prior) => (false, index[&prior.id]),
        Job::Trial(trial) => (true, index[&trial.prior]),
    });
    let queued = jobs.into_iter().map(|job| QueuedJob {
        depends_on: job.depends_on().map(|prior| index[prior]),
        job,
        state: JobState::unknown(),
        trajectory: None,
    });
    queued.collect()
}
