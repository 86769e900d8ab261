//! Interpolation of a matrix stored `[in, out]`.
//!
//! Rows of the dense equivalent are columns here, so writing them one by one
//! would touch a new cache line, and often a new page, for every value. Instead the
//! matrix is scaled in one contiguous pass, then a block of [`BLOCK`] rows of
//! α·W_P is collected in a scratch buffer and added where it is non-zero.
//!
//! The scratch starts as −0, the neutral element of floating-point addition
//! (0 is not: −0 + 0 = 0). So it holds α·W_P exactly, entries that are still −0
//! need not be added, and the result has the same bits as for `[out, in]`.

use crate::alpha::Alpha;
use crate::arithmetic::scale;
use crate::map::StructuredMap;
use crate::parameters::Parameters;

/// Outputs per block: one 64-byte cache line of f32 of each row of `[in, out]`.
const BLOCK: usize = 16;

/// Inputs that are tested together for something to add.
const STRIP: usize = 16;

/// `W ← (1−α)·W + α·W_P` for 0 < α ≤ 1; `weight` is `[in_len, out_len]`.
pub(crate) fn interpolate_weight<M: StructuredMap + ?Sized>(
    map: &M,
    p: Parameters<'_>,
    alpha: Alpha,
    weight: &mut [f32],
) {
    let (in_len, out_len) = (map.in_len(), map.out_len());
    let (kept, added) = alpha.shares();
    if alpha.is_one() {
        weight.fill(0.0);
    } else {
        scale(kept, weight);
    }
    // A padded stride: the last strip is whole, and rows do not share cache sets
    // when `in_len` is a power of two.
    let stride = (in_len / STRIP + 1) * STRIP;
    let mut scratch = vec![-0.0f32; stride * BLOCK.min(out_len)];
    for first in (0..out_len).step_by(BLOCK) {
        let block = first..(first + BLOCK).min(out_len);
        let scratch = &mut scratch[..stride * block.len()];
        scratch.fill(-0.0);
        for (row, line) in block.clone().zip(scratch.chunks_exact_mut(stride)) {
            map.add_row(p, row, added, &mut line[..in_len]);
        }
        for start in (0..in_len).step_by(STRIP) {
            let touched = touched(scratch, stride, start);
            if touched == [0; STRIP] {
                continue;
            }
            for (k, _) in touched.iter().enumerate().filter(|(_, t)| **t != 0) {
                let line = &mut weight[(start + k) * out_len..][block.clone()];
                for (w, values) in line.iter_mut().zip(scratch.chunks_exact(stride)) {
                    *w += values[start + k];
                }
            }
        }
    }
}

/// For each input of the strip at `start`: non-zero if some row of the scratch
/// has anything but −0 there.
fn touched(scratch: &[f32], stride: usize, start: usize) -> [u32; STRIP] {
    let mut touched = [0; STRIP];
    for row in scratch.chunks_exact(stride) {
        for (t, v) in touched.iter_mut().zip(&row[start..start + STRIP]) {
            *t |= v.to_bits() ^ (-0.0f32).to_bits();
        }
    }
    touched
}
