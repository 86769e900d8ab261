//! Operands in the order in which micro-kernels read them.

use crate::aligned::Aligned;
use crate::bf16::{pair, rounded};
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::operands::Operands;
use crate::prefetch::{CacheLevel, prefetch};
use crate::vector::micro_kernel::{AVX2_ROWS, AVX512_ROWS};

/// The greatest width of a panel.
pub(crate) const MAX_PANEL_WIDTH: usize = 32;

/// Elements of an operand for `len` values of k.
pub(crate) fn elements(kernel: Kernel, len: usize) -> usize {
    len.div_ceil(kernel.values_per_element())
}

/// Packs rows as they lie, as a row-major left operand. Row r goes to `at(r)` in `out`.
pub(crate) fn pack_row_major(
    kernel: Kernel,
    matrix: MatrixView<'_>,
    out: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    /// Rows of a large matrix lie far apart, where the processor does not prefetch.
    const PREFETCH_DISTANCE: usize = 8;
    assert_eq!(matrix.column_stride, 1, "rows are contiguous");
    let row = |r: usize| &matrix.values[r * matrix.row_stride..][..matrix.columns];
    for r in 0..matrix.rows {
        if r + PREFETCH_DISTANCE < matrix.rows {
            prefetch(row(r + PREFETCH_DISTANCE), CacheLevel::First);
        }
        let out = &mut out[at(r)..][..elements(kernel, matrix.columns)];
        match kernel.operands() {
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

/// Packs `matrix` as column-major micro-panels of [`Kernel::micro_rows`] rows, one after
/// the other: the one that starts at row r lies at r·depth.
pub(crate) fn pack_micro_panels<'a>(
    kernel: Kernel,
    matrix: MatrixView<'_>,
    packed: &'a mut Aligned,
) -> &'a [f32] {
    let depth = elements(kernel, matrix.columns);
    packed.set_len(matrix.rows * depth);
    let whole = match (matrix.row_stride, kernel.micro_rows()) {
        (1, AVX2_ROWS) => pack_whole_micro_panels::<AVX2_ROWS>(kernel, matrix, packed),
        (1, AVX512_ROWS) => pack_whole_micro_panels::<AVX512_ROWS>(kernel, matrix, packed),
        _ => 0,
    };
    for first in (whole..matrix.rows).step_by(kernel.micro_rows()) {
        let rows = kernel.micro_rows().min(matrix.rows - first);
        let micro_panel = &mut packed[first * depth..][..rows * depth];
        for r in 0..rows {
            let row = matrix.submatrix(first + r, 1, 0, matrix.columns);
            for (k, out) in micro_panel[r..].iter_mut().step_by(rows).enumerate() {
                *out = element(kernel, row, k);
            }
        }
    }
    packed
}

/// Element `k` of a left operand with one row.
fn element(kernel: Kernel, row: MatrixView<'_>, k: usize) -> f32 {
    let at = |column: usize| row.values[column * row.column_stride];
    match kernel.operands() {
        Operands::F32 => at(k),
        Operands::EmulatedBf16 => rounded(at(k)),
        // The last pair of an odd number of columns ends with 0.
        Operands::Bf16 if 2 * k + 1 == row.columns => pair(at(2 * k), 0.0),
        Operands::Bf16 => pair(at(2 * k), at(2 * k + 1)),
    }
}

/// Packs the micro-panels of `R` rows of a column-major matrix; returns the number of rows
/// that they cover.
///
/// Several micro-panels at a time read whole cache lines of each column: one alone would
/// leave most of a line to the next, which finds it evicted.
fn pack_whole_micro_panels<const R: usize>(
    kernel: Kernel,
    matrix: MatrixView<'_>,
    packed: &mut [f32],
) -> usize {
    const MICRO_PANELS: usize = 8;
    const PREFETCH_DISTANCE: usize = 8;
    const MAX_ROWS: usize = MICRO_PANELS * AVX512_ROWS;
    let values = kernel.values_per_element();
    let depth = elements(kernel, matrix.columns);
    let whole = matrix.rows / R * R;
    let mut buffer = [0.0; MAX_ROWS];
    for first in (0..whole).step_by(MICRO_PANELS * R) {
        let rows = (MICRO_PANELS * R).min(whole - first);
        let column = |c: usize| &matrix.values[c * matrix.column_stride + first..][..rows];
        for k in 0..depth {
            let (c, ahead) = (k * values, (k + PREFETCH_DISTANCE) * values);
            for c in ahead..(ahead + values).min(matrix.columns) {
                prefetch(column(c), CacheLevel::First);
            }
            let elements = match kernel.operands() {
                Operands::F32 => column(c),
                operands => {
                    let elements = &mut buffer[..rows];
                    match operands {
                        Operands::Bf16 if c + 1 < matrix.columns => {
                            kernel.pair_rows(column(c), column(c + 1), elements);
                        }
                        Operands::Bf16 => {
                            kernel.pair_rows(column(c), &[0.0; MAX_ROWS][..rows], elements);
                        }
                        _ => round_all(column(c), elements),
                    }
                    &*elements
                }
            };
            for (i, elements) in elements.as_chunks::<R>().0.iter().enumerate() {
                let at = (first + i * R) * depth + k * R;
                packed[at..at + R].copy_from_slice(elements);
            }
        }
    }
    whole
}

/// Packs `[rows, panel_width]` as the right operand of a micro-tile,
/// `[depth, panel_width]`.
pub(crate) fn pack_rhs(kernel: Kernel, rows: &[f32], panel_width: usize, out: &mut [f32]) {
    match kernel.operands() {
        Operands::F32 => out.copy_from_slice(rows),
        Operands::EmulatedBf16 => round_all(rows, out),
        Operands::Bf16 => {
            let out = out.chunks_exact_mut(panel_width);
            for (out, two) in out.zip(rows.chunks(2 * panel_width)) {
                let (first, second) = two.split_at(panel_width);
                if second.is_empty() {
                    kernel.pair_rows(first, &[0.0; MAX_PANEL_WIDTH][..panel_width], out);
                } else {
                    kernel.pair_rows(first, second, out);
                }
            }
        }
    }
}
