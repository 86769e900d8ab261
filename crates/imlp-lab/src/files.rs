//! Files that exist whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::error::LabError;

/// Beginning of a file's name while it is written.
const UNFINISHED: &str = ".writing-";

/// A file that is being written under a temporary name beside its own; dropped
/// without [`keep`](Self::keep), it leaves nothing behind.
#[derive(Debug)]
pub struct UnfinishedFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl UnfinishedFile {
    /// Creates a temporary file that will become `path`.
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

    /// The temporary file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes the content, and syncs it to the disk.
    ///
    /// # Errors
    /// [`LabError::Io`]: full disk, or an error of `write`.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), LabError> {
        let file = self.file.as_file_mut();
        write(file)
            .and_then(|()| file.sync_all())
            .map_err(writing(&self.path))
    }

    /// Renames it to its own name, replacing a file that has it.
    ///
    /// # Errors
    /// [`LabError::Io`]: missing permission; an existing file is then unchanged.
    pub fn keep(self) -> Result<(), LabError> {
        self.make_ordinary()?;
        let kept = self.file.persist(&self.path).map_err(|e| e.error);
        kept.map(|_| ()).map_err(writing(&self.path))
    }

    /// Renames it to its own name unless a file has it; false when one has. Of
    /// several processes, on any hosts, exactly one gets true.
    ///
    /// # Errors
    /// [`LabError::Io`]: missing permission.
    pub fn keep_new(self) -> Result<bool, LabError> {
        self.make_ordinary()?;
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => Ok(true),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(writing(&self.path)(e.error)),
        }
    }

    /// A temporary file is private to its owner; a result is an ordinary file.
    fn make_ordinary(&self) -> Result<(), LabError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let ordinary = std::fs::Permissions::from_mode(0o644);
            let file = self.file.as_file();
            file.set_permissions(ordinary)
                .map_err(writing(&self.path))?;
        }
        Ok(())
    }
}

/// The error by its kind where it has one, because its text names the temporary file.
fn writing(path: &Path) -> impl FnOnce(io::Error) -> LabError {
    let told = LabError::io("write", path);
    |error| {
        told(match error.kind() {
            io::ErrorKind::Other => error,
            kind @ io::ErrorKind::NotFound => io::Error::new(kind, "its folder does not exist"),
            kind => kind.into(),
        })
    }
}

/// The folder that contains `path`.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Free bytes on the file system of `path`; `None` where the system does not report them.
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
/// [`LabError::Io`]: full disk, missing permission; `path` is then unchanged.
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
    write_atomically(path, &json(value))
}

/// Writes `value` as JSON unless `path` exists; false when it does.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn write_new_json(path: &Path, value: &impl Serialize) -> Result<bool, LabError> {
    let mut file = UnfinishedFile::beside(path)?;
    file.write(|out| out.write_all(&json(value)))?;
    file.keep_new()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("records have only text keys");
    text.push(b'\n');
    text
}

/// Reads JSON; none when `path` does not exist.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Damaged`] when it is not the JSON of a `T`.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LabError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LabError::io("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| LabError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// The names in `folder`, sorted; none when it does not exist.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn list(folder: &Path) -> Result<Vec<String>, LabError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LabError::io("list", folder)(error)),
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(LabError::io("list", folder))?;
    names.sort();
    Ok(names)
}

/// Unfinished files of killed processes in `folder`.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn unfinished(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let names = list(folder)?.into_iter();
    let unfinished = names.filter(|name| name.starts_with(UNFINISHED));
    Ok(unfinished.map(|name| folder.join(name)).collect())
}

/// Removes a file; one that does not exist is no error.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn remove_file(path: &Path) -> Result<(), LabError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LabError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
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

/// Creates a folder and its parents.
///
/// # Errors
/// [`LabError::Io`].
pub fn create_folder(path: &Path) -> Result<(), LabError> {
    std::fs::create_dir_all(path).map_err(LabError::io("make the folder", path))
}
