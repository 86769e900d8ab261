//! Products that skip the zeros of an operand.
//!
//! After a ReLU, half of the activations are 0, and more as training proceeds; so are the
//! gradients of those activations. A micro-tile, with samples in its lanes, can skip nothing:
//! another sample of the same register is rarely 0 in the same place. Here the lanes are
//! features instead, and the operand with zeros is a sparse matrix in compressed rows
//! (CSR): the outputs of a sample are a sum of the weights of those of its inputs that are
//! not 0.
//!
//! The remaining products are summed in the same order; only a 0 that meets an infinite or
//! undefined value gives 0 instead of NaN. For bfloat16, which is multiplied
//! in pairs, any two nonzeros of a row make a pair.

use std::ops::Range;

use super::csr_builder::{BlockPacker, CsrBuilder, block_stride, column_block, k_block};
use super::epilogue::add_bias;
use super::gradient_sink::{GradientSink, prefetch_targets};
use crate::aligned::Aligned;
use crate::kernel::Kernel;
use crate::kernel::vectorized;
use crate::matrix::MatrixView;
use crate::operands::Operands;
use crate::panels::Panels;
use crate::transpose::transpose;
use crate::vector::csr::CsrProduct;

/// The share of values that are not 0 up to which CSR products are faster than dense ones
/// (`cargo bench -p imlp-kernels`).
const MAX_DENSITY: f64 = 0.7;
/// Rows of a gradient that are summed together (`mc`): they stay in the second-level cache.
const OUTPUT_BLOCK: usize = 128;
/// Rows of the sparse matrix between two prefetches of memory that is needed next: a
/// processor waits when it has more outstanding requests than it can track. The sink gets
/// this number of rows of a gradient at once.
const ROWS_PER_PREFETCH: usize = 16;

/// A sparse operand, blocks of the dense one, and their products.
#[derive(Clone, Debug)]
pub(super) struct CsrProducts {
    kernel: Kernel,
    sparse: CsrBuilder,
    packer: BlockPacker,
    /// A block of the dense operand.
    block: Aligned,
    sums: Aligned,
    /// Some features of a panel, by samples.
    transposed: Vec<f32>,
}

/// Registers that hold the sums of this number of columns.
fn registers(kernel: Kernel, columns: usize) -> usize {
    let values = kernel.values_per_element();
    columns.div_ceil(kernel.register_width() * values) * values
}

/// Whether enough of `x` is 0 that it is faster to skip it.
pub(super) fn is_sparse(kernel: Kernel, layout: Panels, x: &[f32]) -> bool {
    /// Fewer do not repay the transposition of weights and results.
    const MIN_SAMPLES: usize = 64;
    // Nonzeros are counted in 32 bits.
    let countable = u32::try_from(x.len()).is_ok();
    if kernel.operands() == Operands::EmulatedBf16 || layout.samples < MIN_SAMPLES || !countable {
        return false;
    }
    let mut nonzeros = 0;
    count_nonzeros(kernel, x, &mut nonzeros);
    (nonzeros as f64) < MAX_DENSITY * x.len() as f64
}

vectorized! {
/// Adds to `count` the number of values that are not 0.
fn count_nonzeros(kernel, x: &[f32], count: &mut usize) {
    for x in x.chunks(1 << 12) {
        *count += x.iter().map(|&x| u32::from(x != 0.0)).sum::<u32>() as usize;
    }
}
}

