//! Translated data sets: each image lies somewhere else on its canvas, always at the same place.

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::image_set::ImageSet;
use crate::random::{KeyedRng, Purpose};
use crate::shape::ImageShape;

impl Dataset {
    /// The data set with every image, training, validation and test, moved by a random offset
    /// of up to `pixels` in each direction. The place that it leaves is black; what leaves the
    /// canvas is lost.
    ///
    /// The offset of an image follows from the seed, its part and its index alone, and is the
    /// same in every epoch. The checksum becomes that of the moved images.
    ///
    /// # Errors
    /// [`DataError::Argument`] when `pixels` is not below both sides of the images, or the images
    /// were moved before.
    pub fn translated(mut self, pixels: u32, seed: u64) -> Result<Self, DataError> {
        let shape = self.train.shape();
        let side = shape.height.min(shape.width);
        if pixels as usize >= side || self.translation.is_some() {
            return Err(DataError::argument(
                "the translation of the images",
                format!("below {side} (images are {shape}), and done once"),
                pixels,
            ));
        }
        if pixels == 0 {
            return Ok(self);
        }
        translate(&mut self.train, pixels, seed, 0);
        if let Some(validation) = &mut self.validation {
            translate(validation, pixels, seed, 1);
        }
        translate(&mut self.test, pixels, seed, 2);
        self.translation = Some((pixels, seed));
        self.update_checksum();
        Ok(self)
    }
}

fn translate(set: &mut ImageSet, pixels: u32, seed: u64, part: u64) {
    let shape = set.shape();
    let mut source = vec![0; shape.plane()];
    let images = set.pixels_mut().chunks_exact_mut(shape.len());
    for (i, image) in images.enumerate() {
        let mut rng = KeyedRng::new(Purpose::Translation, seed, [part, i as u64]);
        let mut offset = || rng.below(2 * u64::from(pixels) + 1) as isize - pixels as isize;
        let (down, right) = (offset(), offset());
        for plane in image.chunks_exact_mut(shape.plane()) {
            source.copy_from_slice(plane);
            shift(shape, &source, plane, down, right);
        }
    }
}

/// Writes `source` to `out`, both `[height, width]`, moved down and to the right.
fn shift(shape: ImageShape, source: &[u8], out: &mut [u8], down: isize, right: isize) {
    let width = shape.width;
    // Columns of the output that show columns of the source.
    let start = right.max(0) as usize;
    let end = (width as isize + right.min(0)) as usize;
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        row.fill(0);
        let from = y as isize - down;
        if (0..shape.height as isize).contains(&from) {
            let source = &source[from as usize * width..][..width];
            let first = (start as isize - right) as usize;
            row[start..end].copy_from_slice(&source[first..first + (end - start)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 2,
        height: 5,
        width: 7,
    };

    fn data(images: usize) -> Dataset {
        let set = |first: usize| {
            // No pixel is black, so that the canvas shows.
            let pixels = (0..images * SHAPE.len()).map(|i| ((i * 7 + first) % 255 + 1) as u8);
            ImageSet::new(SHAPE, 2, pixels.collect(), vec![1; images]).unwrap()
        };
        let names = vec!["a".to_owned(), "b".to_owned()];
        Dataset::with_validation("d", set(0), Some(set(1)), set(2), names).unwrap()
    }

    /// The offset (down, right) by which `moved` shows `original`, pixel by pixel, in all planes.
    fn offset(original: &[u8], moved: &[u8]) -> (isize, isize) {
        let (h, w) = (SHAPE.height as isize, SHAPE.width as isize);
        let mut found = Vec::new();
        for down in 1 - h..h {
            for right in 1 - w..w {
                let same = (0..SHAPE.channels as isize).all(|c| {
                    (0..h).all(|y| {
                        (0..w).all(|x| {
                            let (from_y, from_x) = (y - down, x - right);
                            let inside = (0..h).contains(&from_y) && (0..w).contains(&from_x);
                            let at = |y: isize, x: isize| ((c * h + y) * w + x) as usize;
                            let expected = if inside {
                                original[at(from_y, from_x)]
                            } else {
                                0
                            };
                            moved[at(y, x)] == expected
                        })
                    })
                });
                if same {
                    found.push((down, right));
                }
            }
        }
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    #[test]
    fn every_image_is_moved_by_a_fixed_uniform_offset() {
        let original = data(900);
        let moved = original.clone().translated(2, 5).unwrap();
        let again = original.clone().translated(2, 5).unwrap();
        assert_eq!(moved.checksum, again.checksum);
        assert_ne!(moved.checksum, original.checksum);
        let other = original.clone().translated(2, 6).unwrap();
        assert_ne!(moved.checksum, other.checksum);
        let mut parts = Vec::new();
        for (before, after) in original.sets().zip(moved.sets()) {
            let offsets: Vec<_> = (0..before.len())
                .map(|i| offset(before.image(i), after.image(i)))
                .collect();
            let distinct: HashSet<_> = offsets.iter().copied().collect();
            assert_eq!(distinct.len(), 25);
            for axis in [0, 1] {
                for value in -2..=2 {
                    let of = |o: &(isize, isize)| if axis == 0 { o.0 } else { o.1 };
                    let count = offsets.iter().filter(|&o| of(o) == value).count() as f64;
                    // 900/5 = 180 ± 5 standard deviations of 12.
                    assert!((count - 180.0).abs() < 60.0, "{axis} {value}: {count}");
                }
            }
            assert_eq!(before.labels(), after.labels());
            parts.push(offsets);
        }
        // The parts have offsets of their own.
        assert!(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2]);
    }

    #[test]
    fn zero_moves_nothing_and_too_much_is_refused() {
        let original = data(3);
        let same = original.clone().translated(0, 1).unwrap();
        assert_eq!(same.checksum, original.checksum);
        assert_eq!(same.translation, None);
        let error = original.clone().translated(5, 1).unwrap_err().to_string();
        assert!(error.contains("is 5, but must be below 5"), "{error}");
        let twice = original.translated(1, 1).unwrap().translated(1, 1);
        assert!(twice.unwrap_err().to_string().contains("done once"));
    }
}
