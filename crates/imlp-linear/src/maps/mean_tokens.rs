//! Mean over tokens: a Mixer's global average pooling.
//!
//! ```text
//! y[c] = 1/S · Σ_s x[s, c],   W_P = 1/S · (1 … 1) ⊗ I_C
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

use super::geometry::{geometry, no_parameters, refuse_overflow, refuse_zeros};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`MeanTokens`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanTokensConfig {
    /// Tokens of the input.
    pub tokens: usize,
    /// Channels.
    pub channels: usize,
}

/// Mean of `[S, C]` over tokens, to `[C]`: `y[c] = 1/S · Σ_s x[s, c]`, no
/// parameters.
///
/// Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).
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
        syntax: "tokens=S, channels=C",
        parse: |options| {
            let config = MeanTokensConfig {
                tokens: options.number("tokens")?,
                channels: options.number("channels")?,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: MeanTokensConfig) -> Result<Self, LinearError> {
        let MeanTokensConfig { tokens, channels } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the number of tokens", tokens),
                ("the number of channels", channels),
            ],
        )?;
        let (input, output) = (Shape::tokens(tokens, channels), Shape::flat(channels));
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
            tokens: sampler.between(1, 9),
            channels: sampler.between(1, 9),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl Tied for MeanTokens {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        visit(RowSegment {
            input_step: self.config.channels,
            len: self.config.tokens,
            ..RowSegment::fixed(row, (1.0 / self.config.tokens as f64) as f32)
        });
    }
}

impl StructuredMap for MeanTokens {
    geometry!();
    no_parameters!();

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// One addition per value (the last one stands for the division); there
    /// are no multiply-adds.
    fn flops(&self) -> u64 {
        product(&[self.input.len()])
    }
}
