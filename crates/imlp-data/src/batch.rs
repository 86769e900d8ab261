//! From bytes to the numbers that a network reads.

use crate::augmentation::{Augmentation, CropFlip};
use crate::error::DataError;
use crate::image_set::ImageSet;
use crate::normalization::{Normalization, check_index};
use crate::shape::ImageShape;

/// Writes batches of normalised, augmented images into memory of the caller.
///
/// What is written for an image depends on the image, the seed and the epoch alone: not on the
/// other images of the batch, nor on the thread. A loader is cheap to build and can be shared.
///
/// ```
/// use imlp_data::{Augmentation, BatchLoader, ImageSet, ImageShape, Normalization};
///
/// let shape = ImageShape { channels: 1, height: 1, width: 2 };
/// let set = ImageSet::new(shape, 2, vec![0, 255, 255, 255], vec![1, 0])?;
/// let norm = Normalization { mean: vec![0.5], std: vec![0.5] };
/// let loader = BatchLoader::new(shape, &norm, Augmentation::None, 0)?;
/// let (mut x, mut y) = ([0.0; 4], [0i64; 2]);
/// loader.fill(&set, &[1, 0], 0, &mut x, &mut y)?;
/// assert_eq!((x, y), ([1.0, 1.0, -1.0, 1.0], [0, 1]));
/// # Ok::<(), imlp_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchLoader {
    shape: ImageShape,
    /// For each channel the normalised value of each byte.
    tables: Vec<[f32; 256]>,
    augmentation: Augmentation,
    seed: u64,
}

impl BatchLoader {
    /// Prepares the tables for images of `shape`.
    ///
    /// # Errors
    /// [`DataError::Argument`] when the normalization has not one finite mean and one finite,
    /// positive deviation for each channel.
    pub fn new(
        shape: ImageShape,
        normalization: &Normalization,
        augmentation: Augmentation,
        seed: u64,
    ) -> Result<Self, DataError> {
        normalization.check(shape.channels)?;
        let channels = normalization.mean.iter().zip(&normalization.std);
        let tables = channels
            .map(|(mean, std)| std::array::from_fn(|p| (p as f32 / 255.0 - mean) / std))
            .collect();
        Ok(Self {
            shape,
            tables,
            augmentation,
            seed,
        })
    }

