//! Running jobs on the cores of this machine.
//!
//! Each trial runs on one thread, with single-threaded matrix products: that is at
//! least as fast as products over all cores, parallelises the element-wise work too,
//! and makes a result independent of the number of trials beside it. A trial that
//! fails does not stop the others.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use imlp_train::{
    FirstLayer, Observer, PriorTrajectory, Standing, TrainError, TrialStatus, Trunk,
    continue_prior, continue_trial, make_trunk,
};

use super::affinity;
use super::job_queue::{Action, JobQueue, Start};
use super::outcome::Failed;
use super::progress::{JobEnd, PriorEnd, Progress};
use crate::error::LabError;
use crate::experiment::{
    Configuration, Execution, Experiment, Job, PlannedPrior, PlannedTrial, Policy,
};
use crate::store::{Ending, Lease, LeaseCheckpoints, Store};
use crate::tensorboard::Run;
use crate::trunks::PlannedTrunk;
use crate::weights::{self, NetworkName};

/// Time after which a worker without a job looks again for one, and for a request to
/// stop.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs those of `jobs` that have no result in `store`, beside other processes that
/// do the same, until all have ended; returns those that failed.
///
/// # Errors
/// [`LabError::Interrupted`] once `stop` is set; a store that cannot be read or
/// written. Results are kept in every case.
pub fn run(
    experiment: &Experiment,
    mut jobs: Vec<Job>,
    store: &Store,
    execution: &Execution,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Failed>, LabError> {
    let workers = execution.jobs.max(1);
    let worker = store.join(execution.policy, execution.task.clone())?;
    jobs.retain(|job| execution.policy.share || !matches!(job, Job::Trunk(_)));
    let queue = JobQueue::new(experiment, jobs, store, &worker, workers, progress)?;
    let shared = Shared {
        experiment,
        store,
        progress,
        stop,
        policy: execution.policy,
        weights: execution.weights.as_deref(),
        broken: AtomicBool::new(false),
        queue: Mutex::new(queue),
        changed: Condvar::new(),
    };
    let outcomes: Vec<Result<(), LabError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                let shared = &shared;
                scope.spawn(move || shared.work(worker, workers))
            })
            .collect();
        workers
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(LabError::Panicked("the scheduler".to_owned())))
            })
            .collect()
    });
    // An error explains why the other workers were interrupted, so it comes first.
    let mut interrupted = false;
    for outcome in outcomes {
        match outcome {
            Err(LabError::Interrupted) => interrupted = true,
            other => other?,
        }
    }
    if interrupted {
        return Err(LabError::Interrupted);
    }
    Ok(shared.queue().failed())
}

/// How an attempt without a result ended, and why.
type Unfinished = (Ending, Option<String>);

/// The message of a panic.
fn defect(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or("no message");
    format!("a defect of imlp, please report it: {said}")
}

/// State that the workers share.
struct Shared<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
    policy: Policy,
    /// Folder for the weights of trials.
    weights: Option<&'a Path>,
    /// Whether a worker met an error of the store, which stops the others too.
    broken: AtomicBool,
    queue: Mutex<JobQueue<'a>>,
    changed: Condvar,
}

impl<'a> Shared<'a> {
    fn queue(&self) -> MutexGuard<'_, JobQueue<'a>> {
        self.queue.lock().expect("no worker panics with the queue")
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.broken.load(Ordering::Relaxed)
    }

    fn work(&self, worker: usize, workers: usize) -> Result<(), LabError> {
        affinity::pin(worker, workers);
        let outcome = self.run_jobs(worker);
        if outcome.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        self.changed.notify_all();
        outcome
    }

