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
mod parameters;
mod projection;
mod registration;
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
pub use map::StructuredMap;
pub use maps::adaptive_avg_pool2d::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
pub use maps::avg_pool2d::{AvgPool2d, AvgPool2dConfig};
pub use maps::batch_norm::{BatchNorm, BatchNormConfig, BatchNormStatistics};
pub use maps::bilinear_resize::{BilinearResize, BilinearResizeConfig};
pub use maps::channel_mixing::{ChannelMixing, ChannelMixingConfig};
pub use maps::circulant::{Circulant, CirculantConfig};
pub use maps::conv_transpose2d::{ConvTranspose2d, ConvTranspose2dConfig};
pub use maps::conv1d::{Conv1d, Conv1dConfig};
pub use maps::conv2d::{Conv2d, Conv2dConfig};
pub use maps::dense::{Dense, DenseConfig};
pub use maps::kronecker::{Kronecker, KroneckerConfig};
pub use maps::learned_permutation::{LearnedPermutation, LearnedPermutationConfig};
pub use maps::locally_connected2d::LocallyConnected2d;
pub use maps::low_rank::{LowRank, LowRankConfig};
pub use maps::mean_tokens::{MeanTokens, MeanTokensConfig};
pub use maps::patch_embedding::{PatchEmbedding, PatchEmbeddingConfig};
pub use maps::permutation::{Permutation, PermutationConfig};
pub use maps::token_mixing::{TokenMixing, TokenMixingConfig};
pub use no_matrix::refuse_without_matrix;
pub use padding::{Padding, PaddingMode};
pub use parameters::Parameters;
pub use projection::{Energy, Projection};
pub use registration::{Registration, Sampler};
pub use registry::REGISTRY;
pub use shape::Shape;
pub use structure::{Factored, RowSegment, Structure, Tied};
pub use support::{Support, TieGroups};
