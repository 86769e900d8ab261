//! The right to work on a job, and to publish its result.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::attempt::{self, Attempt, Ended, Ending, now};
use super::despite_sweeping::despite_sweeping;
use super::result::{Published, RESULT, job};
use super::{checkpoint_file, sealed};
use crate::error::LabError;
use crate::files::write_json;

/// The right to work on one job.
#[derive(Debug)]
pub struct Lease {
    pub(super) folder: PathBuf,
    pub(super) attempt: Attempt,
    pub(super) lost: Arc<AtomicBool>,
}

impl Lease {
    /// Which attempt this is.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// When it began, seconds since 1970.
    pub fn began(&self) -> u64 {
        self.attempt.began
    }

    /// The job's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether another attempt has taken over, so that this one can no longer
    /// publish.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// As [`is_lost`](Self::is_lost), read from the folder now.
    pub(super) fn is_superseded(&self) -> bool {
        attempt::is_superseded(&self.folder, &self.attempt)
    }

    /// Publishes `result` and ends the attempt; returns what was published, or
    /// none when another attempt has taken over or has published. Of all attempts
    /// at one job, by any processes on any hosts, exactly one publishes.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn publish<T: Serialize>(self, result: T) -> Result<Option<Published<T>>, LabError> {
        let folder = self.folder.clone();
        let path = folder.join(RESULT);
        let result = Published {
            job: Some(job(&folder)),
            attempt: self.attempt.number,
            process: self.attempt.process.clone(),
            began: self.attempt.began,
            at: now(),
            result,
        };
        let written = self.unless_superseded(|| sealed::write_new(&path, &result))?;
        let published = written == Some(true);
        let how = if published {
            Ending::Published
        } else {
            Ending::Superseded
        };
        self.end(how, None)?;
        if published {
            checkpoint_file::remove_all(&folder)?;
        }
        Ok(published.then_some(result))
    }

    /// Ends the attempt without a result.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn end(self, how: Ending, reason: Option<String>) -> Result<(), LabError> {
        let path = attempt::path(&self.folder, self.attempt.number);
        let mut attempt = self.attempt.clone();
        attempt.ended = Some(Ended {
            how,
            at: now(),
            kept: checkpoint_file::is_saved(&self.folder, self.attempt.number)?,
            reason,
        });
        self.unless_superseded(|| write_json(&path, &attempt))?;
        Ok(())
    }

    /// Runs `write`, which writes into the folder; none when another attempt has
    /// taken over, whose files replace these.
    pub(crate) fn unless_superseded<T>(
        &self,
        write: impl FnMut() -> Result<T, LabError>,
    ) -> Result<Option<T>, LabError> {
        if self.is_superseded() {
            return Ok(None);
        }
        match despite_sweeping(write) {
            Err(_) if self.is_superseded() => Ok(None),
            outcome => outcome.map(Some),
        }
    }
}
