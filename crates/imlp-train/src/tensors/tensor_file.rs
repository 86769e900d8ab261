//! SafeTensors files that are read tensor by tensor, so that they need not fit
//! into memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use imlp_suggest::{counted, one_line};

use crate::error::TrainError;
use crate::tensors::foreign::{RECOGNISED_BY, foreign};
use crate::tensors::header::Header;
use crate::tensors::natural_order::NaturalName;

pub use safetensors::tensor::Dtype;

/// Bytes of the header's length at the start of a file.
pub(crate) const LENGTH_BYTES: usize = 8;

/// Longest header, as the format's own library has it.
const MAX_HEADER: u64 = 100_000_000;

/// Bytes that are read or written at a time; a multiple of every element.
pub(crate) const PIECE: usize = 1 << 20;

/// A SafeTensors file, open for reading.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    file: File,
    /// Where the tensors' bytes begin.
    start: u64,
    tensors: Vec<TensorEntry>,
    metadata: HashMap<String, String>,
}

/// One tensor of a [`TensorFile`].
#[derive(Clone, Debug)]
pub struct TensorEntry {
    /// Name.
    pub name: String,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<usize>,
    /// First byte and one past the last, counted from the end of the header.
    offsets: (usize, usize),
}

impl TensorEntry {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in the file.
    pub fn bytes(&self) -> u64 {
        (self.offsets.1 - self.offsets.0) as u64
    }
}

