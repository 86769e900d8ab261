//! Operands cut into tiles.

use super::tile::{BLOCK, K_STEP, OperandSide, TILE_LEN, TILE_ROWS, TileSource};
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::size::spanned;

/// Packs `matrix`, of at most [`BLOCK`] rows and with contiguous rows or columns, as
/// `[steps, parts, 2]` tiles; 0 stands for what is missing of the last ones. A right
/// operand is given transposed: its columns are the rows of `matrix`.
pub(crate) fn pack_tiles(
    kernel: Kernel,
    side: OperandSide,
    matrix: MatrixView<'_>,
    out: &mut [f32],
) {
    let functions = kernel.amx().expect("a kernel with AMX");
    let step_len = functions.parts * 2 * TILE_LEN;
    let row_major = matrix.column_stride == 1;
    assert!(
        row_major || matrix.row_stride == 1,
        "rows or columns are contiguous"
    );
    assert!(matrix.rows <= BLOCK, "rows");
    assert_eq!(
        out.len(),
        matrix.columns.div_ceil(K_STEP) * step_len,
        "tiles of {} columns",
        matrix.columns
    );
    let (lines, len) = TileSource::lines(row_major);
    for (step, out) in out.chunks_exact_mut(step_len).enumerate() {
        for first in [0, TILE_ROWS] {
            let out = &mut out[first / TILE_ROWS * TILE_LEN..];
            let mut padded = [0.0; TILE_ROWS * K_STEP];
            let whole = matrix.rows >= first + TILE_ROWS && matrix.columns >= (step + 1) * K_STEP;
            let source = if whole {
                let stride = matrix.row_stride.max(matrix.column_stride);
                let tile = matrix.submatrix(first, TILE_ROWS, step * K_STEP, K_STEP);
                TileSource {
                    values: &tile.values[..spanned(lines, stride, len)],
                    row_major,
                    stride,
                }
            } else {
                if matrix.rows > first {
                    pad(
                        matrix.submatrix(first, TILE_ROWS, step * K_STEP, K_STEP),
                        &mut padded,
                    );
                }
                TileSource {
                    values: &padded,
                    row_major,
                    stride: len,
                }
            };
            assert!(out.len() >= (functions.parts - 1) * 2 * TILE_LEN + TILE_LEN);
            // SAFETY: a kernel exists only where its instructions do; `source` has the
            // values of a tile, and `out` a tile of each part.
            unsafe { (functions.pack_tile)(side, source, out) };
        }
    }
}

/// Copies part of a tile to `padded`, in the same order.
fn pad(part: MatrixView<'_>, padded: &mut [f32]) {
    let row_major = part.column_stride == 1;
    let (_, len) = TileSource::lines(row_major);
    for r in 0..part.rows {
        for k in 0..part.columns {
            let at = if row_major { r * len + k } else { k * len + r };
            padded[at] = part.values[r * part.row_stride + k * part.column_stride];
        }
    }
}
