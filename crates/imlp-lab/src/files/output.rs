//! Outputs that a user names: files, but also FIFOs and devices.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::target::{Target, target};
use super::{EXPERIMENT, JOB_FOLDERS, UnfinishedFile, free_space};
use crate::error::LabError;

/// An output that a user names.
///
/// A file is written beside its name and renamed, so that it exists whole or not at all; a link
/// to a file stays, and that file is replaced. A FIFO or a device (`/dev/stdout`, `/dev/null`) is
/// written into and stays what it is.
#[derive(Debug)]
pub enum Output {
    /// A file.
    File(UnfinishedFile),
    /// A FIFO or a device.
    Stream(Stream),
}

/// A FIFO or a device that is open for writing.
#[derive(Debug)]
pub struct Stream {
    file: File,
    path: PathBuf,
}

impl Output {
    /// Opens the output `path`; waits for the reader of a FIFO.
    ///
    /// # Errors
    /// As [`UnfinishedFile::beside`]; a disk, a link that leads nowhere, a record of an
    /// experiment.
    pub fn to(path: &Path) -> Result<Self, LabError> {
        if is_record(path) {
            let reason = "it is a record of an experiment, which would be lost; give another name";
            return Err(LabError::io("write", path)(io::Error::other(reason)));
        }
        match target(path)? {
            Target::File(..) => UnfinishedFile::beside(path).map(Self::File),
            Target::Stream(_) => {
                let file = File::options().write(true).open(path);
                Ok(Self::Stream(Stream {
                    file: file.map_err(LabError::io("write", path))?,
                    path: path.to_owned(),
                }))
            }
        }
    }

    /// Writes the content; into a file, that is on the disk then.
    ///
    /// # Errors
    /// [`LabError::Io`]: full disk, no reader, or an error of `write`.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), LabError> {
        match self {
            Self::File(file) => file.write(write),
            Self::Stream(Stream { file, path }) => write(file).map_err(LabError::io("write", path)),
        }
    }

    /// The temporary file, from which the content can be read again; none for a stream.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file.path()),
            Self::Stream(_) => None,
        }
    }

    /// Whether it is the pipe into which the process prints: what it prints would be mixed
    /// with the content.
    pub fn is_standard_output(&self) -> bool {
        #[cfg(unix)]
        if let Self::Stream(Stream { file, .. }) = self
            && let (Ok(here), Ok(there)) =
                (rustix::fs::fstat(file), rustix::fs::fstat(io::stdout()))
        {
            let kind = rustix::fs::FileType::from_raw_mode(here.st_mode);
            let same = (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino);
            return same && kind == rustix::fs::FileType::Fifo;
        }
        false
    }

    /// Free bytes where it is written; `None` for a stream, and where the system does not
    /// report them.
    pub fn free_space(&self) -> Option<u64> {
        free_space(self.path()?)
    }

    /// Gives a file its own name.
    ///
    /// # Errors
    /// As [`UnfinishedFile::keep`].
    pub fn keep(self) -> Result<(), LabError> {
        match self {
            Self::File(file) => file.keep(),
            Self::Stream(_) => Ok(()),
        }
    }
}

/// Whether `path` is a file of an experiment from which all others are made.
fn is_record(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    if path.ends_with(EXPERIMENT) {
        return true;
    }
    let is_of_jobs = |folder: &Path| {
        JOB_FOLDERS.iter().any(|name| folder.ends_with(name))
            && folder.with_file_name(EXPERIMENT).exists()
    };
    path.ancestors().skip(1).any(is_of_jobs)
}

/// Writes `bytes` to an output that a user names.
///
/// # Errors
/// As [`Output::to`] and [`Output::write`].
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let mut output = Output::to(path)?;
    output.write(|out| out.write_all(bytes))?;
    output.keep()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    use super::*;
    use crate::files::write_atomically;

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn a_fifo_is_written_into_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        fifo(&path);
        let reader = {
            let path = path.clone();
            std::thread::spawn(move || std::fs::read(path).unwrap())
        };
        write_output(&path, b"content").unwrap();
        assert_eq!(reader.join().unwrap(), b"content");
        assert!(path.symlink_metadata().unwrap().file_type().is_fifo());
        let text = write_atomically(&path, b"content").unwrap_err().to_string();
        assert!(
            text.ends_with("fifo: it is a FIFO; a file cannot take its place"),
            "{text}"
        );
        assert!(path.symlink_metadata().unwrap().file_type().is_fifo());
    }

    /// Only root may make devices.
    #[test]
    fn a_device_is_written_into_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let null = folder.path().join("null");
        let made = Command::new("mknod")
            .arg(&null)
            .args(["c", "1", "3"])
            .output();
        if !made.is_ok_and(|made| made.status.success()) {
            return;
        }
        let link = folder.path().join("link");
        symlink("null", &link).unwrap();
        for path in [&null, &link] {
            match write_output(path, b"content") {
                Ok(()) => {}
                // A file system without devices.
                Err(error) => assert!(error.to_string().contains("ermission"), "{error}"),
            }
            assert!(path.metadata().unwrap().file_type().is_char_device());
        }
        assert!(link.is_symlink());
        assert_eq!(
            folder.path().read_dir().unwrap().count(),
            2,
            "a file was left"
        );
    }

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("sub/file"));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("sub/between", &link).unwrap();
        symlink("file", folder.path().join("sub/between")).unwrap();
        for (write, text) in [
            (write_output as fn(&Path, &[u8]) -> _, "first"),
            (write_atomically, "second"),
        ] {
            write(&link, text.as_bytes()).unwrap();
            assert!(link.is_symlink());
            assert!(folder.path().join("sub/between").is_symlink());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
        }
        assert_eq!(folder.path().join("sub").read_dir().unwrap().count(), 2);
    }

    #[test]
    fn links_to_nowhere_and_in_circles_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("absent", &link).unwrap();
        let text = write_output(&link, b"content").unwrap_err().to_string();
        assert!(
            text.contains("/absent, which does not exist; remove the link"),
            "{text}"
        );
        std::fs::remove_file(&link).unwrap();
        symlink("link", &link).unwrap();
        let text = write_output(&link, b"content").unwrap_err().to_string();
        assert!(text.contains("in a circle"), "{text}");
        assert!(link.is_symlink());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    /// `/dev/stdout` in `>> FILE`: a file in its place would lose what FILE held.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_is_not_replaced_through_its_descriptor() {
        use std::os::fd::AsRawFd;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "kept").unwrap();
        let descriptor = format!("/dev/fd/{}", file.as_file().as_raw_fd());
        let text = write_output(Path::new(&descriptor), b"new")
            .unwrap_err()
            .to_string();
        assert!(text.contains("give the file's own name"), "{text}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "kept");
    }
}
