//! Where an output goes when its name is a link or no file.

use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::folder_of;
use crate::error::LabError;

/// Links followed one after the other, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// What is written when a user names an output.
#[derive(Debug)]
pub(super) enum Target {
    /// A file at this path, which is no link; with the permissions of the file that is there.
    File(PathBuf, Option<Permissions>),
    /// A FIFO or a device: bytes go into it, nothing replaces it. Its kind, in words.
    Stream(&'static str),
}

/// Follows the links of `path`.
///
/// # Errors
/// [`LabError::OutputIsFolder`]; [`LabError::Io`]: a link that leads nowhere or to a file that
/// this process has open, a disk.
pub(super) fn target(path: &Path) -> Result<Target, LabError> {
    let refused = |reason: String| LabError::io("write", path)(io::Error::other(reason));
    let (end, end_is_open_file) = followed(path).map_err(LabError::io("write", path))?;
    let metadata = match end.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound && end != path => {
            return Err(refused(format!(
                "it is a link to {}, which does not exist; remove the link or name that file",
                end.display()
            )));
        }
        // Creating the file tells what is wrong.
        Err(_) => return Ok(Target::File(end, None)),
    };
    if metadata.is_dir() {
        return Err(LabError::OutputIsFolder(path.to_owned()));
    }
    if !metadata.is_file() {
        return match imlp_input::kind(metadata.file_type()) {
            disk @ "a disk" => Err(refused(format!(
                "it is {disk}, whose content would be lost"
            ))),
            kind => Ok(Target::Stream(kind)),
        };
    }
    if end_is_open_file {
        return Err(refused(
            "it is a file that is open already; give the file's own name".to_owned(),
        ));
    }
    Ok(Target::File(end, Some(metadata.permissions())))
}

/// The path behind the links of `path`, and whether it is a descriptor of a process
/// (`/dev/stdout`): what such a link says need not be a path.
fn followed(path: &Path) -> io::Result<(PathBuf, bool)> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = std::fs::read_link(&path) else {
            return Ok((path, false));
        };
        let folder = folder_of(&path);
        if folder
            .canonicalize()
            .is_ok_and(|folder| folder.starts_with("/proc"))
        {
            return Ok((path, true));
        }
        path = folder.join(next);
    }
    Err(io::Error::other("its links lead in a circle"))
}
