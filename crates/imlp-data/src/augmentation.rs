//! Random changes to training images that keep their class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{Purpose, Stream};
use crate::shape::ImageShape;

/// Black pixels added on every side before cropping.
const PADDING: usize = 4;

/// How training images are varied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Not at all.
    #[default]
    None,
    /// Four black pixels are added on every side, a random window of the original size is cut out,
    /// and half of the windows are mirrored left to right.
    ///
    /// As torchvision's `RandomCrop(size, padding=4)` and `RandomHorizontalFlip()` before
    /// normalisation: what comes from the padding is a black pixel, which normalises like any other.
    CropFlip,
}

/// One draw of [`Augmentation::CropFlip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CropFlip {
    /// Top row of the window in the padded image, 0..=8.
    pub top: usize,
    /// Left column of the window in the padded image, 0..=8.
    pub left: usize,
    /// Whether the window is mirrored.
    pub flip: bool,
}

impl CropFlip {
    /// The draw for an image in an epoch; a function of the arguments alone.
    pub fn draw(seed: u64, epoch: u32, image: u32) -> Self {
        let counters = [u64::from(epoch), u64::from(image)];
        let mut stream = Stream::new(Purpose::Augmentation, seed, counters);
        let positions = 2 * PADDING as u64 + 1;
        Self {
            top: stream.below(positions) as usize,
            left: stream.below(positions) as usize,
            flip: stream.below(2) == 1,
        }
    }

    /// Writes the changed plane (`[height, width]`), each pixel translated by `table`.
    pub fn apply(self, shape: ImageShape, table: &[f32; 256], plane: &[u8], out: &mut [f32]) {
        let (height, width) = (shape.height, shape.width);
        let black = table[0];
        // Columns of the output, before mirroring, that show columns of the image.
        let start = PADDING.saturating_sub(self.left).min(width);
        let end = (width + PADDING)
            .saturating_sub(self.left)
            .min(width)
            .max(start);
        let first_source = (start + self.left).saturating_sub(PADDING).min(width);
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let source = (row + self.top)
                .checked_sub(PADDING)
                .filter(|&source| source < height);
            let Some(source) = source else {
                out.fill(black);
                continue;
            };
            let pixels = &plane[source * width + first_source..][..end - start];
            if self.flip {
                out[..width - end].fill(black);
                out[width - start..].fill(black);
                for (x, &p) in out[width - end..width - start]
                    .iter_mut()
                    .zip(pixels.iter().rev())
                {
                    *x = table[usize::from(p)];
                }
            } else {
                out[..start].fill(black);
                out[end..].fill(black);
                for (x, &p) in out[start..end].iter_mut().zip(pixels) {
                    *x = table[usize::from(p)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Builds the padded image, cuts the window out and mirrors it, a pixel at a time.
    fn slowly(change: CropFlip, shape: ImageShape, table: &[f32; 256], plane: &[u8]) -> Vec<f32> {
        let (height, width) = (shape.height, shape.width);
        let mut padded = vec![vec![0u8; width + 8]; height + 8];
        for row in 0..height {
            for column in 0..width {
                padded[row + 4][column + 4] = plane[row * width + column];
            }
        }
        let mut out = Vec::new();
        for row in 0..height {
            let mut window = padded[row + change.top][change.left..change.left + width].to_vec();
            if change.flip {
                window.reverse();
            }
            out.extend(window.iter().map(|&p| table[usize::from(p)]));
        }
        out
    }

    proptest! {
        #[test]
        fn fast_and_slow_cropping_agree(
            height in 1usize..12, width in 1usize..12,
            top in 0usize..=8, left in 0usize..=8, flip: bool,
            pixels in prop::collection::vec(any::<u8>(), 144),
        ) {
            let shape = ImageShape { channels: 1, height, width };
            let table: [f32; 256] = std::array::from_fn(|p| p as f32 - 100.0);
            let plane = &pixels[..shape.plane()];
            let change = CropFlip { top, left, flip };
            let mut out = vec![f32::NAN; shape.plane()];
            change.apply(shape, &table, plane, &mut out);
            prop_assert_eq!(out, slowly(change, shape, &table, plane));
        }
    }

    #[test]
    fn every_window_and_mirroring_is_drawn_equally_often() {
        const DRAWS: usize = 162 * 200;
        let mut counts = std::collections::HashMap::new();
        for image in 0..DRAWS as u32 {
            let change = CropFlip::draw(7, 3, image);
            *counts
                .entry((change.top, change.left, change.flip))
                .or_insert(0usize) += 1;
        }
        assert_eq!(counts.len(), 9 * 9 * 2);
        let chi2: f64 = counts
            .values()
            .map(|&n| (n as f64 - 200.0).powi(2) / 200.0)
            .sum();
        // 161 degrees of freedom: 222 is exceeded once in a thousand seeds.
        assert!(chi2 < 222.0, "{chi2}");
    }

    #[test]
    fn draws_depend_on_seed_epoch_and_image() {
        let draws = |seed, epoch, first: u32| -> Vec<CropFlip> {
            (first..first + 20)
                .map(|image| CropFlip::draw(seed, epoch, image))
                .collect()
        };
        let base = draws(1, 2, 0);
        assert_eq!(base, draws(1, 2, 0));
        assert_ne!(base, draws(2, 2, 0));
        assert_ne!(base, draws(1, 3, 0));
        assert_eq!(base[5..], draws(1, 2, 5)[..15]);
    }

    #[test]
    fn names_in_files_are_kebab_case() {
        let name = |a: Augmentation| serde_json::to_string(&a).unwrap();
        assert_eq!(name(Augmentation::None), "\"none\"");
        assert_eq!(name(Augmentation::CropFlip), "\"crop-flip\"");
    }
}
