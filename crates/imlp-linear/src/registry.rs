//! Every kind of structured linear map, by name.

use crate::maps::adaptive_avg_pool2d::AdaptiveAvgPool2d;
use crate::maps::avg_pool2d::AvgPool2d;
use crate::maps::batch_norm::BatchNorm;
use crate::maps::bilinear_resize::BilinearResize;
use crate::maps::channel_mixing::ChannelMixing;
use crate::maps::circulant::Circulant;
use crate::maps::conv_transpose2d::ConvTranspose2d;
use crate::maps::conv1d::Conv1d;
use crate::maps::conv2d::Conv2d;
use crate::maps::dense::Dense;
use crate::maps::kronecker::Kronecker;
use crate::maps::learned_permutation::LearnedPermutation;
use crate::maps::locally_connected2d::LocallyConnected2d;
use crate::maps::low_rank::LowRank;
use crate::maps::mean_tokens::MeanTokens;
use crate::maps::patch_embedding::PatchEmbedding;
use crate::maps::permutation::Permutation;
use crate::maps::token_mixing::TokenMixing;
use crate::registration::Registration;

/// Every kind of map. The shared property test checks each entry against an
/// oracle of the same name, and fails for a kind without one.
pub const REGISTRY: &[Registration] = &[
    Dense::REGISTRATION,
    Conv2d::REGISTRATION,
    Conv1d::REGISTRATION,
    ConvTranspose2d::REGISTRATION,
    LocallyConnected2d::REGISTRATION,
    PatchEmbedding::REGISTRATION,
    TokenMixing::REGISTRATION,
    ChannelMixing::REGISTRATION,
    Kronecker::REGISTRATION,
    LowRank::REGISTRATION,
    Circulant::REGISTRATION,
    AvgPool2d::REGISTRATION,
    AdaptiveAvgPool2d::REGISTRATION,
    MeanTokens::REGISTRATION,
    BilinearResize::REGISTRATION,
    BatchNorm::REGISTRATION,
    Permutation::REGISTRATION,
    LearnedPermutation::REGISTRATION,
];
