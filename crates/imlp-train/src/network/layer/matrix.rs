//! Full and structured matrices, permutations, and the scale and shift of a
//! batch normalisation.

use std::sync::Arc;

use imlp_linear::{
    BatchNorm, BatchNormConfig, BatchNormStatistics, ChannelMixing, ChannelMixingConfig, Circulant,
    CirculantConfig, Dense, DenseConfig, Kronecker, KroneckerConfig, LowRank, LowRankConfig,
    Permutation, PermutationConfig, Shape, TokenMixing, TokenMixingConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::{Built, LinearLayerKeys, Refusal, Site};
use super::size::yes;

/// A linear map over tokens, the same for every channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenMixingKeys {
    /// Tokens of the output.
    pub tokens: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for TokenMixingKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        let [tokens_in, channels] = site.tokens()?;
        Ok(Arc::new(TokenMixing::new(TokenMixingConfig {
            tokens_in,
            tokens_out: self.tokens,
            channels,
            bias: self.bias,
        })?))
    }
}

/// A linear map over channels, the same for every token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelMixingKeys {
    /// Channels of the output.
    pub channels: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for ChannelMixingKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        let [tokens, channels_in] = site.tokens()?;
        Ok(Arc::new(ChannelMixing::new(ChannelMixingConfig {
            tokens,
            channels_in,
            channels_out: self.channels,
            bias: self.bias,
        })?))
    }
}

/// A full matrix on the flattened input (`torch.nn.Linear`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearKeys {
    /// Outputs; the number of classes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<usize>,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for LinearKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Dense::new(DenseConfig {
            input: site.input.clone(),
            output: Shape::flat(self.features.unwrap_or(site.classes)),
            bias: self.bias,
        })?))
    }
}

/// A matrix along each of the two dimensions: `A·X·Bᵀ`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KroneckerKeys {
    /// Output `[tokens, channels]`.
    pub output: [usize; 2],
    /// Whether there is a bias, one value per output; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for KroneckerKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Kronecker::new(KroneckerConfig {
            input: site.tokens()?,
            output: self.output,
            bias: self.bias,
        })?))
    }
}

/// A matrix of low rank on the flattened input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowRankKeys {
    /// Outputs; the number of classes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<usize>,
    /// Rank, at most the number of inputs and of outputs.
    pub rank: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for LowRankKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(LowRank::new(LowRankConfig {
            input: site.input.clone(),
            output: Shape::flat(self.features.unwrap_or(site.classes)),
            rank: self.rank,
            bias: self.bias,
        })?))
    }
}

/// A circulant matrix on the flattened input, with as many outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CirculantKeys {
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for CirculantKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Circulant::new(CirculantConfig {
            len: site.input.len(),
            bias: self.bias,
        })?))
    }
}

/// The flattened input in another order, in the same shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermutationKeys {
    /// For each output, the input that it takes.
    pub order: Vec<usize>,
}

impl LinearLayerKeys for PermutationKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Permutation::new(PermutationConfig {
            input: site.input.clone(),
            output: site.input.clone(),
            order: self.order.clone(),
        })?))
    }
}

/// `torch.nn.BatchNorm1d` or `2d` in evaluation mode: a scale and a shift per
/// channel, the first dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchNormKeys {
    /// What is added to the variances; 1e-5 by default.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

fn epsilon() -> f64 {
    BatchNormStatistics::EPSILON
}

impl LinearLayerKeys for BatchNormKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            let reason = format!("epsilon {} is not a number from 0 up", self.epsilon);
            return Err(Refusal(reason));
        }
        Ok(Arc::new(BatchNorm::new(BatchNormConfig {
            shape: site.input.clone(),
            bias: true,
        })?))
    }
}
