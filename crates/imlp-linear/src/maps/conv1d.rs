//! One-dimensional convolution: a two-dimensional one on an image of height 1.
//!
//! ```text
//! y[o, j] = b[o] + Σ_{c,v} w[o, c, v] · x̃[c₀(o) + c, j·s + v·d − p]
//! ```
//!
//! Source: Dumoulin & Visin 2016 (arXiv 1603.07285).

use super::conv2d::{Conv2d, Conv2dConfig};
use super::geometry::geometry;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;
use crate::padding::{Padding, PaddingMode};
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`Conv1d`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1dConfig {
    /// Input `[channels, length]`.
    pub input: [usize; 2],
    /// Output channels.
    pub out_channels: usize,
    /// Kernel length.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Distance of kernel positions in the input.
    pub dilation: usize,
    /// Padding before and after.
    pub padding: [usize; 2],
    /// With what.
    pub padding_mode: PaddingMode,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether there is a bias, `[out_channels]`.
    pub bias: bool,
}

impl Conv1dConfig {
    /// PyTorch's defaults: stride, dilation and groups 1, no padding, a bias.
    pub const fn new(input: [usize; 2], out_channels: usize, kernel: usize) -> Self {
        Self {
            input,
            out_channels,
            kernel,
            stride: 1,
            dilation: 1,
            padding: [0, 0],
            padding_mode: PaddingMode::Zeros,
            groups: 1,
            bias: true,
        }
    }

    fn parse(options: &mut Options) -> Result<Self, LinearError> {
        let input = [options.number("in")?, options.number("input")?];
        let (out_channels, kernel) = (options.number("out")?, options.number("kernel")?);
        let dilation = options.number_or("dilation", 1)?;
        let stride = options.number_or("stride", 1)?;
        Ok(Self {
            stride,
            dilation,
            padding: options.padding_1d(kernel, dilation, stride)?,
            padding_mode: options.padding_mode()?,
            groups: options.number_or("groups", 1)?,
            bias: options.bias()?,
            ..Self::new(input, out_channels, kernel)
        })
    }

    /// The same on an image of height 1. (Reflection needs a height above its
    /// padding, which is 0.)
    fn on_image(self) -> Conv2dConfig {
        let [channels, length] = self.input;
        Conv2dConfig {
            stride: [1, self.stride],
            dilation: [1, self.dilation],
            padding: Padding {
                vertical: [0, 0],
                horizontal: self.padding,
            },
            padding_mode: self.padding_mode,
            groups: self.groups,
            bias: self.bias,
            ..Conv2dConfig::new([channels, 1, length], self.out_channels, [1, self.kernel])
        }
    }
}

/// Convolution of `[C, L]` to `[O, L']` with `w: [O, C/groups, k]` and
/// `b: [O]`, as `torch.nn.Conv1d`.
///
/// ```text
/// y[o, j] = b[o] + Σ_{c,v} w[o, c, v] · x̃[c₀(o) + c, j·s + v·d − p]
/// ```
///
/// Source: Dumoulin & Visin 2016 (arXiv 1603.07285).
#[derive(Clone, Debug)]
pub struct Conv1d {
    config: Conv1dConfig,
    conv: Conv2d,
    input: Shape,
    output: Shape,
}

impl Conv1d {
    const KIND: &'static str = "conv1d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Dumoulin & Visin 2016, arXiv 1603.07285",
        syntax: "in=C, out=O, kernel=K, input=L; stride=1, dilation=1, groups=1, padding=0 \
                 (N, L:R or same), padding_mode=zeros (circular, reflect, replicate), bias=true",
        parse: |options| Ok(Box::new(Self::new(Conv1dConfig::parse(options)?)?)),
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// As [`Conv2d::new`].
    pub fn new(config: Conv1dConfig) -> Result<Self, LinearError> {
        let conv = Conv2d::with_kind(Self::KIND, config.on_image())?;
        let [channels, length] = config.input;
        let output = conv.out_shape().dims();
        Ok(Self {
            input: Shape::sequence(channels, length),
            output: Shape::sequence(output[0], output[2]),
            config,
            conv,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &Conv1dConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let image = Conv2dConfig::sample(sampler);
        let config = Conv1dConfig {
            stride: image.stride[1],
            dilation: image.dilation[1],
            padding: image.padding.horizontal,
            padding_mode: image.padding_mode,
            groups: image.groups,
            bias: image.bias,
            ..Conv1dConfig::new(
                [image.image[0], image.image[2]],
                image.out_channels,
                image.kernel[1],
            )
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl Tied for Conv1d {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        self.conv.segments(row, visit);
    }
}

impl StructuredMap for Conv1d {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        let shape = self.conv.weight_shape();
        vec![shape[0], shape[1], shape[3]]
    }

    fn bias_len(&self) -> usize {
        self.config.out_channels
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        self.conv.bias_index(row)
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        self.conv.flops()
    }
}
