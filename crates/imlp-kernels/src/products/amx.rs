//! Products by the tiles of [`amx`](crate::amx).

use std::ops::Range;

use super::epilogue::add_bias;
use super::gradient_sink::{GradientSink, prefetch_targets};
use crate::aligned::Aligned;
use crate::amx::tile::{BLOCK, K_STEP, OperandSide, TILE_LEN, TileProduct};
use crate::amx::{PrefetchSchedule, TileConfiguration, pack_tiles};
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::panels::Panels;

/// Rows of the left operand that are packed together (`mc`), and stay in the second-level
/// cache while every panel passes.
const ROW_BLOCK: usize = 8 * BLOCK;
/// Columns of a gradient that go to the sink together (`nc`): it updates long runs of
/// weights.
const COLUMN_BLOCK: usize = 8 * BLOCK;

/// Packed operands and sums.
#[derive(Clone, Debug)]
pub(super) struct AmxProducts {
    kernel: Kernel,
    left: Aligned,
    right: Aligned,
    sums: Aligned,
    prefetch: PrefetchSchedule,
}

/// Steps of k that are summed before the next ones (`kc`): the operand that is used again
/// at once stays in the first-level cache.
fn step_block(kernel: Kernel) -> usize {
    const BYTES: usize = 16 << 10;
    BYTES / (size_of::<f32>() * packed_len(kernel, 1))
}

/// Length of [`BLOCK`] packed rows with this number of steps, in values of f32.
fn packed_len(kernel: Kernel, steps: usize) -> usize {
    let parts = kernel.amx().map_or(0, |functions| functions.parts);
    steps * parts * 2 * TILE_LEN
}

impl AmxProducts {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            left: Aligned::default(),
            right: Aligned::default(),
            sums: Aligned::default(),
            prefetch: PrefetchSchedule::default(),
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
        let (kernel, width) = (self.kernel, layout.width);
        assert_eq!(width, BLOCK, "panel width");
        let output = layout.with_features(matrix.rows);
        let steps = matrix.columns.div_ceil(K_STEP);
        let panel_len = packed_len(kernel, steps);
        pack_panels(
            kernel,
            layout,
            x,
            self.right.sized(layout.count() * panel_len),
        );
        let block_len = packed_len(kernel, step_block(kernel).min(steps));
        self.left.set_len(ROW_BLOCK / BLOCK * block_len);
        let sums_len = ROW_BLOCK * width;
        self.sums.set_len(layout.count() * sums_len);
        let configuration = TileConfiguration::new(kernel);
        for row in (0..matrix.rows).step_by(ROW_BLOCK) {
            let rows = row..(row + ROW_BLOCK).min(matrix.rows);
            for k in (0..steps).step_by(step_block(kernel)) {
                let k = k..(k + step_block(kernel)).min(steps);
                self.pack_lhs(matrix, rows.clone(), k.clone(), block_len);
                let blocks = rows.len().div_ceil(BLOCK);
                self.prefetch.start(layout.count() * blocks);
                let next = next_block(kernel, matrix, row, k.end);
                next.contiguous_lines()
                    .for_each(|line| self.prefetch.add(line));
                let panels = self.right.chunks_exact(panel_len);
                for (right, sums) in panels.zip(self.sums.chunks_exact_mut(sums_len)) {
                    let right = &right[packed_len(kernel, k.start)..packed_len(kernel, k.end)];
                    for i in 0..blocks {
                        let mut product = TileProduct {
                            steps: k.len(),
                            left: &self.left[i * block_len..][..right.len()],
                            right,
                            accumulate: k.start > 0,
                            out: &mut sums[i * BLOCK * width..][..BLOCK * width],
                            out_stride: width,
                            prefetch: self.prefetch.next_share(k.len(), right),
                        };
                        // SAFETY: the slices have just the sizes of the product.
                        unsafe { configuration.multiply(&mut product) };
                    }
                }
            }
            let panels = y.chunks_exact_mut(output.panel_len());
            for (y, sums) in panels.zip(self.sums.chunks_exact(sums_len)) {
                let y = &mut y[row * width..][..rows.len() * width];
                y.copy_from_slice(&sums[..y.len()]);
                add_bias(kernel, width, bias.map(|bias| &bias[row..]), relu, y);
            }
        }
    }

    /// Packs these rows and steps of k as left operand, [`BLOCK`] rows every `block_len`
    /// values.
    fn pack_lhs(
        &mut self,
        matrix: MatrixView<'_>,
        rows: Range<usize>,
        steps: Range<usize>,
        block_len: usize,
    ) {
        let len = packed_len(self.kernel, steps.len());
        let columns = steps.len() * K_STEP;
        let rows = rows.step_by(BLOCK);
        for (row, left) in rows.zip(self.left.chunks_exact_mut(block_len)) {
            let rows = matrix.submatrix(row, BLOCK, steps.start * K_STEP, columns);
            pack_tiles(self.kernel, OperandSide::Left, rows, &mut left[..len]);
        }
    }

    /// Gives the blocks of `dW = dy·xᵀ` to `sink`.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl GradientSink,
    ) {
        let (kernel, inputs) = (self.kernel, layout.features);
        assert_eq!(layout.width, K_STEP, "panel width");
        // A panel is one step of k.
        let rows_len = packed_len(kernel, layout.count());
        let left = self.left.sized(outputs.div_ceil(BLOCK) * rows_len);
        for (i, left) in left.chunks_exact_mut(rows_len).enumerate() {
            let layout = layout.with_features(outputs);
            pack_features(kernel, OperandSide::Left, layout, dy, i * BLOCK, left);
        }
        self.right.set_len(COLUMN_BLOCK / BLOCK * rows_len);
        self.sums.set_len(BLOCK * COLUMN_BLOCK);
        let configuration = TileConfiguration::new(kernel);
        for column in (0..inputs).step_by(COLUMN_BLOCK) {
            let columns = column..(column + COLUMN_BLOCK).min(inputs);
            let blocks = columns.clone().step_by(BLOCK);
            for (column, right) in blocks.zip(self.right.chunks_exact_mut(rows_len)) {
                pack_features(kernel, OperandSide::Right, layout, x, column, right);
            }
            // While some rows are summed, the weights of the next ones are prefetched.
            prefetch_targets(sink, (0, column), (BLOCK.min(outputs), columns.len()));
            for row in (0..outputs).step_by(BLOCK) {
                let rows = row..(row + BLOCK).min(outputs);
                self.prefetch_next_rows(layout, rows.end..outputs, columns.clone(), sink);
                self.sum_rows(&configuration, layout.count(), row, columns.len());
                let size = (rows.len(), columns.len());
                sink.take((row, column), size, &self.sums, COLUMN_BLOCK);
            }
        }
    }

    /// Schedules the prefetches of what the next rows of a gradient change.
    fn prefetch_next_rows(
        &mut self,
        layout: Panels,
        next: Range<usize>,
        columns: Range<usize>,
        sink: &impl GradientSink,
    ) {
        let parts = layout.count().div_ceil(step_block(self.kernel));
        let blocks = columns.len().div_ceil(BLOCK);
        self.prefetch.start(parts * blocks);
        for row in next.take(BLOCK) {
            for target in sink.targets(row, columns.start) {
                self.prefetch
                    .add(&target[..columns.len().min(target.len())]);
            }
        }
    }

    /// Sums the [`BLOCK`] rows of a gradient from `row` on, over all `steps`.
    fn sum_rows(
        &mut self,
        configuration: &TileConfiguration,
        steps: usize,
        row: usize,
        columns: usize,
    ) {
        let kernel = self.kernel;
        let rows_len = packed_len(kernel, steps);
        let left = &self.left[row / BLOCK * rows_len..][..rows_len];
        for k in (0..steps).step_by(step_block(kernel)) {
            let k = k..(k + step_block(kernel)).min(steps);
            let part = packed_len(kernel, k.start)..packed_len(kernel, k.end);
            let blocks = self.right.chunks_exact(rows_len);
            for (i, right) in blocks.enumerate().take(columns.div_ceil(BLOCK)) {
                let right = &right[part.clone()];
                let mut product = TileProduct {
                    steps: k.len(),
                    left: &left[part.clone()],
                    right,
                    accumulate: k.start > 0,
                    out: &mut self.sums[i * BLOCK..],
                    out_stride: COLUMN_BLOCK,
                    prefetch: self.prefetch.next_share(k.len(), right),
                };
                // SAFETY: the slices have the sizes of the product.
                unsafe { configuration.multiply(&mut product) };
            }
        }
    }
}

