//! Interpolation of a matrix stored `[in, out]`.
//!
//! Rows of the dense equivalent are columns here. A block of [`BLOCK`] of them
//! is transposed into a small scratch, interpolated row by row as usual, and
//! transposed back while it is in cache: one pass over memory, and the same
//! arithmetic, hence the same bits, as for `[out, in]`.

use crate::arithmetic::scale;
use crate::{Alpha, Parameters, StructuredMap};

/// Outputs per block: one 64-byte cache line of f32 of each row of `[in, out]`.
const BLOCK: usize = 16;

/// Added to the scratch's row length, so that the rows of a block do not fall
/// into the same cache sets when `in_len` is a power of two.
const PADDING: usize = 16;

/// `W ← (1−α)·W + α·W_P` for 0 < α ≤ 1; `weight` is `[in_len, out_len]`.
pub(crate) fn interpolate_weight<M: StructuredMap + ?Sized>(
    map: &M,
    p: Parameters<'_>,
    alpha: Alpha,
    weight: &mut [f32],
) {
    let (in_len, out_len) = (map.in_len(), map.out_len());
    let (kept, pulled) = alpha.shares();
    let stride = in_len + PADDING;
    let mut scratch = vec![0.0f32; stride * BLOCK.min(out_len)];
    for first in (0..out_len).step_by(BLOCK) {
        let block = first..(first + BLOCK).min(out_len);
        if !alpha.is_one() {
            for (i, line) in weight.chunks_exact(out_len).enumerate() {
                for (k, &w) in line[block.clone()].iter().enumerate() {
                    scratch[k * stride + i] = w;
                }
            }
        }
        for (row, padded) in block.clone().zip(scratch.chunks_exact_mut(stride)) {
            let out = &mut padded[..in_len];
            if alpha.is_one() {
                out.fill(0.0);
            } else {
                scale(kept, out);
            }
            map.add_row(p, row, pulled, out);
        }
        for (i, line) in weight.chunks_exact_mut(out_len).enumerate() {
            for (k, w) in line[block.clone()].iter_mut().enumerate() {
                *w = scratch[k * stride + i];
            }
        }
    }
}
