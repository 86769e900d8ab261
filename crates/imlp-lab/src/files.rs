//! Files that exist whole or not at all.
//!
//! New files and folders have the permissions that the process's umask leaves them.

mod output;
mod target;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::entry;
use crate::error::LabError;
use target::{Target, target};

pub use output::{Output, Stream, write_output};

/// What an experiment is, in its folder.
pub(crate) const EXPERIMENT: &str = "experiment.json";

/// The folders of an experiment that hold a folder for each job.
pub(crate) const JOB_FOLDERS: [&str; 3] = ["trials", "priors", "trunks"];

/// Longest JSON that is read: many times the manifest of a hundred thousand trials.
const MAX_JSON_BYTES: u64 = 256 << 20;

/// Beginning of a file's name while it is written.
const UNFINISHED: &str = ".writing-";

/// A file that is being written under a temporary name beside its own; dropped
/// without [`keep`](Self::keep), it leaves nothing behind.
#[derive(Debug)]
pub struct UnfinishedFile {
    file: NamedTempFile,
    /// As the caller names it.
    path: PathBuf,
    /// Without links.
    target: PathBuf,
}

impl UnfinishedFile {
    /// Creates a temporary file that will become `path`, or the file that the link `path`
    /// leads to. It has the permissions of the file that it will replace.
    ///
    /// # Errors
    /// [`LabError::OutputIsFolder`]; [`LabError::Io`]: no such folder, missing
    /// permission; a device, a FIFO, a link that leads nowhere.
    pub fn beside(path: &Path) -> Result<Self, LabError> {
        let (target, existing) = match target(path)? {
            Target::File(target, existing) => (target, existing),
            Target::Stream(kind) => {
                let text = format!("it is {kind}; a file cannot take its place");
                return Err(LabError::io("write", path)(io::Error::other(text)));
            }
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Of these, the system takes away what the umask says.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder_of(&target));
        let file = file.map_err(writing(path))?;
        // Elsewhere the only permission is to write, without which nothing can be replaced.
        if cfg!(unix)
            && let Some(existing) = existing
        {
            let given = file.as_file().set_permissions(existing);
            given.map_err(writing(path))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            target,
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
        let kept = self.file.persist(&self.target).map_err(|e| e.error);
        kept.map(|_| ()).map_err(writing(&self.path))
    }

    /// Renames it to its own name unless a file has it; false when one has. Of
    /// several processes, on any hosts, exactly one gets true.
    ///
    /// # Errors
    /// [`LabError::Io`]: missing permission.
    pub fn keep_new(self) -> Result<bool, LabError> {
        match self.file.persist_noclobber(&self.target) {
            Ok(_) => Ok(true),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(writing(&self.path)(e.error)),
        }
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

/// Free bytes for a file beside `path`; `None` where the system does not report them.
fn free_space(path: &Path) -> Option<u64> {
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
/// [`LabError::Io`], [`LabError::NotFetched`]; [`LabError::Damaged`] when it is not the
/// JSON of a `T`.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LabError> {
    let Some(bytes) = entry::read(path, MAX_JSON_BYTES)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| LabError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// SHA-256 of a file's content, in hexadecimal; none when nothing is at `path`.
///
/// # Errors
/// [`LabError::Io`], [`LabError::NotFetched`].
pub(crate) fn sha256_of(path: &Path) -> Result<Option<String>, LabError> {
    /// Bytes that are read at a time.
    const PIECE: usize = 1 << 20;
    let read = || -> io::Result<String> {
        let mut file = imlp_input::open(path)?;
        let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(hex::encode(hasher.finalize())),
                n => hasher.update(&piece[..n]),
            }
        }
    };
    entry::found(path, read())
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

/// Whether a file of that name was being written by a process, which may have been
/// killed.
pub(crate) fn is_unfinished(name: &str) -> bool {
    /// Letters and digits that make the name of a temporary file its own.
    const RANDOM: usize = 6;
    let random = name.strip_prefix(UNFINISHED);
    random.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|c| c.is_ascii_alphanumeric())
    })
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

/// Refuses an output folder that is a file, or anything else but a folder.
///
/// # Errors
/// [`LabError::OutputIsFile`].
pub fn refuse_file(out: &Path) -> Result<(), LabError> {
    if out.exists() && !out.is_dir() {
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
