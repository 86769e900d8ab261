//! Channel mixing: one matrix, shared by all tokens, mixes the channels.
//!
//! ```text
//! y[s, o] = b[o] + Σ_c w[o, c] · x[s, c],   W_P = I_S ⊗ w
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`ChannelMixing`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelMixingConfig {
    /// Tokens, the same in input and output.
    pub tokens: usize,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Whether there is a bias, `[channels_out]`.
    pub bias: bool,
}

/// Mixing of `[S, C_in]` to `[S, C_out]` with `w: [C_out, C_in]` and
/// `b: [C_out]`: `y[s, o] = b[o] + Σ_c w[o, c] · x[s, c]`, `W_P = I_S ⊗ w`.
///
/// Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).
#[derive(Clone, Debug)]
pub struct ChannelMixing {
    config: ChannelMixingConfig,
    input: Shape,
    output: Shape,
}

impl ChannelMixing {
    const KIND: &'static str = "channel-mixing";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Tolstikhin et al. 2021, arXiv 2105.01601",
        syntax: "in=CHANNELS, out=CHANNELS, tokens=S; bias=true",
        parse: |options| {
            let config = ChannelMixingConfig {
                tokens: options.number("tokens")?,
                channels_in: options.number("in")?,
                channels_out: options.number("out")?,
                bias: options.bias()?,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: ChannelMixingConfig) -> Result<Self, LinearError> {
        let ChannelMixingConfig {
            tokens,
            channels_in,
            channels_out,
            bias: _,
        } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the number of tokens", tokens),
                ("the number of input channels", channels_in),
                ("the number of output channels", channels_out),
            ],
        )?;
        let input = Shape::tokens(tokens, channels_in);
        let output = Shape::tokens(tokens, channels_out);
        refuse_overflow(Self::KIND, &input, &output, &[channels_out, channels_in])?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &ChannelMixingConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let config = ChannelMixingConfig {
            tokens: sampler.between(1, 6),
            channels_in: sampler.between(1, 9),
            channels_out: sampler.between(1, 9),
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl Tied for ChannelMixing {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let channels = self.config.channels_in;
        let (s, o) = (
            row / self.config.channels_out,
            row % self.config.channels_out,
        );
        visit(RowSegment::contiguous(s * channels, o * channels, channels));
    }
}

impl StructuredMap for ChannelMixing {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.config.channels_out, self.config.channels_in]
    }

    fn bias_len(&self) -> usize {
        self.config.channels_out
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row % self.config.channels_out
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.config.channels_in])
    }
}
