//! The checkpoints of one attempt: when to save one, and where to continue.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use imlp_train::{Checkpoints, TrainError, WeightsFile};

use super::checkpoint_file::{self, damaged, files};
use super::lease::Lease;
use super::result::set_aside;
use crate::error::LabError;
use crate::experiment::CheckpointEvery;
use crate::files::remove_file;
use crate::tensor_files;

/// Saves and loads the checkpoints of one attempt.
#[derive(Debug)]
pub struct LeaseCheckpoints<'a> {
    lease: &'a Lease,
    every: CheckpointEvery,
    saved: Mutex<Saved>,
}

#[derive(Debug)]
struct Saved {
    /// When the last one was saved, or the attempt began.
    since: Instant,
    /// Epochs that were done when `due` last answered yes by their number.
    epochs: u32,
    count: u32,
    /// The trunk from which it begins without a checkpoint.
    trunk: Option<PathBuf>,
    /// The file from which this attempt continued.
    loaded: Option<PathBuf>,
    /// Whether this attempt ignores the checkpoints of those before it.
    start_over: bool,
}

impl<'a> LeaseCheckpoints<'a> {
    /// Saves one `every` so often.
    pub fn new(lease: &'a Lease, every: CheckpointEvery) -> Self {
        Self {
            lease,
            every,
            saved: Mutex::new(Saved {
                since: Instant::now(),
                epochs: 0,
                count: 0,
                trunk: None,
                loaded: None,
                start_over: false,
            }),
        }
    }

    /// The same, with the file of a trunk for an attempt without a checkpoint.
    pub fn with_trunk(self, trunk: Option<PathBuf>) -> Self {
        self.saved().trunk = trunk;
        self
    }

    /// Sets aside the file from which this attempt continued, because it belongs to
    /// another run; false when the attempt started from the beginning.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn reject_loaded(&self, reason: &str) -> Result<bool, LabError> {
        let loaded = self.saved().loaded.take();
        let Some(path) = loaded else {
            return Ok(false);
        };
        self.forget_trunk(&path);
        let error = damaged(&path, reason);
        set_aside(&path, &error)?;
        Ok(true)
    }

    /// Whether `path` is the trunk, which is then not offered again.
    fn forget_trunk(&self, path: &Path) -> bool {
        let trunk = &mut self.saved().trunk;
        trunk.take_if(|trunk| trunk == path).is_some()
    }

    /// Starts the run from the beginning although there is a checkpoint or a trunk. A
    /// checkpoint is left alone until the first one of this attempt replaces it, a trunk
    /// for those who can use it. False when the attempt has loaded neither.
    pub fn start_over(&self, why: &TrainError) -> bool {
        let loaded = self.saved().loaded.take();
        let Some(path) = loaded else {
            return false;
        };
        if !self.forget_trunk(&path) {
            self.saved().start_over = true;
        }
        tracing::warn!("{why}: the run starts again ({})", path.display());
        true
    }

    fn saved(&self) -> MutexGuard<'_, Saved> {
        self.saved.lock().expect("no holder panics")
    }

    /// The newest whole checkpoint; damaged ones are set aside.
    fn newest(&self) -> Result<Option<WeightsFile>, LabError> {
        if self.saved().start_over {
            return Ok(None);
        }
        for path in files(self.lease.folder())?.into_iter().rev() {
            match checkpoint_file::read(&path) {
                Ok(Some(file)) => {
                    self.saved().loaded = Some(path);
                    return Ok(Some(file));
                }
                // Another attempt has replaced it by a newer one.
                Ok(None) => {}
                Err(error @ LabError::Damaged { .. }) => set_aside(&path, &error)?,
                // Without it the trial takes longer; the result is the same.
                Err(error @ LabError::NotFetched { .. }) => tracing::warn!("{error}"),
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    /// The trunk, whole. Without it the trial takes longer; the result is the same.
    fn whole_trunk(&self) -> Option<WeightsFile> {
        let path = self.saved().trunk.clone()?;
        let error = match checkpoint_file::read(&path) {
            Ok(Some(file)) => {
                self.saved().loaded = Some(path);
                return Some(file);
            }
            Ok(None) => damaged(&path, "it is gone"),
            Err(error) => error,
        };
        self.forget_trunk(&path);
        tracing::warn!("a trial starts from the beginning instead of its trunk: {error}");
        if matches!(error, LabError::Damaged { .. })
            && let Err(error) = set_aside(&path, &error)
        {
            tracing::warn!("{error}");
        }
        None
    }

    fn write(&self, state: &WeightsFile) -> Result<(), LabError> {
        let folder = self.lease.folder();
        let earlier = files(folder)?;
        let sha256 = tensor_files::sha256_of(state)?;
        let mut saved = self.saved();
        let name = checkpoint_file::name(self.lease.attempt(), saved.count, &sha256);
        let path = folder.join(name);
        let written = self
            .lease
            .unless_superseded(|| tensor_files::write(&path, state))?;
        saved.since = Instant::now();
        saved.count += 1;
        if written.is_some() {
            for earlier in earlier.iter().filter(|earlier| **earlier != path) {
                remove_file(earlier)?;
            }
        }
        Ok(())
    }
}

impl Checkpoints for LeaseCheckpoints<'_> {
    fn load(&self) -> Result<Option<WeightsFile>, TrainError> {
        self.newest()
            .map_err(|error| TrainError::Checkpoint(error.to_string()))
    }

    fn trunk(&self) -> Result<Option<WeightsFile>, TrainError> {
        Ok(self.whole_trunk())
    }

    fn due(&self, epochs: u32) -> bool {
        let mut saved = self.saved();
        match self.every {
            CheckpointEvery::Time(time) => saved.since.elapsed() >= time,
            CheckpointEvery::Epochs(every) => {
                let due = epochs.is_multiple_of(every.max(1)) && epochs > saved.epochs;
                if due {
                    saved.epochs = epochs;
                }
                due
            }
        }
    }

    fn save(&self, state: &WeightsFile) -> Result<(), TrainError> {
        // Without it an interruption costs more time; the result is the same.
        if let Err(error) = self.write(state) {
            tracing::warn!("no checkpoint was saved: {error}");
            self.saved().since = Instant::now();
        }
        Ok(())
    }
}
