//! Comparing what is installed with what was published.

use crate::cache::Cache;
use crate::catalog::{Entry, FileSpec, Format};
use crate::checksum;
use crate::error::DataError;
use crate::fashion_mini;
use crate::name;
use crate::read;

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
            Format::FashionMini => vec![("(built in)".to_owned(), embedded_state()?)],
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

    fn file_state(&self, entry: &Entry, spec: &FileSpec) -> Result<FileState, DataError> {
        let Some(path) = self.file(entry, spec) else {
            return Ok(FileState::Missing);
        };
        let found_md5 = if path.extension().is_some_and(|e| e == "gz") {
            match read::read_maybe_gzipped(&path, spec.bytes) {
                Ok(bytes) => checksum::md5_hex(&bytes),
                Err(error @ DataError::Io { .. }) => return Err(error),
                Err(error) => {
                    return Ok(FileState::Wrong {
                        expected: format!("{} bytes", spec.bytes),
                        found: error.to_string(),
                    });
                }
            }
        } else {
            let bytes = std::fs::metadata(&path)
                .map_err(DataError::io("read", &path))?
                .len();
            if bytes != spec.bytes {
                return Ok(FileState::Wrong {
                    expected: format!("{} bytes", spec.bytes),
                    found: format!("{bytes} bytes"),
                });
            }
            checksum::md5_of_file(&path)?
        };
        Ok(compare("MD5", spec.md5, &found_md5))
    }
}

/// Compares the embedded data set, decoded, with its checksum.
fn embedded_state() -> Result<FileState, DataError> {
    let found = fashion_mini::load()?.checksum;
    Ok(compare("SHA-256", fashion_mini::CHECKSUM, &found))
}

fn compare(algorithm: &str, expected: &str, found: &str) -> FileState {
    if found == expected {
        return FileState::Ok;
    }
    FileState::Wrong {
        expected: format!("{algorithm} {expected}"),
        found: format!("{algorithm} {found}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_embedded_set_verifies() {
        assert!(Cache::at("unused").verify("fashion-mini").unwrap().is_ok());
        assert_eq!(embedded_state().unwrap(), FileState::Ok);
    }
}