    fn run_jobs(&self, worker: usize) -> Result<(), LabError> {
        while let Some(start) = self.next()? {
            let label = &start.label;
            self.progress.started(worker, label, start.steps);
            let end = self.carry_out(worker, start.job, start.action)?;
            self.progress.ended(worker, label, &end);
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next job; waits while others run jobs on which the remaining ones depend.
    /// None when all have ended.
    fn next(&self) -> Result<Option<Start>, LabError> {
        let mut queue = self.queue();
        loop {
            if self.stopping() {
                return Err(LabError::Interrupted);
            }
            if let Some(start) = queue.next(self.progress)? {
                return Ok(Some(start));
            }
            if queue.is_finished() {
                return Ok(None);
            }
            queue = self
                .changed
                .wait_timeout(queue, PAUSE)
                .expect("no worker panics with the queue")
                .0;
        }
    }

    fn carry_out(&self, worker: usize, job: usize, action: Action) -> Result<JobEnd, LabError> {
        match action {
            Action::TrainPrior(prior, lease) => self.train_prior(worker, job, &prior, lease),
            Action::LoadPrior(prior) => self.load_prior(job, &prior),
            Action::MakeTrunk(trunk, lease) => {
                match self.make_trunk(worker, job, &trunk, lease) {
                    Err(LabError::Interrupted) => Err(LabError::Interrupted),
                    // A full disk and the like: trials do without it.
                    Err(error) => {
                        self.queue().fail(job, error.to_string());
                        Ok(JobEnd::Failed(error.to_string()))
                    }
                    end => end,
                }
            }
            Action::RunTrial(trial, lease, prior, trunk) => {
                self.run_trial(worker, job, &trial, lease, prior.as_deref(), trunk)
            }
        }
    }

    fn train_prior(
        &self,
        worker: usize,
        job: usize,
        planned: &PlannedPrior,
        lease: Lease,
    ) -> Result<JobEnd, LabError> {
        let configuration = self.configuration(planned.configuration);
        let setup = &configuration.setup;
        let run = Run::of_prior(self.store.root(), configuration, planned);
        let attempt = self.attempt(worker, &lease, None, Some(&run), |observer, checkpoints| {
            continue_prior(setup, planned.seed, observer, checkpoints)
        })?;
        let trained = match attempt {
            Ok(trained) => trained,
            Err(unfinished) => return self.end(job, lease, unfinished),
        };
        let published = self.store.publish_prior(lease, &trained, setup.prior())?;
        let mut queue = self.queue();
        if !published {
            queue.retry(job);
            return Ok(JobEnd::GivenBack);
        }
        let end = PriorEnd::of(&trained.record);
        queue.finish_prior(job, trained);
        drop(queue);
        // The prior is safe, and `imlp sweep` writes this file again if it is missing.
        let stored = self.store.published_prior(&planned.id);
        let written = stored.and_then(|stored| stored.iter().try_for_each(|p| run.finish_prior(p)));
        if let Err(error) = written {
            tracing::warn!("no file for TensorBoard: {error}");
        }
        Ok(JobEnd::TrainedPrior(end))
    }

    fn load_prior(&self, job: usize, planned: &PlannedPrior) -> Result<JobEnd, LabError> {
        let setup = &self.configuration(planned.configuration).setup;
        let loaded = self.store.prior(&planned.id, setup)?;
        let mut queue = self.queue();
        let Some(trajectory) = loaded else {
            // It was damaged, and must be trained again.
            queue.retry(job);
            return Ok(JobEnd::GivenBack);
        };
        let end = PriorEnd::of(&trajectory.record);
        queue.finish_prior(job, trajectory);
        Ok(JobEnd::ReadPrior(end))
    }

    fn make_trunk(
        &self,
        worker: usize,
        job: usize,
        planned: &PlannedTrunk,
        lease: Lease,
    ) -> Result<JobEnd, LabError> {
        let setup = &self.configuration(planned.configuration).setup;
        let attempt = self.attempt(worker, &lease, None, None, |observer, checkpoints| {
            make_trunk(setup, planned.parting, planned.seed, observer, checkpoints)
        })?;
        let state = match attempt {
            Ok(Trunk::State(state)) => state,
            Ok(Trunk::Diverged { epoch }) => {
                let reason = format!("the twin diverges in epoch {epoch}, before they part");
                return self.end(job, lease, (Ending::Failed, Some(reason)));
            }
            Err(unfinished) => return self.end(job, lease, unfinished),
        };
        if !self.store.publish_trunk(lease, &planned.trials, &state)? {
            self.queue().retry(job);
            return Ok(JobEnd::GivenBack);
        }
        self.queue().finish(job);
        Ok(JobEnd::Done)
    }

    fn run_trial(
        &self,
        worker: usize,
        job: usize,
        planned: &PlannedTrial,
        lease: Lease,
        prior: Option<&PriorTrajectory>,
        trunk: Option<PathBuf>,
    ) -> Result<JobEnd, LabError> {
        let configuration = self.configuration(planned.configuration);
        let (alpha, seed) = (planned.alpha, planned.seed);
        let run = Run::of_trial(self.store.root(), configuration, planned);
        let attempt = self.attempt(
            worker,
            &lease,
            trunk,
            Some(&run),
            |observer, checkpoints| {
                let setup = &configuration.setup;
                continue_trial(setup, alpha, seed, prior, observer, checkpoints)
            },
        )?;
        let trial = match attempt {
            Ok(trial) => trial,
            Err(unfinished) => return self.end(job, lease, unfinished),
        };
        // Before the result, so that a trial with a result has its weights. A file that
        // another trial has written in the meantime stays, and `imlp train` reports it.
        if let Some(folder) = self.weights
            && weights::are_saved(folder, NetworkName::Twin, planned).is_ok()
        {
            lease.unless_superseded(|| {
                weights::save_twin(folder, configuration, planned, &trial).map(|_| ())
            })?;
        }
        // To look at: a full disk and the like cost no result. Weights that diverged show nothing.
        if trial.record.status == TrialStatus::Done
            && let Some(first) = FirstLayer::of(&configuration.setup, &trial, prior)
            && let Err(error) = lease.keep_first_layer(&first)
        {
            tracing::warn!("the first layer is not kept: {error}");
        }
        let Some(published) = lease.publish(trial.record)? else {
            self.queue().retry(job);
            return Ok(JobEnd::GivenBack);
        };
        // The result is safe, and `imlp sweep` writes this file again if it is missing.
        if let Err(error) = run.finish_trial(&published) {
            tracing::warn!("no file for TensorBoard: {error}");
        }
        self.queue().finish(job);
        Ok(JobEnd::Done)
    }

    fn configuration(&self, index: usize) -> &'a Configuration {
        &self.experiment.configurations[index]
    }

    /// Runs `work` under `lease` from its last checkpoint, or else from its trunk, until it
    /// has a result or must stop. A file of another job is set aside, and the work starts
    /// from the beginning.
    fn attempt<T>(
        &self,
        worker: usize,
        lease: &Lease,
        trunk: Option<PathBuf>,
        run: Option<&Run<'_>>,
        work: impl Fn(&dyn Observer, &LeaseCheckpoints<'_>) -> Result<T, TrainError>,
    ) -> Result<Result<T, Unfinished>, LabError> {
        let observer = WorkerObserver {
            shared: self,
            worker,
            lease,
            run,
            began: Instant::now(),
        };
        let checkpoints = LeaseCheckpoints::new(lease, self.policy.checkpoint_every);
        let checkpoints = checkpoints.with_trunk(trunk);
        loop {
            // A panic ends this attempt, not the process.
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&observer, &checkpoints)));
            return Ok(match outcome {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(TrainError::Interrupted)) => Err((observer.why_cancelled(), None)),
                Ok(Err(TrainError::Checkpoint(reason)))
                    if checkpoints.reject_loaded(&reason)? =>
                {
                    continue;
                }
                Ok(Err(error @ TrainError::OtherInstructions { .. }))
                    if checkpoints.start_over(&error) =>
                {
                    continue;
                }
                Ok(Err(error)) => Err((Ending::Failed, Some(error.to_string()))),
                Err(panic) => Err((Ending::Failed, Some(defect(panic.as_ref())))),
            });
        }
    }

    /// Records how an attempt without a result ended.
    fn end(&self, job: usize, lease: Lease, (how, reason): Unfinished) -> Result<JobEnd, LabError> {
        lease.end(how, reason.clone())?;
        match how {
            Ending::Interrupted => Err(LabError::Interrupted),
            Ending::Failed => {
                let reason = reason.unwrap_or_default();
                self.queue().fail(job, reason.clone());
                Ok(JobEnd::Failed(reason))
            }
            _ => {
                self.queue().retry(job);
                Ok(JobEnd::GivenBack)
            }
        }
    }
}

