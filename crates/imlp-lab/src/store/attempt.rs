//! Attempts at a piece of work: who works on it, since when, and how it ended.
//!
//! ```text
//! attempt-0001.json    written by the worker that makes it, and by nobody else
//! attempt-0002.json
//! ```
//!
//! An attempt is made by creating its file, which only one worker can. It holds
//! until the next one exists: from then on whoever made it must not publish. An
//! attempt without an end whose worker is gone was **lost**; nobody writes that
//! down, it follows from the files.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::LabError;
use crate::files::{list, read_json};

/// An attempt as its worker wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, ….
    pub number: u32,
    /// Name of the worker.
    pub worker: String,
    /// The worker's process.
    pub process: Process,
    /// Seconds between the worker's signs of life.
    pub beat_seconds: f64,
    /// When it began, seconds since 1970 by that machine's clock. For people:
    /// nothing is decided by comparing clocks.
    pub began: u64,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// In which way.
    pub how: Ending,
    /// When, seconds since 1970.
    pub at: u64,
    /// Whether the attempt left a checkpoint: it came further than the one before.
    #[serde(default)]
    pub kept: bool,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The ways in which an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// With a result; that a network diverged is one.
    Published,
    /// Another attempt had taken over, or published first.
    Superseded,
    /// With an error.
    Failed,
    /// Someone asked to stop.
    Interrupted,
    /// It took longer than allowed.
    TimedOut,
    /// Not an attempt: `imlp retry` wipes the slate here.
    Retry,
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The file of attempt `number` in `folder`.
pub(crate) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("attempt-{number:04}.json"))
}

/// The attempts in `folder` by number. One whose file cannot be read is none:
/// its worker cannot be asked.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn attempts(folder: &Path) -> Result<Vec<(u32, Option<Attempt>)>, LabError> {
    let mut attempts = Vec::new();
    for name in list(folder)? {
        let number = name
            .strip_prefix("attempt-")
            .and_then(|rest| rest.strip_suffix(".json")?.parse().ok());
        let Some(number) = number else { continue };
        let attempt = match read_json::<Attempt>(&folder.join(&name)) {
            Ok(attempt) => attempt,
            Err(LabError::Damaged { path, reason }) => {
                tracing::warn!("{} is damaged and taken as lost: {reason}", path.display());
                None
            }
            Err(other) => return Err(other),
        };
        attempts.push((number, attempt));
    }
    attempts.sort_by_key(|(number, _)| *number);
    Ok(attempts)
}

/// How often, since the last `imlp retry`, an attempt in `earlier` ended without
/// result or error: timed out, lost, or interrupted before it came further than
/// the one before. Whoever stops and continues a long trial does not use it up.
pub(crate) fn fruitless(earlier: &[(u32, Option<Attempt>)]) -> u32 {
    let mut count = 0;
    for (_, attempt) in earlier {
        let ended = attempt.as_ref().and_then(|a| a.ended.as_ref());
        match ended.map(|ended| ended.how) {
            Some(Ending::Retry) => count = 0,
            Some(Ending::Interrupted) if ended.is_some_and(|ended| ended.kept) => {}
            Some(Ending::Interrupted | Ending::TimedOut) | None => count += 1,
            Some(Ending::Published | Ending::Superseded | Ending::Failed) => {}
        }
    }
    count
}
