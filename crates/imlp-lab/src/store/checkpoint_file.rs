//! Checkpoint files in the folder of a job.
//!
//! The name of a checkpoint holds its attempt, its order and its SHA-256. So an
//! attempt that was superseded and still writes harms nobody, and a file that was
//! cut short is recognised. All checkpoints of a job are states of the same run, so
//! any whole one will do.

use std::path::{Path, PathBuf};

use imlp_train::WeightsFile;

use crate::error::LabError;
use crate::files::{list, remove_file, sha256_of};

const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".safetensors";

/// The name of checkpoint `count` of `attempt`, whose content has this SHA-256.
pub(super) fn name(attempt: u32, count: u32, sha256: &str) -> String {
    let prefix = prefix_of(attempt);
    format!("{prefix}{count:06}-{sha256}{SUFFIX}")
}

/// Whether `folder` holds a checkpoint of that attempt.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn is_saved(folder: &Path, attempt: u32) -> Result<bool, LabError> {
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
pub(super) fn remove_all(folder: &Path) -> Result<(), LabError> {
    files(folder)?.iter().try_for_each(|path| remove_file(path))
}

/// Whether a file of that name is a checkpoint.
pub(super) fn is_checkpoint(name: &str) -> bool {
    let stem = name.strip_prefix(PREFIX);
    let parts = stem.and_then(|rest| rest.strip_suffix(SUFFIX)?.split_once('-'));
    let Some((attempt, (count, sha256))) =
        parts.and_then(|(attempt, rest)| Some((attempt, rest.split_once('-')?)))
    else {
        return false;
    };
    let is_number =
        |text: &str, least| text.len() >= least && text.bytes().all(|c| c.is_ascii_digit());
    is_number(attempt, 4)
        && is_number(count, 6)
        && sha256.len() == 64
        && sha256.bytes().all(|c| c.is_ascii_hexdigit())
}

/// The checkpoints in `folder`, oldest first.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let names = list(folder)?.into_iter();
    let names = names.filter(|name| is_checkpoint(name));
    Ok(names.map(|name| folder.join(name)).collect())
}

/// Reads a checkpoint; none when it is no longer there.
///
/// # Errors
/// [`LabError::Io`], [`LabError::NotFetched`]; [`LabError::Damaged`] when its content is
/// not the one that its name promises.
pub(super) fn read(path: &Path) -> Result<Option<WeightsFile>, LabError> {
    let Some(sha256) = sha256_of(path)? else {
        return Ok(None);
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !name.ends_with(&format!("-{sha256}{SUFFIX}")) {
        return Err(damaged(path, "its checksum does not fit"));
    }
    WeightsFile::read(path)
        .map(Some)
        .map_err(|error| damaged(path, &error.to_string()))
}

/// The error of a checkpoint that cannot be used.
pub(super) fn damaged(path: &Path, reason: &str) -> LabError {
    LabError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
