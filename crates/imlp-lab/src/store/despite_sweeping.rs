//! Writing beside someone who removes files.

use crate::entry::is_absent;
use crate::error::LabError;

/// Tries `write` again when a file or folder vanished in the middle of it: the folder
/// of an experiment is everyone's, and scripts that clear it (`find -delete`) do not ask
/// who is writing there.
pub(super) fn despite_sweeping<T>(
    mut write: impl FnMut() -> Result<T, LabError>,
) -> Result<T, LabError> {
    /// Nobody removes files so often at the right moment.
    const TRIES: u32 = 20;
    for _ in 1..TRIES {
        match write() {
            Err(LabError::Io { source, path, .. }) if is_absent(&source) => {
                tracing::info!("{} was removed in the middle of a write", path.display());
            }
            outcome => return outcome,
        }
    }
    write()
}
