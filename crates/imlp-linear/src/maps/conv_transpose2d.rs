//! Transposed convolution: the dense equivalent is a convolution's,
//! transposed.
//!
//! ```text
//! y[o, r, s] = b[o] + Σ w[c, o, u, v] · x[c, i, j]   over c in o's group and all i, u with
//!              r = i·s_h + u·d_h − p_h, and j, v with s = j·s_w + v·d_w − p_w
//! ```
//!
//! Source: Dumoulin & Visin 2016, §4 (arXiv 1603.07285).

use super::conv2d::Conv2dConfig;
use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use super::window::sample_pair;
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`ConvTranspose2d`], unchecked; pairs are
/// `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Output channels.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Distance in the output of neighbours in the input.
    pub stride: [usize; 2],
    /// Distance of kernel positions in the output.
    pub dilation: [usize; 2],
    /// AffineOperator and columns cut from each side of the output.
    pub padding: [usize; 2],
    /// AffineOperator and columns added below and to the right; less than stride or
    /// dilation.
    pub output_padding: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether there is a bias, `[out_channels]`.
    pub bias: bool,
}

impl ConvTranspose2dConfig {
    /// PyTorch's defaults: stride, dilation and groups 1, no paddings, a bias.
    pub const fn new(image: [usize; 3], out_channels: usize, kernel: [usize; 2]) -> Self {
        Self {
            image,
            out_channels,
            kernel,
            stride: [1, 1],
            dilation: [1, 1],
            padding: [0, 0],
            output_padding: [0, 0],
            groups: 1,
            bias: true,
        }
    }

    fn parse(options: &mut Options) -> Result<Self, LinearError> {
        let (image, out_channels) = (options.image()?, options.number("out")?);
        Ok(Self {
            stride: options.pair_or("stride", [1, 1])?,
            dilation: options.pair_or("dilation", [1, 1])?,
            padding: options.pair_or("padding", [0, 0])?,
            output_padding: options.pair_or("output_padding", [0, 0])?,
            groups: options.number_or("groups", 1)?,
            bias: options.bias()?,
            ..Self::new(image, out_channels, options.pair("kernel")?)
        })
    }
}

/// Transposed convolution of `[C, H, W]` to `[O, H', W']` with
/// `w: [C, O/groups, k_h, k_w]` and `b: [O]`, as `torch.nn.ConvTranspose2d`.
///
/// `H' = (H − 1)·s_h − 2·p_h + d_h·(k_h − 1) + output_padding + 1`, `W'`
/// likewise. Its dense equivalent is the transpose of the one of the
/// convolution of `[O, H', W']` to `[C, H, W]` with the same weight.
///
/// Source: Dumoulin & Visin 2016, §4 (arXiv 1603.07285).
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    config: ConvTranspose2dConfig,
    input: Shape,
    output: Shape,
}

