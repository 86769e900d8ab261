//! Oracles: each kind of map from its definition, by index arithmetic and in
//! double precision, sharing no code with the crate. One file per family, one
//! line in [`ORACLES`] per kind.

mod image;
mod tokens;

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
    tokens::DENSE,
    image::CONV2D,
    image::PATCH_EMBEDDING,
    tokens::TOKEN_MIXING,
    tokens::CHANNEL_MIXING,
    image::AVG_POOL2D,
    tokens::MEAN_TOKENS,
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
