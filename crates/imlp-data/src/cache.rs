//! The folder in which data sets are kept, and what is in it.

use std::path::{Path, PathBuf};

use crate::catalog::{ENTRIES, Entry, FileSpec, Format};
use crate::error::DataError;
use crate::name;
use crate::shape::ImageShape;

/// Environment variable that names the folder of the data sets.
pub const DATA_DIR_VARIABLE: &str = "IMLP_DATA_DIR";

/// A folder with one sub-folder for each installed data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// One line of the list of data sets.
#[derive(Clone, Debug)]
pub struct DatasetInfo {
    /// The name by which it is loaded.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub summary: &'static str,
    /// Number of training images.
    pub train_images: usize,
    /// Number of test images.
    pub test_images: usize,
    /// Shape of every image.
    pub shape: ImageShape,
    /// Number of classes (of fine ones, for CIFAR-100).
    pub classes: usize,
    /// Licence, as far as the publisher states one.
    pub licence: &'static str,
    /// Home page.
    pub source: &'static str,
    /// Whether and where it can be read now.
    pub installed: Installed,
}

/// Whether a data set can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// Compiled into the program.
    Embedded,
    /// All files are in this folder (present, not verified).
    At(PathBuf),
    /// The folder lacks these files.
    No {
        /// Where the files would be.
        dir: PathBuf,
        /// The files that are not there.
        missing: Vec<String>,
    },
}

impl Cache {
    /// The cache in this folder, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The cache of this user: `$IMLP_DATA_DIR`, else `imlp` in the platform's folder for data
    /// (on Linux `$XDG_DATA_HOME`, by default `~/.local/share`).
    ///
    /// # Errors
    /// [`DataError::NoDataFolder`] when the platform names no such folder.
    pub fn of_user() -> Result<Self, DataError> {
        match std::env::var_os(DATA_DIR_VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => Ok(Self::at(value)),
            None => directories::BaseDirs::new()
                .map(|dirs| Self::at(dirs.data_dir().join("imlp")))
                .ok_or(DataError::NoDataFolder {
                    variable: DATA_DIR_VARIABLE,
                }),
        }
    }

    /// The folder of the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every data set that imlp knows, with whether it is installed; the default comes first.
    pub fn list(&self) -> Vec<DatasetInfo> {
        ENTRIES
            .iter()
            .map(|entry| DatasetInfo {
                name: entry.name,
                summary: entry.summary,
                train_images: entry.train_images,
                test_images: entry.test_images,
                shape: entry.shape,
                classes: entry.classes,
                licence: entry.licence,
                source: entry.source,
                installed: self.installed(entry),
            })
            .collect()
    }

    /// The folder that holds data set `name` or would hold it.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`], and [`DataError::Embedded`] for the one without a folder.
    pub fn path(&self, name: &str) -> Result<PathBuf, DataError> {
        let entry = name::find(name)?;
        match entry.format {
            Format::FashionMini => Err(DataError::Embedded {
                name: name.to_owned(),
            }),
            _ => Ok(self.dir(entry)),
        }
    }

    pub(crate) fn dir(&self, entry: &Entry) -> PathBuf {
        self.root.join(entry.name)
    }

    pub(crate) fn installed(&self, entry: &Entry) -> Installed {
        if entry.format == Format::FashionMini {
            return Installed::Embedded;
        }
        let dir = self.dir(entry);
        let missing: Vec<String> = entry
            .files
            .iter()
            .filter(|spec| self.file(entry, spec).is_none())
            .map(|spec| spec.name.to_owned())
            .collect();
        if missing.is_empty() {
            Installed::At(dir)
        } else {
            Installed::No { dir, missing }
        }
    }

    /// The file of `spec` in the cache: as named, or for IDX with `.gz` behind.
    pub(crate) fn file(&self, entry: &Entry, spec: &FileSpec) -> Option<PathBuf> {
        find_file(&self.dir(entry), spec)
    }
}

/// The file of `spec` in `dir`: as named, or for IDX with `.gz` behind.
pub(crate) fn find_file(dir: &Path, spec: &FileSpec) -> Option<PathBuf> {
    let plain = dir.join(spec.name);
    if plain.is_file() {
        return Some(plain);
    }
    let gzipped = dir.join(format!("{}.gz", spec.name));
    (spec.gz_md5.is_some() && gzipped.is_file()).then_some(gzipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cache_lists_every_set_and_has_only_the_embedded_one() {
        let folder = tempfile::tempdir().unwrap();
        let list = Cache::at(folder.path()).list();
        assert_eq!(list.len(), ENTRIES.len());
        for info in list {
            match info.installed {
                Installed::Embedded => assert_eq!(info.name, "fashion-mini"),
                Installed::No { missing, dir } => {
                    assert!(!missing.is_empty());
                    assert_eq!(dir, folder.path().join(info.name));
                }
                Installed::At(dir) => panic!("{} cannot be at {}", info.name, dir.display()),
            }
        }
    }

    #[test]
    fn the_embedded_set_has_no_path() {
        let text = Cache::at("unused")
            .path("fashion-mini")
            .unwrap_err()
            .to_string();
        assert!(text.contains("built into imlp"), "{text}");
    }
}
