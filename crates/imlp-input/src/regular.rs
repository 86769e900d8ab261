//! Ordinary files, read up to a limit.

use std::fs::{File, FileType, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Opens a file for reading if it is an ordinary one, or a link to one.
///
/// # Errors
/// As [`File::open`]; a folder, FIFO, device or socket, by that name.
pub fn open(path: &Path) -> io::Result<File> {
    // Looked at first: opening a device may already do something.
    refuse_special(&std::fs::metadata(path)?)?;
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // If a FIFO takes its place meanwhile, opening it does not wait.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    }
    let file = options.open(path)?;
    refuse_special(&file.metadata()?)?;
    Ok(file)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// As [`open`]; a longer file, by its size.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let too_long = |found: String| {
        let text = format!("it has {found}; at most {limit} are read");
        io::Error::new(ErrorKind::FileTooLarge, text)
    };
    if size > limit {
        return Err(too_long(format!("{size} bytes")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may grow, and the files of /proc do not tell their size.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long("more bytes".to_owned()));
    }
    Ok(bytes)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// As [`read`]; what is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = format!("it is not text in UTF-8 (byte {at})");
        io::Error::new(ErrorKind::InvalidData, text)
    })
}

/// What a file is, in words: "a file", "a folder", "a FIFO", "a disk", "a device" …
pub fn kind(file: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file.is_fifo() {
            return "a FIFO";
        }
        if file.is_socket() {
            return "a socket";
        }
        if file.is_block_device() {
            return "a disk";
        }
        if file.is_char_device() {
            return "a device";
        }
    }
    if file.is_dir() {
        "a folder"
    } else if file.is_symlink() {
        "a symbolic link"
    } else {
        "a file"
    }
}

fn refuse_special(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let error = if metadata.is_dir() {
        ErrorKind::IsADirectory
    } else {
        ErrorKind::InvalidInput
    };
    let text = format!("it is {}, not a file", kind(metadata.file_type()));
    Err(io::Error::new(error, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert_eq!(
            read(&path, 3).unwrap_err().to_string(),
            "it has 4 bytes; at most 3 are read"
        );
        assert_eq!(read_text(&path, 10).unwrap(), "four");
        std::fs::write(&path, b"fo\xff").unwrap();
        let text = read_text(&path, 10).unwrap_err().to_string();
        assert_eq!(text, "it is not text in UTF-8 (byte 2)");
        let absent = open(&folder.path().join("none")).unwrap_err();
        assert_eq!(absent.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is a folder, not a file");
    }

    /// Sizes that the system does not tell are counted while reading.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_hides_its_size_is_bounded_too() {
        let path = Path::new("/proc/self/status");
        assert_eq!(path.metadata().unwrap().len(), 0);
        let text = read(path, 10).unwrap_err().to_string();
        assert_eq!(text, "it has more bytes; at most 10 are read");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_fifos_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        for (path, what) in [
            (fifo.as_path(), "a FIFO"),
            (link.as_path(), "a FIFO"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let text = read(path, 10).unwrap_err().to_string();
            assert_eq!(text, format!("it is {what}, not a file"));
        }
    }
}
