//! What follows a product: bias and ReLU.

use crate::kernel::vectorized;

vectorized! {
/// Adds the bias to rows of a panel of results, then takes max(·, 0) if `relu`.
pub(super) fn add_bias(kernel, panel_width: usize, bias: Option<&[f32]>, relu: bool, y: &mut [f32]) {
    for (i, y) in y.chunks_exact_mut(panel_width).enumerate() {
        let bias = bias.map_or(0.0, |bias| bias[i]);
        for y in y {
            let value = *y + bias;
            *y = if relu && value < 0.0 { 0.0 } else { value };
        }
    }
}
}
