//! The parsers of files on bytes in memory, with sizes small enough to fuzz.
//!
//! For the fuzz targets alone: no stable interface.

use std::io::Cursor;
use std::path::Path;

use crate::cifar::{RecordFormat, Records};
use crate::error::DataError;
use crate::fetch::{cifar_pickle, cifar_sheets};
use crate::idx;
use crate::shape::ImageShape;

const NAME: &str = "input";

/// Two grey images of 2×3 in IDX.
pub fn idx_images(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let shape = ImageShape {
        channels: 1,
        height: 2,
        width: 3,
    };
    idx::images(Path::new(NAME), bytes.to_vec(), 2, shape)
}

/// Which class each file has, in a file of Tiny ImageNet; the number of files.
pub fn annotations(text: &str) -> Result<usize, String> {
    crate::folder::annotations::parse(text).map(|classes| classes.len())
}

/// The sizes that a file of IDX images states.
pub fn idx_sizes(bytes: &[u8]) -> Result<[usize; 3], DataError> {
    idx::sizes(Path::new(NAME), bytes)
}

/// Three labels of ten classes in IDX.
pub fn idx_labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    idx::labels(Path::new(NAME), bytes.to_vec(), 3, 10)
}

/// Two records of CIFAR-10.
pub fn cifar10_records(bytes: &[u8]) -> Result<(), DataError> {
    records(bytes, &[10])
}

/// Two records of CIFAR-100.
pub fn cifar100_records(bytes: &[u8]) -> Result<(), DataError> {
    records(bytes, &[20, 100])
}

fn records(bytes: &[u8], label_classes: &[usize]) -> Result<(), DataError> {
    let format = RecordFormat {
        label_classes,
        keep: 0,
    };
    Records::default().append(Path::new(NAME), bytes, 2, format)
}

/// A PNG sheet of two CIFAR images.
pub fn cifar_sheet(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    cifar_sheets::sheet(Cursor::new(bytes), Path::new(NAME), 2)
}

/// A JSON array of three labels.
pub fn cifar_labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    cifar_sheets::labels(bytes, Path::new(NAME), 3)
}

/// A pickled batch of two images of CIFAR-10 or CIFAR-100, as records.
pub fn cifar_pickle(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let read = |keys| cifar_pickle::records(bytes, Path::new(NAME), 2, keys);
    read(cifar_pickle::label_keys(1)).or_else(|_| read(cifar_pickle::label_keys(2)))
}
