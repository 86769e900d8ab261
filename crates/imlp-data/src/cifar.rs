//! The binary format of CIFAR-10 and CIFAR-100.
//!
//! A file is a sequence of records without a header. A record is one label byte (CIFAR-10) or a
//! coarse and a fine label byte (CIFAR-100), then 3072 pixels: the red, green and blue plane of
//! 32×32, row-major. Source: <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::path::Path;

use crate::error::DataError;
use crate::shape::ImageShape;

/// Shape of every CIFAR image.
pub(crate) const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// The label bytes of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordFormat<'a> {
    /// Number of classes of each label byte.
    pub label_classes: &'a [usize],
    /// Index of the label byte to keep.
    pub keep: usize,
}

/// The pixels and labels gathered from the files of one set.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub pixels: Vec<u8>,
    pub labels: Vec<u8>,
}

impl Records {
    /// No records, with room for `images`: growing would leave holes as large as a data set.
    pub fn with_room(images: usize) -> Self {
        Self {
            pixels: Vec::with_capacity(images * SHAPE.len()),
            labels: Vec::with_capacity(images),
        }
    }

    /// Appends the `records` records of one file.
    pub fn append(
        &mut self,
        path: &Path,
        bytes: &[u8],
        records: usize,
        format: RecordFormat<'_>,
    ) -> Result<(), DataError> {
        let label_bytes = format.label_classes.len();
        let record_bytes = label_bytes + SHAPE.len();
        let malformed = |offset: usize, expected: String, found: String| DataError::Malformed {
            file: path.to_owned(),
            offset: offset as u64,
            expected,
            found,
        };
        let expected_bytes = records * record_bytes;
        if bytes.len() != expected_bytes {
            return Err(malformed(
                bytes.len().min(expected_bytes),
                format!("{records} records of {record_bytes} bytes, {expected_bytes} in all"),
                if bytes.is_empty() {
                    "an empty file".to_owned()
                } else {
                    format!("{} bytes", bytes.len())
                },
            ));
        }
        self.pixels.reserve_exact(records * SHAPE.len());
        self.labels.reserve_exact(records);
        for (i, record) in bytes.chunks_exact(record_bytes).enumerate() {
            let (labels, pixels) = record.split_at(label_bytes);
            for (j, (&label, &classes)) in labels.iter().zip(format.label_classes).enumerate() {
                if usize::from(label) >= classes {
                    return Err(malformed(
                        i * record_bytes + j,
                        format!("a label below {classes}"),
                        label.to_string(),
                    ));
                }
            }
            self.labels.push(labels[format.keep]);
            self.pixels.extend_from_slice(pixels);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: RecordFormat<'_> = RecordFormat {
        label_classes: &[10],
        keep: 0,
    };
    const FINE: RecordFormat<'_> = RecordFormat {
        label_classes: &[20, 100],
        keep: 1,
    };
    const COARSE: RecordFormat<'_> = RecordFormat { keep: 0, ..FINE };

    /// Records whose pixels all equal the record's number.
    fn file(labels: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (i, labels) in labels.iter().enumerate() {
            bytes.extend_from_slice(labels);
            bytes.extend(std::iter::repeat_n(i as u8, SHAPE.len()));
        }
        bytes
    }

    fn error(bytes: &[u8], records: usize, format: RecordFormat<'_>) -> String {
        Records::default()
            .append(Path::new("batch.bin"), bytes, records, format)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn records_of_several_files_are_concatenated() {
        let mut records = Records::default();
        records
            .append(Path::new("a"), &file(&[&[3], &[9]]), 2, TEN)
            .unwrap();
        records
            .append(Path::new("b"), &file(&[&[0]]), 1, TEN)
            .unwrap();
        assert_eq!(records.labels, [3, 9, 0]);
        assert_eq!(records.pixels.len(), 3 * SHAPE.len());
        assert_eq!(records.pixels[SHAPE.len()], 1);
    }

    #[test]
    fn coarse_or_fine_labels_are_kept() {
        let bytes = file(&[&[19, 99], &[0, 5]]);
        for (format, expected) in [(FINE, [99, 5]), (COARSE, [19, 0])] {
            let mut records = Records::default();
            records.append(Path::new("a"), &bytes, 2, format).unwrap();
            assert_eq!(records.labels, expected);
        }
    }

    #[test]
    fn empty_truncated_and_oversized_files_are_named() {
        let whole = file(&[&[3], &[9]]);
        assert!(error(&[], 2, TEN).starts_with(
            "batch.bin: at byte 0: expected 2 records of 3073 bytes, 6146 in all, found an empty file"
        ));
        assert!(error(&whole[..6145], 2, TEN).contains("at byte 6145: "));
        assert!(error(&whole[..3073], 2, TEN).contains("found 3073 bytes"));
        assert!(error(&file(&[&[0], &[0], &[0]]), 2, TEN).contains("at byte 6146: "));
    }

    #[test]
    fn labels_out_of_range_are_named() {
        assert!(
            error(&file(&[&[3], &[10]]), 2, TEN)
                .contains("at byte 3073: expected a label below 10, found 10")
        );
        assert!(
            error(&file(&[&[20, 0]]), 1, FINE).contains("at byte 0: expected a label below 20")
        );
        assert!(
            error(&file(&[&[0, 100]]), 1, COARSE)
                .contains("at byte 1: expected a label below 100, found 100")
        );
    }
}
