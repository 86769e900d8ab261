//! Whether something is at a path.
//!
//! Tools that keep large files elsewhere (git-annex, DVC) leave a link to nothing where
//! the content was not fetched. To a process that reads, no file is there; to one that
//! creates a file, one is. Whatever decides between the two must therefore ask here.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::LabError;

/// Whether anything is at `path`, be it a link to nothing.
///
/// # Errors
/// A path that cannot be looked at.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a folder is at `path` itself, not at the end of a link.
pub(crate) fn is_plain_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

/// The content of an ordinary file of at most `limit` bytes; none when nothing is at
/// `path`.
///
/// # Errors
/// [`LabError::NotFetched`]: a link to nothing; [`LabError::Io`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, LabError> {
    found(path, imlp_input::read(path, limit))
}

/// What came of reading the file at `path`; none when nothing is there.
///
/// # Errors
/// As [`read`].
pub(crate) fn found<T>(path: &Path, outcome: io::Result<T>) -> Result<Option<T>, LabError> {
    match outcome {
        Ok(content) => Ok(Some(content)),
        Err(error) if is_absent(&error) => match std::fs::read_link(path) {
            Ok(target) => Err(LabError::NotFetched {
                path: path.to_owned(),
                target,
            }),
            Err(_) => Ok(None),
        },
        Err(error) => Err(LabError::io("read", path)(error)),
    }
}

/// Whether an error says that nothing is there.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_there_and_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(!is_there(&path).unwrap());
        assert!(read(&path, 100).unwrap().is_none());
        std::os::unix::fs::symlink("annex/objects/x", &path).unwrap();
        assert!(is_there(&path).unwrap());
        let refused = read(&path, 100).expect_err("nothing to read").to_string();
        for part in ["annex/objects/x", "git annex get", "dvc pull"] {
            assert!(refused.contains(part), "{refused}");
        }
        std::fs::create_dir_all(folder.path().join("annex/objects")).unwrap();
        std::fs::write(folder.path().join("annex/objects/x"), "content").unwrap();
        assert_eq!(read(&path, 100).unwrap().unwrap(), b"content");
    }
}
