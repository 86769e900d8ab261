//! Running the trials of an experiment on the cores of this machine.
//!
//! Each trial runs on one thread, with single-threaded matrix products: that
//! is as fast as or faster than one wide product over all cores, parallelises
//! the element-wise work too, and makes a result independent of how many
//! trials run beside it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use imlp_train::{
    Observer, PriorRecord, PriorTrajectory, TrainError, TrialRecord, run_trial, train_prior,
};

use crate::LabError;
use crate::experiment::{Execution, Experiment, TrialId};
use crate::store::{Store, alpha_text};

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// Training the prior of a seed.
    Prior {
        /// Seed.
        seed: u64,
    },
    /// One trial.
    Trial(TrialId),
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prior { seed } => write!(f, "prior, seed {seed}"),
            Self::Trial(TrialId { alpha, seed }) => {
                write!(f, "α = {}, seed {seed}", alpha_text(*alpha))
            }
        }
    }
}

/// Told what happens; called from several threads.
pub trait Progress: Sync {
    /// `tasks` are to be done, `steps` optimiser steps in all; `kept` trials
    /// were there already.
    fn planned(&self, tasks: usize, steps: u64, kept: usize);
    /// A task begins on `worker`; it has `steps` steps.
    fn started(&self, worker: usize, task: Task, steps: u64);
    /// `count` more steps are done on `worker`.
    fn steps(&self, worker: usize, count: u64);
    /// The task on `worker` has ended.
    fn finished(&self, worker: usize, task: Task);
}

/// Everything that is known when all trials are done.
#[derive(Clone, Debug)]
pub struct Results {
    /// One record per trial, in the experiment's order.
    pub trials: Vec<TrialRecord>,
    /// One record per seed.
    pub priors: Vec<PriorRecord>,
}

