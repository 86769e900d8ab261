//! Checkpoints of a trial or a prior, in the folder of its lease.
//!
//! Each is a file of its own: its name tells the attempt, the order, and what
//! the file must hash to. So a copy that was superseded and still writes harms
//! nobody, and a file that was cut short is told from a checkpoint. All of them
//! are states of one and the same run, so any whole one will do.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use imlp_train::{Checkpoints, TrainError, WeightsFile};

use super::lease::{Lease, set_aside};
use crate::LabError;
use crate::experiment::CheckpointEvery;
use crate::files::{list, remove_file, write_atomically};
use crate::identity::sha256_hex;

const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".safetensors";

/// Keeps the checkpoints of one attempt.
#[derive(Debug)]
pub struct LeaseCheckpoints<'a> {
    lease: &'a Lease,
    every: CheckpointEvery,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    since: Instant,
    /// Epochs that were done when one was kept last for their sake.
    epochs: u32,
    count: u32,
    /// The file that this attempt went on from.
    loaded: Option<PathBuf>,
}

impl<'a> LeaseCheckpoints<'a> {
    /// Keeps one `every` so often.
    pub fn new(lease: &'a Lease, every: CheckpointEvery) -> Self {
        Self {
            lease,
            every,
            kept: Mutex::new(Kept {
                since: Instant::now(),
                epochs: 0,
                count: 0,
                loaded: None,
            }),
        }
    }

    /// Sets the file aside that this attempt went on from, which turned out not
    /// to be of this run; false when it began anew.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn reject_loaded(&self, reason: &str) -> Result<bool, LabError> {
        let loaded = self.kept().loaded.take();
        let Some(path) = loaded else {
            return Ok(false);
        };
        let error = damaged(&path, reason);
        set_aside(&path, &error)?;
        Ok(true)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder panics")
    }

    /// The newest whole checkpoint; what is not whole is set aside.
    fn newest(&self) -> Result<Option<WeightsFile>, LabError> {
        for path in files(self.lease.folder())?.into_iter().rev() {
            match read(&path) {
                Ok(file) => {
                    self.kept().loaded = Some(path);
                    return Ok(Some(file));
                }
                Err(error @ LabError::Damaged { .. }) => set_aside(&path, &error)?,
                // A copy that was superseded has put a newer one in its place.
                Err(LabError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    fn keep(&self, state: &WeightsFile) -> Result<(), LabError> {
        let folder = self.lease.folder();
        let earlier = files(folder)?;
        let bytes = state.to_bytes().map_err(LabError::Checkpoint)?;
        let mut kept = self.kept();
        let name = format!(
            "{}{:06}-{}{SUFFIX}",
            prefix_of(self.lease.attempt()),
            kept.count,
            sha256_hex(&bytes)
        );
        let path = folder.join(name);
        let written = self
            .lease
            .unless_superseded(|| write_atomically(&path, &bytes))?;
        kept.since = Instant::now();
        kept.count += 1;
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

    fn due(&self, epochs: u32) -> bool {
        let mut kept = self.kept();
        match self.every {
            CheckpointEvery::Time(time) => kept.since.elapsed() >= time,
            CheckpointEvery::Epochs(every) => {
                let due = epochs.is_multiple_of(every.max(1)) && epochs > kept.epochs;
                if due {
                    kept.epochs = epochs;
                }
                due
            }
        }
    }

    fn save(&self, state: &WeightsFile) -> Result<(), TrainError> {
        // Without it an interruption costs more; the result is the same.
        if let Err(error) = self.keep(state) {
            tracing::warn!("no checkpoint was kept: {error}");
            self.kept().since = Instant::now();
        }
        Ok(())
    }
}

/// Whether a checkpoint of that attempt is in `folder`.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn is_kept(folder: &Path, attempt: u32) -> Result<bool, LabError> {
    let prefix = prefix_of(attempt);
    let mut names = list(folder)?.into_iter();
    Ok(names.any(|name| is_checkpoint(&name) && name.starts_with(&prefix)))
}

/// How the names of an attempt's checkpoints begin.
fn prefix_of(attempt: u32) -> String {
    format!("{PREFIX}{attempt:04}-")
}

/// Removes the checkpoints in `folder`.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn remove(folder: &Path) -> Result<(), LabError> {
    files(folder)?.iter().try_for_each(|path| remove_file(path))
}

/// Whether a file of that name is a checkpoint.
pub(super) fn is_checkpoint(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The checkpoints in `folder`, oldest first.
fn files(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let names = list(folder)?.into_iter();
    let names = names.filter(|name| is_checkpoint(name));
    Ok(names.map(|name| folder.join(name)).collect())
}

fn read(path: &Path) -> Result<WeightsFile, LabError> {
    let bytes = std::fs::read(path).map_err(LabError::io("read", path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let sha256 = sha256_hex(&bytes);
    drop(bytes);
    if !name.ends_with(&format!("-{sha256}{SUFFIX}")) {
        return Err(damaged(path, "its checksum does not fit"));
    }
    WeightsFile::read(path).map_err(|error| damaged(path, &error.to_string()))
}

fn damaged(path: &Path, reason: &str) -> LabError {
    LabError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