impl TensorFile {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// [`TrainError::Weights`]: no such file, a folder, a file of another kind (by name), or a
    /// SafeTensors file that is cut short or damaged.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::Weights {
            path: path.display().to_string(),
            reason: one_line(&reason).into_owned(),
        };
        let unreadable = |e: io::Error| refuse(format!("cannot be read: {e}"));
        if path.is_dir() {
            return Err(refuse(
                "is a folder; give a SafeTensors file in it".to_owned(),
            ));
        }
        let mut file = imlp_input::open(path).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        let mut beginning = Vec::with_capacity(RECOGNISED_BY);
        (&file)
            .take(RECOGNISED_BY as u64)
            .read_to_end(&mut beginning)
            .map_err(unreadable)?;
        let invalid = |reason: String| match foreign(&beginning) {
            Some(what) => refuse(what.to_owned()),
            None => refuse(format!("is not a valid SafeTensors file: {reason}")),
        };
        let size = about.len();
        let Some((length, _)) = beginning.split_first_chunk() else {
            return Err(invalid(match size {
                0 => "it is empty; was it cut short?".to_owned(),
                _ => format!("it has {}; was it cut short?", counted(size, "byte")),
            }));
        };
        let length = u64::from_le_bytes(*length);
        let left = size.saturating_sub(LENGTH_BYTES as u64);
        if length > MAX_HEADER {
            return Err(invalid(format!(
                "its first {LENGTH_BYTES} bytes announce a header of {length} bytes, more than \
                 any has; it is a file of another kind"
            )));
        }
        if length > left {
            return Err(invalid(format!(
                "its header should have {length} bytes, but only {left} are left; was it cut short?"
            )));
        }
        let start = LENGTH_BYTES as u64 + length;
        let mut header = vec![0; length as usize];
        file.seek(SeekFrom::Start(LENGTH_BYTES as u64))
            .and_then(|_| file.read_exact(&mut header))
            .map_err(unreadable)?;
        let header = Header::read(&header).map_err(invalid)?;
        let end = start.saturating_add(header.data_len);
        if end > size {
            return Err(invalid(format!(
                "its header describes {end} bytes, it has {size}; was it cut short?"
            )));
        }
        if end < size {
            return Err(invalid(format!(
                "{} after its last tensor; was something appended to it?",
                match size - end {
                    1 => "1 byte follows".to_owned(),
                    more => format!("{more} bytes follow"),
                }
            )));
        }
        let mut tensors: Vec<_> = header
            .tensors
            .into_iter()
            .map(|(name, info)| TensorEntry {
                name,
                dtype: info.dtype,
                shape: info.shape,
                offsets: info.data_offsets,
            })
            .collect();
        tensors.sort_by(|a, b| NaturalName(&a.name).cmp(&NaturalName(&b.name)));
        Ok(Self {
            path: path.to_owned(),
            file,
            start,
            tensors,
            metadata: header.metadata,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its tensors, by name (`layers.2` before `layers.10`).
    pub fn tensors(&self) -> &[TensorEntry] {
        &self.tensors
    }

    /// The tensor of that name.
    pub fn find(&self, name: &str) -> Option<&TensorEntry> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// Its text metadata.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// An error about this file, on one line whatever its names hold.
    pub fn refuse(&self, reason: impl AsRef<str>) -> TrainError {
        TrainError::Weights {
            path: self.path.display().to_string(),
            reason: one_line(reason.as_ref()).into_owned(),
        }
    }

    /// The values of a floating-point tensor in single precision.
    ///
    /// # Errors
    /// Another type; a finite value beyond single precision; a read error.
    pub fn values(&self, tensor: &TensorEntry) -> Result<Vec<f32>, TrainError> {
        if !is_float(tensor.dtype) {
            return Err(self.refuse(format!(
                "tensor `{}` has type {:?}; only F32, F64, F16 and BF16 are read",
                tensor.name, tensor.dtype
            )));
        }
        let mut values = Vec::with_capacity(tensor.len());
        let mut beyond = None;
        self.for_each(tensor, |value| {
            let single = value as f32;
            if value.is_finite() && single.is_infinite() {
                beyond.get_or_insert((values.len(), value));
            }
            values.push(single);
        })?;
        match beyond {
            None => Ok(values),
            Some((index, value)) => Err(self.refuse(format!(
                "tensor `{}` holds {value:e} at {}, beyond single precision (F32)",
                tensor.name,
                position(&tensor.shape, index)
            ))),
        }
    }

    /// [`values`](Self::values), all of which must be finite.
    ///
    /// # Errors
    /// As there, and for the first value that is not finite.
    pub fn finite_values(&self, tensor: &TensorEntry) -> Result<Vec<f32>, TrainError> {
        let values = self.values(tensor)?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(index) => Err(self.refuse(format!(
                "tensor `{}` holds {} at {}; every value must be finite",
                tensor.name,
                values[index],
                position(&tensor.shape, index)
            ))),
        }
    }

    /// Visits the values of a tensor in double precision, row-major; integers
    /// beyond 2⁵³ are rounded.
    ///
    /// # Errors
    /// A type other than floating point of 16 bits or more, integers and booleans; a
    /// read error.
    pub fn for_each(
        &self,
        tensor: &TensorEntry,
        mut visit: impl FnMut(f64),
    ) -> Result<(), TrainError> {
        let unreadable = |e: io::Error| self.refuse(format!("cannot be read: {e}"));
        let (from, to) = tensor.offsets;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + from as u64))
            .map_err(unreadable)?;
        let mut piece = vec![0; PIECE.min(to - from)];
        let mut left = to - from;
        while left > 0 {
            let piece = &mut piece[..left.min(PIECE)];
            file.read_exact(piece).map_err(unreadable)?;
            decode(tensor.dtype, piece, &mut visit).ok_or_else(|| {
                self.refuse(format!(
                    "tensor `{}` has type {:?}, which is not read",
                    tensor.name, tensor.dtype
                ))
            })?;
            left -= piece.len();
        }
        Ok(())
    }
}

fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::BF16)
}

