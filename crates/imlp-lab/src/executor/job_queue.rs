//! The jobs of one process: which can start, which wait, and for what.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imlp_train::PriorTrajectory;

use super::outcome::{Failed, poll, prior_failed};
use super::progress::{JobLabel, Progress, Steps};
use crate::error::LabError;
use crate::experiment::{Configuration, Experiment, Job, PlannedPrior, PlannedTrial};
use crate::identity::{JobId, TrialId};
use crate::store::{Availability, Claim, Lease, Store, Worker};
use crate::trunks::PlannedTrunk;

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
    /// Trains the trunk.
    MakeTrunk(PlannedTrunk, Lease),
    /// Runs the trial, with its prior unless α = 0, and from the file of its trunk if it
    /// shares one.
    RunTrial(
        PlannedTrial,
        Lease,
        Option<Arc<PriorTrajectory>>,
        Option<PathBuf>,
    ),
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
    /// Of a trunk: it is not made, and its trials start from the beginning.
    DoneWithout,
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
        matches!(self, Self::Finished | Self::DoneWithout | Self::Failed(_))
    }
}

struct QueuedJob {
    job: Job,
    state: JobState,
    /// Index of the prior that must be trained first.
    depends_on: Option<usize>,
    /// Index of the trunk that a trial shares.
    trunk: Option<usize>,
    /// Of a prior: its trajectory, while trials wait for it.
    trajectory: Option<Arc<PriorTrajectory>>,
}

