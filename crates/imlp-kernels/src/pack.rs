//! Operands in the order in which tiles read them.

use crate::bf16::{pair, rounded};
use crate::prefetch::{Cache, prefetch};
use crate::tile::{AVX2_ROWS, AVX512_ROWS};
use crate::{Aligned, Kernel, Operands};

/// The most lanes of a kernel.
pub(crate) const MAX_LANES: usize = 32;

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

    /// The rows or columns, whichever are contiguous.
    pub fn lines(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        let (lines, len, step) = if self.column_step == 1 {
            (self.rows, self.columns, self.row_step)
        } else {
            (self.columns, self.rows, self.column_step)
        };
        (0..lines).map(move |line| &self.values[line * step..][..len])
    }

    /// Asks for the share of the block that belongs to `parts` parts of `of` from
    /// `part` on.
    pub fn fetch(self, part: usize, parts: usize, of: usize) {
        let lines = self.lines();
        let (from, to) = (lines.len() * part / of, lines.len() * (part + parts) / of);
        for line in lines.take(to).skip(from) {
            prefetch(line, Cache::Second);
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

/// Packs rows as they lie as a straight left operand; `at(r)` is where in `out` row
/// r of the block goes.
pub(crate) fn pack_straight(
    kernel: Kernel,
    block: Block<'_>,
    out: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    /// Rows of a large matrix lie far apart: the next ones come meanwhile.
    const AHEAD: usize = 8;
    assert_eq!(block.column_step, 1, "rows are contiguous");
    let row = |r: usize| &block.values[r * block.row_step..][..block.columns];
    for r in 0..block.rows {
        if r + AHEAD < block.rows {
            prefetch(row(r + AHEAD), Cache::First);
        }
        let out = &mut out[at(r)..][..depth(kernel, block.columns)];
        match kernel.operands {
            Operands::F32 => out.copy_from_slice(row(r)),
            Operands::EmulatedBf16 => round_all(row(r), out),
            Operands::Bf16 => kernel.pair_neighbours(row(r), out),
        }
    }
}

fn round_all(values: &[f32], out: &mut [f32]) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = rounded(value);
    }
}

/// Packs `block` into turned tiles, one after the other: the tile that starts at row
/// r lies at r·depth.
pub(crate) fn pack_turned<'a>(
    kernel: Kernel,
    block: Block<'_>,
    packed: &'a mut Aligned,
) -> &'a [f32] {
    let deep = depth(kernel, block.columns);
    packed.set_len(block.rows * deep);
    let whole = match (block.row_step, kernel.rows()) {
        (1, AVX2_ROWS) => pack_columns::<AVX2_ROWS>(kernel, block, packed),
        (1, AVX512_ROWS) => pack_columns::<AVX512_ROWS>(kernel, block, packed),
        _ => 0,
    };
    for first in (whole..block.rows).step_by(kernel.rows()) {
        let rows = kernel.rows().min(block.rows - first);
        let tile = &mut packed[first * deep..][..rows * deep];
        for r in 0..rows {
            let row = block.part(first + r, 1, 0, block.columns);
            for (k, out) in tile[r..].iter_mut().step_by(rows).enumerate() {
                *out = element(kernel, row, k);
            }
        }
    }
    packed
}

/// Element `k` of the left operand from a block of one row.
fn element(kernel: Kernel, row: Block<'_>, k: usize) -> f32 {
    let at = |column: usize| row.values[column * row.column_step];
    match kernel.operands {
        Operands::F32 => at(k),
        Operands::EmulatedBf16 => rounded(at(k)),
        // The last pair of an odd number of columns ends with 0.
        Operands::Bf16 if 2 * k + 1 == row.columns => pair(at(2 * k), 0.0),
        Operands::Bf16 => pair(at(2 * k), at(2 * k + 1)),
    }
}

/// Packs the whole tiles of a block whose rows are neighbours in memory (a
/// transposed matrix); gives their number of rows.
///
/// Several tiles together read whole cache lines of each column: one tile alone
/// would leave most of every line to the next, which finds it gone.
fn pack_columns<const R: usize>(kernel: Kernel, block: Block<'_>, packed: &mut [f32]) -> usize {
    const TOGETHER: usize = 8;
    const AHEAD: usize = 8;
    const MOST: usize = TOGETHER * AVX512_ROWS;
    let deep = depth(kernel, block.columns);
    let whole = block.rows / R * R;
    let mut elements = [0.0; MOST];
    for first in (0..whole).step_by(TOGETHER * R) {
        let rows = (TOGETHER * R).min(whole - first);
        let column = |c: usize| &block.values[c * block.column_step + first..][..rows];
        for k in 0..deep {
            let (c, ahead) = (k * kernel.packed(), (k + AHEAD) * kernel.packed());
            for c in ahead..(ahead + kernel.packed()).min(block.columns) {
                prefetch(column(c), Cache::First);
            }
            let elements = match kernel.operands {
                Operands::F32 => column(c),
                operands => {
                    let elements = &mut elements[..rows];
                    match operands {
                        Operands::Bf16 if c + 1 < block.columns => {
                            kernel.pair_rows(column(c), column(c + 1), elements);
                        }
                        Operands::Bf16 => {
                            kernel.pair_rows(column(c), &[0.0; MOST][..rows], elements);
                        }
                        _ => round_all(column(c), elements),
                    }
                    &*elements
                }
            };
            for (tile, values) in elements.as_chunks::<R>().0.iter().enumerate() {
                let at = (first + tile * R) * deep + k * R;
                packed[at..at + R].copy_from_slice(values);
            }
        }
    }
    whole
}

/// Packs rows of `lanes` values, `[rows, lanes]`, as the right operand of a tile,
/// `[depth, lanes]`.
pub(crate) fn pack_right(kernel: Kernel, rows: &[f32], lanes: usize, out: &mut [f32]) {
    match kernel.operands {
        Operands::F32 => out.copy_from_slice(rows),
        Operands::EmulatedBf16 => round_all(rows, out),
        Operands::Bf16 => {
            for (out, two) in out.chunks_exact_mut(lanes).zip(rows.chunks(2 * lanes)) {
                let (first, second) = two.split_at(lanes);
                if second.is_empty() {
                    kernel.pair_rows(first, &[0.0; MAX_LANES][..lanes], out);
                } else {
                    kernel.pair_rows(first, second, out);
                }
            }
        }
    }
}
