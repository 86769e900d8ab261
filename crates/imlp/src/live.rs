//! The report and the table of an experiment while it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Steps};
use imlp_lab::store::Store;
use imlp_lab::{Experiment, report, results};
use imlp_train::Standing;

/// Shortest time between two pages.
const PAUSE: Duration = Duration::from_secs(1);

/// Times that writing must fit into the time since it was last done: it takes at most a
/// fiftieth of one worker's time.
const SHARE: u32 = 50;

/// Passes progress on, and writes report and table as jobs end.
pub struct Live<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    inner: &'a dyn Progress,
    /// Whether something has happened since the last page.
    stale: AtomicBool,
    /// When writing may be done again.
    due: Mutex<Instant>,
}

impl<'a> Live<'a> {
    /// The first page comes with the first step: an experiment that has ended needs none.
    pub fn new(experiment: &'a Experiment, store: &'a Store, inner: &'a dyn Progress) -> Self {
        Self {
            experiment,
            store,
            inner,
            stale: AtomicBool::new(false),
            due: Mutex::new(Instant::now()),
        }
    }

    /// Writes both if they are stale, unless that was done a moment ago, or another worker
    /// does it now: the next step tries again.
    fn update(&self) {
        if !self.stale.load(Ordering::Relaxed) {
            return;
        }
        let Ok(mut due) = self.due.try_lock() else {
            return;
        };
        let began = Instant::now();
        if began < *due {
            return;
        }
        self.stale.store(false, Ordering::Relaxed);
        self.write(true);
        let took = began.elapsed();
        *due = Instant::now() + PAUSE.max(SHARE * took);
    }

    fn write(&self, running: bool) {
        let written = report::write(self.store, running)
            .and_then(|_| results::write_table(self.experiment, self.store));
        // The results themselves are safe.
        if let Err(error) = written {
            tracing::warn!("the report of the running experiment: {error}");
        }
    }

    /// Writes both a last time. `others` says that other processes may run what is left: then
    /// the page goes on to be read again.
    pub fn close(&self, others: bool) {
        self.write(others);
    }
}

impl Progress for Live<'_> {
    fn planned(&self, jobs: usize, steps: Steps, finished: usize) {
        self.inner.planned(jobs, steps, finished);
    }

    fn started(&self, worker: usize, job: &JobLabel, steps: u64) {
        self.inner.started(worker, job, steps);
        self.stale.store(true, Ordering::Relaxed);
    }

    fn steps(&self, worker: usize, count: u64) {
        self.inner.steps(worker, count);
        self.update();
    }

    fn resumed(&self, worker: usize, epoch: u32) {
        self.inner.resumed(worker, epoch);
    }

    fn epoch_ended(&self, worker: usize, standing: Standing) {
        self.inner.epoch_ended(worker, standing);
    }

    fn ended(&self, worker: usize, job: &JobLabel, end: &JobEnd) {
        self.inner.ended(worker, job, end);
        self.stale.store(true, Ordering::Relaxed);
        self.update();
    }

    fn finished_elsewhere(&self, job: &JobLabel, steps: u64) {
        self.inner.finished_elsewhere(job, steps);
    }
}
