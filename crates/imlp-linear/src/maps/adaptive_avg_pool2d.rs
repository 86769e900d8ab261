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
use crate::{LinearError, Registration, Run, Sampler, Shape, Structure, StructuredMap, Tied};

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
    fn runs(&self, row: usize, visit: &mut dyn FnMut(Run)) {
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
            visit(Run {
                len: columns.len(),
                ..Run::fixed((c * height + r) * width + columns.start, factor)
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
        let total = |axis: usize| -> u64 {
            let windows = (0..self.config.size[axis]).map(|o| self.window(axis, o).len() as u64);
            windows.sum()
        };
        let channels = self.config.image[0] as u64;
        channels.saturating_mul(total(0)).saturating_mul(total(1))
    }
}
