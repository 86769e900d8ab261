//! Channel mixing: one matrix, shared by all tokens, mixes the channels.
//!
//! ```text
//! y[s, o] = b[o] + Σ_c w[o, c] · x[s, c],   W_P = I_S ⊗ w
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

use std::any::Any;

use super::window::{refuse_overflow, refuse_zeros};
use crate::arithmetic::{dot, product};
use crate::map::{add_run, group_bias};
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`ChannelMixing`], unchecked.
#[derive(Clone, Copy, Debug)]
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
        let input = Shape::tokens(tokens, channels_in);
        let output = Shape::tokens(tokens, channels_out);
        let sizes = [
            ("the number of tokens", tokens),
            ("the number of input channels", channels_in),
            ("the number of output channels", channels_out),
        ];
        refuse_zeros(Self::KIND, &input, &output, &sizes)?;
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
            channels_in: sampler.between(1, 20),
            channels_out: sampler.between(1, 9),
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl StructuredMap for ChannelMixing {
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
        vec![self.config.channels_out, self.config.channels_in]
    }

    fn bias_len(&self) -> usize {
        self.config.channels_out
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let n = self.config.channels_in;
        let (s, o) = (
            row / self.config.channels_out,
            row % self.config.channels_out,
        );
        add_run(alpha, &p.weight[o * n..(o + 1) * n], s * n, out);
    }

    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        group_bias(p, row % self.config.channels_out)
    }

    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let tokens = x.chunks_exact(self.config.channels_in);
        for (x, y) in tokens.zip(y.chunks_exact_mut(self.config.channels_out)) {
            let mixing = p.weight.chunks_exact(self.config.channels_in);
            for (o, (y, w)) in y.iter_mut().zip(mixing).enumerate() {
                *y = dot(w, x) + group_bias(p, o);
            }
        }
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.config.channels_in])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
