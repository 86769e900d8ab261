//! The sums of the instructions in plain Rust, in their order.

use super::tile::{BLOCK, OperandSide, TILE_LEN, TILE_ROWS, TileProduct, TileSource};
use crate::bf16::{pair, rounded, unpair};

/// Which parts of two values of f32 are multiplied, in the order of the instructions.
const PART_PRODUCTS: [(usize, usize); 6] = [(0, 2), (0, 1), (1, 1), (1, 0), (0, 0), (2, 0)];

pub(crate) fn product<const PARTS: usize>(product: &mut TileProduct<'_>) {
    let part_products = if PARTS == 1 {
        &[(0, 0)]
    } else {
        PART_PRODUCTS.as_slice()
    };
    let pair = |operand: &[f32], tile: usize, row: usize, column: usize| {
        unpair(operand[tile * TILE_LEN + row * TILE_ROWS + column])
    };
    for r in 0..BLOCK {
        for c in 0..BLOCK {
            let out = &mut product.out[r * product.out_stride + c];
            let mut sum = if product.accumulate { *out } else { 0.0 };
            for step in 0..product.steps {
                for &(left, right) in part_products {
                    let tile = |part: usize, i: usize| (step * PARTS + part) * 2 + i / TILE_ROWS;
                    // One sum of the first values of pairs, one of the second.
                    let mut sums = [0.0f32; 2];
                    for k in 0..TILE_ROWS {
                        let a = pair(product.left, tile(left, r), r % TILE_ROWS, k);
                        let b = pair(product.right, tile(right, c), k, c % TILE_ROWS);
                        for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
                            *sum = a.mul_add(b, *sum);
                        }
                    }
                    sum += sums[0] + sums[1];
                }
            }
            *out = sum;
        }
    }
}

pub(crate) fn pack_tile<const PARTS: usize>(
    side: OperandSide,
    source: TileSource<'_>,
    out: &mut [f32],
) {
    for r in 0..TILE_ROWS {
        for k in 0..TILE_ROWS {
            let mut values = [2 * k, 2 * k + 1].map(|k| {
                let (line, at) = if source.row_major { (r, k) } else { (k, r) };
                source.values[line * source.stride + at]
            });
            let at = match side {
                OperandSide::Left => r * TILE_ROWS + k,
                OperandSide::Right => k * TILE_ROWS + r,
            };
            for part in 0..PARTS {
                out[part * 2 * TILE_LEN + at] = pair(values[0], values[1]);
                values = values.map(|value| value - rounded(value));
            }
        }
    }
}
