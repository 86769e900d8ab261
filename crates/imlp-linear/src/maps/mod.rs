//! The structured linear maps, one file each.

mod avg_pool2d;
mod channel_mixing;
mod conv2d;
mod dense;
mod mean_tokens;
mod patch_embedding;
mod token_mixing;
mod window;

pub use avg_pool2d::{AvgPool2d, AvgPool2dConfig};
pub use channel_mixing::{ChannelMixing, ChannelMixingConfig};
pub use conv2d::{Conv2d, Conv2dConfig};
pub use dense::{Dense, DenseConfig};
pub use mean_tokens::{MeanTokens, MeanTokensConfig};
pub use patch_embedding::{PatchEmbedding, PatchEmbeddingConfig};
pub use token_mixing::{TokenMixing, TokenMixingConfig};
