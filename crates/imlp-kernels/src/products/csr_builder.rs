//! Sparse operands in compressed sparse rows (CSR), and the dense ones that they multiply.

use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::operands::Operands;
use crate::transpose::transpose;
use crate::vector::csr::{Bf16Nonzero, CSR_REGISTERS, Nonzero};

/// Columns of the dense operand that are multiplied together (`nc`): as many as the
/// registers hold.
pub(super) fn column_block(kernel: Kernel) -> usize {
    CSR_REGISTERS * kernel.register_width()
}

/// From one row of a packed block to the next, in values of f32: two of bfloat16 share one.
pub(super) fn block_stride(kernel: Kernel) -> usize {
    column_block(kernel) / kernel.values_per_element()
}

/// Rows of the dense operand that are multiplied together (`kc`), in whole panels: they
/// stay in the first-level cache.
pub(super) fn k_block(kernel: Kernel) -> usize {
    const BLOCK_BYTES: usize = 24 << 10;
    let panel = size_of::<f32>() * block_stride(kernel) * kernel.panel_width();
    BLOCK_BYTES / panel * kernel.panel_width()
}

/// A sparse matrix that is built row by row.
#[derive(Clone, Debug)]
pub(super) struct CsrBuilder {
    kernel: Kernel,
    nonzeros: Vec<Nonzero>,
    row_ptr: Vec<u32>,
    /// Nonzeros so far.
    count: usize,
    /// For bfloat16, the values of the row that has not ended.
    row: Vec<Bf16Nonzero>,
    row_count: usize,
}

impl CsrBuilder {
    pub fn new(kernel: Kernel) -> Self {
        let longest_row = match kernel.operands() {
            Operands::Bf16 => k_block(kernel) + kernel.register_width(),
            _ => 0,
        };
        Self {
            kernel,
            nonzeros: Vec::new(),
            row_ptr: Vec::new(),
            count: 0,
            row: vec![Bf16Nonzero::default(); longest_row],
            row_count: 0,
        }
    }

    /// Starts a matrix made of `len` values, zeros included.
    pub fn start(&mut self, len: usize) {
        // Whole registers are written before their nonzeros are counted.
        let room = len + self.kernel.register_width();
        self.nonzeros.resize(room, Nonzero::default());
        self.row_ptr.clear();
        self.row_ptr.push(0);
        self.count = 0;
    }

    /// Adds values to the row, which multiply the rows of a packed block from `k` on.
    #[inline(always)]
    pub fn extend_row(&mut self, k: usize, values: &[f32]) {
        let stride = block_stride(self.kernel);
        if self.kernel.operands() == Operands::Bf16 {
            let out = &mut self.row[self.row_count..];
            self.row_count += self.kernel.compress_bf16(k * stride, stride, values, out);
        } else {
            let out = &mut self.nonzeros[self.count..];
            self.count += self.kernel.compress(k * stride, stride, values, out);
        }
    }

    /// Ends the row.
    #[inline(always)]
    pub fn end_row(&mut self) {
        if let Some(&last) = self.row[..self.row_count].last() {
            // An odd last value is paired with 0 times its own row.
            self.row[self.row_count] = last.with_zero();
            let pairs = self.row[..self.row_count + 1].as_chunks::<2>().0;
            for (nonzero, &pair) in self.nonzeros[self.count..].iter_mut().zip(pairs) {
                *nonzero = Nonzero::pair(pair);
            }
            self.count += pairs.len();
            self.row_count = 0;
        }
        self.row_ptr.push(self.count as u32);
    }

    pub fn nonzeros(&self) -> &[Nonzero] {
        &self.nonzeros[..self.count]
    }

    pub fn row_ptr(&self) -> &[u32] {
        &self.row_ptr
    }
}

/// Packs blocks of the dense operand.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockPacker {
    /// Pairs of neighbours, and these transposed.
    pairs: Vec<f32>,
    transposed: Vec<f32>,
}

impl BlockPacker {
    /// Writes column k of `matrix`, whose rows or columns are contiguous, as row k of `out`.
    pub fn pack(&mut self, kernel: Kernel, matrix: MatrixView<'_>, out: &mut [f32]) {
        let stride = block_stride(kernel);
        if kernel.operands() != Operands::Bf16 {
            return transpose(matrix, stride, out);
        }
        if matrix.row_stride == 1 {
            // Of a single column the rows are contiguous too.
            let columns = matrix.transposed().contiguous_lines();
            for (column, out) in columns.zip(out.chunks_mut(stride)) {
                kernel.interleave_row(column, out);
            }
            return;
        }
        // Pairs are half as many as values: they are transposed, then split.
        let pairs_per_row = matrix.columns.div_ceil(2);
        self.pairs.resize(matrix.rows * pairs_per_row, 0.0);
        let rows = matrix.contiguous_lines();
        for (row, pairs) in rows.zip(self.pairs.chunks_exact_mut(pairs_per_row)) {
            kernel.pair_neighbours(row, pairs);
        }
        let len = column_block(kernel);
        self.transposed.resize(pairs_per_row * len, 0.0);
        let pairs = MatrixView::row_major(&self.pairs, matrix.rows, pairs_per_row);
        transpose(pairs, len, &mut self.transposed);
        let pairs = self.transposed.chunks_exact(len);
        for (pairs, out) in pairs.zip(out.chunks_mut(2 * stride)) {
            let (first, second) = out.split_at_mut(stride);
            kernel.split_pairs(pairs, first, second);
        }
    }
}
