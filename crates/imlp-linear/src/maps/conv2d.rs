//! Two-dimensional convolution (cross-correlation, as every framework) with
//! zero padding.
//!
//! ```text
//! y[o, i, j] = b[o] + Σ_{c,u,v} w[o, c, u, v] · x[c, i·s_h + u − p_h, j·s_w + v − p_w]
//! W_P[(o,i,j), (c,r,s)] = w[o, c, r − i·s_h + p_h, s − j·s_w + p_w]   inside the kernel, else 0
//! ```
//!
//! Sources: Dumoulin & Visin 2016 (arXiv 1603.07285) for the arithmetic; Ma &
//! Lu 2017 (arXiv 1712.01252) for the equivalent fully-connected layer.

use std::any::Any;

use super::window::{Axis, axes, refuse_overflow, refuse_zeros, sample_pair};
use crate::arithmetic::{axpy, product};
use crate::map::{add_run, group_bias};
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`Conv2d`], unchecked; pairs are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Output channels.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Zeros added on each side; smaller than the kernel.
    pub padding: [usize; 2],
    /// Whether there is a bias, `[out_channels]`.
    pub bias: bool,
}

/// Convolution of `[C, H, W]` to `[O, H', W']` with `w: [O, C, kh, kw]` and
/// `b: [O]`, as `torch.nn.Conv2d`.
///
/// `H' = ⌊(H + 2·p_h − k_h) / s_h⌋ + 1`, `W'` likewise.
///
/// ```text
/// y[o, i, j] = b[o] + Σ_{c,u,v} w[o, c, u, v] · x[c, i·s_h + u − p_h, j·s_w + v − p_w]
/// ```
///
/// Sources: Dumoulin & Visin 2016 (arXiv 1603.07285); Ma & Lu 2017 (arXiv
/// 1712.01252).
#[derive(Clone, Debug)]
pub struct Conv2d {
    config: Conv2dConfig,
    input: Shape,
    output: Shape,
    rows: Axis,
    columns: Axis,
}

impl Conv2d {
    const KIND: &'static str = "conv2d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Dumoulin & Visin 2016, arXiv 1603.07285; Ma & Lu 2017, arXiv 1712.01252",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size or stride of 0, padding not smaller than the kernel, a kernel
    /// larger than the padded image, or an overflow.
    pub fn new(config: Conv2dConfig) -> Result<Self, LinearError> {
        let Conv2dConfig {
            image: [channels, height, width],
            out_channels,
            kernel,
            stride,
            padding,
            bias: _,
        } = config;
        let input = Shape::image(channels, height, width);
        let sizes = [
            ("the number of input channels", channels),
            ("the image height", height),
            ("the image width", width),
            ("the number of output channels", out_channels),
            ("the kernel height", kernel[0]),
            ("the kernel width", kernel[1]),
            ("the vertical stride", stride[0]),
            ("the horizontal stride", stride[1]),
        ];
        let wanted = format!("{out_channels} channels");
        refuse_zeros(Self::KIND, &input, wanted, &sizes)?;
        let [rows, columns] = axes(Self::KIND, &input, kernel, stride, padding)?;
        let output = Shape::image(out_channels, rows.output, columns.output);
        let weight = [out_channels, channels, kernel[0], kernel[1]];
        refuse_overflow(Self::KIND, &input, &output, &weight)?;
        Ok(Self {
            config,
            input,
            output,
            rows,
            columns,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &Conv2dConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let kernel = sample_pair(sampler, 1, 4);
        let padding = kernel.map(|k| sampler.between(0, k - 1));
        let channels = sampler.between(1, 3);
        let side = |sampler: &mut dyn Sampler, i: usize| {
            let smallest = kernel[i].saturating_sub(2 * padding[i]).max(1);
            sampler.between(smallest, 7)
        };
        let config = Conv2dConfig {
            image: [channels, side(sampler, 0), side(sampler, 1)],
            out_channels: sampler.between(1, 3),
            kernel,
            stride: sample_pair(sampler, 1, 3),
            padding,
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl StructuredMap for Conv2d {
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
        let [kh, kw] = self.config.kernel;
        vec![self.config.out_channels, self.config.image[0], kh, kw]
    }

    fn bias_len(&self) -> usize {
        self.config.out_channels
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let [channels, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let plane = self.rows.output * self.columns.output;
        let (o, position) = (row / plane, row % plane);
        let vertical = self.rows.span(position / self.columns.output);
        let horizontal = self.columns.span(position % self.columns.output);
        for c in 0..channels {
            for k in 0..vertical.len {
                let u = vertical.kernel_start + k;
                let w = ((o * channels + c) * kh + u) * kw + horizontal.kernel_start;
                let x = (c * height + vertical.input_start + k) * width + horizontal.input_start;
                add_run(alpha, &p.weight[w..w + horizontal.len], x, out);
            }
        }
    }

    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        group_bias(p, row / (self.rows.output * self.columns.output))
    }

    /// Shift and add: each kernel entry adds a scaled, shifted copy of its
    /// input plane to its output plane.
    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let [channels, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let [sh, sw] = self.config.stride;
        let [ph, pw] = self.config.padding;
        let out_width = self.columns.output;
        let planes = y.chunks_exact_mut(self.rows.output * out_width);
        for (o, y) in planes.enumerate() {
            y.fill(group_bias(p, o));
            for c in 0..channels {
                let x = &x[c * height * width..(c + 1) * height * width];
                for (u, v) in (0..kh).flat_map(|u| (0..kw).map(move |v| (u, v))) {
                    let w = p.weight[((o * channels + c) * kh + u) * kw + v];
                    let (j0, j1) = reached(v, pw, sw, width, out_width);
                    let (i0, i1) = reached(u, ph, sh, height, self.rows.output);
                    if j0 == j1 {
                        continue;
                    }
                    for i in i0..i1 {
                        let line = &x[(i * sh + u - ph) * width..][..width];
                        let from = &line[j0 * sw + v - pw..];
                        let to = &mut y[i * out_width + j0..i * out_width + j1];
                        if sw == 1 {
                            axpy(w, &from[..j1 - j0], to);
                        } else {
                            for (y, x) in to.iter_mut().zip(from.iter().step_by(sw)) {
                                *y += w * x;
                            }
                        }
                    }
                }
            }
        }
    }

    fn flops(&self) -> u64 {
        let [kh, kw] = self.config.kernel;
        product(&[2, self.output.len(), self.config.image[0], kh, kw])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Output positions `start..end` whose kernel entry `k` meets the input:
/// `0 ≤ i·stride + k − padding < input`.
fn reached(k: usize, padding: usize, stride: usize, input: usize, output: usize) -> (usize, usize) {
    let start = padding.saturating_sub(k).div_ceil(stride);
    let end = (input + padding).saturating_sub(k).div_ceil(stride);
    let end = end.min(output);
    (start.min(end), end)
}
