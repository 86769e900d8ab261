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

/// Replaces `values` one by one, so that no two copies of all are in memory.
pub(super) fn replace(values: &mut [Aligned], by: HostParameters) {
    for (value, by) in values.iter_mut().zip(by) {
        *value = by.as_slice().into();
    }
}

/// As parameters outside the engine.
pub(super) fn to_host(values: &[Aligned]) -> HostParameters {
    values.iter().map(|values| values.to_vec()).collect()
}
