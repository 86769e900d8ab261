//! Files of the cache are compared with their published sums when they are loaded: once for each
//! state of a file, as its size, times and number in the file system tell it.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::catalog::{Entry, FileSpec};
use crate::checksum;
use crate::error::DataError;
use crate::read;

/// Longest list of known files; one has a kilobyte.
const MAX_BYTES: u64 = 64 << 10;

/// A file that was changed so short a time ago could be changed again without a trace: file
/// systems note times in steps.
const SETTLED: Duration = Duration::from_secs(2);

/// The state of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    bytes: u64,
    /// Times in nanoseconds and numbers, as far as the system has them.
    marks: Vec<i128>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            marks: marks(metadata),
        }
    }
}

/// The time of the last change of content, that of anything about the file, device, number.
#[cfg(unix)]
fn marks(metadata: &Metadata) -> Vec<i128> {
    use std::os::unix::fs::MetadataExt;
    let time = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    };
    vec![
        time(metadata.mtime(), metadata.mtime_nsec()),
        time(metadata.ctime(), metadata.ctime_nsec()),
        i128::from(metadata.dev()),
        i128::from(metadata.ino()),
    ]
}

/// The time of the last change of content.
#[cfg(not(unix))]
fn marks(metadata: &Metadata) -> Vec<i128> {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    vec![since.map_or(-1, |since| since.as_nanos() as i128)]
}

/// Whether the file has not been changed for a while.
fn is_settled(metadata: &Metadata) -> bool {
    let age = |time: SystemTime| SystemTime::now().duration_since(time).ok();
    let content = metadata.modified().ok().and_then(age);
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt;
        let since = Duration::from_secs(u64::try_from(metadata.ctime()).unwrap_or(u64::MAX));
        SystemTime::UNIX_EPOCH.checked_add(since).and_then(age)
    };
    #[cfg(not(unix))]
    let changed = content;
    [content, changed]
        .iter()
        .all(|age| age.is_some_and(|age| age > SETTLED))
}

/// The files of one data set that are known to be the published ones.
pub(crate) struct Trusted {
    list: PathBuf,
    /// By name and published MD5.
    known: BTreeMap<String, Stamp>,
    is_changed: bool,
}

impl Trusted {
    /// Those of `entry`; none where the list cannot be read.
    pub fn of(cache: &Cache, entry: &Entry) -> Self {
        let list = cache.root().join(format!(".verified-{}", entry.name));
        let known = imlp_input::read(&list, MAX_BYTES)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            list,
            known,
            is_changed: false,
        }
    }

    /// The content of a file, unpacked, which is the published one.
    ///
    /// # Errors
    /// [`DataError::NotPublished`]; [`DataError::Malformed`] for another size; [`DataError::Io`].
    pub fn read(
        &mut self,
        entry: &'static Entry,
        spec: &FileSpec,
        path: &Path,
    ) -> Result<Vec<u8>, DataError> {
        let metadata = std::fs::metadata(path).map_err(DataError::io("read", path))?;
        let bytes = read::read_maybe_gzipped(path, spec.bytes)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (key, stamp) = (format!("{name} {}", spec.md5), Stamp::of(&metadata));
        if self.known.get(&key) == Some(&stamp) {
            return Ok(bytes);
        }
        let found = checksum::md5_hex(&bytes);
        if found != spec.md5 {
            return Err(DataError::NotPublished {
                name: entry.name,
                file: path.to_owned(),
                why: format!("expected MD5 {}, found {found}", spec.md5),
            });
        }
        if is_settled(&metadata) {
            self.known.insert(key, stamp);
            self.is_changed = true;
        }
        Ok(bytes)
    }

    /// Remembers what was compared. Where that cannot be written, it is compared again.
    pub fn save(&self) {
        if self.is_changed {
            let _ = self.try_save();
        }
    }

    fn try_save(&self) -> std::io::Result<()> {
        let folder = self.list.parent().unwrap_or(Path::new(""));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &self.known)?;
        file.flush()?;
        file.persist(&self.list)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name;

    /// RFC 1321: the MD5 of "abc".
    const SPEC: FileSpec = FileSpec {
        name: "letters.bin",
        bytes: 3,
        md5: "900150983cd24fb0d6963f7d28e17f72",
        gz_md5: None,
    };

    #[test]
    fn a_file_is_compared_once_for_each_state() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let entry = name::find("mnist").unwrap();
        let path = folder.path().join(SPEC.name);
        let read = || {
            let mut trusted = Trusted::of(&cache, entry);
            let read = trusted.read(entry, &SPEC, &path);
            trusted.save();
            read.map_err(|error| error.to_string())
        };
        let known = || Trusted::of(&cache, entry).known;
        std::fs::write(&path, b"abd").unwrap();
        let text = read().unwrap_err();
        assert!(
            text.contains("letters.bin is not the published file of `mnist`"),
            "{text}"
        );
        assert!(known().is_empty());
        std::fs::write(&path, b"abc").unwrap();
        // It could change again within the same tick: nothing is remembered yet.
        assert_eq!(read().unwrap(), b"abc");
        assert!(known().is_empty());
        std::thread::sleep(SETTLED + Duration::from_millis(300));
        assert_eq!(read().unwrap(), b"abc");
        assert_eq!(known().len(), 1);

        // What is remembered is not compared: with the state of another file, that one passes.
        std::fs::write(&path, b"abd").unwrap();
        assert!(read().is_err());
        let mut forged = Trusted::of(&cache, entry);
        let stamp = Stamp::of(&std::fs::metadata(&path).unwrap());
        forged
            .known
            .values_mut()
            .for_each(|known| *known = stamp.clone());
        forged.is_changed = true;
        forged.save();
        assert_eq!(read().unwrap(), b"abd");
        // Until it changes, in whatever way.
        std::fs::write(&path, b"abe").unwrap();
        assert!(read().is_err());
        let list = folder.path().join(".verified-mnist");
        std::fs::write(&list, b"\xff{not json").unwrap();
        assert!(read().is_err());
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(read().unwrap(), b"abc");
    }
}
