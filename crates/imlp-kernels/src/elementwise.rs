//! What lies between products: activations, normalisation, the loss, and the updates of
//! the optimisers.

mod activation;
mod cross_entropy;
mod layer_norm;
mod update;

pub use activation::{gelu, gelu_backward, relu, relu_backward};
pub use cross_entropy::cross_entropy;
pub use layer_norm::{layer_norm, layer_norm_backward};
pub use update::{ParameterUpdate, UpdateRule};

use crate::kernel::vectorized;
use crate::panels::Panels;

vectorized! {
/// `out[i] += x[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn add(kernel, x: &[f32], out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "lengths");
    for (out, x) in out.iter_mut().zip(x) {
        *out += x;
    }
}
}

/// `sums[f] = Σ` of feature f over all samples of `values`, in panels of `layout`. Padding
/// must be 0.
///
/// # Panics
/// If a slice does not fit.
pub fn sum_samples(layout: Panels, values: &[f32], sums: &mut [f32]) {
    assert_eq!(values.len(), layout.len(), "values");
    assert_eq!(sums.len(), layout.features, "sums");
    sums.fill(0.0);
    for panel in values.chunks_exact(layout.panel_len()) {
        for (sum, row) in sums.iter_mut().zip(panel.chunks_exact(layout.width)) {
            // 16 sums at a time, the lanes of a register.
            let (sixteens, rest) = row.as_chunks::<16>();
            let mut sums = [0.0; 16];
            for values in sixteens {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            for half in [8, 4, 2, 1] {
                for i in 0..half {
                    sums[i] += sums[half + i];
                }
            }
            *sum += sums[0] + rest.iter().sum::<f32>();
        }
    }
}