/// The block of the left operand that is multiplied after that of `row` and the steps
/// before `end`.
fn next_block(kernel: Kernel, matrix: MatrixView<'_>, row: usize, end: usize) -> MatrixView<'_> {
    let columns = step_block(kernel) * K_STEP;
    if end * K_STEP < matrix.columns {
        matrix.submatrix(row, ROW_BLOCK, end * K_STEP, columns)
    } else {
        let row = (row + ROW_BLOCK).min(matrix.rows);
        matrix.submatrix(row, ROW_BLOCK, 0, columns)
    }
}

/// Packs the panels `x` as right operands, one after the other.
fn pack_panels(kernel: Kernel, layout: Panels, x: &[f32], out: &mut [f32]) {
    let panel_len = packed_len(kernel, layout.features.div_ceil(K_STEP));
    let panels = x.chunks_exact(layout.panel_len());
    for (panel, out) in panels.zip(out.chunks_exact_mut(panel_len)) {
        let samples = MatrixView {
            values: panel,
            rows: layout.width,
            columns: layout.features,
            row_stride: 1,
            column_stride: layout.width,
        };
        pack_tiles(kernel, OperandSide::Right, samples, out);
    }
}

/// Packs [`BLOCK`] features of `panels` from `first` on as one operand of a gradient, a
/// step of k per panel.
fn pack_features(
    kernel: Kernel,
    side: OperandSide,
    layout: Panels,
    panels: &[f32],
    first: usize,
    out: &mut [f32],
) {
    let panels = panels.chunks_exact(layout.panel_len());
    let out = out.chunks_exact_mut(packed_len(kernel, 1));
    for (p, (panel, out)) in panels.zip(out).enumerate() {
        let features = MatrixView {
            values: &panel[first * layout.width..],
            rows: BLOCK.min(layout.features - first),
            columns: layout.samples_in(p),
            row_stride: layout.width,
            column_stride: 1,
        };
        pack_tiles(kernel, side, features, out);
    }
}
