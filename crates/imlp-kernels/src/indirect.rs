//! Indirect products: one small matrix at many positions, a structured linear map.
//!
//! A convolution multiplies the same `[channels, taps]` matrix with the pixels under its
//! window, at every position of the window; a token mixing does it for every channel. At
//! each *position* the matrix gathers some rows of a panel of inputs and scatters to some
//! rows of a panel of outputs. The rows are addressed by a table of offsets, as in the
//! indirect convolution (Dukhan 2019, arXiv 1907.02129): no patch is copied.

use crate::aligned::Aligned;
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::pack::pack_micro_panels;
use crate::panels::Panels;
use crate::vector::contraction::{CONTRACTION_COLUMNS, CONTRACTION_ROWS, Contraction};
use crate::vector::micro_kernel::{Initial, LhsLayout, MicroTile, RowAddresses};

/// The products of a matrix `[rows, columns]` that is applied at several positions.
/// Operands are f32 whatever the kernel's.
#[derive(Clone, Debug)]
pub struct IndirectGemm {
    kernel: Kernel,
    rows: usize,
    columns: usize,
    inputs: usize,
    outputs: usize,
    /// `[positions, columns]`: offsets in a panel of inputs.
    gather: Vec<u32>,
    /// `[positions, rows]`: offsets in a panel of outputs.
    scatter: Vec<u32>,
    /// The matrix packed for `Y = A·X`, and transposed for `dX = Aᵀ·dY`.
    forward: Aligned,
    backward: Aligned,
    /// `[rows, columns, register_width]`: partial sums of the gradient.
    sums: Vec<f32>,
}

impl IndirectGemm {
    /// A matrix and its positions: the features that each gathers, `[positions, columns]`,
    /// below `inputs`, and those that it scatters to, `[positions, rows]`, below `outputs`.
    /// `None` when offsets do not fit 32 bits.
    ///
    /// # Panics
    /// If the matrix is empty, there is no position, a feature is out of range or occurs
    /// twice at one position, or the lengths do not agree.
    pub fn new(
        kernel: Kernel,
        (rows, columns): (usize, usize),
        (inputs, gather): (usize, &[u32]),
        (outputs, scatter): (usize, &[u32]),
    ) -> Option<Self> {
        assert!(rows > 0 && columns > 0, "an empty matrix");
        // With a position, whose features differ, the sizes of the matrix are bounded by
        // those of panels.
        assert!(!gather.is_empty(), "no position");
        assert_eq!(gather.len() % columns, 0, "gathered features");
        assert_eq!(scatter.len() % rows, 0, "scattered features");
        assert_eq!(gather.len() / columns, scatter.len() / rows, "positions");
        let kernel = kernel.with_f32();
        let width = kernel.panel_width();
        u32::try_from(inputs.max(outputs).checked_mul(width)?).ok()?;
        for (features, all, count) in [(inputs, gather, columns), (outputs, scatter, rows)] {
            let mut seen = vec![usize::MAX; features];
            for (position, all) in all.chunks_exact(count).enumerate() {
                for &feature in all {
                    let before = std::mem::replace(&mut seen[feature as usize], position);
                    assert_ne!(
                        before, position,
                        "position {position} has feature {feature} twice"
                    );
                }
            }
        }
        let offsets = |features: &[u32]| features.iter().map(|f| f * width as u32).collect();
        Some(Self {
            kernel,
            rows,
            columns,
            inputs,
            outputs,
            gather: offsets(gather),
            scatter: offsets(scatter),
            forward: Aligned::default(),
            backward: Aligned::default(),
            sums: Vec::new(),
        })
    }

    /// Rows and columns of the matrix.
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Sets the matrix, `[rows, columns]` row-major.
    ///
    /// # Panics
    /// If it has another size.
    pub fn set(&mut self, matrix: &[f32]) {
        assert_eq!(matrix.len(), self.rows * self.columns, "matrix");
        let matrix = MatrixView::row_major(matrix, self.rows, self.columns);
        pack_micro_panels(self.kernel, matrix, &mut self.forward);
        pack_micro_panels(self.kernel, matrix.transposed(), &mut self.backward);
    }

