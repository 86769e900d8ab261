//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::LabError;

/// Writes `bytes` under a temporary name beside `path`, syncs, and renames.
///
/// # Errors
/// [`LabError::Io`]: full disk, missing permission; `path` is then as before.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".writing-")
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
    write().map_err(LabError::io("write", path))
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

/// Makes a folder and its parents.
///
/// # Errors
/// [`LabError::Io`].
pub fn create_folder(path: &Path) -> Result<(), LabError> {
    std::fs::create_dir_all(path).map_err(LabError::io("make the folder", path))
}
