//! Token mixing: one matrix, shared by all channels, mixes the tokens.
//!
//! ```text
//! y[t, c] = b[t] + Σ_s w[t, s] · x[s, c],   W_P = w ⊗ I_C
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

use std::any::Any;

use super::window::{refuse_overflow, refuse_zeros};
use crate::arithmetic::{axpy, product};
use crate::map::group_bias;
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`TokenMixing`], unchecked.
#[derive(Clone, Copy, Debug)]
pub struct TokenMixingConfig {
    /// Tokens of the input.
    pub tokens_in: usize,
    /// Tokens of the output.
    pub tokens_out: usize,
    /// Channels, the same in input and output.
    pub channels: usize,
    /// Whether there is a bias, `[tokens_out]`.
    pub bias: bool,
}

/// Mixing of `[S_in, C]` to `[S_out, C]` with `w: [S_out, S_in]` and
/// `b: [S_out]`: `y[t, c] = b[t] + Σ_s w[t, s] · x[s, c]`, `W_P = w ⊗ I_C`.
///
/// Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).
#[derive(Clone, Debug)]
pub struct TokenMixing {
    config: TokenMixingConfig,
    input: Shape,
    output: Shape,
}

impl TokenMixing {
    const KIND: &'static str = "token-mixing";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Tolstikhin et al. 2021, arXiv 2105.01601",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: TokenMixingConfig) -> Result<Self, LinearError> {
        let TokenMixingConfig {
            tokens_in,
            tokens_out,
            channels,
            bias: _,
        } = config;
        let input = Shape::tokens(tokens_in, channels);
        let output = Shape::tokens(tokens_out, channels);
        let sizes = [
            ("the number of input tokens", tokens_in),
            ("the number of output tokens", tokens_out),
            ("the number of channels", channels),
        ];
        refuse_zeros(Self::KIND, &input, &output, &sizes)?;
        refuse_overflow(Self::KIND, &input, &output, &[tokens_out, tokens_in])?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &TokenMixingConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let config = TokenMixingConfig {
            tokens_in: sampler.between(1, 9),
            tokens_out: sampler.between(1, 9),
            channels: sampler.between(1, 6),
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl StructuredMap for TokenMixing {
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
        vec![self.config.tokens_out, self.config.tokens_in]
    }

    fn bias_len(&self) -> usize {
        self.config.tokens_out
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let n = self.config.tokens_in;
        let (t, c) = (row / self.config.channels, row % self.config.channels);
        let tokens = out.chunks_exact_mut(self.config.channels);
        for (token, &w) in tokens.zip(&p.weight[t * n..(t + 1) * n]) {
            token[c] += alpha * w;
        }
    }

    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        group_bias(p, row / self.config.channels)
    }

    /// Each output token is a sum of scaled input tokens.
    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let mixing = p.weight.chunks_exact(self.config.tokens_in);
        let tokens = y.chunks_exact_mut(self.config.channels);
        for (t, (y, mixing)) in tokens.zip(mixing).enumerate() {
            y.fill(group_bias(p, t));
            for (&w, x) in mixing.iter().zip(x.chunks_exact(self.config.channels)) {
                axpy(w, x, y);
            }
        }
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.config.tokens_in])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
