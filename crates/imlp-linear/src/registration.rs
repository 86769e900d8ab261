//! What a kind of structured linear map is registered with.

use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;

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
    /// The options of its text form: required ones, then `;` and those with a
    /// default (see [`parse_layer`](crate::parse_layer)).
    pub syntax: &'static str,
    /// Builds it from its text form.
    pub parse: fn(&mut Options) -> Result<Box<dyn StructuredMap>, LinearError>,
    /// Draws a random small geometry: non-square sizes, strides, paddings,
    /// with and without bias.
    pub sample: fn(&mut dyn Sampler) -> Box<dyn StructuredMap>,
}
