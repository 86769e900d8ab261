//! Oracles: each kind of map from its definition, by index arithmetic and in
//! double precision, sharing no code with the crate. One file per family, one
//! line in [`ORACLES`] per kind.

mod convolution;
mod resampling;
mod tokens;
mod vectors;

use imlp_linear::StructuredMap;

/// `vec(layer(x))` for weight, bias (empty: none) and input in double
/// precision; its length is the output's, by definition of the layer.
pub type Apply = fn(&dyn StructuredMap, weight: &[f64], bias: &[f64], x: &[f64]) -> Vec<f64>;

/// The definition of one kind of map.
pub struct Oracle {
    pub kind: &'static str,
    pub apply: Apply,
    /// Lengths of weight and bias, the bias as if the map had one.
    pub lengths: fn(&dyn StructuredMap) -> (usize, usize),
}

pub const ORACLES: &[Oracle] = &[
    vectors::DENSE,
    convolution::CONV2D,
    convolution::CONV1D,
    convolution::CONV_TRANSPOSE2D,
    convolution::LOCALLY_CONNECTED2D,
    convolution::PATCH_EMBEDDING,
    tokens::TOKEN_MIXING,
    tokens::CHANNEL_MIXING,
    tokens::KRONECKER,
    vectors::LOW_RANK,
    vectors::CIRCULANT,
    resampling::AVG_POOL2D,
    resampling::ADAPTIVE_AVG_POOL2D,
    tokens::MEAN_TOKENS,
    resampling::BILINEAR_RESIZE,
    vectors::BATCH_NORM,
    vectors::PERMUTATION,
    vectors::LEARNED_PERMUTATION,
];

/// The oracle of `kind`.
pub fn oracle(kind: &str) -> &'static Oracle {
    ORACLES
        .iter()
        .find(|oracle| oracle.kind == kind)
        .unwrap_or_else(|| {
            panic!(
                "the registered map `{kind}` has no oracle: write its definition in \
                 tests/oracles and add it to ORACLES"
            )
        })
}

/// The concrete geometry behind a map.
fn concrete<T: 'static>(map: &dyn StructuredMap) -> &T {
    map.as_any()
        .downcast_ref()
        .unwrap_or_else(|| panic!("`{}` is not the type its oracle expects", map.kind()))
}

/// Bias of group `i`; 0 without bias.
fn at(bias: &[f64], i: usize) -> f64 {
    if bias.is_empty() { 0.0 } else { bias[i] }
}
