//! The file that makes a job finished.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::attempt::now;
use super::process::Process;
use super::sealed;
use crate::error::LabError;

/// The file that makes a job finished.
pub(super) const RESULT: &str = "result.json";

/// A result with its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published<T> {
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

/// Whether `folder` holds a whole result. A damaged one is set aside, so that the
/// job runs again.
pub(super) fn has_result(folder: &Path) -> Result<bool, LabError> {
    let path = folder.join(RESULT);
    match sealed::read::<serde_json::Value>(&path) {
        Ok(result) => Ok(result.is_some()),
        Err(error @ LabError::Damaged { .. }) => {
            set_aside(&path, &error)?;
            Ok(false)
        }
        Err(other) => Err(other),
    }
}

/// Renames a damaged file, so that it is neither read again nor lost.
pub(super) fn set_aside(path: &Path, error: &LabError) -> Result<(), LabError> {
    let aside = path.with_extension(format!("damaged-{}", now()));
    tracing::warn!("{error} (set aside as {})", aside.display());
    match std::fs::rename(path, &aside) {
        // Another worker has set it aside.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(LabError::io("rename", path)),
    }
}
