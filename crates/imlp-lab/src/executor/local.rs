//! Running what is missing on the cores of this machine.
//!
//! Each trial runs on one thread, with single-threaded matrix products: that
//! is as fast as or faster than one wide product over all cores, parallelises
//! the element-wise work too, and makes a result independent of how many
//! trials run beside it. A trial that fails stops no other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use imlp_train::{Observer, PriorTrajectory, TrainError, continue_prior, continue_trial};

use super::affinity;
use super::board::{Board, Start, Work};
use super::{Failed, Progress, TaskEnd};
use crate::experiment::{Execution, Experiment, Policy, Share};
use crate::store::{Ending, Lease, LeaseCheckpoints, Store};
use crate::{LabError, tensorboard};

/// How long a worker without work waits before it asks again: for what other
/// processes do, and for a request to stop.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs what is missing of `share` in `store`, beside whatever other processes
/// run there, until nothing is left; gives what failed.
///
/// # Errors
/// [`LabError::Interrupted`] once `stop` is set; a store that cannot be read or
/// written. What is finished is kept in every case.
pub fn run(
    experiment: &Experiment,
    share: Share,
    store: &Store,
    execution: &Execution,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Failed>, LabError> {
    let workers = execution.jobs.max(1);
    let worker = store.join(execution.policy, execution.task.clone())?;
    let board = Board::plan(experiment, share, store, &worker, workers, progress)?;
    let shared = Shared {
        store,
        progress,
        stop,
        policy: execution.policy,
        broken: AtomicBool::new(false),
        board: Mutex::new(board),
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
    // An error explains the interruption of the others, so it comes first.
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
    Ok(shared.board().failed())
}

/// How an attempt without a result ended, and why.
type Unfinished = (Ending, Option<String>);

/// A panic in words.
fn defect(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or("no message");
    format!("a defect of imlp, please report it: {said}")
}

/// What the workers share.
struct Shared<'a> {
    store: &'a Store,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
    policy: Policy,
    /// Whether the store failed a worker, which stops the others too.
    broken: AtomicBool,
    board: Mutex<Board<'a>>,
    changed: Condvar,
}

impl<'a> Shared<'a> {
    fn board(&self) -> MutexGuard<'_, Board<'a>> {
        self.board.lock().expect("no worker panics with the board")
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.broken.load(Ordering::Relaxed)
    }

    fn work(&self, worker: usize, workers: usize) -> Result<(), LabError> {
        affinity::pin(worker, workers);
        let outcome = self.work_off(worker);
        if outcome.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        self.changed.notify_all();
        outcome
    }

    fn work_off(&self, worker: usize) -> Result<(), LabError> {
        while let Some(Start { work, task, steps }) = self.take()? {
            self.progress.started(worker, &task, steps);
            let end = self.carry_out(worker, work)?;
            self.progress.ended(worker, &task, &end);
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next thing to do; waits for what others are doing. None when nothing
    /// is left.
    fn take(&self) -> Result<Option<Start>, LabError> {
        let mut board = self.board();
        loop {
            if self.stopping() {
                return Err(LabError::Interrupted);
            }
            if let Some(start) = board.next(self.progress)? {
                return Ok(Some(start));
            }
            if board.is_finished() {
                return Ok(None);
            }
            board = self
                .changed
                .wait_timeout(board, PAUSE)
                .expect("no worker panics with the board")
                .0;
        }
    }

    fn carry_out(&self, worker: usize, work: Work) -> Result<TaskEnd, LabError> {
        match work {
            Work::Load { prior } => {
                let board = self.board();
                let (id, configuration, _) = board.prior(prior);
                let id = id.clone();
                drop(board);
                let loaded = self.store.prior(&id, &configuration.setup)?;
                let mut board = self.board();
                match loaded {
                    Some(trajectory) => board.put_prior(prior, trajectory),
                    // It was damaged, and has to be trained again.
                    None => board.reopen_prior(prior),
                }
                Ok(TaskEnd::Done)
            }
            Work::Train { prior, lease } => {
                let (_, configuration, seed) = self.board().prior(prior);
                let setup = &configuration.setup;
                let attempt = self.attempt(worker, &lease, |observer, checkpoints| {
                    continue_prior(setup, seed, observer, checkpoints)
                })?;
                match attempt {
                    Ok(trained) => {
                        let published = self.store.publish_prior(lease, &trained, setup.prior())?;
                        let mut board = self.board();
                        if published {
                            board.put_prior(prior, trained);
                            Ok(TaskEnd::Done)
                        } else {
                            board.reopen_prior(prior);
                            Ok(TaskEnd::GivenBack)
                        }
                    }
                    Err(ended) => {
                        let end = self.end(lease, ended)?;
                        match &end {
                            TaskEnd::Failed(reason) => {
                                self.board().fail_prior(prior, reason.clone());
                            }
                            _ => self.board().reopen_prior(prior),
                        }
                        Ok(end)
                    }
                }
            }
            Work::Run {
                trial,
                lease,
                prior,
            } => self.run(worker, trial, lease, prior.as_deref()),
        }
    }

    fn run(
        &self,
        worker: usize,
        trial: usize,
        lease: Lease,
        prior: Option<&PriorTrajectory>,
    ) -> Result<TaskEnd, LabError> {
        let board = self.board();
        let (planned, configuration) = board.trial(trial);
        let planned = planned.clone();
        drop(board);
        let (alpha, seed) = (planned.alpha, planned.seed);
        let attempt = self.attempt(worker, &lease, |observer, checkpoints| {
            let setup = &configuration.setup;
            continue_trial(setup, alpha, seed, prior, observer, checkpoints)
        })?;
        match attempt {
            Ok(finished) => {
                let Some(published) = lease.publish(finished.record)? else {
                    self.board().reopen_trial(trial);
                    return Ok(TaskEnd::GivenBack);
                };
                let root = self.store.root();
                // The result is safe, and whoever collects writes what is missing.
                if let Err(error) = tensorboard::write(root, configuration, &planned, &published) {
                    tracing::warn!("nothing for TensorBoard: {error}");
                }
                self.board().finish_trial(trial);
                Ok(TaskEnd::Done)
            }
            Err(ended) => {
                let end = self.end(lease, ended)?;
                match &end {
                    TaskEnd::Failed(reason) => self.board().fail_trial(trial, reason.clone()),
                    _ => self.board().reopen_trial(trial),
                }
                Ok(end)
            }
        }
    }

    /// Does `work` under `lease`, from its last checkpoint, until it is done or
    /// must be given up. A checkpoint that is not of this work is set aside, and
    /// the work begins anew.
    fn attempt<T>(
        &self,
        worker: usize,
        lease: &Lease,
        work: impl Fn(&dyn Observer, &LeaseCheckpoints<'_>) -> Result<T, TrainError>,
    ) -> Result<Result<T, Unfinished>, LabError> {
        let observer = WorkerObserver {
            shared: self,
            worker,
            lease,
            began: Instant::now(),
        };
        let checkpoints = LeaseCheckpoints::new(lease, self.policy.checkpoint_every);
        loop {
            // A panic ends this attempt, not the run.
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&observer, &checkpoints)));
            return Ok(match outcome {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(TrainError::Interrupted)) => Err((observer.why_cancelled(), None)),
                Ok(Err(TrainError::Checkpoint(reason)))
                    if checkpoints.reject_loaded(&reason)? =>
                {
                    continue;
                }
                Ok(Err(error)) => Err((Ending::Failed, Some(error.to_string()))),
                Err(panic) => Err((Ending::Failed, Some(defect(panic.as_ref())))),
            });
        }
    }

    /// Writes down how an attempt without a result ended.
    fn end(&self, lease: Lease, (how, reason): Unfinished) -> Result<TaskEnd, LabError> {
        lease.end(how, reason.clone())?;
        match how {
            Ending::Interrupted => Err(LabError::Interrupted),
            Ending::Failed => Ok(TaskEnd::Failed(reason.unwrap_or_default())),
            _ => Ok(TaskEnd::GivenBack),
        }
    }
}

struct WorkerObserver<'s, 'a> {
    shared: &'s Shared<'a>,
    worker: usize,
    lease: &'s Lease,
    began: Instant,
}

impl WorkerObserver<'_, '_> {
    fn timed_out(&self) -> bool {
        let limit = self.shared.policy.time_limit;
        limit.is_some_and(|limit| self.began.elapsed() >= limit)
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

    fn cancelled(&self) -> bool {
        self.shared.stopping() || self.lease.is_lost() || self.timed_out()
    }
}
