//! The file that makes a job finished.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempt::now;
use super::process::Process;
use super::sealed;
use crate::entry::is_absent;
use crate::error::LabError;

/// The file that makes a job finished.
pub(super) const RESULT: &str = "result.json";

/// A result with its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published<T> {
    /// Name of the job, and of its folder; none in results that were published before
    /// it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The attempt that published it.
    pub attempt: u32,
    /// The process that published it.
    pub process: Process,
    /// When the attempt began, seconds since 1970 by that machine's clock.
    pub began: u64,
    /// When it was published, likewise.
    pub at: u64,
    /// The result.
    pub result: T,
}

impl<T> Published<T> {
    /// The same origin of what `of` makes of the result.
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> Published<U> {
        Published {
            job: self.job,
            attempt: self.attempt,
            process: self.process,
            began: self.began,
            at: self.at,
            result: of(self.result),
        }
    }
}

/// The name of the job in `folder`.
pub(super) fn job(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The result in `folder`, if there is one.
///
/// # Errors
/// [`LabError::Damaged`]: a file that is not whole, or of another job;
/// [`LabError::NotFetched`], [`LabError::Io`].
pub(super) fn read<T: DeserializeOwned>(folder: &Path) -> Result<Option<Published<T>>, LabError> {
    let path = folder.join(RESULT);
    let published: Option<Published<T>> = sealed::read(&path)?;
    match published
        .as_ref()
        .and_then(|published| published.job.as_ref())
    {
        Some(other) if *other != job(folder) => Err(LabError::Damaged {
            path,
            reason: format!("it is the result of {other:?}"),
        }),
        _ => Ok(published),
    }
}

/// Whether `folder` holds the whole result of its job. Any other is set aside, so that
/// the job runs again.
pub(super) fn has_result(folder: &Path) -> Result<bool, LabError> {
    match read::<Value>(folder) {
        Ok(result) => Ok(result.is_some()),
        Err(error @ LabError::Damaged { .. }) => {
            set_aside(&folder.join(RESULT), &error)?;
            Ok(false)
        }
        Err(other) => Err(other),
    }
}

/// Renames a damaged file, so that it is neither read again nor lost.
pub(super) fn set_aside(path: &Path, error: &LabError) -> Result<(), LabError> {
    let aside = path.with_extension(format!("damaged-{}", now()));
    let why = match error {
        // Nobody has to delete it.
        LabError::Damaged { path, reason } => format!("{} is damaged: {reason}", path.display()),
        other => other.to_string(),
    };
    tracing::warn!("{why} (set aside as {})", aside.display());
    match std::fs::rename(path, &aside) {
        // Another worker has set it aside.
        Err(error) if is_absent(&error) => Ok(()),
        outcome => outcome.map_err(LabError::io("rename", path)),
    }
}
