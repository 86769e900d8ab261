//! Average pooling without padding: a convolution of each channel by itself
//! with a constant kernel.
//!
//! ```text
//! y[c, i, j] = 1/(k_h·k_w) · Σ_{u,v} x[c, i·s_h + u, j·s_w + v]
//! ```
//!
//! Source: Dumoulin & Visin 2016, pooling arithmetic (arXiv 1603.07285).

use std::any::Any;

use super::window::{Axis, axes, refuse_overflow, refuse_zeros, sample_pair};
use crate::arithmetic::product;
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of an [`AvgPool2d`], unchecked; pairs are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
}

/// Average of windows: `[C, H, W]` to `[C, H', W']`, no parameters, as
/// `torch.nn.AvgPool2d`; `H' = ⌊(H − k_h) / s_h⌋ + 1`, `W'` likewise.
///
/// ```text
/// y[c, i, j] = 1/(k_h·k_w) · Σ_{u,v} x[c, i·s_h + u, j·s_w + v]
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
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size or stride of 0, a window larger than the image, or an overflow.
    pub fn new(config: AvgPool2dConfig) -> Result<Self, LinearError> {
        let AvgPool2dConfig {
            image: [channels, height, width],
            kernel,
            stride,
        } = config;
        let input = Shape::image(channels, height, width);
        let sizes = [
            ("the number of channels", channels),
            ("the image height", height),
            ("the image width", width),
            ("the kernel height", kernel[0]),
            ("the kernel width", kernel[1]),
            ("the vertical stride", stride[0]),
            ("the horizontal stride", stride[1]),
        ];
        let wanted = format!("{channels} channels");
        refuse_zeros(Self::KIND, &input, wanted, &sizes)?;
        let [rows, columns] = axes(Self::KIND, &input, kernel, stride, [0, 0])?;
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
        Self::new(AvgPool2dConfig {
            image,
            kernel: [image[1], image[2]],
            stride: [1, 1],
        })
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
                image,
                kernel,
                stride: sample_pair(sampler, 1, 3),
            })
        };
        Box::new(map.expect("a valid sample"))
    }

    /// `1/(k_h·k_w)`.
    fn share(&self) -> f32 {
        let [kh, kw] = self.config.kernel;
        (1.0 / (kh as f64 * kw as f64)) as f32
    }
}

impl StructuredMap for AvgPool2d {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn in_shape(&self) -> &Shape {
        &self.input
    }

    fn out_shape(&self) -> &Shape {
        &self.output
    }

    fn weight_shape(&self) -> Vec<usize> {
        Vec::new()
    }

    fn bias_len(&self) -> usize {
        0
    }

    fn has_bias(&self) -> bool {
        false
    }

    fn add_row(&self, _: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let [_, height, width] = self.config.image;
        let plane = self.rows.output * self.columns.output;
        let (c, position) = (row / plane, row % plane);
        let vertical = self.rows.span(position / self.columns.output);
        let horizontal = self.columns.span(position % self.columns.output);
        let value = alpha * self.share();
        for r in vertical.input_start..vertical.input_start + vertical.len {
            let start = (c * height + r) * width + horizontal.input_start;
            for out in &mut out[start..start + horizontal.len] {
                *out += value;
            }
        }
    }

    fn bias_at(&self, _: Parameters<'_>, _: usize) -> f32 {
        0.0
    }

    fn apply(&self, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let [_, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let [sh, sw] = self.config.stride;
        let share = self.share();
        let out_width = self.columns.output;
        let planes = x.chunks_exact(height * width);
        for (x, y) in planes.zip(y.chunks_exact_mut(self.rows.output * out_width)) {
            for (i, y) in y.chunks_exact_mut(out_width).enumerate() {
                let band = &x[i * sh * width..(i * sh + kh) * width];
                for (j, y) in y.iter_mut().enumerate() {
                    let lines = band.chunks_exact(width);
                    let sum: f32 = lines.flat_map(|line| &line[j * sw..j * sw + kw]).sum();
                    *y = share * sum;
                }
            }
        }
    }

    /// One addition per window position and output (the last one stands for
    /// the division); there are no multiply-adds.
    fn flops(&self) -> u64 {
        let [kh, kw] = self.config.kernel;
        product(&[self.output.len(), kh, kw])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
