//! Parameters in the memory of the engine.

use imlp_kernels::Aligned;

use crate::network::parameters::HostParameters;

/// Aligned to cache lines, as the products load them best.
pub(super) fn aligned(values: &HostParameters) -> Vec<Aligned> {
    values
        .iter()
        .map(|values| values.as_slice().into())
        .collect()
}

/// As parameters outside the engine.
pub(super) fn to_host(values: &[Aligned]) -> HostParameters {
    values.iter().map(|values| values.to_vec()).collect()
}