/// The jobs of one process.
pub(super) struct JobQueue<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    worker: &'a Worker,
    workers: usize,
    /// Trunks and priors, then trials. What belongs to one prior is consecutive, so that
    /// few priors are in memory and few trunks on the disk at a time.
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
        for job in 0..queue.jobs.len() {
            queue.do_without_trunk_of_few(job);
        }
        let remaining = (0..queue.jobs.len())
            .filter(|job| !queue.jobs[*job].state.has_ended() || queue.is_awaited(*job));
        let (mut jobs, mut steps) = (0, Steps::default());
        for job in remaining {
            jobs += 1;
            match queue.jobs[job].job {
                Job::Prior(_) => steps.prior += queue.steps(job),
                Job::Trunk(_) | Job::Trial(_) => steps.twin += queue.steps(job),
            }
        }
        let finished = queue.jobs.iter().filter(|queued| {
            matches!(queued.job, Job::Trial(_)) && matches!(queued.state, JobState::Finished)
        });
        progress.planned(jobs, steps, finished.count());
        Ok(queue)
    }

    /// The next job to start: a prior or a trunk while there are too few startable trials
    /// to keep every worker busy, else the first trial. So few priors are in memory at a
    /// time, and no worker waits long for one.
    pub(super) fn next(&mut self, progress: &dyn Progress) -> Result<Option<Start>, LabError> {
        self.poll(|label, steps| progress.finished_elsewhere(label, steps))?;
        loop {
            let trials: Vec<usize> = (0..self.jobs.len())
                .filter(|job| self.can_run_trial(*job))
                .collect();
            let shared = (trials.len() <= self.workers)
                .then(|| (0..self.jobs.len()).find(|job| self.can_prepare(*job)))
                .flatten();
            let Some(job) = shared.or(trials.first().copied()) else {
                return Ok(None);
            };
            // Each iteration starts a job, or changes the state of one so that it can no
            // longer start.
            if self.do_without_trunk_of_few(job) {
                progress.finished_elsewhere(&self.label(job), self.steps(job));
                continue;
            }
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
        self.free_trunk(job);
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

    /// Marks a job as failed, and with it every waiting job that depends on it. The
    /// trials of a trunk do without it.
    pub(super) fn fail(&mut self, job: usize, reason: String) {
        if matches!(self.job(job), Job::Trunk(_)) {
            let label = self.label(job);
            tracing::warn!("{label}: {reason}; its trials start from the beginning");
            self.jobs[job].state = JobState::DoneWithout;
            return;
        }
        for queued in &mut self.jobs {
            let waits = matches!(queued.state, JobState::Ready | JobState::Elsewhere(_));
            if waits && queued.depends_on == Some(job) {
                queued.state = JobState::Failed(prior_failed(&reason));
            }
        }
        self.jobs[job].state = JobState::Failed(reason);
        self.free_trunk(job);
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
            trunk,
            ..
        } = &self.jobs[job];
        matches!(job, Job::Trial(_))
            && matches!(state, JobState::Ready)
            && depends_on.is_none_or(|prior| self.jobs[prior].trajectory.is_some())
            && trunk.is_none_or(|trunk| self.jobs[trunk].state.has_ended())
    }

    /// Whether the job is a prior or a trunk that must be trained, or a prior that must be
    /// read for its trials.
    fn can_prepare(&self, job: usize) -> bool {
        let queued = &self.jobs[job];
        let is_ready = matches!(queued.state, JobState::Ready);
        match queued.job {
            Job::Trunk(_) => is_ready,
            Job::Prior(_) if matches!(queued.state, JobState::Finished) => {
                queued.trajectory.is_none() && self.is_awaited(job)
            }
            Job::Prior(_) => is_ready,
            Job::Trial(_) => false,
        }
    }

    /// Whether the job is a trunk that nobody makes and for which fewer than two trials
    /// wait, here or elsewhere; they then do without it.
    fn do_without_trunk_of_few(&mut self, job: usize) -> bool {
        let (Job::Trunk(trunk), JobState::Ready) = (&self.jobs[job].job, &self.jobs[job].state)
        else {
            return false;
        };
        let trials = trunk.trials.iter();
        let waiting = trials.filter(|trial| self.store.waits_for_trunk(self.worker, trial));
        let few = waiting.take(2).count() < 2;
        if few {
            self.jobs[job].state = JobState::DoneWithout;
        }
        few
    }

    /// The file of the trunk from which a trial starts. None also when the trunk was made
    /// and is gone, as the queue then knows: it may be made again.
    fn trunk_file(&mut self, trial: usize) -> Option<PathBuf> {
        let at = self.jobs[trial].trunk?;
        let (Job::Trunk(trunk), JobState::Finished) = (&self.jobs[at].job, &self.jobs[at].state)
        else {
            return None;
        };
        match self.store.trunk_file(&trunk.id) {
            Ok(Some(file)) => Some(file),
            Ok(None) => {
                self.retry(at);
                None
            }
            Err(error) => {
                self.fail(at, error.to_string());
                None
            }
        }
    }

    /// Removes the trunk that this job is or shares once no trial waits for it, here or
    /// elsewhere.
    fn free_trunk(&self, job: usize) {
        let at = self.jobs[job].trunk.unwrap_or(job);
        let Job::Trunk(trunk) = &self.jobs[at].job else {
            return;
        };
        let mut queued = self.jobs.iter();
        let waits = |queued: &QueuedJob| queued.trunk == Some(at) && !queued.state.has_ended();
        let mut trials = trunk.trials.iter();
        if matches!(self.jobs[at].state, JobState::Running)
            || queued.any(waits)
            || trials.any(|trial| self.store.is_unfinished(self.worker, trial))
        {
            return;
        }
        // It only takes room.
        let planned = |trial: &TrialId| {
            let mut jobs = self.jobs.iter();
            jobs.any(|queued| matches!(&queued.job, Job::Trial(planned) if planned.id == *trial))
        };
        if let Err(error) = self.store.free_trunk(self.worker, &trunk.id, planned) {
            tracing::info!("{error}");
        }
    }

    /// Starts a job; none if it cannot start after all, because another process runs
    /// it or has ended it.
    fn start(&mut self, job: usize) -> Result<Option<Start>, LabError> {
        let trunk = self.trunk_file(job);
        if matches!(self.job(job), Job::Trial(_)) && !self.can_run_trial(job) {
            return Ok(None);
        }
        let action = match (self.job(job).clone(), &self.jobs[job].state) {
            (Job::Prior(prior), JobState::Finished) => Action::LoadPrior(prior),
            (planned, _) => match (self.claim(job)?, planned) {
                (None, _) => return Ok(None),
                (Some(lease), Job::Prior(prior)) => Action::TrainPrior(prior, lease),
                (Some(lease), Job::Trunk(trunk)) => Action::MakeTrunk(trunk, lease),
                (Some(lease), Job::Trial(trial)) => {
                    Action::RunTrial(trial, lease, self.take_prior(job), trunk)
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
        let claim = match (
            planned,
            self.store.claim(self.worker, &planned.id(), &identity),
        ) {
            (Job::Trunk(_), Err(error)) => Claim::Failed(error.to_string()),
            (_, claim) => claim?,
        };
        match claim {
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
            match poll(self.store, self.worker, self.job(job))? {
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

/// Trunks and priors, then trials, by prior; each trial with the indices of the prior that
/// it needs and the trunk that it shares.
fn queued(mut jobs: Vec<Job>) -> Vec<QueuedJob> {
    // The first prior is 0; the trunk of trials that are not in the queue has none.
    let mut rank: HashMap<JobId, usize> = HashMap::new();
    let mut trunks: HashMap<TrialId, JobId> = HashMap::new();
    for job in &jobs {
        match job {
            Job::Prior(prior) => {
                rank.insert(JobId::Prior(prior.id.clone()), rank.len());
            }
            Job::Trunk(trunk) => {
                let id = JobId::Trunk(trunk.id.clone());
                trunks.extend(trunk.trials.iter().map(|trial| (trial.clone(), id.clone())));
            }
            Job::Trial(_) => {}
        }
    }
    for job in &jobs {
        if let Job::Trial(trial) = job {
            let of_prior = rank[&JobId::Prior(trial.prior.clone())];
            if let Some(trunk) = trunks.get(&trial.id) {
                rank.entry(trunk.clone()).or_insert(of_prior);
            }
        }
    }
    jobs.sort_by_key(|job| match job {
        Job::Trunk(_) => (false, rank.get(&job.id()).copied(), false),
        Job::Prior(_) => (false, rank.get(&job.id()).copied(), true),
        Job::Trial(trial) => {
            let prior = JobId::Prior(trial.prior.clone());
            (true, rank.get(&prior).copied(), false)
        }
    });
    let jobs_by_index = jobs.iter().enumerate();
    let index: HashMap<JobId, usize> = jobs_by_index.map(|(at, job)| (job.id(), at)).collect();
    let queued = jobs.into_iter().map(|job| {
        let trunk = match &job {
            Job::Trial(trial) => trunks.get(&trial.id),
            Job::Prior(_) | Job::Trunk(_) => None,
        };
        let prior = job.depends_on().cloned().map(JobId::Prior);
        QueuedJob {
            depends_on: prior.map(|prior| index[&prior]),
            trunk: trunk.map(|trunk| index[trunk]),
            job,
            state: JobState::unknown(),
            trajectory: None,
        }
    });
    queued.collect()
}
