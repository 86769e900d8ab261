//! The staging folder: files are written and verified here before they enter the cache.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use tempfile::TempDir;

use super::event::FetchEvent;
use crate::catalog::{Entry, FileSpec};
use crate::error::DataError;
use crate::read::GZIP_MAGIC;

/// Bytes between two reports of progress.
const CHUNK: usize = 1 << 20;

/// A folder inside the cache, removed when this value is dropped.
pub(super) struct Staging {
    folder: TempDir,
    pub entry: &'static Entry,
}

fn prefix(name: &str) -> String {
    format!(".partial-{name}-")
}

/// Waits until no other process fetches this data set, then removes the leftovers of interrupted
/// fetches.
///
/// The lock is released with the returned file. Where the file system has no locks, fetching goes
/// on without one: staging folders have distinct names and files enter the cache by renaming.
pub(super) fn lock(root: &Path, name: &str) -> Result<File, DataError> {
    fs::create_dir_all(root).map_err(DataError::io("create", root))?;
    let path = root.join(format!(".lock-{name}"));
    let file = open_lock(&path).map_err(DataError::io("open", &path))?;
    match file.lock() {
        Ok(()) => {
            let prefix = prefix(name);
            for item in fs::read_dir(root).map_err(DataError::io("read", root))? {
                let item = item.map_err(DataError::io("read", root))?;
                if item.file_name().to_string_lossy().starts_with(&prefix) {
                    remove_leftover(&item.path());
                }
            }
        }
        Err(error) if error.kind() == ErrorKind::Unsupported => {}
        Err(error) => return Err(DataError::io("lock", &path)(error)),
    }
    Ok(file)
}

/// Opens the file of a lock without changing what it holds, and never through a link: in a folder
/// that several people write to, it could lead to anyone's file.
fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options.open(path).map_err(|error| {
        if path.is_symlink() {
            std::io::Error::other("it is a symbolic link; remove it")
        } else {
            error
        }
    })
}

/// Removes what an interrupted fetch left, whatever it is. What cannot be removed (another user's)
/// is in nobody's way: every staging folder has a name of its own.
fn remove_leftover(path: &Path) {
    let is_folder = path.symlink_metadata().is_ok_and(|data| data.is_dir());
    let _ = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
}

impl Staging {
    pub fn new(root: &Path, entry: &'static Entry) -> Result<Self, DataError> {
        let folder = tempfile::Builder::new()
            .prefix(&prefix(entry.name))
            .tempdir_in(root)
            .map_err(DataError::io("create a folder in", root))?;
        for sub in ["files", "scratch"] {
            let path = folder.path().join(sub);
            fs::create_dir(&path).map_err(DataError::io("create", &path))?;
        }
        Ok(Self { folder, entry })
    }

    /// A folder for downloads and unpacked archives.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    fn path(&self, spec: &FileSpec) -> PathBuf {
        self.folder.path().join("files").join(spec.name)
    }

    /// Whether this file was already staged.
    pub fn has(&self, spec: &FileSpec) -> bool {
        self.path(spec).exists()
    }

    /// The names of the files that are not staged yet.
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = self.entry.files.iter().filter(|spec| !self.has(spec));
        missing.map(|spec| spec.name).collect()
    }

    /// Stages a file from disk, decompressing it if it is gzipped.
    pub fn put_file(
        &self,
        spec: &FileSpec,
        from: &Path,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), DataError> {
        let file = imlp_input::open(from).map_err(DataError::io("open", from))?;
        self.put(spec, from, file, progress)
    }

    /// Stages a file from a stream (gzipped or not), of which `origin` is the name for messages.
    ///
    /// It is written, compared with its published size and checksum, and synchronised to disk.
    pub fn put(
        &self,
        spec: &FileSpec,
        origin: &Path,
        reader: impl Read,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), DataError> {
        let mut reader = std::io::BufReader::with_capacity(1 << 16, reader);
        let start =
            std::io::BufRead::fill_buf(&mut reader).map_err(DataError::io("read", origin))?;
        // No data set here has a plain file that starts like gzip: IDX starts with zeros, CIFAR
        // with a label.
        if start.starts_with(&GZIP_MAGIC) {
            self.write(
                spec,
                origin,
                flate2::bufread::MultiGzDecoder::new(reader),
                progress,
            )
        } else {
            self.write(spec, origin, reader, progress)
        }
    }

    fn write(
        &self,
        spec: &FileSpec,
        origin: &Path,
        mut reader: impl Read,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), DataError> {
        let path = self.path(spec);
        let mut file = File::create(&path).map_err(DataError::io("create", &path))?;
        let mut hasher = Md5::new();
        let mut buffer = vec![0; CHUNK];
        let mut done = 0;
        let wrong_size = |offset: u64, found: String| DataError::Malformed {
            file: origin.to_owned(),
            offset,
            expected: format!("{} bytes in all", spec.bytes),
            found,
        };
        loop {
            let n = reader
                .read(&mut buffer)
                .map_err(DataError::io("read", origin))?;
            if n == 0 {
                break;
            }
            done += n as u64;
            if done > spec.bytes {
                return Err(wrong_size(spec.bytes, "more bytes".to_owned()));
            }
            hasher.update(&buffer[..n]);
            file.write_all(&buffer[..n])
                .map_err(DataError::io("write", &path))?;
            let file = spec.name;
            progress(FetchEvent::Bytes {
                file,
                done,
                total: Some(spec.bytes),
            });
        }
        if done < spec.bytes {
            return Err(wrong_size(done, format!("the end after {done} bytes")));
        }
        let found = hex::encode(hasher.finalize());
        if found != spec.md5 {
            let expected = spec.md5.to_owned();
            return Err(DataError::Checksum {
                file: origin.to_owned(),
                expected,
                found,
            });
        }
        file.sync_all().map_err(DataError::io("synchronise", &path))
    }

    /// Renames every file into `dir`.
    pub fn install(self, dir: &Path) -> Result<(), DataError> {
        if let [first, ..] = self.missing().as_slice() {
            return Err(DataError::source_failed(
                self.entry.name,
                format!("{first} was not found"),
            ));
        }
        fs::create_dir_all(dir).map_err(DataError::io("create", dir))?;
        for spec in self.entry.files {
            let to = dir.join(spec.name);
            fs::rename(self.path(spec), &to).map_err(DataError::io("rename a file to", &to))?;
        }
        sync_folder(dir)
    }
}

/// Makes renames durable. Windows has no such call: its file system journals renames.
fn sync_folder(dir: &Path) -> Result<(), DataError> {
    if cfg!(unix) {
        let folder = File::open(dir).map_err(DataError::io("open", dir))?;
        folder
            .sync_all()
            .map_err(DataError::io("synchronise", dir))?;
    }
    Ok(())
}