struct WorkerObserver<'s, 'a> {
    shared: &'s Shared<'a>,
    worker: usize,
    lease: &'s Lease,
    /// Its event file, if it has one.
    run: Option<&'s Run<'s>>,
    began: Instant,
}

impl WorkerObserver<'_, '_> {
    fn timed_out(&self) -> bool {
        let limit = self.shared.policy.time_limit;
        limit.is_some_and(|limit| self.began.elapsed() >= limit)
    }

    /// Brings the event file up to date. It is made whole from the record at the end.
    fn follow(&self, follow: impl Fn(&Run<'_>, u64) -> Result<(), LabError>) {
        let Some(run) = self.run else { return };
        let began = self.lease.began();
        if let Err(error) = self.lease.unless_superseded(|| follow(run, began)) {
            tracing::info!("the file for TensorBoard: {error}");
        }
    }

    fn why_cancelled(&self) -> Ending {
        if self.lease.is_lost() {
            Ending::Superseded
        } else if self.shared.stopping() {
            Ending::Interrupted
        } else {
            Ending::TimedOut
        }
    }
}

impl Observer for WorkerObserver<'_, '_> {
    fn steps(&self, count: u64) {
        self.shared.progress.steps(self.worker, count);
    }

    fn resumed(&self, epoch: u32) {
        self.shared.progress.resumed(self.worker, epoch);
    }

    fn epoch_ended(&self, standing: Standing) {
        self.shared.progress.epoch_ended(self.worker, standing);
    }

    fn cancelled(&self) -> bool {
        self.shared.stopping() || self.lease.is_lost() || self.timed_out()
    }

    fn trial_recorded(&self, points: &[imlp_train::Point]) {
        self.follow(|run, began| run.follow_trial(began, points));
    }

    fn prior_recorded(&self, epochs: &[imlp_train::PriorEpoch]) {
        self.follow(|run, began| run.follow_prior(began, epochs));
    }
}
