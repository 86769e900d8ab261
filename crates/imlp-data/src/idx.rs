//! The IDX format of the MNIST family, plain or gzipped.
//!
//! Big-endian: the magic number `00 00 08 d` (08 = unsigned bytes, d = number of dimensions), d
//! sizes of four bytes each, then the bytes, last dimension fastest.

use std::path::Path;

use crate::error::DataError;
use crate::read::{check_size, malformed};
use crate::shape::ImageShape;

const MAGIC_LABELS: u32 = 0x0801;
const MAGIC_IMAGES: u32 = 0x0803;

/// The numbers of images, rows and columns that a file of images states.
pub(crate) fn sizes(path: &Path, bytes: &[u8]) -> Result<[usize; 3], DataError> {
    let word = |i: usize| Some(u32::from_be_bytes(*bytes.get(4 * i..)?.first_chunk()?));
    match [0, 1, 2, 3].map(word) {
        [Some(MAGIC_IMAGES), Some(images), Some(rows), Some(columns)] => {
            Ok([images, rows, columns].map(|n| n as usize))
        }
        [magic, ..] => Err(malformed(
            path,
            0,
            format!("the IDX magic number {MAGIC_IMAGES:08x} and three sizes"),
            magic.map_or("the end of the file".to_owned(), |m| format!("{m:08x}")),
        )),
    }
}

/// Reads `images` images of `shape` (one channel) from an IDX file; `[images, height, width]`.
pub(crate) fn images(
    path: &Path,
    mut bytes: Vec<u8>,
    images: usize,
    shape: ImageShape,
) -> Result<Vec<u8>, DataError> {
    let header = header(
        path,
        &bytes,
        MAGIC_IMAGES,
        &[images, shape.height, shape.width],
    )?;
    bytes.drain(..header);
    Ok(bytes)
}

/// Reads `count` labels below `classes` from an IDX file.
pub(crate) fn labels(
    path: &Path,
    mut bytes: Vec<u8>,
    count: usize,
    classes: usize,
) -> Result<Vec<u8>, DataError> {
    let header = header(path, &bytes, MAGIC_LABELS, &[count])?;
    if let Some(i) = bytes[header..]
        .iter()
        .position(|&label| usize::from(label) >= classes)
    {
        let (offset, label) = ((header + i) as u64, bytes[header + i]);
        return Err(malformed(
            path,
            offset,
            format!("a label below {classes}"),
            label.to_string(),
        ));
    }
    bytes.drain(..header);
    Ok(bytes)
}

/// Checks the header and the length against the expected sizes; returns the header's length.
fn header(path: &Path, bytes: &[u8], magic: u32, sizes: &[usize]) -> Result<usize, DataError> {
    const NAMES: [&str; 3] = [
        "the number of items",
        "the number of rows",
        "the number of columns",
    ];
    let word = |i: usize| -> Result<u32, DataError> {
        match bytes.get(4 * i..4 * i + 4) {
            Some(word) => Ok(u32::from_be_bytes([word[0], word[1], word[2], word[3]])),
            None => Err(malformed(
                path,
                bytes.len() as u64,
                format!("a header of {} bytes", 4 * (1 + sizes.len())),
                if bytes.is_empty() {
                    "an empty file"
                } else {
                    "the end of the file"
                },
            )),
        }
    };
    let found = word(0)?;
    if found != magic {
        return Err(malformed(
            path,
            0,
            format!("the IDX magic number {magic:08x}"),
            format!("{found:08x}"),
        ));
    }
    for (i, &size) in sizes.iter().enumerate() {
        let found = word(i + 1)?;
        if found as usize != size {
            let offset = 4 * (i as u64 + 1);
            return Err(malformed(
                path,
                offset,
                format!("{} {size}", NAMES[i]),
                found.to_string(),
            ));
        }
    }
    let header = 4 * (1 + sizes.len());
    check_size(
        path,
        bytes,
        sizes
            .iter()
            .fold(1u64, |product, &size| product.saturating_mul(size as u64))
            .saturating_add(header as u64),
    )?;
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 1,
        height: 2,
        width: 3,
    };

    fn image_file() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend(0..12);
        bytes
    }

    fn label_file() -> Vec<u8> {
        vec![0, 0, 8, 1, 0, 0, 0, 3, 0, 9, 4]
    }

    fn image_error(bytes: Vec<u8>) -> String {
        images(Path::new("pictures"), bytes, 2, SHAPE)
            .unwrap_err()
            .to_string()
    }

    fn label_error(bytes: Vec<u8>) -> String {
        labels(Path::new("labels"), bytes, 3, 10)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn reads_what_the_header_announces() {
        let path = Path::new("file");
        assert_eq!(
            images(path, image_file(), 2, SHAPE).unwrap(),
            (0..12).collect::<Vec<u8>>()
        );
        assert_eq!(labels(path, label_file(), 3, 10).unwrap(), [0, 9, 4]);
    }

    #[test]
    fn an_empty_file_is_named() {
        assert!(image_error(vec![]).starts_with(
            "pictures: at byte 0: expected a header of 16 bytes, found an empty file"
        ));
        assert!(label_error(vec![]).contains("expected a header of 8 bytes, found an empty file"));
    }

    #[test]
    fn a_truncated_file_is_named() {
        let mut bytes = image_file();
        bytes.truncate(20);
        assert!(
            image_error(bytes.clone())
                .contains("at byte 20: expected 28 bytes in all, found the end after 20 bytes")
        );
        bytes.truncate(10);
        assert!(image_error(bytes).contains("at byte 10: expected a header of 16 bytes"));
        assert!(label_error(label_file()[..9].to_vec()).contains("at byte 9: expected 11 bytes"));
    }

    #[test]
    fn an_oversized_file_is_named() {
        let mut bytes = image_file();
        bytes.push(0);
        assert!(image_error(bytes).contains("at byte 28: expected 28 bytes in all, found more"));
        let mut bytes = label_file();
        bytes.push(0);
        assert!(label_error(bytes).contains("at byte 11: expected 11 bytes in all, found more"));
    }

    #[test]
    fn a_wrong_magic_number_is_named() {
        assert!(
            image_error(label_file())
                .contains("at byte 0: expected the IDX magic number 00000803, found 00000801")
        );
        assert!(label_error(image_file()).contains("found 00000803"));
    }

    #[test]
    fn wrong_sizes_in_the_header_are_named() {
        let mut bytes = image_file();
        bytes[15] = 4;
        assert!(
            image_error(bytes).contains("at byte 12: expected the number of columns 3, found 4")
        );
        let mut bytes = label_file();
        bytes[4] = 255;
        assert!(label_error(bytes).contains("at byte 4: expected the number of items 3"));
    }

    #[test]
    fn a_label_out_of_range_is_named() {
        let mut bytes = label_file();
        bytes[9] = 10;
        assert!(label_error(bytes).contains("at byte 9: expected a label below 10, found 10"));
    }
}