    /// Writes `A·x + b` to the rows of `y` that the positions scatter to; `bias` has one
    /// value per row of the matrix.
    ///
    /// # Panics
    /// If a slice does not fit, or no matrix is set.
    pub fn forward(&self, layout: Panels, bias: Option<&[f32]>, x: &[f32], y: &mut [f32]) {
        self.check(layout, x.len(), y.len());
        assert!(bias.is_none_or(|b| b.len() == self.rows), "bias");
        assert_eq!(self.forward.len(), self.rows * self.columns, "no matrix");
        let initial = bias.map_or(Initial::Zero, Initial::Bias);
        let width = self.kernel.panel_width();
        for (x, y) in x
            .chunks_exact(self.inputs * width)
            .zip(y.chunks_exact_mut(self.outputs * width))
        {
            let gather = self.gather.chunks_exact(self.columns);
            for (gather, scatter) in gather.zip(self.scatter.chunks_exact(self.rows)) {
                self.multiply(&self.forward, (gather, x), (scatter, y), initial);
            }
        }
    }

    /// Adds `Aᵀ·dy` to the rows of `dx` that the positions gather.
    ///
    /// # Panics
    /// If a slice does not fit, or no matrix is set.
    pub fn backward(&self, layout: Panels, dy: &[f32], dx: &mut [f32]) {
        self.check(layout, dx.len(), dy.len());
        assert_eq!(self.backward.len(), self.rows * self.columns, "no matrix");
        let width = self.kernel.panel_width();
        for (dx, dy) in dx
            .chunks_exact_mut(self.inputs * width)
            .zip(dy.chunks_exact(self.outputs * width))
        {
            let gather = self.gather.chunks_exact(self.columns);
            for (gather, scatter) in gather.zip(self.scatter.chunks_exact(self.rows)) {
                self.multiply(&self.backward, (scatter, dy), (gather, dx), Initial::Output);
            }
        }
    }

    /// The packed matrix times the rows `from` of one panel into its rows `to`.
    fn multiply(
        &self,
        packed: &[f32],
        (from, x): (&[u32], &[f32]),
        (to, y): (&[u32], &mut [f32]),
        initial: Initial<'_>,
    ) {
        let kernel = self.kernel;
        for first in (0..to.len()).step_by(kernel.micro_rows()) {
            let to = &to[first..to.len().min(first + kernel.micro_rows())];
            let mut tile = MicroTile {
                rows: to.len(),
                depth: from.len(),
                a: &packed[first * from.len()..][..to.len() * from.len()],
                a_layout: LhsLayout::ColumnMajor,
                b: x,
                b_rows: RowAddresses::Indirect(from),
                initial: match initial {
                    Initial::Bias(bias) => Initial::Bias(&bias[first..][..to.len()]),
                    other => other,
                },
                relu: false,
                out: y,
                out_rows: RowAddresses::Indirect(to),
            };
            // SAFETY: the offsets lie within one panel of inputs or outputs (checked when
            // they were made), which `x` and `y` are.
            unsafe { kernel.micro_kernel(&mut tile) };
        }
    }

    /// `gradient = Σ dy·xᵀ` over samples and positions, `[rows, columns]`.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn gradient(&mut self, layout: Panels, x: &[f32], dy: &[f32], gradient: &mut [f32]) {
        self.check(layout, x.len(), dy.len());
        assert_eq!(gradient.len(), self.rows * self.columns, "gradient");
        let width = self.kernel.panel_width();
        let register = self.kernel.register_width();
        self.sums.clear();
        self.sums.resize(gradient.len() * register, 0.0);
        let positions = self.gather.len() / self.columns;
        for (x, dy) in x
            .chunks_exact(self.inputs * width)
            .zip(dy.chunks_exact(self.outputs * width))
        {
            for row in (0..self.rows).step_by(CONTRACTION_ROWS) {
                for column in (0..self.columns).step_by(CONTRACTION_COLUMNS) {
                    let mut contraction = Contraction {
                        rows: CONTRACTION_ROWS.min(self.rows - row),
                        columns: CONTRACTION_COLUMNS.min(self.columns - column),
                        positions,
                        y: dy,
                        y_offsets: &self.scatter[row..],
                        y_step: self.rows,
                        x,
                        x_offsets: &self.gather[column..],
                        x_step: self.columns,
                        out: &mut self.sums[(row * self.columns + column) * register..],
                        out_stride: self.columns * register,
                    };
                    // SAFETY: the offsets lie within one panel, as for the products; the
                    // entries lie inside the matrix, and `sums` has a register for each.
                    unsafe { self.kernel.contraction(&mut contraction) };
                }
            }
        }
        for (g, sums) in gradient.iter_mut().zip(self.sums.chunks_exact(register)) {
            *g = sums.iter().sum();
        }
    }

    fn check(&self, layout: Panels, x: usize, y: usize) {
        assert_eq!(layout.width, self.kernel.panel_width(), "panel width");
        assert_eq!(x, layout.with_features(self.inputs).len(), "inputs");
        assert_eq!(y, layout.with_features(self.outputs).len(), "outputs");
    }
}

#[cfg(test)]
mod tests;
