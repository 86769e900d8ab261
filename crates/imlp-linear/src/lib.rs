#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// One call, in `pages`.
#![deny(unsafe_code)]

mod affine;
mod alpha;
mod arithmetic;
mod equivalent;
mod error;
mod map;
mod maps;
mod no_matrix;
mod padding;
mod pages;
mod projection;
mod registry;
mod shape;
mod structure;
mod support;
mod svd;
mod transposed;

pub use affine::Affine;
pub use alpha::Alpha;
pub use equivalent::{DenseEquivalent, SparseEquivalent};
pub use error::LinearError;
pub use map::{Parameters, StructuredMap};
pub use maps::{
    AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, AvgPool2d, AvgPool2dConfig, BatchNorm,
    BatchNormConfig, BatchNormStatistics, BilinearResize, BilinearResizeConfig, ChannelMixing,
    ChannelMixingConfig, Circulant, CirculantConfig, Conv1d, Conv1dConfig, Conv2d, Conv2dConfig,
    ConvTranspose2d, ConvTranspose2dConfig, Dense, DenseConfig, Kronecker, KroneckerConfig,
    LearnedPermutation, LearnedPermutationConfig, LocallyConnected2d, LowRank, LowRankConfig,
    MeanTokens, MeanTokensConfig, PatchEmbedding, PatchEmbeddingConfig, Permutation,
    PermutationConfig, TokenMixing, TokenMixingConfig,
};
pub use no_matrix::refuse_without_matrix;
pub use padding::{Padding, PaddingMode};
pub use projection::{Energy, Projection};
pub use registry::{REGISTRY, Registration, Sampler};
pub use shape::Shape;
pub use structure::{Factored, Run, Structure, Tied};
pub use support::{Support, TieGroups};
