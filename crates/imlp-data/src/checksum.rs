//! MD5 of files, as the publishers state it, and SHA-256 of decoded sets.
//!
//! MD5 detects damage and mix-ups here; the official pages offer nothing stronger.

use std::io::Read;
use std::path::Path;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::error::DataError;
use crate::image_set::ImageSet;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// MD5 of `bytes`, in hexadecimal.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// MD5 of a file, in hexadecimal, read in pieces.
pub(crate) fn md5_of_file(path: &Path) -> Result<String, DataError> {
    let mut file = imlp_input::open(path).map_err(DataError::io("open", path))?;
    let mut hasher = Md5::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(DataError::io("read", path))?;
        if n == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&buffer[..n]);
    }
}

/// SHA-256 over these sets: for each its number of images and classes, its shape, pixels and
/// labels.
pub(crate) fn sha256_of_sets<'a>(sets: impl IntoIterator<Item = &'a ImageSet>) -> String {
    let mut hasher = Sha256::new();
    for set in sets {
        let shape = set.shape();
        for number in [
            set.len(),
            set.classes(),
            shape.channels,
            shape.height,
            shape.width,
        ] {
            hasher.update((number as u64).to_le_bytes());
        }
        hasher.update(set.pixels());
        hasher.update(set.labels());
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_of_known_text_is_the_published_one() {
        // RFC 1321, appendix A.5.
        assert_eq!(md5_hex(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        assert_eq!(
            md5_of_file(file.path()).unwrap(),
            "900150983cd24fb0d6963f7d28e17f72"
        );
    }
}
