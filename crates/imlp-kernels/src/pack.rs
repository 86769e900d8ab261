//! Operands in the order in which tiles read them.

use crate::bf16::{pair, rounded};
use crate::{Kernel, Operands};

/// A block of a matrix inside `values`: entry `(r, k)` at
/// `r·row_step + k·column_step`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_step: usize,
    pub column_step: usize,
}

impl<'a> Block<'a> {
    /// A whole matrix, `[rows, columns]` row-major.
    pub fn whole(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_step: columns,
            column_step: 1,
        }
    }

    /// Rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    /// The part from `row` and `column` on, of at most that size.
    pub fn part(self, row: usize, rows: usize, column: usize, columns: usize) -> Self {
        Self {
            values: &self.values[row * self.row_step + column * self.column_step..],
            rows: rows.min(self.rows - row),
            columns: columns.min(self.columns - column),
            ..self
        }
    }
}

/// Elements of a tile's operand for `columns` values of the sum's index.
pub(crate) fn depth(kernel: Kernel, columns: usize) -> usize {
    columns.div_ceil(kernel.packed())
}

/// Packs `block` as the left operand of one tile: `[depth, rows]`, from element
/// `at` of the depth on.
pub(crate) fn pack_left(kernel: Kernel, block: Block<'_>, out: &mut [f32]) {
    let Block { rows, columns, .. } = block;
    let (rs, cs) = (block.row_step, block.column_step);
    let values = block.values;
    let out = out.chunks_exact_mut(rows).take(depth(kernel, columns));
    match kernel.operands {
        Operands::F32 if rs == 1 => {
            for (k, out) in out.enumerate() {
                out.copy_from_slice(&values[k * cs..][..rows]);
            }
        }
        Operands::F32 => {
            for (k, out) in out.enumerate() {
                for (out, row) in out.iter_mut().zip(values[k * cs..].iter().step_by(rs)) {
                    *out = *row;
                }
            }
        }
        Operands::EmulatedBf16 => {
            for (k, out) in out.enumerate() {
                for (out, row) in out.iter_mut().zip(values[k * cs..].iter().step_by(rs)) {
                    *out = rounded(*row);
                }
            }
        }
        Operands::Bf16 => {
            for (k, out) in out.enumerate() {
                let (first, second) = (2 * k * cs, (2 * k + 1) * cs);
                // The last pair of an odd number of columns ends with 0.
                let odd = 2 * k + 1 == columns;
                for (r, out) in out.iter_mut().enumerate() {
                    let next = if odd { 0.0 } else { values[second + r * rs] };
                    *out = pair(values[first + r * rs], next);
                }
            }
        }
    }
}

/// Packs `block` into tiles, one after the other: the tile that starts at row r
/// lies at r·depth.
pub(crate) fn pack_tiles<'a>(
    kernel: Kernel,
    block: Block<'_>,
    packed: &'a mut Vec<f32>,
) -> &'a [f32] {
    let deep = depth(kernel, block.columns);
    packed.resize(block.rows * deep, 0.0);
    for row in (0..block.rows).step_by(kernel.rows()) {
        let part = block.part(row, kernel.rows(), 0, block.columns);
        pack_left(kernel, part, &mut packed[row * deep..][..part.rows * deep]);
    }
    packed
}

/// Packs rows of `lanes` values, `[rows, lanes]`, as the right operand of a tile,
/// `[depth, lanes]`.
pub(crate) fn pack_right(kernel: Kernel, rows: &[f32], lanes: usize, out: &mut [f32]) {
    match kernel.operands {
        Operands::F32 => out.copy_from_slice(rows),
        Operands::EmulatedBf16 => {
            for (out, &value) in out.iter_mut().zip(rows) {
                *out = rounded(value);
            }
        }
        Operands::Bf16 => {
            for (out, two) in out.chunks_exact_mut(lanes).zip(rows.chunks(2 * lanes)) {
                let (first, second) = two.split_at(lanes);
                if second.is_empty() {
                    for (out, &a) in out.iter_mut().zip(first) {
                        *out = pair(a, 0.0);
                    }
                } else {
                    for ((out, &a), &b) in out.iter_mut().zip(first).zip(second) {
                        *out = pair(a, b);
                    }
                }
            }
        }
    }
}
