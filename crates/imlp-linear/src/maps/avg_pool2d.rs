//! Average pooling: a convolution of each channel by itself with a constant
//! kernel.
//!
//! ```text
//! y[c, i, j] = 1/n(i, j) · Σ_{u,v} x̃[c, i·s_h + u − p_h, j·s_w + v − p_w]
//! ```
//!
//! with n = k_h·k_w, or without counting the padding, the positions of the
//! window inside the image.
//!
//! Source: Dumoulin & Visin 2016, pooling arithmetic (arXiv 1603.07285).

use super::conv2d::Conv2dConfig;
use super::geometry::{geometry, no_parameters, refuse_overflow, refuse_zeros};
use super::window::{Axis, sample_pair};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;
use crate::padding::Padding;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of an [`AvgPool2d`], unchecked; pairs are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Zeros on each side, at most half the window.
    pub padding: [usize; 2],
    /// Whether the average counts the zeros.
    pub count_include_pad: bool,
}

impl AvgPool2dConfig {
    /// PyTorch's defaults: windows that tile, no padding (counted if any).
    pub const fn new(image: [usize; 3], kernel: [usize; 2]) -> Self {
        Self {
            image,
            kernel,
            stride: kernel,
            padding: [0, 0],
            count_include_pad: true,
        }
    }

    fn parse(options: &mut Options) -> Result<Self, LinearError> {
        let (image, kernel) = (options.image()?, options.pair("kernel")?);
        Ok(Self {
            stride: options.pair_or("stride", kernel)?,
            padding: options.pair_or("padding", [0, 0])?,
            count_include_pad: options.flag_or("count_include_pad", true)?,
            ..Self::new(image, kernel)
        })
    }
}

/// Average of windows: `[C, H, W]` to `[C, H', W']`, no parameters, as
/// `torch.nn.AvgPool2d`; `H' = ⌊(H + 2·p_h − k_h) / s_h⌋ + 1`, `W'` likewise.
///
/// ```text
/// y[c, i, j] = 1/n(i, j) · Σ_{u,v} x̃[c, i·s_h + u − p_h, j·s_w + v − p_w]
/// ```
///
/// Source: Dumoulin & Visin 2016, pooling arithmetic (arXiv 1603.07285).
#[derive(Clone, Debug)]
pub struct AvgPool2d {
    config: AvgPool2dConfig,
    input: Shape,
    output: Shape,
    rows: Axis,
    columns: Axis,
}

impl AvgPool2d {
    const KIND: &'static str = "avg-pool2d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Dumoulin & Visin 2016, arXiv 1603.07285",
        syntax: "in=C, kernel=K or HxW, input=HxW; stride=kernel, padding=0, \
                 count_include_pad=true",
        parse: |options| Ok(Box::new(Self::new(AvgPool2dConfig::parse(options)?)?)),
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, padding above half the window, a window larger than the
    /// padded image, or an overflow.
    pub fn new(config: AvgPool2dConfig) -> Result<Self, LinearError> {
        let AvgPool2dConfig {
            image: [channels, height, width],
            kernel,
            stride,
            padding,
            count_include_pad: _,
        } = config;
        refuse_zeros(Self::KIND, &[("the number of channels", channels)])?;
        for i in [0, 1] {
            if padding[i] > kernel[i] / 2 {
                return Err(LinearError::PoolPadding {
                    kind: Self::KIND,
                    padding,
                    kernel,
                });
            }
        }
        let [rows, columns] = Conv2dConfig {
            stride,
            padding: Padding::symmetric(padding),
            ..Conv2dConfig::new(config.image, channels, kernel)
        }
        .axes(Self::KIND)?;
        let input = Shape::image(channels, height, width);
        let output = Shape::image(channels, rows.output, columns.output);
        refuse_overflow(Self::KIND, &input, &output, &[])?;
        Ok(Self {
            config,
            input,
            output,
            rows,
            columns,
        })
    }

    /// The average over the whole image: `[C, H, W]` to `[C, 1, 1]`.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn global(image: [usize; 3]) -> Result<Self, LinearError> {
        Self::new(AvgPool2dConfig::new(image, [image[1], image[2]]))
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &AvgPool2dConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let kernel = sample_pair(sampler, 1, 4);
        let sides = kernel.map(|k| sampler.between(k, 7));
        let image = [sampler.between(1, 3), sides[0], sides[1]];
        let map = if sampler.between(0, 3) == 0 {
            Self::global(image)
        } else {
            Self::new(AvgPool2dConfig {
                stride: sample_pair(sampler, 1, 3),
                padding: kernel.map(|k| sampler.between(0, k / 2)),
                count_include_pad: sampler.flip(),
                ..AvgPool2dConfig::new(image, kernel)
            })
        };
        Box::new(map.expect("a valid sample"))
    }
}

impl Tied for AvgPool2d {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [_, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let plane = self.rows.output * self.columns.output;
        let (c, position) = (row / plane, row % plane);
        let (i, j) = (
            position / self.columns.output,
            position % self.columns.output,
        );
        let count = if self.config.count_include_pad {
            kh as f64 * kw as f64
        } else {
            let (mut inside_h, mut inside_w) = (0, 0);
            self.rows.spans(i, |span| inside_h += span.len);
            self.columns.spans(j, |span| inside_w += span.len);
            inside_h as f64 * inside_w as f64
        };
        self.rows.taps(i, |_, r| {
            self.columns.spans(j, |span| {
                visit(RowSegment {
                    len: span.len,
                    ..RowSegment::fixed((c * height + r) * width + span.input, (1.0 / count) as f32)
                });
            });
        });
    }
}

impl StructuredMap for AvgPool2d {
    geometry!();
    no_parameters!();

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// One addition per window position and output (the last one stands for
    /// the division); there are no multiply-adds.
    fn flops(&self) -> u64 {
        let [kh, kw] = self.config.kernel;
        product(&[self.output.len(), kh, kw])
    }
}
