//! Two-dimensional convolution (cross-correlation, as every framework).
//!
//! ```text
//! y[o, i, j] = b[o] + Σ_{c,u,v} w[o, c, u, v] · x̃[c₀(o) + c, i·s_h + u·d_h − p_t, j·s_w + v·d_w − p_l]
//! ```
//!
//! with x̃ the padded image and c₀(o) the first input channel of o's group.
//! With zero padding each entry of the dense equivalent is one weight or 0:
//!
//! ```text
//! W_P[(o,i,j), (c₀(o)+c, r, s)] = w[o, c, u, v]   where r = i·s_h + u·d_h − p_t and s = j·s_w + v·d_w − p_l
//! ```
//!
//! Sources: Dumoulin & Visin 2016 (arXiv 1603.07285) for the arithmetic; Ma &
//! Lu 2017 (arXiv 1712.01252) for the equivalent fully-connected layer; Yu &
//! Koltun 2015 (arXiv 1511.07122) for dilation.

use super::geometry::{self, geometry, refuse_overflow};
use super::window::{Axis, AxisConfig, sample_pair};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;
use crate::padding::{Padding, PaddingMode};
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`Conv2d`], unchecked; pairs are `[vertical, horizontal]`.
///
/// ```
/// use imlp_linear::{Conv2dConfig, Padding};
/// let config = Conv2dConfig {
///     stride: [2, 2],
///     padding: Padding::symmetric([1, 1]),
///     ..Conv2dConfig::new([3, 32, 32], 4, [3, 3])
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Output channels.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Distance of kernel positions in the image.
    pub dilation: [usize; 2],
    /// How much padding.
    pub padding: Padding,
    /// With what.
    pub padding_mode: PaddingMode,
    /// Groups of channels that do not see each other; as many as input
    /// channels: depthwise.
    pub groups: usize,
    /// Whether there is a bias, `[out_channels]`.
    pub bias: bool,
}

impl Conv2dConfig {
    /// PyTorch's defaults: stride, dilation and groups 1, no padding, a bias.
    pub const fn new(image: [usize; 3], out_channels: usize, kernel: [usize; 2]) -> Self {
        Self {
            image,
            out_channels,
            kernel,
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::NONE,
            padding_mode: PaddingMode::Zeros,
            groups: 1,
            bias: true,
        }
    }

    /// The two axes under the kernel.
    pub(super) fn axes(&self, kind: &'static str) -> Result<[Axis; 2], LinearError> {
        let axis = |i: usize, name, padding| {
            let config = AxisConfig {
                name,
                input: self.image[1 + i],
                kernel: self.kernel[i],
                stride: self.stride[i],
                dilation: self.dilation[i],
                padding,
                mode: self.padding_mode,
            };
            Axis::new(kind, config)
        };
        let height = axis(0, "height", self.padding.vertical)?;
        let width = axis(1, "width", self.padding.horizontal)?;
        Ok([height, width])
    }

    /// Refuses channels that the groups do not divide.
    pub(super) fn check_groups(&self, kind: &'static str) -> Result<(), LinearError> {
        geometry::refuse_zeros(
            kind,
            &[
                ("the number of input channels", self.image[0]),
                ("the number of output channels", self.out_channels),
                ("the number of groups", self.groups),
            ],
        )?;
        for (what, channels) in [("input", self.image[0]), ("output", self.out_channels)] {
            if channels % self.groups != 0 {
                return Err(LinearError::Groups {
                    kind,
                    groups: self.groups,
                    what,
                    channels,
                });
            }
        }
        Ok(())
    }

    /// The keys that convolutions share in a layer's text.
    pub(super) fn parse(options: &mut Options) -> Result<Self, LinearError> {
        let image = options.image()?;
        let (out_channels, kernel) = (options.number("out")?, options.pair("kernel")?);
        let dilation = options.pair_or("dilation", [1, 1])?;
        let stride = options.pair_or("stride", [1, 1])?;
        Ok(Self {
            stride,
            dilation,
            padding: options.padding(kernel, dilation, stride)?,
            padding_mode: options.padding_mode()?,
            groups: options.number_or("groups", 1)?,
            bias: options.bias()?,
            ..Self::new(image, out_channels, kernel)
        })
    }

