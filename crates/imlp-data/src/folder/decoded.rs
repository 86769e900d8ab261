//! Decoded pictures, kept in the cache so that a second run need not decode them.
//!
//! A file is named by a hash of everything that decides the pixels: the content of each
//! picture, their order, and the shape. So it is never out of date. It holds a magic word, the
//! length of a JSON header, the header, and the pixels; and its header the checksum of these.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::survey::Seen;
use crate::shape::ImageShape;

/// Changes when decoding or the file changes.
const MAGIC: &[u8; 8] = b"imlpimg2";
/// Longest header: a line for each picture that cannot be decoded.
const MAX_HEADER: u64 = 64 << 20;
/// Files that are kept; the one that was written first goes.
const MAX_FILES: usize = 8;
/// Beginning of the names of files that are being written.
const PARTIAL: &str = ".partial-";
/// Age at which such a file was left by a process that ended.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The folder in the cache.
const FOLDER: &str = "decoded";

/// What a file of decoded pictures says of them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// SHA-256 of the problems and the pixels.
    checksum: String,
    /// Pictures that cannot be decoded: index and reason.
    problems: Vec<(usize, String)>,
}

/// Decoded pictures: pixels of all, and for each why it could not be decoded, if it could not.
pub(super) struct Decoded {
    /// `[pictures, channels, height, width]`; zeros for a picture that could not be decoded.
    pub pixels: Vec<u8>,
    pub problems: Vec<(usize, String)>,
}

/// The file of these pictures.
pub(super) fn file(cache: &Path, seen: &[Seen], shape: ImageShape) -> PathBuf {
    let mut hasher = Sha256::new();
    hasher.update(MAGIC);
    for number in [shape.channels, shape.height, shape.width, seen.len()] {
        hasher.update((number as u64).to_le_bytes());
    }
    for seen in seen {
        hasher.update(seen.digest);
    }
    let name = hex::encode(hasher.finalize());
    cache.join(FOLDER).join(&name[..32])
}

/// Reads what [`write`] wrote; none where it is not there or is damaged.
pub(super) fn read(path: &Path, pictures: usize, shape: ImageShape) -> Option<Decoded> {
    let file = imlp_input::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut file = BufReader::new(file);
    let (mut magic, mut length) = ([0; 8], [0; 8]);
    file.read_exact(&mut magic).ok()?;
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    let bytes = pictures.checked_mul(shape.len())?;
    if &magic != MAGIC || length > MAX_HEADER || size != 16 + length + bytes as u64 {
        return None;
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    let mut pixels = vec![0; bytes];
    file.read_exact(&mut pixels).ok()?;
    let in_range = header.problems.iter().all(|(i, _)| *i < pictures);
    let decoded = Decoded {
        pixels,
        problems: header.problems,
    };
    (in_range && header.checksum == checksum(&decoded)).then_some(decoded)
}

fn checksum(decoded: &Decoded) -> String {
    let mut hasher = Sha256::new();
    for (index, reason) in &decoded.problems {
        hasher.update(format!("{index} {reason}\n"));
    }
    hasher.update(&decoded.pixels);
    hex::encode(hasher.finalize())
}

/// Keeps decoded pictures. What cannot be kept is decoded again next time.
pub(super) fn write(path: &Path, decoded: &Decoded) {
    let _ = try_write(path, decoded);
}

fn try_write(path: &Path, decoded: &Decoded) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let header = serde_json::to_vec(&Header {
        checksum: checksum(decoded),
        problems: decoded.problems.clone(),
    })?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    // For all who share the cache; of these, the system takes away what the umask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    file.write_all(&decoded.pixels)?;
    file.persist(path)?;
    remove_oldest(folder)
}

fn remove_oldest(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder)? {
        let item = item?;
        let (data, path) = (item.metadata()?, item.path());
        let modified = data.modified()?;
        if !item.file_name().to_string_lossy().starts_with(PARTIAL) {
            files.push((modified, path));
        } else if modified.elapsed().is_ok_and(|age| age > ABANDONED) {
            fs::remove_file(&path)?;
        }
    }
    files.sort();
    let surplus = files.len().saturating_sub(MAX_FILES);
    for (_, path) in &files[..surplus] {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 1,
        height: 2,
        width: 2,
    };

    #[test]
    fn what_is_damaged_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let seen = |byte: u8| Seen {
            digest: [byte; 32],
            header: None,
        };
        let path = file(folder.path(), &[seen(1), seen(2)], SHAPE);
        assert_ne!(path, file(folder.path(), &[seen(2), seen(1)], SHAPE));
        let wide = ImageShape { width: 3, ..SHAPE };
        assert_ne!(path, file(folder.path(), &[seen(1), seen(2)], wide));
        let decoded = Decoded {
            pixels: vec![1, 2, 3, 4, 5, 6, 7, 8],
            problems: vec![(1, "it is empty".to_owned())],
        };
        assert!(read(&path, 2, SHAPE).is_none());
        write(&path, &decoded);
        let back = read(&path, 2, SHAPE).unwrap();
        assert_eq!(back.pixels, decoded.pixels);
        assert_eq!(back.problems, decoded.problems);
        assert!(read(&path, 3, SHAPE).is_none());
        let bytes = fs::read(&path).unwrap();
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(read(&path, 2, SHAPE).is_none(), "{i}");
            fs::write(&path, &bytes[..i]).unwrap();
            assert!(read(&path, 2, SHAPE).is_none(), "{i}");
        }
    }

    #[test]
    fn the_oldest_files_go() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..12 {
            let decoded = Decoded {
                pixels: vec![i; 4],
                problems: Vec::new(),
            };
            write(
                &folder.path().join(FOLDER).join(format!("{i:02}")),
                &decoded,
            );
            std::thread::sleep(Duration::from_millis(5));
            if i == 0 {
                for (name, age) in [("old", 7200), ("new", 60)] {
                    let path = folder.path().join(FOLDER).join(format!(".partial-{name}"));
                    let time = std::time::SystemTime::now() - Duration::from_secs(age);
                    let file = fs::File::create(path).unwrap();
                    file.set_modified(time).unwrap();
                }
            }
        }
        let left = fs::read_dir(folder.path().join(FOLDER)).unwrap().count();
        assert_eq!(left, MAX_FILES + 1);
        assert!(folder.path().join(FOLDER).join(".partial-new").exists());
        assert!(folder.path().join(FOLDER).join("11").exists());
        assert!(!folder.path().join(FOLDER).join("03").exists());
    }
}
