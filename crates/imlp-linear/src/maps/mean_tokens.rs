//! The mean over tokens, the head of a mixer.
//!
//! ```text
//! y[c] = 1/S · Σ_s x[s, c],   W_P = (1/S)·1ᵀ ⊗ I_C
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer, "global average pooling" (arXiv
//! 2105.01601).

use std::any::Any;

use super::window::{refuse_overflow, refuse_zeros};
use crate::arithmetic::{axpy, product, scale};
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`MeanTokens`], unchecked.
#[derive(Clone, Copy, Debug)]
pub struct MeanTokensConfig {
    /// Tokens, S.
    pub tokens: usize,
    /// Channels, C.
    pub channels: usize,
}

/// Mean over tokens: `[S, C]` to `[C]`, no parameters;
/// `y[c] = 1/S · Σ_s x[s, c]`, `W_P = (1/S)·1ᵀ ⊗ I_C`.
///
/// Source: Tolstikhin et al. 2021, MLP-Mixer, "global average pooling" (arXiv
/// 2105.01601).
#[derive(Clone, Debug)]
pub struct MeanTokens {
    config: MeanTokensConfig,
    input: Shape,
    output: Shape,
}

impl MeanTokens {
    const KIND: &'static str = "mean-tokens";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Tolstikhin et al. 2021, arXiv 2105.01601",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: MeanTokensConfig) -> Result<Self, LinearError> {
        let MeanTokensConfig { tokens, channels } = config;
        let input = Shape::tokens(tokens, channels);
        let output = Shape::flat(channels);
        let sizes = [
            ("the number of tokens", tokens),
            ("the number of channels", channels),
        ];
        refuse_zeros(Self::KIND, &input, &output, &sizes)?;
        refuse_overflow(Self::KIND, &input, &output, &[])?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &MeanTokensConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let config = MeanTokensConfig {
            tokens: sampler.between(1, 12),
            channels: sampler.between(1, 8),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }

    /// `1/S`.
    fn share(&self) -> f32 {
        (1.0 / self.config.tokens as f64) as f32
    }
}

impl StructuredMap for MeanTokens {
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
        let value = alpha * self.share();
        for token in out.chunks_exact_mut(self.config.channels) {
            token[row] += value;
        }
    }

    fn bias_at(&self, _: Parameters<'_>, _: usize) -> f32 {
        0.0
    }

    fn apply(&self, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        y.fill(0.0);
        for token in x.chunks_exact(self.config.channels) {
            axpy(1.0, token, y);
        }
        scale(self.share(), y);
    }

    /// One addition per input (the last one stands for the division); there
    /// are no multiply-adds.
    fn flops(&self) -> u64 {
        product(&[self.input.len()])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
