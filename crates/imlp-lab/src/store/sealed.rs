//! Results under a checksum, which reveals a file that was cut short or changed on
//! the disk.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::LabError;
use crate::files::{read_json, write_new_json};
use crate::identity::{canonical_json, sha256_hex};

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// SHA-256 of `content`, its keys sorted and without spaces.
    sha256: String,
    content: Value,
}

/// Writes `content` to `path` unless the file exists; false if it does.
pub(super) fn write_new(path: &Path, content: &impl Serialize) -> Result<bool, LabError> {
    let content = serde_json::to_value(content).expect("records have only text keys");
    let sha256 = sha256_hex(canonical_json(&content).as_bytes());
    write_new_json(path, &Sealed { sha256, content })
}

/// Reads what [`write_new`] wrote; none when `path` is not there.
///
/// # Errors
/// [`LabError::Damaged`], [`LabError::Io`].
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LabError> {
    let Some(Sealed { sha256, content }) = read_json(path)? else {
        return Ok(None);
    };
    let damaged = |reason: String| LabError::Damaged {
        path: path.to_owned(),
        reason,
    };
    if sha256_hex(canonical_json(&content).as_bytes()) != sha256 {
        return Err(damaged("its checksum does not fit".to_owned()));
    }
    serde_json::from_value(content)
        .map(Some)
        .map_err(|error| damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_digit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let content = vec![0.1, 1e-300, 12.345_678_901_234_567];
        assert!(write_new(&path, &content).unwrap());
        assert!(!write_new(&path, &vec![7.0]).unwrap(), "written once");
        assert_eq!(read::<Vec<f64>>(&path).unwrap(), Some(content.clone()));
        let whole = std::fs::read(&path).unwrap();
        // The line end that closes the file means nothing.
        for length in 0..whole.len() - 1 {
            std::fs::write(&path, &whole[..length]).unwrap();
            let outcome = read::<Vec<f64>>(&path);
            assert!(matches!(outcome, Err(LabError::Damaged { .. })), "{length}");
        }
        for (at, byte) in whole.iter().enumerate() {
            if byte.is_ascii_digit() {
                let mut changed = whole.clone();
                changed[at] = if *byte == b'1' { b'2' } else { b'1' };
                std::fs::write(&path, &changed).unwrap();
                // A digit beyond double precision changes no number.
                match read::<Vec<f64>>(&path) {
                    Err(LabError::Damaged { .. }) => {}
                    Ok(there) => assert_eq!(there, Some(content.clone()), "{at}"),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert_eq!(
            read::<Vec<f64>>(&folder.path().join("absent")).unwrap(),
            None
        );
    }
}
