//! The structured linear maps, one file each.

pub(crate) mod adaptive_avg_pool2d;
pub(crate) mod avg_pool2d;
pub(crate) mod batch_norm;
pub(crate) mod bilinear_resize;
pub(crate) mod channel_mixing;
pub(crate) mod circulant;
pub(crate) mod conv1d;
pub(crate) mod conv2d;
pub(crate) mod conv_transpose2d;
pub(crate) mod dense;
mod geometry;
pub(crate) mod kronecker;
pub(crate) mod learned_permutation;
pub(crate) mod locally_connected2d;
pub(crate) mod low_rank;
pub(crate) mod mean_tokens;
pub(crate) mod patch_embedding;
pub(crate) mod permutation;
pub(crate) mod token_mixing;
mod window;
