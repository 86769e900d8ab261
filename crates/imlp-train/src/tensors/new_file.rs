//! SafeTensors files that are written piece by piece, so that they need not fit
//! into memory.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use safetensors::tensor::{Metadata, TensorInfo};

use crate::tensors::tensor_file::{Dtype, LENGTH_BYTES, PIECE};

/// Computes and writes a tensor when its turn comes.
pub type WriteElements<'a> = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + 'a>;

/// A tensor that is about to be written.
pub struct NewTensor<'a> {
    /// Name.
    pub name: String,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<usize>,
    /// Writes its elements, row-major, little-endian.
    pub write: WriteElements<'a>,
}

impl<'a> NewTensor<'a> {
    /// Values that are there already.
    pub fn of_values(name: String, shape: Vec<usize>, values: &'a [f32]) -> Self {
        Self {
            name,
            dtype: Dtype::F32,
            shape,
            write: Box::new(|out| write_elements(out, values, |v| v.to_le_bytes())),
        }
    }

    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * (self.dtype.bitsize() / 8)
    }
}

/// Writes `values`, each as `bytes` gives it.
pub(crate) fn write_elements<T: Copy, const N: usize>(
    out: &mut dyn Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE.min(values.len() * N));
    for values in values.chunks(PIECE / N) {
        piece.clear();
        piece.extend(values.iter().flat_map(|&v| bytes(v)));
        out.write_all(&piece)?;
    }
    Ok(())
}

/// A SafeTensors file that is about to be written: its tensors in the order of
/// the format (largest element first, then by name), and its header.
pub struct NewFile<'a> {
    header: Vec<u8>,
    tensors: Vec<NewTensor<'a>>,
}

impl<'a> NewFile<'a> {
    /// Lays the file out.
    ///
    /// # Errors
    /// Two tensors of one name, or sizes that overflow.
    pub fn new(
        mut tensors: Vec<NewTensor<'a>>,
        metadata: HashMap<String, String>,
    ) -> Result<Self, String> {
        tensors.sort_by(|a, b| b.dtype.cmp(&a.dtype).then(a.name.cmp(&b.name)));
        let mut names = HashSet::new();
        if let Some(twice) = tensors.iter().find(|t| !names.insert(&t.name)) {
            return Err(format!("two tensors are named `{}`", twice.name));
        }
        let mut offset = 0;
        let infos = tensors.iter().map(|tensor| {
            let info = TensorInfo {
                dtype: tensor.dtype,
                shape: tensor.shape.clone(),
                data_offsets: (offset, offset + tensor.bytes()),
            };
            offset += tensor.bytes();
            (tensor.name.clone(), info)
        });
        let metadata = (!metadata.is_empty()).then_some(metadata);
        let header = Metadata::new(metadata, infos.collect()).map_err(|e| e.to_string())?;
        let mut header = serde_json::to_vec(&header).map_err(|e| e.to_string())?;
        // The tensors begin at a multiple of 8 bytes.
        header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
        Ok(Self { header, tensors })
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        let tensors: usize = self.tensors.iter().map(NewTensor::bytes).sum();
        (LENGTH_BYTES + self.header.len() + tensors) as u64
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&(self.header.len() as u64).to_le_bytes())?;
        out.write_all(&self.header)?;
        for tensor in self.tensors {
            (tensor.write)(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::tensor_file::TensorFile;

    #[test]
    fn values_longer_than_a_piece_come_back() {
        let values: Vec<f32> = (0..PIECE / 4 + 3).map(|i| i as f32).collect();
        let tensor = NewTensor::of_values("t".into(), vec![values.len()], &values);
        let new = NewFile::new(vec![tensor], HashMap::new()).unwrap();
        let (bytes, mut out) = (new.bytes(), Vec::new());
        new.write(&mut out).unwrap();
        assert_eq!(out.len() as u64, bytes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.safetensors");
        std::fs::write(&path, out).unwrap();
        let file = TensorFile::open(&path).unwrap();
        assert_eq!(file.values(&file.tensors()[0]).unwrap(), values);
    }
}
