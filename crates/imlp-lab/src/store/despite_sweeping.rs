//! Writing beside someone who removes files.

use std::time::Duration;

use crate::entry::is_absent;
use crate::error::LabError;

/// Tries `write` again when a file or folder vanished in the middle of it: the folder
/// of an experiment is everyone's, and scripts that clear it (`find -delete`) do not ask
/// who is writing there.
pub(super) fn despite_sweeping<T>(
    mut write: impl FnMut() -> Result<T, LabError>,
) -> Result<T, LabError> {
    /// Nobody removes files so often at the right moment.
    const TRIES: u64 = 20;
    for before in 1..TRIES {
        match write() {
            Err(LabError::Io { source, path, .. }) if is_absent(&source) => {
                tracing::info!("{} was removed in the middle of a write", path.display());
                std::thread::sleep(Duration::from_millis(before));
            }
            outcome => return outcome,
        }
    }
    write()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::{UnfinishedFile, list};

    #[test]
    fn a_write_whose_file_vanished_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/result.json");
        let mut tries = 0;
        let written = despite_sweeping(|| {
            tries += 1;
            let parent = path.parent().unwrap();
            if tries > 1 {
                // The first finds no folder; the others lose their file, and the last not.
                std::fs::create_dir_all(parent).unwrap();
            }
            let mut file = UnfinishedFile::beside(&path)?;
            file.write(|out| out.write_all(b"whole"))?;
            if tries < 5 {
                std::fs::remove_file(file.path()).unwrap();
            }
            file.keep_new()
        });
        assert!(written.unwrap());
        assert_eq!(tries, 5);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(list(path.parent().unwrap()).unwrap(), ["result.json"]);
    }

    #[test]
    fn other_errors_are_told_at_once_and_a_lasting_one_at_last() {
        let mut tries = 0;
        let refused = despite_sweeping(|| -> Result<(), LabError> {
            tries += 1;
            Err(LabError::NothingFinished)
        });
        assert!(matches!(refused, Err(LabError::NothingFinished)));
        assert_eq!(tries, 1);
        let nowhere = Path::new("no-such-folder/file");
        let refused = despite_sweeping(|| UnfinishedFile::beside(nowhere).map(|_| ()));
        assert!(matches!(refused, Err(LabError::Io { .. })));
    }
}