    /// A random small geometry.
    pub(super) fn sample(sampler: &mut dyn Sampler) -> Self {
        let padding_mode = match sampler.between(0, 6) {
            0 => PaddingMode::Circular,
            1 => PaddingMode::Reflect,
            2 => PaddingMode::Replicate,
            _ => PaddingMode::Zeros,
        };
        let groups = sampler.between(1, 3);
        let depthwise = sampler.between(0, 3) == 0;
        let per_group = if depthwise { 1 } else { sampler.between(1, 3) };
        let kernel = sample_pair(sampler, 1, 4);
        let dilation = sample_pair(sampler, 1, 2);
        let size = sample_pair(sampler, 1, 7);
        let mut padding = [[0; 2]; 2];
        let mut image = [groups * per_group, size[0], size[1]];
        for i in [0, 1] {
            let most = padding_mode.most(image[1 + i]).min(kernel[i] + 1);
            padding[i] = [sampler.between(0, most), sampler.between(0, most)];
            // A larger image where the window would not fit.
            let span = (kernel[i] - 1) * dilation[i] + 1;
            let padded = padding[i][0] + padding[i][1] + image[1 + i];
            image[1 + i] += span.saturating_sub(padded);
        }
        Self {
            stride: sample_pair(sampler, 1, 3),
            dilation,
            padding: Padding {
                vertical: padding[0],
                horizontal: padding[1],
            },
            padding_mode,
            groups,
            bias: sampler.flip(),
            ..Self::new(image, groups * sampler.between(1, 2), kernel)
        }
    }
}

/// Convolution of `[C, H, W]` to `[O, H', W']` with `w: [O, C/groups, k_h,
/// k_w]` and `b: [O]`, as `torch.nn.Conv2d`.
///
/// `H' = ⌊(H + p_t + p_b − d_h·(k_h − 1) − 1) / s_h⌋ + 1`, `W'` likewise.
///
/// ```text
/// y[o, i, j] = b[o] + Σ_{c,u,v} w[o, c, u, v] · x̃[c₀(o) + c, i·s_h + u·d_h − p_t, j·s_w + v·d_w − p_l]
/// ```
///
/// Sources: Dumoulin & Visin 2016 (arXiv 1603.07285); Ma & Lu 2017 (arXiv
/// 1712.01252); Yu & Koltun 2015 (arXiv 1511.07122).
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
        syntax: "in=C, out=O, kernel=K or HxW, input=HxW; stride=1, dilation=1, groups=1, \
                 padding=0 (N, VxH, T:BxL:R or same), padding_mode=zeros (circular, reflect, \
                 replicate), bias=true",
        parse: |options| Ok(Box::new(Self::new(Conv2dConfig::parse(options)?)?)),
        sample: |sampler| {
            Box::new(Self::new(Conv2dConfig::sample(sampler)).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, channels that the groups do not divide, padding that its
    /// mode cannot give, a kernel larger than the padded image, or an overflow.
    pub fn new(config: Conv2dConfig) -> Result<Self, LinearError> {
        Self::with_kind(Self::KIND, config)
    }

    /// [`new`](Self::new) on behalf of a map that is a convolution inside, so
    /// that errors name that map.
    pub(super) fn with_kind(kind: &'static str, config: Conv2dConfig) -> Result<Self, LinearError> {
        let [channels, height, width] = config.image;
        config.check_groups(kind)?;
        let [rows, columns] = config.axes(kind)?;
        let input = Shape::image(channels, height, width);
        let output = Shape::image(config.out_channels, rows.output, columns.output);
        let [kh, kw] = config.kernel;
        let weight = [config.out_channels, channels / config.groups, kh, kw];
        refuse_overflow(kind, &input, &output, &weight)?;
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

    /// Input channels that one output sees.
    fn group_channels(&self) -> usize {
        self.config.image[0] / self.config.groups
    }
}

impl Tied for Conv2d {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [_, height, width] = self.config.image;
        let [kh, kw] = self.config.kernel;
        let plane = self.rows.output * self.columns.output;
        let (o, position) = (row / plane, row % plane);
        let (i, j) = (
            position / self.columns.output,
            position % self.columns.output,
        );
        let channels = self.group_channels();
        let first = o / (self.config.out_channels / self.config.groups) * channels;
        // The same for every channel.
        let (mut taps, mut spans) = (Vec::new(), Vec::new());
        self.rows.taps(i, |u, r| taps.push((u, r)));
        self.columns.spans(j, |span| spans.push(span));
        for c in 0..channels {
            for (u, r) in &taps {
                let line = ((first + c) * height + r) * width;
                let kernel = ((o * channels + c) * kh + u) * kw;
                for span in &spans {
                    visit(RowSegment {
                        input_step: self.columns.dilation,
                        ..RowSegment::contiguous(line + span.input, kernel + span.kernel, span.len)
                    });
                }
            }
        }
    }
}

impl StructuredMap for Conv2d {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        let [kh, kw] = self.config.kernel;
        vec![self.config.out_channels, self.group_channels(), kh, kw]
    }

    fn bias_len(&self) -> usize {
        self.config.out_channels
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row / (self.rows.output * self.columns.output)
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        let [kh, kw] = self.config.kernel;
        product(&[2, self.output.len(), self.group_channels(), kh, kw])
    }
}
