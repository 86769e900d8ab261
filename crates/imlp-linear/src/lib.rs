#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod alpha;
mod arithmetic;
mod error;
mod map;
mod maps;
mod registry;
mod shape;
mod transposed;

pub use alpha::Alpha;
pub use error::LinearError;
pub use map::{DenseEquivalent, Parameters, StructuredMap};
pub use maps::{
    AvgPool2d, AvgPool2dConfig, ChannelMixing, ChannelMixingConfig, Conv2d, Conv2dConfig, Dense,
    DenseConfig, MeanTokens, MeanTokensConfig, PatchEmbedding, PatchEmbeddingConfig, TokenMixing,
    TokenMixingConfig,
};
pub use registry::{REGISTRY, Registration, Sampler};
pub use shape::Shape;
