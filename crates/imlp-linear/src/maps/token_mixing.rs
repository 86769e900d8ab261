//! Token mixing: one matrix, shared by all channels, mixes the tokens.
//!
//! ```text
//! y[t, c] = b[t] + Σ_s w[t, s] · x[s, c],   W_P = w ⊗ I_C
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

/// Geometry of a [`TokenMixing`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        syntax: "in=TOKENS, out=TOKENS, channels=C; bias=true",
        parse: |options| {
            let config = TokenMixingConfig {
                tokens_in: options.number("in")?,
                tokens_out: options.number("out")?,
                channels: options.number("channels")?,
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
    pub fn new(config: TokenMixingConfig) -> Result<Self, LinearError> {
        let TokenMixingConfig {
            tokens_in,
            tokens_out,
            channels,
            bias: _,
        } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the number of input tokens", tokens_in),
                ("the number of output tokens", tokens_out),
                ("the number of channels", channels),
            ],
        )?;
        let input = Shape::tokens(tokens_in, channels);
        let output = Shape::tokens(tokens_out, channels);
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

impl Tied for TokenMixing {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let (t, c) = (row / self.config.channels, row % self.config.channels);
        let tokens = self.config.tokens_in;
        visit(RowSegment {
            input_step: self.config.channels,
            ..RowSegment::contiguous(c, t * tokens, tokens)
        });
    }
}

impl StructuredMap for TokenMixing {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.config.tokens_out, self.config.tokens_in]
    }

    fn bias_len(&self) -> usize {
        self.config.tokens_out
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row / self.config.channels
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.config.tokens_in])
    }
}
