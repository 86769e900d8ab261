//! Bilinear resize of an image.
//!
//! ```text
//! y[c, i, j] = Σ_{r,s} t(p(i) − r) · t(q(j) − s) · x[c, r, s],   t(d) = max(0, 1 − |d|)
//! ```
//!
//! with p(i) = (i + ½)·H/H' − ½, clamped to the image, or with aligned corners
//! p(i) = i·(H − 1)/(H' − 1); q likewise. Positions are fractions of whole
//! numbers here, so that a weight of 0 is exactly 0.
//!
//! Source: the definition of `torch.nn.functional.interpolate`,
//! `mode='bilinear'`, `antialias=False`.

use super::geometry::{geometry, no_parameters, resized};
use super::window::sample_pair;
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`BilinearResize`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BilinearResizeConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Output height and width.
    pub size: [usize; 2],
    /// Whether the centres of the corner pixels stay where they are; else the
    /// corners of the image do (PyTorch's default).
    pub align_corners: bool,
}

/// Bilinear interpolation of `[C, H, W]` at `[C, H', W']`, no parameters, as
/// `torch.nn.functional.interpolate(x, size, mode='bilinear')`.
///
/// ```text
/// y[c, i, j] = Σ_{r,s} t(p(i) − r) · t(q(j) − s) · x[c, r, s],   t(d) = max(0, 1 − |d|)
/// ```
///
/// Source: the definition of `torch.nn.functional.interpolate`.
#[derive(Clone, Debug)]
pub struct BilinearResize {
    config: BilinearResizeConfig,
    input: Shape,
    output: Shape,
}

impl BilinearResize {
    const KIND: &'static str = "bilinear-resize";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "torch.nn.functional.interpolate, mode='bilinear'",
        syntax: "in=C, size=N or HxW, input=HxW; align_corners=false",
        parse: |options| {
            let config = BilinearResizeConfig {
                image: options.image()?,
                size: options.pair("size")?,
                align_corners: options.flag_or("align_corners", false)?,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: |sampler: &mut dyn Sampler| {
            let side = sample_pair(sampler, 1, 6);
            let config = BilinearResizeConfig {
                image: [sampler.between(1, 3), side[0], side[1]],
                size: sample_pair(sampler, 1, 9),
                align_corners: sampler.flip(),
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: BilinearResizeConfig) -> Result<Self, LinearError> {
        let (input, output) = resized(Self::KIND, config.image, config.size)?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &BilinearResizeConfig {
        &self.config
    }

    /// The one or two pixels along `axis` that give output position `o`, each
    /// with its weight.
    fn taps(&self, axis: usize, o: usize) -> impl Iterator<Item = (usize, f64)> + Clone {
        let (input, output) = (self.config.image[1 + axis], self.config.size[axis]);
        let (numerator, denominator) = if !self.config.align_corners {
            (((2 * o + 1) * input).saturating_sub(output), 2 * output)
        } else if output > 1 {
            (o * (input - 1), output - 1)
        } else {
            (0, 1)
        };
        let (first, rest) = (numerator / denominator, numerator % denominator);
        // Beyond the last pixel's centre there is only the last pixel.
        let second = if first + 1 < input { rest } else { 0 };
        let weight = |part: usize| part as f64 / denominator as f64;
        [
            (first, weight(denominator - second)),
            (first + 1, weight(second)),
        ]
        .into_iter()
        .filter(|&(_, weight)| weight > 0.0)
    }
}

impl Tied for BilinearResize {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [_, height, width] = self.config.image;
        let [out_height, out_width] = self.config.size;
        let (c, position) = (
            row / (out_height * out_width),
            row % (out_height * out_width),
        );
        let columns = self.taps(1, position % out_width);
        for (r, line) in self.taps(0, position / out_width) {
            for (s, column) in columns.clone() {
                let input = (c * height + r) * width + s;
                visit(RowSegment::fixed(input, (line * column) as f32));
            }
        }
    }
}

impl StructuredMap for BilinearResize {
    geometry!();
    no_parameters!();

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// Four multiply-adds per output.
    fn flops(&self) -> u64 {
        product(&[2, 4, self.output.len()])
    }
}
