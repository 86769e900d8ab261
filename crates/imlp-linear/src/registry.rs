//! Every kind of structured linear map, by name.

use crate::{
    AdaptiveAvgPool2d, AvgPool2d, BatchNorm, BilinearResize, ChannelMixing, Circulant, Conv1d,
    Conv2d, ConvTranspose2d, Dense, Kronecker, LearnedPermutation, LocallyConnected2d, LowRank,
    MeanTokens, PatchEmbedding, Permutation, StructuredMap, TokenMixing,
};

/// A source of small random sizes for [`Registration::sample`].
pub trait Sampler {
    /// A number from `low` to `high`, both included.
    fn between(&mut self, low: usize, high: usize) -> usize;

    /// A coin flip.
    fn flip(&mut self) -> bool {
        self.between(0, 1) == 1
    }
}

/// One kind of structured linear map.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Its name, as [`StructuredMap::kind`] returns it.
    pub kind: &'static str,
    /// Where its formula comes from.
    pub source: &'static str,
    /// Draws a random small geometry: non-square sizes, strides, paddings,
    /// with and without bias.
    pub sample: fn(&mut dyn Sampler) -> Box<dyn StructuredMap>,
}

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
