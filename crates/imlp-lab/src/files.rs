//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::LabError;

/// How a file is called while it is written.
const UNFINISHED: &str = ".writing-";

/// A file that is being written under a temporary name beside its own; dropped
/// without [`keep`](Self::keep), it leaves nothing behind.
#[derive(Debug)]
pub struct UnfinishedFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl UnfinishedFile {
    /// Begins a file that will be `path`.
    ///
    /// # Errors
    /// [`LabError::OutputIsFolder`]; [`LabError::Io`]: no such folder, missing
    /// permission.
    pub fn beside(path: &Path) -> Result<Self, LabError> {
        if path.is_dir() {
            return Err(LabError::OutputIsFolder(path.to_owned()));
        }
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder_of(path));
        Ok(Self {
            file: file.map_err(writing(path))?,
            path: path.to_owned(),
        })
    }

    /// Where the file is for now.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes to its end, and to the disk.
    ///
    /// # Errors
    /// [`LabError::Io`]: full disk, or what `write` says.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), LabError> {
        let file = self.file.as_file_mut();
        write(file)
            .and_then(|()| file.sync_all())
            .map_err(writing(&self.path))
    }

    /// Gives it its name; what was there before is replaced.
    ///
    /// # Errors
    /// [`LabError::Io`]: missing permission; what was there is then as before.
    pub fn keep(self) -> Result<(), LabError> {
        // A temporary file is private to its owner; a result is an ordinary file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let ordinary = std::fs::Permissions::from_mode(0o644);
            let file = self.file.as_file();
            file.set_permissions(ordinary)
                .map_err(writing(&self.path))?;
        }
        let kept = self.file.persist(&self.path).map_err(|e| e.error);
        kept.map(|_| ()).map_err(writing(&self.path))
    }
}

/// The error alone, by its kind where it has one: the text would name the
/// temporary file.
fn writing(path: &Path) -> impl FnOnce(io::Error) -> LabError {
    let told = LabError::io("write", path);
    |error| {
        let other = error.kind() == io::ErrorKind::Other;
        told(if other { error } else { error.kind().into() })
    }
}

/// The folder in which `path` is.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Bytes that are free where `path` will be; `None` where that is not known.
pub fn free_space(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let space = rustix::fs::statvfs(folder_of(path)).ok()?;
        space.f_bavail.checked_mul(space.f_frsize)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Writes `bytes` under a temporary name beside `path`, syncs, and renames.
///
/// # Errors
/// [`LabError::Io`]: full disk, missing permission; `path` is then as before.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let mut file = UnfinishedFile::beside(path)?;
    file.write(|out| out.write_all(bytes))?;
    file.keep()
}

/// Writes `value` as JSON, whole or not at all.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), LabError> {
    let mut text = serde_json::to_vec_pretty(value).expect("records have only text keys");
    text.push(b'\n');
    write_atomically(path, &text)
}

/// Removes what a killed process left half-written in `folder`. Nobody else may
/// be writing there.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn remove_unfinished(folder: &Path) -> Result<(), LabError> {
    let entries = std::fs::read_dir(folder).map_err(LabError::io("list", folder))?;
    for entry in entries {
        let entry = entry.map_err(LabError::io("list", folder))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(LabError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Refuses an output folder that is a file.
///
/// # Errors
/// [`LabError::OutputIsFile`].
pub fn refuse_file(out: &Path) -> Result<(), LabError> {
    if out.is_file() {
        return Err(LabError::OutputIsFile(out.to_owned()));
    }
    Ok(())
}

/// Makes a folder and its parents.
///
/// # Errors
/// [`LabError::Io`].
pub fn create_folder(path: &Path) -> Result<(), LabError> {
    std::fs::create_dir_all(path).map_err(LabError::io("make the folder", path))
}