impl ConvTranspose2d {
    const KIND: &'static str = "conv-transpose2d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Dumoulin & Visin 2016, §4, arXiv 1603.07285",
        syntax: "in=C, out=O, kernel=K or HxW, input=HxW; stride=1, dilation=1, groups=1, \
                 padding=0, output_padding=0, bias=true",
        parse: |options| Ok(Box::new(Self::new(ConvTranspose2dConfig::parse(options)?)?)),
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, channels that the groups do not divide, padding that
    /// leaves no output, output padding not below stride and dilation, or an
    /// overflow.
    pub fn new(config: ConvTranspose2dConfig) -> Result<Self, LinearError> {
        let [channels, height, width] = config.image;
        Conv2dConfig {
            groups: config.groups,
            ..Conv2dConfig::new(config.image, config.out_channels, config.kernel)
        }
        .check_groups(Self::KIND)?;
        let mut size = [0; 2];
        for (i, axis) in ["height", "width"].into_iter().enumerate() {
            let (input, kernel) = (config.image[1 + i], config.kernel[i]);
            let (stride, dilation) = (config.stride[i], config.dilation[i]);
            refuse_zeros(
                Self::KIND,
                &[
                    ("an image side", input),
                    ("a kernel side", kernel),
                    ("a stride", stride),
                    ("a dilation", dilation),
                ],
            )?;
            let extra = config.output_padding[i];
            if extra >= stride.max(dilation) {
                return Err(LinearError::OutputPadding {
                    kind: Self::KIND,
                    axis,
                    output_padding: extra,
                    stride,
                    dilation,
                });
            }
            let full = (input - 1)
                .checked_mul(stride)
                .and_then(|n| n.checked_add((kernel - 1).checked_mul(dilation)?))
                .and_then(|n| n.checked_add(extra + 1));
            let Some(full) = full else {
                let what = format!("the output {axis}");
                return Err(LinearError::TooLarge {
                    kind: Self::KIND,
                    what,
                });
            };
            let cut = config.padding[i].saturating_mul(2);
            if cut >= full {
                return Err(LinearError::NoOutput {
                    kind: Self::KIND,
                    axis,
                    padding: config.padding[i],
                    full,
                });
            }
            size[i] = full - cut;
        }
        let input = Shape::image(channels, height, width);
        let output = Shape::image(config.out_channels, size[0], size[1]);
        let [kh, kw] = config.kernel;
        let weight = [channels, config.out_channels / config.groups, kh, kw];
        refuse_overflow(Self::KIND, &input, &output, &weight)?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &ConvTranspose2dConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let groups = sampler.between(1, 2);
        let side = sample_pair(sampler, 1, 4);
        let image = [groups * sampler.between(1, 2), side[0], side[1]];
        let kernel = sample_pair(sampler, 1, 4);
        let (stride, dilation) = (sample_pair(sampler, 1, 3), sample_pair(sampler, 1, 2));
        let output_padding = [0, 1].map(|i| sampler.between(0, stride[i].max(dilation[i]) - 1));
        let padding = [0, 1].map(|i| {
            let full = (side[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i];
            sampler.between(0, ((full + output_padding[i]) / 2).min(kernel[i]))
        });
        let config = ConvTranspose2dConfig {
            stride,
            dilation,
            padding,
            output_padding,
            groups,
            bias: sampler.flip(),
            ..ConvTranspose2dConfig::new(image, groups * sampler.between(1, 2), kernel)
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }

    /// Visits the kernel positions and input positions that meet output
    /// position `r` along axis `axis`.
    fn taps(&self, axis: usize, r: usize, mut visit: impl FnMut(usize, usize)) {
        let (stride, dilation) = (self.config.stride[axis], self.config.dilation[axis]);
        let position = r + self.config.padding[axis];
        for k in 0..self.config.kernel[axis] {
            let Some(distance) = position.checked_sub(k * dilation) else {
                break;
            };
            let i = distance / stride;
            if distance % stride == 0 && i < self.config.image[1 + axis] {
                visit(k, i);
            }
        }
    }
}

impl Tied for ConvTranspose2d {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [channels, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let [_, out_height, out_width] = [0, 1, 2].map(|i| self.output.dims()[i]);
        let plane = out_height * out_width;
        let (o, position) = (row / plane, row % plane);
        let (r, s) = (position / out_width, position % out_width);
        let in_group = channels / self.config.groups;
        let out_group = self.config.out_channels / self.config.groups;
        let (first, o) = (o / out_group * in_group, o % out_group);
        self.taps(0, r, |u, i| {
            self.taps(1, s, |v, j| {
                visit(RowSegment {
                    input: (first * height + i) * width + j,
                    input_step: height * width,
                    weight: ((first * out_group + o) * kh + u) * kw + v,
                    weight_step: out_group * kh * kw,
                    len: in_group,
                    factor: 1.0,
                });
            });
        });
    }
}

impl StructuredMap for ConvTranspose2d {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        let [kh, kw] = self.config.kernel;
        let out_group = self.config.out_channels / self.config.groups;
        vec![self.config.image[0], out_group, kh, kw]
    }

    fn bias_len(&self) -> usize {
        self.config.out_channels
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row / (self.output.dims()[1] * self.output.dims()[2])
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// Counted from the input, whose every value meets the whole kernel.
    fn flops(&self) -> u64 {
        let [kh, kw] = self.config.kernel;
        let out_group = self.config.out_channels / self.config.groups;
        product(&[2, self.input.len(), out_group, kh, kw])
    }
}
