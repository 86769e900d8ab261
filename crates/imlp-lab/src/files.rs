//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::LabError;

/// How a file is called while it is written.
const UNFINISHED: &str = ".writing-";

/// Writes `bytes` under a temporary name beside `path`, syncs, and renames.
///
/// # Errors
/// [`LabError::Io`]: full disk, missing permission; `path` is then as before.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        // A temporary file is private to its owner; a result is an ordinary file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let ordinary = std::fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(ordinary)?;
        }
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    // The kind alone: the text would name the temporary file.
    write().map_err(|e| LabError::io("write", path)(e.kind().into()))
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
