//! Layers: how a recipe writes them, and what they become once shapes are known.

use std::sync::Arc;

use imlp_linear::{Shape, StructuredMap};

mod config;
mod context;
mod convolution;
mod matrix;
mod pooling;
pub(crate) mod size;
mod text;

pub use config::{LayerConfig, LayerKind, NoKeys, ResidualKeys};
pub(crate) use context::{LayerContext, Refusal};
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

/// ε of every layer normalisation: PyTorch's default of `torch.nn.LayerNorm`.
pub(crate) const LAYER_NORM_EPSILON: f64 = 1e-5;

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

/// Matches a `&dyn StructuredMap` by its concrete type, as `match` does a variant.
macro_rules! match_map {
    ($map:ident { $($Type:ident($as_type:pat) => $arm:expr,)+ } else $otherwise:expr) => {
        $(if let Some($as_type) = $map.downcast_ref::<$Type>() { $arm } else)+ { $otherwise }
    };
}
pub(crate) use match_map;
