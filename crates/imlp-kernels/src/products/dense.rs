//! Products of dense operands, in the blocks of GotoBLAS (Goto & van de Geijn 2008): a
//! block of the left operand stays in the second-level cache, a block of one panel in the
//! first.

use std::ops::Range;

use super::gradient_sink::{GradientSink, prefetch_targets};
use crate::aligned::Aligned;
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::operands::Operands;
use crate::pack::{MAX_PANEL_WIDTH, elements, pack_micro_panels, pack_rhs, pack_row_major};
use crate::panels::Panels;
use crate::transpose::transpose;
use crate::vector::micro_kernel::{Initial, LhsLayout, MicroTile, RowAddresses, k_block};

/// Packed operands and results.
#[derive(Clone, Debug)]
pub(super) struct DenseProducts {
    kernel: Kernel,
    /// A block of the left operand.
    lhs: Aligned,
    /// The right operand, packed where it cannot be used as it lies.
    rhs: Aligned,
    /// Some rows of a gradient.
    block: Aligned,
}

/// Rows of the left operand that are packed together (`mc`): with `depth` elements of k
/// they stay in the second-level cache while every panel passes.
fn row_block(kernel: Kernel, depth: usize) -> usize {
    const LHS_BYTES: usize = 128 << 10;
    let micro_panels = LHS_BYTES / (size_of::<f32>() * depth * kernel.micro_rows());
    micro_panels.max(1) * kernel.micro_rows()
}

impl DenseProducts {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            lhs: Aligned::default(),
            rhs: Aligned::default(),
            block: Aligned::default(),
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
        let output = layout.with_features(matrix.rows);
        let depth = elements(kernel, matrix.columns);
        let (k_block, values) = (k_block(width), kernel.values_per_element());
        let row_block = row_block(kernel, k_block);
        let Self { lhs, rhs, .. } = self;
        let x = pack_panels(kernel, layout, x, rhs);
        for k in (0..depth).step_by(k_block) {
            let k_len = k_block.min(depth - k);
            for row in (0..matrix.rows).step_by(row_block) {
                let block = matrix.submatrix(row, row_block, k * values, k_len * values);
                let (a_layout, row_stride) = pack_lhs(kernel, block, lhs);
                for (x, y) in x
                    .chunks_exact(depth * width)
                    .zip(y.chunks_exact_mut(output.panel_len()))
                {
                    for first in (0..block.rows).step_by(kernel.micro_rows()) {
                        let rows = kernel.micro_rows().min(block.rows - first);
                        let mut tile = MicroTile {
                            rows,
                            depth: k_len,
                            a: &lhs[first * row_stride..][..rows * row_stride],
                            a_layout,
                            b: &x[k * width..][..k_len * width],
                            b_rows: RowAddresses::Strided(width),
                            initial: match bias {
                                _ if k > 0 => Initial::Output,
                                Some(bias) => Initial::Bias(&bias[row + first..][..rows]),
                                None => Initial::Zero,
                            },
                            relu: relu && k + k_len == depth,
                            out: &mut y[(row + first) * width..][..rows * width],
                            out_rows: RowAddresses::Strided(width),
                        };
                        // SAFETY: the slices have just the sizes of the tile.
                        unsafe { kernel.micro_kernel(&mut tile) };
                    }
                }
            }
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
        let (kernel, width) = (self.kernel, layout.width);
        let depth = elements(kernel, layout.samples);
        let row_block = row_block(kernel, depth);
        transpose_inputs(kernel, layout, x, &mut self.rhs);
        self.block.set_len(row_block.min(outputs) * width);
        for row in (0..outputs).step_by(row_block) {
            let rows = row..(row + row_block).min(outputs);
            pack_output_gradient(
                kernel,
                layout.with_features(outputs),
                dy,
                rows.clone(),
                &mut self.lhs,
            );
            let panels = self.rhs.chunks_exact(depth * width);
            for (column, panel) in (0..layout.features).step_by(width).zip(panels) {
                let columns = column..(column + width).min(layout.features);
                let (lhs, block) = (&self.lhs, &mut self.block);
                gradient_panel(kernel, (rows.clone(), columns), (lhs, panel), block, sink);
            }
        }
    }
}

