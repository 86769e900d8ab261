//! Locally-connected layer: a convolution with a different kernel at every
//! position. It has the convolution's locality without its weight sharing.
//!
//! ```text
//! y[o, i, j] = b[o, i, j] + Σ_{c,u,v} w[o, i, j, c, u, v] · x[c, i·s_h + u·d_h − p_t, j·s_w + v·d_w − p_l]
//! ```
//!
//! Source: LeCun 1989, Generalization and network design strategies; Taigman
//! et al. 2014, DeepFace.

use super::conv2d::{Conv2d, Conv2dConfig};
use super::geometry::{geometry, refuse_overflow};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::padding::PaddingMode;
use crate::registration::Registration;
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Locally-connected map of `[C, H, W]` to `[O, H', W']` with
/// `w: [O, H', W', C/groups, k_h, k_w]` and a bias of length `O·H'·W'`, in the
/// order of the flattened output: nothing is shared, not even the bias. Sizes as of [`Conv2d`]; zero padding only.
///
/// ```text
/// y[o, i, j] = b[o, i, j] + Σ_{c,u,v} w[o, i, j, c, u, v] · x[c, i·s_h + u·d_h − p_t, j·s_w + v·d_w − p_l]
/// ```
///
/// Source: LeCun 1989; Taigman et al. 2014, DeepFace.
#[derive(Clone, Debug)]
pub struct LocallyConnected2d {
    conv: Conv2d,
    input: Shape,
    output: Shape,
}

impl LocallyConnected2d {
    const KIND: &'static str = "locally-connected2d";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "LeCun 1989; Taigman et al. 2014, DeepFace",
        sample: |sampler| {
            let config = Conv2dConfig {
                padding_mode: PaddingMode::Zeros,
                ..Conv2dConfig::sample(sampler)
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// As [`Conv2d::new`]; padding other than zeros.
    pub fn new(config: Conv2dConfig) -> Result<Self, LinearError> {
        let conv = Conv2d::with_kind(Self::KIND, config)?;
        if config.padding_mode != PaddingMode::Zeros {
            return Err(LinearError::Unsupported {
                kind: Self::KIND,
                what: format!("padding_mode {}", config.padding_mode),
                instead: "zeros",
            });
        }
        let (input, output) = (conv.in_shape().clone(), conv.out_shape().clone());
        let weight = [&[output.len()], &conv.weight_shape()[1..]].concat();
        refuse_overflow(Self::KIND, &input, &output, &weight)?;
        Ok(Self {
            conv,
            input,
            output,
        })
    }

    /// The geometry that this map was built from; its bias is
    /// `[O, H', W']`.
    pub fn config(&self) -> &Conv2dConfig {
        self.conv.config()
    }
}

impl Tied for LocallyConnected2d {
    /// The convolution's segments, each output with a kernel of its own.
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let kernel: usize = self.conv.weight_shape()[1..].iter().product();
        let plane = self.output.dims()[1] * self.output.dims()[2];
        let shared = row / plane * kernel;
        self.conv.segments(row, &mut |segment| {
            visit(RowSegment {
                weight: segment.weight - shared + row * kernel,
                ..segment
            });
        });
    }
}

impl StructuredMap for LocallyConnected2d {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        [self.output.dims(), &self.conv.weight_shape()[1..]].concat()
    }

    fn bias_len(&self) -> usize {
        self.output.len()
    }

    fn has_bias(&self) -> bool {
        self.conv.has_bias()
    }

    fn bias_index(&self, row: usize) -> usize {
        row
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        self.conv.flops()
    }
}
