//! The data set that is compiled into the program: 12 000 images of Fashion-MNIST.
//!
//! 1000 training and 200 test images of each class, chosen at random from the official training and
//! test set. Each set is one grey PNG sheet of 28×28 tiles, ten tiles to a row; the tile in column
//! c shows class c, so that image i, counted row by row, has label `i mod 10` and every prefix of a
//! set is as balanced as can be. `examples/build_fashion_mini.rs` makes the sheets.

use std::io::Cursor;
use std::path::Path;

use crate::catalog::DEFAULT_DATASET;
use crate::class_names;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::image_set::ImageSet;
use crate::shape::ImageShape;

const TRAIN: &[u8] = include_bytes!("../data/fashion-mini-train.png");
const TEST: &[u8] = include_bytes!("../data/fashion-mini-test.png");
const CLASSES: usize = 10;
const TRAIN_IMAGES: usize = 10_000;
const TEST_IMAGES: usize = 2_000;
const SHAPE: ImageShape = ImageShape {
    channels: 1,
    height: 28,
    width: 28,
};
/// [`Dataset::checksum`] of the decoded images.
pub(crate) const CHECKSUM: &str =
    "bee1c78e362fa8b4e192e69722c19ef17c2d60cd07a97504a071e84d0ce246b8";

/// Decodes the data set.
pub(crate) fn load() -> Result<Dataset, DataError> {
    let set = |sheet, name: &str, images| -> Result<ImageSet, DataError> {
        let pixels = decode(sheet, Path::new(name), images)?;
        let labels = (0..images).map(|i| (i % CLASSES) as u8).collect();
        ImageSet::new(SHAPE, CLASSES, pixels, labels)
    };
    Dataset::new(
        DEFAULT_DATASET,
        set(TRAIN, "fashion-mini-train.png", TRAIN_IMAGES)?,
        set(TEST, "fashion-mini-test.png", TEST_IMAGES)?,
        class_names::owned(class_names::FASHION),
    )
}

/// Decodes a sheet of `images` tiles to `[images, 28, 28]`.
fn decode(sheet: &[u8], name: &Path, images: usize) -> Result<Vec<u8>, DataError> {
    let malformed = |expected: String, found: String| DataError::Malformed {
        file: name.to_owned(),
        offset: 0,
        expected,
        found,
    };
    let unreadable =
        |error: png::DecodingError| malformed("a PNG picture".to_owned(), error.to_string());
    let mut reader = png::Decoder::new(Cursor::new(sheet))
        .read_info()
        .map_err(unreadable)?;
    let (width, height) = (SHAPE.width * CLASSES, SHAPE.height * (images / CLASSES));
    let info = reader.info();
    let found = (
        info.width as usize,
        info.height as usize,
        info.color_type,
        info.bit_depth,
    );
    let expected = (
        width,
        height,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
    );
    if found != expected {
        return Err(malformed(
            format!("a PNG of {expected:?}"),
            format!("{found:?}"),
        ));
    }
    let mut rows = vec![0; width * height];
    reader.next_frame(&mut rows).map_err(unreadable)?;
    let mut pixels = Vec::with_capacity(rows.len());
    for tiles in rows.chunks_exact(width * SHAPE.height) {
        for column in 0..CLASSES {
            for row in tiles.chunks_exact(width) {
                pixels.extend_from_slice(&row[column * SHAPE.width..][..SHAPE.width]);
            }
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_pinned() {
        assert_eq!(load().unwrap().checksum, CHECKSUM);
    }

    #[test]
    fn every_class_has_the_same_number_of_images() {
        let data = load().unwrap();
        assert_eq!(data.train.class_counts(), [1000; 10]);
        assert_eq!(data.test.class_counts(), [200; 10]);
        assert_eq!(data.class_names.len(), 10);
    }

    #[test]
    fn the_sheets_are_small() {
        assert!(TRAIN.len() + TEST.len() < 6_000_000);
    }

    #[test]
    fn no_image_is_blank_or_in_both_sets() {
        let data = load().unwrap();
        let images = |set: &ImageSet| -> std::collections::HashSet<Vec<u8>> {
            (0..set.len()).map(|i| set.image(i).to_vec()).collect()
        };
        let (train, test) = (images(&data.train), images(&data.test));
        assert!(train.is_disjoint(&test));
        assert!(!train.contains([0; 784].as_slice()));
    }

    #[test]
    fn a_damaged_sheet_is_refused() {
        let name = Path::new("sheet.png");
        assert!(decode(b"", name, TEST_IMAGES).is_err());
        assert!(decode(&TEST[..TEST.len() / 2], name, TEST_IMAGES).is_err());
        let text = decode(TEST, name, TRAIN_IMAGES).unwrap_err().to_string();
        assert!(
            text.contains("expected a PNG of (280, 28000, Grayscale, Eight)"),
            "{text}"
        );
    }
}