impl CsrProducts {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            sparse: CsrBuilder::new(kernel),
            packer: BlockPacker::default(),
            block: Aligned::default(),
            sums: Aligned::default(),
            transposed: Vec::new(),
        }
    }

    /// `matrix` times the panels `x`, which have as many features as it has columns.
    pub fn multiply(
        &mut self,
        matrix: MatrixView<'_>,
        layout: Panels,
        bias: Option<&[f32]>,
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let (kernel, width, samples) = (self.kernel, layout.width, layout.samples);
        let (column_block, k_block) = (column_block(kernel), k_block(kernel));
        let output = layout.with_features(matrix.rows);
        self.compress_samples(layout, x);
        let block = self.block.sized(k_block * block_stride(kernel));
        let sums = self.sums.sized(layout.count() * width * column_block);
        // Padding lanes have no row in the sparse matrix. In a gradient they must stay 0.
        sums[samples * column_block..].fill(0.0);
        for first in (0..matrix.rows).step_by(column_block) {
            let columns = column_block.min(matrix.rows - first);
            for (part, k) in (0..matrix.columns).step_by(k_block).enumerate() {
                let rows = matrix.submatrix(first, columns, k, k_block);
                self.packer.pack(kernel, rows, block);
                let next = if k + k_block < matrix.columns {
                    matrix.submatrix(first, columns, k + k_block, k_block)
                } else {
                    let first = (first + column_block).min(matrix.rows);
                    matrix.submatrix(first, column_block, 0, k_block)
                };
                let row_ptr = &self.sparse.row_ptr()[part * samples..][..=samples];
                for sample in (0..samples).step_by(ROWS_PER_PREFETCH) {
                    let rows = ROWS_PER_PREFETCH.min(samples - sample);
                    next.prefetch_share(sample..sample + rows, samples);
                    let mut product = CsrProduct {
                        rows,
                        registers: registers(kernel, columns),
                        nonzeros: self.sparse.nonzeros(),
                        row_ptr: &row_ptr[sample..][..=rows],
                        b: block,
                        accumulate: k > 0,
                        out: &mut sums[sample * column_block..][..rows * column_block],
                        out_stride: column_block,
                    };
                    // SAFETY: the nonzeros multiply rows of the block; `out` has a row for
                    // each sample.
                    unsafe { kernel.csr_product(&mut product) };
                }
            }
            let panels = y.chunks_exact_mut(output.panel_len());
            for (y, sums) in panels.zip(sums.chunks_exact(width * column_block)) {
                let y = &mut y[first * width..][..columns * width];
                let sums = MatrixView {
                    values: sums,
                    rows: width,
                    columns,
                    row_stride: column_block,
                    column_stride: 1,
                };
                transpose(sums, width, y);
                add_bias(kernel, width, bias.map(|bias| &bias[first..]), relu, y);
            }
        }
    }

    /// Makes `x` a sparse matrix with one row per block of features and sample, in this
    /// order.
    fn compress_samples(&mut self, layout: Panels, x: &[f32]) {
        let (width, k_block) = (layout.width, k_block(self.kernel));
        self.sparse.start(x.len());
        self.transposed.resize(width * k_block, 0.0);
        for first in (0..layout.features).step_by(k_block) {
            let features = k_block.min(layout.features - first);
            for (p, panel) in x.chunks_exact(layout.panel_len()).enumerate() {
                let rows = MatrixView {
                    values: &panel[first * width..],
                    rows: features,
                    columns: width,
                    row_stride: width,
                    column_stride: 1,
                };
                transpose(rows, k_block, &mut self.transposed);
                let samples = self.transposed.chunks_exact(k_block);
                for sample in samples.take(layout.samples_in(p)) {
                    self.sparse.extend_row(0, &sample[..features]);
                    self.sparse.end_row();
                }
            }
        }
    }

    /// Gives the blocks of `dW = dy·xᵀ` to `sink`, without the zeros of `dy`.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl GradientSink,
    ) {
        let kernel = self.kernel;
        let (column_block, k_block) = (column_block(kernel), k_block(kernel));
        self.compress_outputs(layout.with_features(outputs), dy);
        for column in (0..layout.features).step_by(column_block) {
            let columns = column_block.min(layout.features - column);
            self.pack_inputs(layout, x, column..column + columns);
            for first in (0..outputs).step_by(OUTPUT_BLOCK) {
                let rows = first..(first + OUTPUT_BLOCK).min(outputs);
                let parts = layout.samples.div_ceil(k_block);
                self.gradient_block(parts, rows, column..column + columns, sink);
            }
        }
    }

    /// Packs these features of `x`, one row per sample.
    fn pack_inputs(&mut self, layout: Panels, x: &[f32], features: Range<usize>) {
        let (width, stride) = (layout.width, block_stride(self.kernel));
        let block = self.block.sized(layout.count() * width * stride);
        let panels = x.chunks_exact(layout.panel_len());
        for (rows, panel) in block.chunks_exact_mut(width * stride).zip(panels) {
            let features = MatrixView {
                values: &panel[features.start * width..],
                rows: features.len(),
                columns: width,
                row_stride: width,
                column_stride: 1,
            };
            self.packer.pack(self.kernel, features, rows);
        }
    }

    /// Gives one block of the gradient to `sink`, summed over `parts` blocks of samples.
    fn gradient_block(
        &mut self,
        parts: usize,
        rows: Range<usize>,
        columns: Range<usize>,
        sink: &mut impl GradientSink,
    ) {
        let kernel = self.kernel;
        let (stride, k_block) = (column_block(kernel), k_block(kernel));
        let results = self.sums.sized(OUTPUT_BLOCK * stride);
        for part in 0..parts {
            let row_ptr = &self.sparse.row_ptr()[rows.start * parts + part * rows.len()..];
            // The last sums of a few rows go to the sink at once.
            for row in (0..rows.len()).step_by(ROWS_PER_PREFETCH) {
                let count = ROWS_PER_PREFETCH.min(rows.len() - row);
                let at = (rows.start + row, columns.start);
                let share = count * part / parts..count * (part + 1) / parts;
                prefetch_targets(
                    sink,
                    (at.0 + share.start, at.1),
                    (share.len(), columns.len()),
                );
                let mut product = CsrProduct {
                    rows: count,
                    registers: registers(kernel, columns.len()),
                    nonzeros: self.sparse.nonzeros(),
                    row_ptr: &row_ptr[row..][..=count],
                    b: &self.block[part * k_block * block_stride(kernel)..],
                    accumulate: part > 0,
                    out: &mut results[row * stride..][..count * stride],
                    out_stride: stride,
                };
                // SAFETY: the nonzeros of a part multiply rows of its part of the block.
                unsafe { kernel.csr_product(&mut product) };
                if part + 1 == parts {
                    sink.take(at, (count, columns.len()), product.out, stride);
                }
            }
        }
    }

    /// Makes `dy` a sparse matrix with one row per block of outputs, block of samples and
    /// output, in this order.
    fn compress_outputs(&mut self, layout: Panels, dy: &[f32]) {
        let (width, outputs) = (layout.width, layout.features);
        self.sparse.start(dy.len());
        let panel_block = k_block(self.kernel) / width;
        for first in (0..outputs).step_by(OUTPUT_BLOCK) {
            let block = first..(first + OUTPUT_BLOCK).min(outputs);
            for panels in (0..layout.count()).step_by(panel_block) {
                for output in block.clone() {
                    for p in panels..(panels + panel_block).min(layout.count()) {
                        let from = (p * outputs + output) * width;
                        let values = &dy[from..][..layout.samples_in(p)];
                        self.sparse.extend_row((p - panels) * width, values);
                    }
                    self.sparse.end_row();
                }
            }
        }
    }
}
