//! What a kind of structured linear map is registered with.

use crate::map::StructuredMap;

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
