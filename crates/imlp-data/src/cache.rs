//! The folder in which data sets are kept, and what is in it.

use std::path::{Path, PathBuf};

use crate::catalog::{ENTRIES, Entry, FileSpec, Format};
use crate::checksum::md5_of_file;
use crate::{DataError, ImageShape, fashion_mini, name};

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

/// What [`Cache::verify`] found, file by file.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// Name of the data set.
    pub name: &'static str,
    /// Every file with its state; for the embedded set one pseudo-file.
    pub files: Vec<(String, FileState)>,
}

impl VerifyReport {
    /// Whether every file is the official one.
    pub fn is_ok(&self) -> bool {
        self.files.iter().all(|(_, state)| *state == FileState::Ok)
    }
}

/// The state of one file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Present, with the published checksum.
    Ok,
    /// Not there.
    Missing,
    /// Present, with another content.
    Wrong {
        /// The published checksum or size.
        expected: String,
        /// That of the file.
        found: String,
    },
}

impl std::fmt::Display for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FileState::Ok => f.write_str("ok"),
            FileState::Missing => f.write_str("missing"),
            FileState::Wrong { expected, found } => {
                write!(f, "wrong: expected {expected}, found {found}")
            }
        }
    }
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

    /// Compares every file of data set `name` with its published size and MD5.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`], and [`DataError::Io`] when a file cannot be read. Missing and
    /// wrong files are no error but part of the report.
    pub fn verify(&self, name: &str) -> Result<VerifyReport, DataError> {
        self.verify_entry(name::find(name)?)
    }

    pub(crate) fn verify_entry(&self, entry: &Entry) -> Result<VerifyReport, DataError> {
        let files = match entry.format {
            Format::FashionMini => vec![("(built in)".to_owned(), fashion_mini::verify()?)],
            _ => entry
                .files
                .iter()
                .map(|spec| Ok((spec.name.to_owned(), self.file_state(entry, spec)?)))
                .collect::<Result<_, DataError>>()?,
        };
        Ok(VerifyReport {
            name: entry.name,
            files,
        })
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

    fn file_state(&self, entry: &Entry, spec: &FileSpec) -> Result<FileState, DataError> {
        let Some(path) = self.file(entry, spec) else {
            return Ok(FileState::Missing);
        };
        let wrong = |expected: String, found: String| Ok(FileState::Wrong { expected, found });
        let found_md5 = if path.extension().is_some_and(|e| e == "gz") {
            match crate::read::read_maybe_gzipped(&path, spec.bytes) {
                Ok(bytes) => crate::checksum::md5_hex(&bytes),
                Err(error @ DataError::Io { .. }) => return Err(error),
                Err(error) => return wrong(format!("{} bytes", spec.bytes), error.to_string()),
            }
        } else {
            let bytes = std::fs::metadata(&path)
                .map_err(DataError::io("read", &path))?
                .len();
            if bytes != spec.bytes {
                return wrong(format!("{} bytes", spec.bytes), format!("{bytes} bytes"));
            }
            md5_of_file(&path)?
        };
        if found_md5 == spec.md5 {
            Ok(FileState::Ok)
        } else {
            wrong(format!("MD5 {}", spec.md5), format!("MD5 {found_md5}"))
        }
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
    fn verify_tells_missing_short_and_altered_files_apart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let dir = cache.path("mnist").unwrap();
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("train-images-idx3-ubyte"), b"short").unwrap();
        std::fs::write(dir.join("train-labels-idx1-ubyte"), vec![0; 60_008]).unwrap();
        std::fs::write(dir.join("t10k-labels-idx1-ubyte.gz"), b"not gzip").unwrap();
        let report = cache.verify("mnist").unwrap();
        assert!(!report.is_ok());
        let state = |i: usize| report.files[i].1.to_string();
        assert_eq!(state(0), "wrong: expected 47040016 bytes, found 5 bytes");
        assert!(state(1).starts_with("wrong: expected MD5 a25bea736e30d166cdddb491f175f624"));
        assert_eq!(report.files[2].1, FileState::Missing);
        assert!(state(3).contains("gzip"), "{}", state(3));
    }

    #[test]
    fn the_embedded_set_verifies_and_has_no_path() {
        let cache = Cache::at("unused");
        assert!(cache.verify("fashion-mini").unwrap().is_ok());
        let text = cache.path("fashion-mini").unwrap_err().to_string();
        assert!(text.contains("built into imlp"), "{text}");
    }
}
