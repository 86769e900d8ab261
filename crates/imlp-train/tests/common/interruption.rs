//! Runs that are interrupted, with what they keep.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use imlp_train::{Checkpoints, Observer, TrainError, WeightsFile};

/// Keeps the last checkpoint as the bytes of a file.
#[derive(Default)]
pub struct Kept {
    pub last: Mutex<Option<Vec<u8>>>,
    /// Keep one every so many steps; 0 for only when interrupted.
    pub every: u64,
    pub asked: AtomicU64,
    pub saved: AtomicU64,
}

impl Checkpoints for Kept {
    fn load(&self) -> Result<Option<WeightsFile>, TrainError> {
        let last = self.last.lock().unwrap();
        last.as_ref().map_or(Ok(None), |bytes| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            WeightsFile::read(file.path()).map(Some)
        })
    }

    fn due(&self, _: u32) -> bool {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        self.every > 0 && asked.is_multiple_of(self.every)
    }

    fn save(&self, state: &WeightsFile) -> Result<(), TrainError> {
        self.saved.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap() = Some(state.to_bytes().unwrap());
        Ok(())
    }
}

/// Stops once that many steps are done.
pub struct StopAfter {
    pub steps: u64,
    pub done: AtomicU64,
}

impl StopAfter {
    pub fn new(steps: u64) -> Self {
        let done = AtomicU64::new(0);
        Self { steps, done }
    }
}

impl Observer for StopAfter {
    fn steps(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.steps
    }
}
