//! SafeTensors files, written and summed tensor by tensor: none is in memory as a whole.

use std::path::Path;

use imlp_train::WeightsFile;
use sha2::{Digest, Sha256};

use crate::error::LabError;
use crate::files::UnfinishedFile;

/// Writes `file` under a temporary name beside `path`, syncs, and renames.
///
/// # Errors
/// [`LabError::Weights`]: tensors that make no file; [`LabError::Io`]: full disk, missing
/// permission; `path` is then unchanged.
pub(crate) fn write(path: &Path, file: &WeightsFile) -> Result<(), LabError> {
    let new = file.new_file().map_err(LabError::Weights)?;
    let mut unfinished = UnfinishedFile::beside(path)?;
    unfinished.write(|out| new.write(out))?;
    unfinished.keep()
}

/// SHA-256 of the bytes that [`write`] writes, in hexadecimal.
///
/// # Errors
/// [`LabError::Weights`]: tensors that make no file.
pub(crate) fn sha256_of(file: &WeightsFile) -> Result<String, LabError> {
    let mut hash = Sha256::new();
    let new = file.new_file().map_err(LabError::Weights)?;
    new.write(&mut hash).expect("a hash takes all bytes");
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use imlp_train::NamedTensor;

    use super::*;
    use crate::identity::sha256_hex;

    #[test]
    fn sums_are_those_of_the_whole_file() {
        let tensor = |name: &str, shape: &[usize]| NamedTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values: (0..shape.iter().product()).map(|i| i as f32).collect(),
        };
        let mut file = WeightsFile {
            tensors: vec![tensor("b", &[3, 5]), tensor("a", &[]), tensor("c", &[0, 2])],
            metadata: [("key".to_owned(), "value".to_owned())].into(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        write(&path, &file).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes, file.to_bytes().unwrap());
        assert_eq!(sha256_of(&file).unwrap(), sha256_hex(&bytes));

        file.tensors[1].name = "b".to_owned();
        assert!(write(&path, &file).is_err() && sha256_of(&file).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
