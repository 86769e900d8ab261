//! The parameters of a structured linear map.

/// The parameters of a map, in PyTorch layout.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Weight, row-major, of shape
    /// [`StructuredMap::weight_shape`](crate::StructuredMap::weight_shape); empty for maps
    /// without parameters.
    pub weight: &'a [f32],
    /// Bias, of length [`StructuredMap::bias_len`](crate::StructuredMap::bias_len), exactly
    /// when [`StructuredMap::has_bias`](crate::StructuredMap::has_bias).
    pub bias: Option<&'a [f32]>,
}

impl Parameters<'static> {
    /// The parameters of a map that has none (pooling).
    pub const NONE: Self = Self {
        weight: &[],
        bias: None,
    };
}

impl<'a> Parameters<'a> {
    /// The weight that row segments index: the implied 1 for a map without
    /// weight.
    pub(crate) fn tied_weight(self) -> &'a [f32] {
        if self.weight.is_empty() {
            &[1.0]
        } else {
            self.weight
        }
    }
}