/// Gives the entries of these rows and columns, as many as a panel is wide, to `sink`.
/// `lhs` is packed by [`pack_output_gradient`]; `panel` is one of [`transpose_inputs`].
fn gradient_panel(
    kernel: Kernel,
    (rows, columns): (Range<usize>, Range<usize>),
    (lhs, panel): (&[f32], &[f32]),
    block: &mut [f32],
    sink: &mut impl GradientSink,
) {
    let width = kernel.panel_width();
    let (k_block, depth) = (k_block(width), panel.len() / width);
    for k in (0..depth).step_by(k_block) {
        let k_len = k_block.min(depth - k);
        let last = k + k_len == depth;
        for first in (0..rows.len()).step_by(kernel.micro_rows()) {
            let at = (rows.start + first, columns.start);
            let micro_rows = kernel.micro_rows().min(rows.len() - first);
            if last {
                prefetch_targets(sink, at, (micro_rows, columns.len()));
            }
            let out = &mut block[first * width..][..micro_rows * width];
            let mut tile = MicroTile {
                rows: micro_rows,
                depth: k_len,
                a: &lhs[k * rows.len() + first * k_block..][..micro_rows * k_block],
                a_layout: LhsLayout::RowMajor,
                b: &panel[k * width..][..k_len * width],
                b_rows: RowAddresses::Strided(width),
                initial: if k > 0 {
                    Initial::Output
                } else {
                    Initial::Zero
                },
                relu: false,
                out,
                out_rows: RowAddresses::Strided(width),
            };
            // SAFETY: the slices have just the sizes of the tile.
            unsafe { kernel.micro_kernel(&mut tile) };
            if last {
                sink.take(at, (micro_rows, columns.len()), tile.out, width);
            }
        }
    }
}

/// The panels `x` as right operand, `[panels, depth, panel_width]`.
fn pack_panels<'a>(
    kernel: Kernel,
    layout: Panels,
    x: &'a [f32],
    packed: &'a mut Aligned,
) -> &'a [f32] {
    if kernel.operands() == Operands::F32 {
        return x;
    }
    let panel_len = elements(kernel, layout.features) * layout.width;
    packed.set_len(layout.count() * panel_len);
    let panels = x.chunks_exact(layout.panel_len());
    for (packed, panel) in packed.chunks_exact_mut(panel_len).zip(panels) {
        pack_rhs(kernel, panel, layout.width, packed);
    }
    packed
}

/// Packs a block of the left operand; gives its layout, and the distance from the start of
/// one row of micro-tiles to that of the next.
fn pack_lhs(kernel: Kernel, block: MatrixView<'_>, packed: &mut Aligned) -> (LhsLayout, usize) {
    if block.column_stride == 1 {
        let stride = k_block(kernel.panel_width());
        packed.set_len(block.rows * stride);
        pack_row_major(kernel, block, packed, |r| r * stride);
        (LhsLayout::RowMajor, stride)
    } else {
        pack_micro_panels(kernel, block, packed);
        (LhsLayout::ColumnMajor, elements(kernel, block.columns))
    }
}

/// Packs these rows of `dy` as the row-major left operand of a gradient: by blocks of k,
/// then by rows.
fn pack_output_gradient(
    kernel: Kernel,
    layout: Panels,
    dy: &[f32],
    rows: Range<usize>,
    packed: &mut Aligned,
) {
    let width = layout.width;
    let (k_block, panel_depth) = (k_block(width), elements(kernel, width));
    let blocks = elements(kernel, layout.samples).div_ceil(k_block);
    packed.set_len(blocks * rows.len() * k_block);
    for (p, panel) in dy.chunks_exact(layout.panel_len()).enumerate() {
        let of_panel = MatrixView {
            values: &panel[rows.start * width..],
            rows: rows.len(),
            columns: layout.samples_in(p),
            row_stride: width,
            column_stride: 1,
        };
        let k = p * panel_depth;
        let at = |r: usize| k / k_block * k_block * rows.len() + r * k_block + k % k_block;
        pack_row_major(kernel, of_panel, packed, at);
    }
}

/// `x` in panels of features instead of samples, as the right operand of a gradient:
/// `[panels, depth, panel_width]`.
fn transpose_inputs(kernel: Kernel, layout: Panels, x: &[f32], packed: &mut Aligned) {
    let width = layout.width;
    let depth = elements(kernel, layout.samples);
    let feature_panels = layout.features.div_ceil(width);
    packed.set_len(feature_panels * depth * width);
    let panel_depth = elements(kernel, width);
    let mut square = [0.0f32; MAX_PANEL_WIDTH * MAX_PANEL_WIDTH];
    for (p, panel) in x.chunks_exact(layout.panel_len()).enumerate() {
        let samples = layout.samples_in(p);
        for (f, rows) in panel.chunks(width * width).enumerate() {
            let rows = MatrixView::row_major(rows, rows.len() / width, width);
            if rows.rows < width {
                // 0 stands for the features that the last panel lacks.
                square.fill(0.0);
            }
            transpose(rows, width, &mut square);
            let len = elements(kernel, samples) * width;
            let out = &mut packed[(f * depth + p * panel_depth) * width..][..len];
            pack_rhs(kernel, &square[..samples * width], width, out);
        }
    }
}
