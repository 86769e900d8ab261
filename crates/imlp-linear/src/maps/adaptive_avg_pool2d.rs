//! Adaptive average pooling: windows that divide the image into a given grid.
//!
//! ```text
//! y[c, i, j] = mean of x[c, ⌊i·H/H'⌋ .. ⌈(i+1)·H/H'⌉, ⌊j·W/W'⌋ .. ⌈(j+1)·W/W'⌉]
//! ```
//!
//! Source: the definition of `torch.nn.AdaptiveAvgPool2d`.

use std::ops::Range;

use super::geometry::{geometry, no_parameters, resized};
use super::window::sample_pair;
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of an [`AdaptiveAvgPool2d`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveAvgPool2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Output height and width; may exceed the input's.
    pub size: [usize; 2],
}

/// Average pooling of `[C, H, W]` to `[C, H', W']` for any H' and W', no
/// parameters, as `torch.nn.AdaptiveAvgPool2d`.
///
/// ```text
/// y[c, i, j] = mean of x[c, ⌊i·H/H'⌋ .. ⌈(i+1)·H/H'⌉, ⌊j·W/W'⌋ .. ⌈(j+1)·W/W'⌉]
/// ```
///
/// Source: the definition of `torch.nn.AdaptiveAvgPool2d`.
#[derive(Clone, Debug)]
pub struct AdaptiveAvgPool2d {
    config: AdaptiveAvgPool2dConfig,
    input: Shape,
    output: Shape,
}

impl AdaptiveAvgPool2d {
    const KIND: &'static str = "adaptive-avg-pool2d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "torch.nn.AdaptiveAvgPool2d",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: AdaptiveAvgPool2dConfig) -> Result<Self, LinearError> {
        let (input, output) = resized(Self::KIND, config.image, config.size)?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &AdaptiveAvgPool2dConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let side = sample_pair(sampler, 1, 7);
        let config = AdaptiveAvgPool2dConfig {
            image: [sampler.between(1, 3), side[0], side[1]],
            size: sample_pair(sampler, 1, 8),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }

    /// The input positions along `axis` that output position `o` averages.
    fn window(&self, axis: usize, o: usize) -> Range<usize> {
        let (input, output) = (self.config.image[1 + axis], self.config.size[axis]);
        o * input / output..((o + 1) * input).div_ceil(output)
    }
}

impl Tied for AdaptiveAvgPool2d {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [_, height, width] = self.config.image;
        let [out_height, out_width] = self.config.size;
        let (c, position) = (
            row / (out_height * out_width),
            row % (out_height * out_width),
        );
        let lines = self.window(0, position / out_width);
        let columns = self.window(1, position % out_width);
        let factor = (1.0 / (lines.len() as f64 * columns.len() as f64)) as f32;
        for r in lines {
            visit(RowSegment {
                len: columns.len(),
                ..RowSegment::fixed((c * height + r) * width + columns.start, factor)
            });
        }
    }
}

impl StructuredMap for AdaptiveAvgPool2d {
    geometry!();
    no_parameters!();

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// One addition per window position and output (the last one stands for
    /// the division); there are no multiply-adds.
    fn flops(&self) -> u64 {
        let [channels, height, width] = self.config.image;
        let [out_height, out_width] = self.config.size;
        product(&[
            channels,
            window_lengths(height, out_height),
            window_lengths(width, out_width),
        ])
    }
}

/// The sum of the lengths of all windows along an axis. Neighbours share at most one position,
/// and share it unless the border between them falls between two positions.
fn window_lengths(input: usize, output: usize) -> usize {
    input.saturating_add(output) - gcd(input, output)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_lengths_are_those_of_the_windows() {
        for input in 1..13 {
            for output in 1..13 {
                let map = AdaptiveAvgPool2d::new(AdaptiveAvgPool2dConfig {
                    image: [1, input, 1],
                    size: [output, 1],
                })
                .unwrap();
                let lengths = (0..output).map(|o| map.window(0, o).len());
                assert_eq!(window_lengths(input, output), lengths.sum::<usize>());
            }
        }
    }

    #[test]
    fn flops_of_a_huge_output_are_counted_at_once() {
        let map = AdaptiveAvgPool2d::new(AdaptiveAvgPool2dConfig {
            image: [1, 1, 1],
            size: [1 << 40, 1],
        })
        .unwrap();
        assert_eq!(map.flops(), 1 << 40);
    }
}