/// Runs what is missing in `store` and gives all records.
///
/// # Errors
/// [`LabError::Interrupted`] once `stop` is set; whatever a trial or the store
/// refuses. Finished trials are kept in every case.
pub fn run(
    experiment: &Experiment,
    store: &Store,
    execution: &Execution,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Results, LabError> {
    let workers = execution.jobs.max(1);
    let queue = Queue::plan(experiment, store, workers)?;
    let steps = queue.steps(experiment);
    let kept = experiment.trials().len() - queue.trials.len();
    progress.planned(queue.trials.len() + queue.priors.len(), steps, kept);
    let shared = Shared {
        experiment,
        store,
        progress,
        stop,
        failed: AtomicBool::new(false),
        queue: Mutex::new(queue),
        changed: Condvar::new(),
    };
    let outcomes: Vec<Result<(), LabError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                let shared = &shared;
                scope.spawn(move || shared.work(worker))
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
    collect(experiment, store)
}

/// Reads all records; all are there once [`run`] has succeeded.
fn collect(experiment: &Experiment, store: &Store) -> Result<Results, LabError> {
    let missing = |what: String| LabError::Damaged {
        path: store.root().to_owned(),
        reason: format!("{what} is missing"),
    };
    Ok(Results {
        trials: experiment
            .trials()
            .into_iter()
            .map(|id| {
                store
                    .trial(id)?
                    .ok_or_else(|| missing(format!("the trial α = {}, seed {}", id.alpha, id.seed)))
            })
            .collect::<Result<_, _>>()?,
        priors: experiment
            .seeds
            .iter()
            .map(|&seed| {
                store
                    .prior_record(seed)?
                    .ok_or_else(|| missing(format!("the prior of seed {seed}")))
            })
            .collect::<Result<_, _>>()?,
    })
}

/// A task that can start, with the prior that it needs.
type Start = (Task, Option<Arc<PriorTrajectory>>);

/// What is left to do.
#[derive(Debug)]
struct Queue {
    /// Seeds whose prior is still to be trained, or to be read from the store.
    priors: VecDeque<u64>,
    trials: VecDeque<TrialId>,
    /// Priors that queued trials wait for no longer.
    ready: BTreeMap<u64, Arc<PriorTrajectory>>,
    workers: usize,
}

impl Queue {
    fn plan(experiment: &Experiment, store: &Store, workers: usize) -> Result<Self, LabError> {
        let mut queue = Self {
            priors: VecDeque::new(),
            trials: VecDeque::new(),
            ready: BTreeMap::new(),
            workers,
        };
        for id in experiment.trials() {
            if store.trial(id)?.is_none() {
                queue.trials.push_back(id);
            }
        }
        for &seed in &experiment.seeds {
            if queue.needs_prior(seed) || store.prior_record(seed)?.is_none() {
                queue.priors.push_back(seed);
            }
        }
        Ok(queue)
    }

    fn steps(&self, experiment: &Experiment) -> u64 {
        let setup = &experiment.setup;
        setup.prior_steps() * self.priors.len() as u64
            + setup.twin_steps() * self.trials.len() as u64
    }

    /// Whether a queued trial of `seed` interpolates.
    fn needs_prior(&self, seed: u64) -> bool {
        self.trials
            .iter()
            .any(|t| t.seed == seed && !t.alpha.is_zero())
    }

    fn can_start(&self, id: &TrialId) -> bool {
        id.alpha.is_zero() || self.ready.contains_key(&id.seed)
    }

    /// The next task that can start: a prior as long as there are not trials
    /// enough to keep every worker busy, else the first trial. Few priors are
    /// in memory at a time, and no worker waits long for one.
    fn next(&mut self) -> Option<Start> {
        let startable = self.trials.iter().filter(|t| self.can_start(t)).count();
        if startable <= self.workers
            && let Some(seed) = self.priors.pop_front()
        {
            return Some((Task::Prior { seed }, None));
        }
        let index = self.trials.iter().position(|t| self.can_start(t))?;
        let id = self.trials.remove(index)?;
        let prior = (!id.alpha.is_zero())
            .then(|| self.ready.get(&id.seed).cloned())
            .flatten();
        if !self.needs_prior(id.seed) {
            self.ready.remove(&id.seed);
        }
        Some((Task::Trial(id), prior))
    }

    fn put(&mut self, prior: PriorTrajectory) {
        let seed = prior.record.seed;
        if self.needs_prior(seed) {
            self.ready.insert(seed, Arc::new(prior));
        }
    }
}

/// What the workers share.
struct Shared<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
    failed: AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared<'_> {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    fn work(&self, worker: usize) -> Result<(), LabError> {
        let outcome = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .map_err(|e| LabError::Threads(e.to_string()))
            .and_then(|pool| {
                while let Some((task, prior)) = self.take()? {
                    let steps = match task {
                        Task::Prior { .. } => self.experiment.setup.prior_steps(),
                        Task::Trial(_) => self.experiment.setup.twin_steps(),
                    };
                    self.progress.started(worker, task, steps);
                    // A panic must end the run, not leave the others waiting.
                    let work = || pool.install(|| self.carry_out(worker, task, prior));
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
                        .unwrap_or_else(|_| Err(LabError::Panicked(task.to_string())))?;
                    self.progress.finished(worker, task);
                }
                Ok(())
            });
        if outcome.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        self.changed.notify_all();
        outcome
    }

    /// The next task; waits for a prior that another worker trains. `None`
    /// when nothing is left to start.
    fn take(&self) -> Result<Option<Start>, LabError> {
        let mut queue = self.queue.lock().expect("no worker panics with the queue");
        loop {
            if self.stopping() {
                return Err(LabError::Interrupted);
            }
            if let Some(next) = queue.next() {
                return Ok(Some(next));
            }
            if queue.trials.is_empty() {
                return Ok(None);
            }
            // The time-out lets a stop through that comes without a change.
            let pause = std::time::Duration::from_millis(100);
            queue = self
                .changed
                .wait_timeout(queue, pause)
                .expect("no worker panics with the queue")
                .0;
        }
    }

    fn carry_out(
        &self,
        worker: usize,
        task: Task,
        prior: Option<Arc<PriorTrajectory>>,
    ) -> Result<(), LabError> {
        let observer = WorkerObserver {
            shared: self,
            worker,
        };
        let setup = &self.experiment.setup;
        let interrupted = |error| match error {
            TrainError::Interrupted => LabError::Interrupted,
            other => LabError::Train(other),
        };
        match task {
            Task::Prior { seed } => {
                let trajectory = match self.store.prior(seed, setup)? {
                    Some(trajectory) => trajectory,
                    None => {
                        let trained = train_prior(setup, seed, &observer).map_err(interrupted)?;
                        self.store.put_prior(&trained, setup.prior())?;
                        trained
                    }
                };
                let mut queue = self.queue.lock().expect("no worker panics with the queue");
                queue.put(trajectory);
                drop(queue);
                self.changed.notify_all();
            }
            Task::Trial(TrialId { alpha, seed }) => {
                let trial = run_trial(setup, alpha, seed, prior.as_deref(), &observer)
                    .map_err(interrupted)?;
                self.store.put_trial(&trial.record)?;
            }
        }
        Ok(())
    }
}

struct WorkerObserver<'a> {
    shared: &'a Shared<'a>,
    worker: usize,
}

impl Observer for WorkerObserver<'_> {
    fn steps(&self, count: u64) {
        self.shared.progress.steps(self.worker, count);
    }

    fn cancelled(&self) -> bool {
        self.shared.stopping()
    }
}