    /// Writes the images `indices` of `set` to `x`, `[images, channels, height, width]`, and their
    /// labels to `y`, `[images]`, as any number type that holds a byte.
    ///
    /// # Errors
    /// [`DataError::Argument`] when `set` has another shape than the loader, `x` or `y` has not the
    /// length for `indices`, or an index is not below `set.len()`; `x` and `y` are then unchanged.
    pub fn fill<Y: From<u8>>(
        &self,
        set: &ImageSet,
        indices: &[u32],
        epoch: u32,
        x: &mut [f32],
        y: &mut [Y],
    ) -> Result<(), DataError> {
        self.check(set, indices, x.len(), y.len())?;
        for (y, &i) in y.iter_mut().zip(indices) {
            *y = Y::from(set.label(i as usize));
        }
        let plane = self.shape.plane();
        for (out, &i) in x.chunks_exact_mut(self.shape.len()).zip(indices) {
            let change = match self.augmentation {
                Augmentation::None => None,
                Augmentation::CropFlip => Some(CropFlip::draw(self.seed, epoch, i)),
            };
            let planes = set.image(i as usize).chunks_exact(plane);
            for ((out, pixels), table) in out.chunks_exact_mut(plane).zip(planes).zip(&self.tables)
            {
                match change {
                    Some(change) => change.apply(self.shape, table, pixels, out),
                    None => {
                        for (x, &p) in out.iter_mut().zip(pixels) {
                            *x = table[usize::from(p)];
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn check(&self, set: &ImageSet, indices: &[u32], x: usize, y: usize) -> Result<(), DataError> {
        if set.shape() != self.shape {
            let expected = format!("{}, that of the loader", self.shape);
            return Err(DataError::argument(
                "the shape of the images",
                expected,
                set.shape(),
            ));
        }
        for (what, found, each) in [("x", x, self.shape.len()), ("y", y, 1)] {
            if found != indices.len() * each {
                let expected = format!("{} images × {each}", indices.len());
                return Err(DataError::argument(
                    format!("the length of {what}"),
                    expected,
                    found,
                ));
            }
        }
        indices.iter().try_for_each(|&i| check_index(set, i))
    }
}

/// Writes one batch with a [`BatchLoader`] made for it; see [`BatchLoader::fill`].
///
/// # Errors
/// As [`BatchLoader::new`] and [`BatchLoader::fill`].
#[expect(
    clippy::too_many_arguments,
    reason = "the loader without the struct, for one-off use"
)]
pub fn fill_batch<Y: From<u8>>(
    set: &ImageSet,
    indices: &[u32],
    normalization: &Normalization,
    augmentation: Augmentation,
    seed: u64,
    epoch: u32,
    x: &mut [f32],
    y: &mut [Y],
) -> Result<(), DataError> {
    BatchLoader::new(set.shape(), normalization, augmentation, seed)?
        .fill(set, indices, epoch, x, y)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 2,
        height: 5,
        width: 3,
    };
    const IMAGES: usize = 7;

    fn set() -> ImageSet {
        let pixels = (0..IMAGES * SHAPE.len())
            .map(|k| (k * 37 % 256) as u8)
            .collect();
        ImageSet::new(SHAPE, IMAGES, pixels, (0..IMAGES as u8).collect()).unwrap()
    }

    fn norm() -> Normalization {
        Normalization {
            mean: vec![0.1, 0.7],
            std: vec![0.3, 2.0],
        }
    }

    fn batch(augmentation: Augmentation, indices: &[u32], epoch: u32) -> (Vec<f32>, Vec<i64>) {
        let mut x = vec![f32::NAN; indices.len() * SHAPE.len()];
        let mut y = vec![-1; indices.len()];
        fill_batch(
            &set(),
            indices,
            &norm(),
            augmentation,
            5,
            epoch,
            &mut x,
            &mut y,
        )
        .unwrap();
        (x, y)
    }

    #[test]
    fn pixels_are_normalised_by_channel() {
        let (x, y) = batch(Augmentation::None, &[4, 0], 0);
        assert_eq!(y, [4, 0]);
        let set = set();
        for (k, &x) in x.iter().enumerate() {
            let (image, rest) = (if k < SHAPE.len() { 4 } else { 0 }, k % SHAPE.len());
            let c = rest / SHAPE.plane();
            let p = f64::from(set.image(image)[rest]) / 255.0;
            let expected = (p - f64::from(norm().mean[c])) / f64::from(norm().std[c]);
            assert!((f64::from(x) - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn padding_is_a_black_pixel() {
        let black = [(0.0 - 0.1f32) / 0.3, (0.0 - 0.7f32) / 2.0];
        // Some epoch moves the image; its border is then the normalised black.
        let moved = (0..50)
            .find(|&epoch| CropFlip::draw(5, epoch, 1).top == 0)
            .unwrap();
        let (x, _) = batch(Augmentation::CropFlip, &[1], moved);
        for (plane, black) in x.chunks_exact(SHAPE.plane()).zip(black) {
            assert!(plane[..4 * SHAPE.width].iter().all(|&x| x == black));
        }
    }

    proptest! {
        #[test]
        fn an_image_does_not_depend_on_its_batch(
            indices in prop::collection::vec(0..IMAGES as u32, 0..20), epoch: u32, crop: bool,
        ) {
            let augmentation = if crop { Augmentation::CropFlip } else { Augmentation::None };
            let (x, y) = batch(augmentation, &indices, epoch);
            for (k, &i) in indices.iter().enumerate() {
                let (alone, label) = batch(augmentation, &[i], epoch);
                prop_assert_eq!(&x[k * SHAPE.len()..(k + 1) * SHAPE.len()], &alone[..]);
                prop_assert_eq!(y[k], label[0]);
            }
        }
    }

    #[test]
    fn wrong_lengths_shapes_and_indices_are_refused_and_leave_the_memory_alone() {
        let (set, norm) = (set(), norm());
        let mut x = vec![-1.0; 2 * SHAPE.len()];
        let mut y = vec![9u8; 2];
        let mut error = |indices: &[u32], x_len: usize, y_len: usize| {
            let (x, y) = (&mut x[..x_len], &mut y[..y_len]);
            fill_batch(&set, indices, &norm, Augmentation::None, 0, 0, x, y)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(&[0, 1], 59, 2),
            "the length of x is 59, but must be 2 images × 30"
        );
        assert!(error(&[0, 1], 60, 1).contains("the length of y is 1"));
        assert!(error(&[0, 7], 60, 2).contains("the index of an image is 7, but must be below 7"));
        assert!(x.iter().all(|&x| x == -1.0) && y == [9, 9]);
        let other = ImageShape { width: 4, ..SHAPE };
        let loader = BatchLoader::new(other, &norm, Augmentation::None, 0).unwrap();
        assert!(loader.fill(&set, &[0, 1], 0, &mut x, &mut y).is_err());
        let grey = Normalization {
            mean: vec![0.0],
            std: vec![1.0],
        };
        assert!(BatchLoader::new(SHAPE, &grey, Augmentation::None, 0).is_err());
    }
}
