//! Attempts at a job: which worker made them, when, and how they ended.
//!
//! ```text
//! attempt-0001.json    written by the worker that makes the attempt, by no other
//! attempt-0002.json
//! ```
//!
//! A worker begins an attempt by creating its file, which exactly one worker can.
//! The attempt holds until the next file exists; then its worker must not publish.
//! An attempt without an end whose worker is gone was **lost**; that follows from
//! the files and is not written down.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use imlp_suggest::counted;
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::entry::is_there;
use crate::error::LabError;
use crate::files::{list, read_json};

/// One attempt at a job, as its worker wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, ….
    pub number: u32,
    /// Name of the worker.
    pub worker: String,
    /// The worker's process.
    pub process: Process,
    /// Seconds between the worker's heartbeats.
    pub beat_seconds: f64,
    /// When it began, seconds since 1970 by that machine's clock. For people: no
    /// decision compares clocks.
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
    /// Whether the attempt saved a checkpoint.
    #[serde(default)]
    pub kept: bool,
    /// Why, if a reason is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The ways in which an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// With a result, which may be that a network diverged.
    Published,
    /// Another attempt had taken over, or published first.
    Superseded,
    /// With an error.
    Failed,
    /// The user or the scheduler asked to stop.
    Interrupted,
    /// It took longer than allowed.
    TimedOut,
    /// Not an attempt: `imlp retry` starts the count again here.
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

/// Whether `attempt` may no longer write into `folder`: the next one is there, or its own
/// file is gone, because the folder was removed, or is that of another worker, who has come
/// since then.
pub(crate) fn is_superseded(folder: &Path, attempt: &Attempt) -> bool {
    let own =
        |there: Attempt| (there.worker, there.began) == (attempt.worker.clone(), attempt.began);
    // A path that cannot be looked at now changes nothing.
    is_there(&path(folder, attempt.number + 1)).unwrap_or(false)
        || match read_json::<Attempt>(&path(folder, attempt.number)) {
            Ok(there) => !there.is_some_and(own),
            Err(_) => false,
        }
}

/// The attempts in `folder` by number; none in place of one whose file is damaged.
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

/// Why a job is given up after these attempts, if `at_most` may end without a result.
pub(crate) fn given_up(earlier: &[(u32, Option<Attempt>)], at_most: u32) -> Option<String> {
    let in_vain = attempts_without_result(earlier);
    let (_, last) = earlier.last()?;
    (in_vain >= at_most).then(|| {
        format!(
            "given up after {} without a result (the last one {})",
            counted(in_vain, "attempt"),
            ending_in_words(last.as_ref())
        )
    })
}

/// `interrupted`, `timed out` or `lost`: how an attempt ended that left neither a
/// result nor an error.
fn ending_in_words(attempt: Option<&Attempt>) -> &'static str {
    let ended = attempt.and_then(|attempt| attempt.ended.as_ref());
    match ended.map(|ended| ended.how) {
        Some(Ending::Interrupted) => "interrupted",
        Some(Ending::TimedOut) => "timed out",
        _ => "lost",
    }
}

/// Attempts in `earlier`, since the last `imlp retry`, that ended without a result
/// or an error: timed out, lost, or interrupted before they saved a checkpoint. So
/// stopping and continuing a long trial does not use up its attempts.
fn attempts_without_result(earlier: &[(u32, Option<Attempt>)]) -> u32 {
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
