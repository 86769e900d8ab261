//! Labelled images in memory, one byte per pixel.

use crate::error::DataError;
use crate::shape::ImageShape;

/// Labelled images of one shape.
///
/// Pixels are bytes (0 = black, 255 = full intensity) in CHW order, image after image; labels are
/// class numbers below [`classes`](Self::classes). The images are held once: share a set between
/// threads with an `Arc`.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    shape: ImageShape,
    classes: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl ImageSet {
    /// A set of `labels.len()` images, checked: `pixels` is `[images, channels, height, width]`.
    ///
    /// # Errors
    /// [`DataError::Argument`] when the shape is empty, `classes` is not in 1..=256, the number of
    /// pixels is not `labels.len() · shape.len()`, or a label is not below `classes`.
    pub fn new(
        shape: ImageShape,
        classes: usize,
        pixels: Vec<u8>,
        labels: Vec<u8>,
    ) -> Result<Self, DataError> {
        if shape.is_empty() {
            return Err(DataError::argument("the image shape", "non-empty", shape));
        }
        if !(1..=256).contains(&classes) {
            return Err(DataError::argument(
                "the number of classes",
                "in 1..=256",
                classes,
            ));
        }
        if labels.len().checked_mul(shape.len()) != Some(pixels.len()) {
            return Err(DataError::argument(
                "the number of pixels",
                format!("{} images × {shape}", labels.len()),
                pixels.len(),
            ));
        }
        if let Some(i) = labels.iter().position(|&l| usize::from(l) >= classes) {
            return Err(DataError::argument(
                format!("the label of image {i}"),
                format!("below {classes}"),
                labels[i],
            ));
        }
        Ok(Self {
            shape,
            classes,
            pixels,
            labels,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the set has no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Shape of every image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Number of classes, whether or not each occurs.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The pixels of image `i`, CHW.
    ///
    /// # Panics
    /// When `i` is not below [`len`](Self::len), as slice indexing does.
    pub fn image(&self, i: usize) -> &[u8] {
        let n = self.shape.len();
        &self.pixels[i * n..(i + 1) * n]
    }

    /// The class of image `i`.
    ///
    /// # Panics
    /// When `i` is not below [`len`](Self::len), as slice indexing does.
    pub fn label(&self, i: usize) -> u8 {
        self.labels[i]
    }

    /// The classes of all images, in order.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels of all images, `[images, channels, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of all images, to change in place.
    pub(crate) fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// How many images each class has, by class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

impl std::fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ImageSet({} images {}, {} classes)",
            self.len(),
            self.shape,
            self.classes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 2,
        height: 1,
        width: 2,
    };

    #[test]
    fn images_are_consecutive_in_chw_order() {
        let set = ImageSet::new(SHAPE, 2, (0..8).collect(), vec![1, 0]).unwrap();
        assert_eq!(set.len(), 2);
        assert_eq!(set.image(1), &[4, 5, 6, 7]);
        assert_eq!(set.label(0), 1);
        assert_eq!(set.class_counts(), [1, 1]);
    }

    #[test]
    fn wrong_sizes_and_labels_are_refused_with_their_values() {
        let error = |shape, classes, pixels: usize, labels: &[u8]| {
            ImageSet::new(shape, classes, vec![0; pixels], labels.to_vec())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(SHAPE, 2, 7, &[0, 1]),
            "the number of pixels is 7, but must be 2 images × 2×1×2"
        );
        assert_eq!(
            error(SHAPE, 2, 8, &[0, 2]),
            "the label of image 1 is 2, but must be below 2"
        );
        assert!(error(SHAPE, 0, 8, &[0, 0]).contains("number of classes is 0"));
        assert!(
            error(
                ImageShape {
                    channels: 0,
                    ..SHAPE
                },
                2,
                0,
                &[]
            )
            .contains("0×1×2")
        );
    }
}
