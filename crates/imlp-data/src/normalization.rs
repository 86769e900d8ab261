//! Mean and standard deviation of the channels, by which the pixels are normalised.

use crate::error::DataError;
use crate::image_set::ImageSet;

/// Mean and standard deviation of each channel, in units of pixel / 255.
///
/// A pixel p of channel c becomes `(p/255 − mean[c]) / std[c]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of each channel, `[channels]`.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, `[channels]`; positive.
    pub std: Vec<f32>,
}

impl Normalization {
    /// Measures the images `indices` of `set`, to be called with the training images only.
    ///
    /// The sums are whole numbers, so the result depends neither on the order of the images nor on
    /// the platform. The deviation is that of the population (divided by n). A channel in which all
    /// pixels are equal gets the deviation 1, so that it becomes 0 everywhere instead of NaN.
    ///
    /// # Errors
    /// [`DataError::Argument`] when `indices` is empty or names an image that does not exist.
    pub fn of(set: &ImageSet, indices: &[u32]) -> Result<Self, DataError> {
        if indices.is_empty() {
            return Err(DataError::argument(
                "the number of images to measure",
                "at least 1",
                0,
            ));
        }
        let shape = set.shape();
        let mut sums = vec![(0u64, 0u64); shape.channels];
        for &i in indices {
            check_index(set, i)?;
            let planes = set.image(i as usize).chunks_exact(shape.plane());
            for ((sum, squares), plane) in sums.iter_mut().zip(planes) {
                // Short runs let the compiler use narrow, fast sums: 64 · 255² fits 32 bits.
                for run in plane.chunks(64) {
                    *sum += u64::from(run.iter().map(|&p| u32::from(p)).sum::<u32>());
                    *squares += u64::from(
                        run.iter()
                            .map(|&p| u32::from(p) * u32::from(p))
                            .sum::<u32>(),
                    );
                }
            }
        }
        let n = indices.len() as u128 * shape.plane() as u128;
        let mut result = Self {
            mean: Vec::new(),
            std: Vec::new(),
        };
        for (sum, squares) in sums {
            let (sum, squares) = (u128::from(sum), u128::from(squares));
            // n²·variance, exact: nothing cancels.
            let scaled_variance = n * squares - sum * sum;
            let scale = 255.0 * n as f64;
            let std = (scaled_variance as f64).sqrt() / scale;
            result.mean.push((sum as f64 / scale) as f32);
            result.std.push(if scaled_variance == 0 {
                1.0
            } else {
                std as f32
            });
        }
        Ok(result)
    }

    /// Checks that there is one finite mean and one finite, positive deviation for each channel.
    pub(crate) fn check(&self, channels: usize) -> Result<(), DataError> {
        for (what, values) in [("means", &self.mean), ("deviations", &self.std)] {
            if values.len() != channels {
                return Err(DataError::argument(
                    format!("the number of {what} of the normalization"),
                    format!("{channels}, the number of channels"),
                    values.len(),
                ));
            }
        }
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return Err(DataError::argument(
                "a mean of the normalization",
                "finite",
                mean,
            ));
        }
        if let Some(std) = self
            .std
            .iter()
            .find(|&&std| !(std.is_finite() && std > 0.0))
        {
            return Err(DataError::argument(
                "a deviation of the normalization",
                "finite and positive",
                std,
            ));
        }
        Ok(())
    }
}

/// Checks that image `i` exists.
pub(crate) fn check_index(set: &ImageSet, i: u32) -> Result<(), DataError> {
    if (i as usize) < set.len() {
        return Ok(());
    }
    Err(DataError::argument(
        "the index of an image",
        format!("below {}", set.len()),
        i,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shape::ImageShape;

    const SHAPE: ImageShape = ImageShape {
        channels: 2,
        height: 3,
        width: 5,
    };

    proptest! {
        /// Against the two-pass formula in 64-bit floats.
        #[test]
        fn agrees_with_the_textbook(
            pixels in prop::collection::vec(any::<u8>(), 30 * 4),
            indices in prop::collection::vec(0u32..4, 1..6),
        ) {
            let set = ImageSet::new(SHAPE, 1, pixels, vec![0; 4]).unwrap();
            let found = Normalization::of(&set, &indices).unwrap();
            for c in 0..2 {
                let values: Vec<f64> = indices
                    .iter()
                    .flat_map(|&i| &set.image(i as usize)[15 * c..15 * (c + 1)])
                    .map(|&p| f64::from(p) / 255.0)
                    .collect();
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
                prop_assert!((f64::from(found.mean[c]) - mean).abs() < 1e-6);
                prop_assert!((f64::from(found.std[c]) - std).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_constant_channel_gets_the_deviation_one() {
        let pixels = [vec![51; 15], (0..15).collect()].concat();
        let set = ImageSet::new(SHAPE, 1, pixels, vec![0]).unwrap();
        let norm = Normalization::of(&set, &[0]).unwrap();
        assert_eq!((norm.mean[0], norm.std[0]), (0.2, 1.0));
        assert!(norm.std[1] < 0.1);
    }

    #[test]
    fn bad_indices_are_refused() {
        let set = ImageSet::new(SHAPE, 1, vec![0; 30], vec![0]).unwrap();
        assert!(Normalization::of(&set, &[]).is_err());
        let text = Normalization::of(&set, &[0, 1]).unwrap_err().to_string();
        assert_eq!(text, "the index of an image is 1, but must be below 1");
    }

    #[test]
    fn checks_find_wrong_lengths_and_values() {
        let check = |mean: &[f32], std: &[f32]| {
            Normalization {
                mean: mean.to_vec(),
                std: std.to_vec(),
            }
            .check(2)
        };
        assert!(check(&[0.0, 0.0], &[1.0, 1.0]).is_ok());
        assert!(check(&[0.0], &[1.0, 1.0]).is_err());
        assert!(check(&[0.0, 0.0], &[1.0]).is_err());
        assert!(check(&[0.0, f32::NAN], &[1.0, 1.0]).is_err());
        assert!(check(&[0.0, 0.0], &[1.0, 0.0]).is_err());
    }
}