/// Visits the elements in `bytes`; `None` for a type that is not known.
fn decode(dtype: Dtype, bytes: &[u8], visit: &mut impl FnMut(f64)) -> Option<()> {
    fn each<const N: usize>(bytes: &[u8], mut visit: impl FnMut([u8; N])) {
        let (elements, rest) = bytes.as_chunks();
        debug_assert!(rest.is_empty(), "pieces hold whole elements");
        for element in elements {
            visit(*element);
        }
    }
    match dtype {
        Dtype::F64 => each(bytes, |b| visit(f64::from_le_bytes(b))),
        Dtype::F32 => each(bytes, |b| visit(f32::from_le_bytes(b).into())),
        Dtype::F16 => each(bytes, |b| visit(f16::from_le_bytes(b).into())),
        Dtype::BF16 => each(bytes, |b| visit(bf16::from_le_bytes(b).into())),
        Dtype::I64 => each(bytes, |b| visit(i64::from_le_bytes(b) as f64)),
        Dtype::U64 => each(bytes, |b| visit(u64::from_le_bytes(b) as f64)),
        Dtype::I32 => each(bytes, |b| visit(i32::from_le_bytes(b).into())),
        Dtype::U32 => each(bytes, |b| visit(u32::from_le_bytes(b).into())),
        Dtype::I16 => each(bytes, |b| visit(i16::from_le_bytes(b).into())),
        Dtype::U16 => each(bytes, |b| visit(u16::from_le_bytes(b).into())),
        Dtype::I8 => each(bytes, |b| visit(i8::from_le_bytes(b).into())),
        Dtype::U8 | Dtype::BOOL => each(bytes, |b| visit(u8::from_le_bytes(b).into())),
        _ => return None,
    }
    Some(())
}

/// `[2, 0, 5]`: where the element `index` stands.
fn position(shape: &[usize], mut index: usize) -> String {
    let mut place = vec![0; shape.len()];
    for (place, &size) in place.iter_mut().zip(shape).rev() {
        *place = index % size;
        index /= size;
    }
    format!("{place:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, dtype: &str, shape: &str, bytes: &[u8]) -> TensorFile {
        let header = format!(
            r#"{{"t":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{}]}}}}"#,
            bytes.len()
        );
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(bytes);
        let path = folder.join("file.safetensors");
        std::fs::write(&path, file).unwrap();
        TensorFile::open(&path).unwrap()
    }

    #[test]
    fn every_floating_point_type_is_read() {
        let folder = tempfile::tempdir().unwrap();
        // 1.5 and −2⁻¹⁴ (in half precision the smallest normal number).
        let expected = [1.5, -(2f32.powi(-14))];
        for (dtype, bytes) in [
            ("F32", expected.map(f32::to_le_bytes).concat()),
            (
                "F64",
                expected.map(f64::from).map(f64::to_le_bytes).concat(),
            ),
            ("F16", [0x3e00u16, 0x8400].map(u16::to_le_bytes).concat()),
            ("BF16", [0x3fc0u16, 0xb880].map(u16::to_le_bytes).concat()),
        ] {
            let file = write(folder.path(), dtype, "[1,2]", &bytes);
            let values = file.finite_values(&file.tensors()[0]).unwrap();
            assert_eq!(values, expected, "{dtype}");
        }
    }

    #[test]
    fn what_single_precision_does_not_hold_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let message = |dtype, bytes: &[u8]| {
            let file = write(folder.path(), dtype, "[2,1]", bytes);
            let refused = file.finite_values(&file.tensors()[0]).unwrap_err();
            refused.to_string()
        };
        let huge = [0.0, -1e300].map(f64::to_le_bytes).concat();
        let text = message("F64", &huge);
        assert!(text.contains("`t` holds -1e300 at [1, 0]"), "{text}");
        let nan = [0.0, f32::NAN].map(f32::to_le_bytes).concat();
        let text = message("F32", &nan);
        assert!(text.contains("`t` holds NaN at [1, 0]"), "{text}");
        let text = message("I64", &[0; 16]);
        assert!(text.contains("type I64"), "{text}");
    }
}
