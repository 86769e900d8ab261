//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
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
        self.make_ordinary()?;
        let kept = self.file.persist(&self.path).map_err(|e| e.error);
        kept.map(|_| ()).map_err(writing(&self.path))
    }

    /// Gives it its name if no file has it; false when one has. Of several
    /// processes, on any hosts, exactly one is told true.
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
    write_atomically(path, &json(value))
}

/// Writes `value` as JSON if `path` is not there yet; false when it is.
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

/// Reads JSON; none when `path` is not there.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Damaged`] when it is not what was written.
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

/// What is in `folder`, by name; nothing when it is not there.
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

/// What a process that was killed left half-written in `folder`.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn unfinished(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let names = list(folder)?.into_iter();
    let unfinished = names.filter(|name| name.starts_with(UNFINISHED));
    Ok(unfinished.map(|name| folder.join(name)).collect())
}

/// Removes a file; one that is gone already is no error.
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

/// Makes a folder and its parents.
///
/// # Errors
/// [`LabError::Io`].
pub fn create_folder(path: &Path) -> Result<(), LabError> {
    std::fs::create_dir_all(path).map_err(LabError::io("make the folder", path))
}
