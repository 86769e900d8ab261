//! Layers: how a recipe writes them, and what they become once shapes are known.

use std::sync::Arc;

use imlp_linear::{Shape, StructuredMap};

mod config;
mod context;
mod convolution;
mod matrix;
mod pooling;
mod size;
mod text;

pub use config::{LayerConfig, LayerKind, NoKeys, ResidualKeys};
pub(crate) use context::{Refusal, Site};
pub use convolution::{
    Conv1dKeys, Conv2dKeys, ConvTranspose2dKeys, LocallyConnected2dKeys, PatchEmbeddingKeys,
};
pub use matrix::{
    BatchNormKeys, ChannelMixingKeys, CirculantKeys, KroneckerKeys, LinearKeys, LowRankKeys,
    PermutationKeys, TokenMixingKeys,
};
pub use pooling::{
    AdaptiveAvgPool2dKeys, AvgPool2dKeys, BilinearResizeKeys, GlobalAvgPoolKeys, MeanTokensKeys,
};
pub use size::{ImagePadding, PaddingWord, Pair, SequencePadding};
pub use text::{TEXT_FORMS, TextForm, parse_layer};

/// A checked layer.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A structured linear map, or a full matrix.
    Linear(LinearLayer),
    /// max(x, 0).
    Relu,
    /// x·Φ(x).
    Gelu,
    /// Normalisation over the last dimension.
    LayerNorm(LayerNorm),
    /// `x + branch(x)`.
    Residual(Vec<Layer>),
}

/// A linear layer: its name and its geometry.
#[derive(Clone, Debug)]
pub struct LinearLayer {
    /// Name, unique in the network.
    pub name: String,
    /// Geometry.
    pub map: Arc<dyn StructuredMap>,
    /// ε of a batch normalisation, with which its statistics fold into weight
    /// and bias; `None` for every other layer.
    pub epsilon: Option<f64>,
}

impl LinearLayer {
    /// Inputs that one output sums over (on average), to which the variance of
    /// initial weights is inverse.
    ///
    /// Of a map that is a product of two matrices, the g for which factors of
    /// variance 2/g give the product's entries the 2/f of a full matrix with f
    /// inputs: (2/g)² = 2/f in a Kronecker product, r·(2/g)² = 2/f at rank r.
    /// Of a map without weight, nothing of use.
    pub fn fan_in(&self) -> f64 {
        let inputs = self.map.in_len() as f64;
        match self.map.kind() {
            "kronecker" => (2.0 * inputs).sqrt(),
            "low-rank" => {
                let rank = self.map.weight_shape()[1] as f64;
                (2.0 * rank * inputs).sqrt()
            }
            // A multiply-add is 2.
            _ => self.map.flops() as f64 / (2.0 * self.map.out_len() as f64),
        }
    }
}

/// A layer normalisation: its name and the shape it keeps.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Name, unique in the network.
    pub name: String,
    /// Shape of the activations; the last dimension is normalised.
    pub shape: Shape,
}

impl LayerNorm {
    /// Length of the last dimension.
    pub fn channels(&self) -> usize {
        *self.shape.dims().last().expect("a shape has a dimension")
    }
}
