//! One small matrix at many places: a structured linear map.
//!
//! A convolution multiplies the same `[channels, taps]` matrix with the pixels
//! under its window, at every position of the window; a token mixing does it for
//! every channel. Each such place is a *site*: the rows of a panel that the
//! matrix reads, and those that it writes.

use crate::pack::{Block, pack_turned};
use crate::tile::{CONTRACTION_COLUMNS, CONTRACTION_ROWS, Contraction, Left, Rows, Start, Tile};
use crate::{Aligned, Kernel, Panels};

/// A matrix `[rows, columns]` and the sites where it is applied. Operands are f32
/// whatever the kernel's.
#[derive(Clone, Debug)]
pub struct Sites {
    kernel: Kernel,
    rows: usize,
    columns: usize,
    inputs: usize,
    outputs: usize,
    /// `[sites, columns]`: offsets in a panel.
    reads: Vec<u32>,
    /// `[sites, rows]`.
    writes: Vec<u32>,
    /// The matrix packed for `Y = A·X`, and transposed for `dX = Aᵀ·dY`.
    forward: Aligned,
    backward: Aligned,
    /// `[rows, columns, lanes of a register]`: the gradient's partial sums.
    sums: Vec<f32>,
}

impl Sites {
    /// Sites by the features that they read, `[sites, columns]`, below `inputs`,
    /// and write, `[sites, rows]`, below `outputs`. `None` when offsets do not
    /// fit 32 bits.
    ///
    /// # Panics
    /// If a feature is out of range, is read or written twice by one site, or the
    /// lists do not fit each other.
    pub fn new(
        kernel: Kernel,
        (rows, columns): (usize, usize),
        (inputs, reads): (usize, &[u32]),
        (outputs, writes): (usize, &[u32]),
    ) -> Option<Self> {
        assert!(rows > 0 && columns > 0, "an empty matrix");
        assert_eq!(reads.len() % columns, 0, "features read");
        assert_eq!(reads.len() / columns * rows, writes.len(), "sites");
        for (features, list, each) in [(inputs, reads, columns), (outputs, writes, rows)] {
            let mut seen = vec![usize::MAX; features];
            for (site, list) in list.chunks_exact(each).enumerate() {
                for &feature in list {
                    let before = std::mem::replace(&mut seen[feature as usize], site);
                    assert_ne!(before, site, "site {site} has feature {feature} twice");
                }
            }
        }
        let kernel = kernel.with_f32();
        let lanes = kernel.lanes();
        u32::try_from(inputs.max(outputs).checked_mul(lanes)?).ok()?;
        let offsets = |list: &[u32]| list.iter().map(|f| f * lanes as u32).collect();
        Some(Self {
            kernel,
            rows,
            columns,
            inputs,
            outputs,
            reads: offsets(reads),
            writes: offsets(writes),
            forward: Aligned::default(),
            backward: Aligned::default(),
            sums: Vec::new(),
        })
    }

    /// Size of the matrix: rows, columns.
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Sets the matrix, `[rows, columns]` row-major.
    ///
    /// # Panics
    /// If it has another size.
    pub fn set(&mut self, matrix: &[f32]) {
        assert_eq!(matrix.len(), self.rows * self.columns, "matrix");
        let block = Block::whole(matrix, self.rows, self.columns);
        pack_turned(self.kernel, block, &mut self.forward);
        pack_turned(self.kernel, block.transposed(), &mut self.backward);
    }

    /// Writes `A·x + b` to the rows of `y` that the sites write; `bias` has one
    /// value per row of the matrix.
    ///
    /// # Panics
    /// If a slice does not fit, or no matrix is set.
    pub fn forward(&self, layout: Panels, bias: Option<&[f32]>, x: &[f32], y: &mut [f32]) {
        self.check(layout, x.len(), y.len());
        assert!(bias.is_none_or(|b| b.len() == self.rows), "bias");
        assert_eq!(self.forward.len(), self.rows * self.columns, "no matrix");
        let start = |row: usize| match bias {
            Some(bias) => Start::Bias(bias[row..].as_ptr()),
            None => Start::Zero,
        };
        let lanes = self.kernel.lanes();
        for (x, y) in x
            .chunks_exact(self.inputs * lanes)
            .zip(y.chunks_exact_mut(self.outputs * lanes))
        {
            let reads = self.reads.chunks_exact(self.columns);
            for (reads, writes) in reads.zip(self.writes.chunks_exact(self.rows)) {
                self.multiply(&self.forward, (reads, x), (writes, y), start);
            }
        }
    }

    /// Adds `Aᵀ·dy` to the rows of `dx` that the sites read.
    ///
    /// # Panics
    /// If a slice does not fit, or no matrix is set.
    pub fn backward(&self, layout: Panels, dy: &[f32], dx: &mut [f32]) {
        self.check(layout, dx.len(), dy.len());
        assert_eq!(self.backward.len(), self.rows * self.columns, "no matrix");
        let lanes = self.kernel.lanes();
        for (dx, dy) in dx
            .chunks_exact_mut(self.inputs * lanes)
            .zip(dy.chunks_exact(self.outputs * lanes))
        {
            let reads = self.reads.chunks_exact(self.columns);
            for (reads, writes) in reads.zip(self.writes.chunks_exact(self.rows)) {
                self.multiply(&self.backward, (writes, dy), (reads, dx), |_| Start::Output);
            }
        }
    }

    /// The packed matrix times the rows `from` of one panel into its rows `to`.
    fn multiply(
        &self,
        packed: &[f32],
        (from, x): (&[u32], &[f32]),
        (to, y): (&[u32], &mut [f32]),
        start: impl Fn(usize) -> Start,
    ) {
        let kernel = self.kernel;
        for first in (0..to.len()).step_by(kernel.rows()) {
            let to = &to[first..to.len().min(first + kernel.rows())];
            let tile = Tile {
                rows: to.len(),
                depth: from.len(),
                a: packed[first * from.len()..][..to.len() * from.len()].as_ptr(),
                left: Left::Turned,
                b: x.as_ptr(),
                b_rows: Rows::At(from.as_ptr()),
                start: start(first),
                relu: false,
                out: y.as_mut_ptr(),
                out_rows: Rows::At(to.as_ptr()),
            };
            // SAFETY: the offsets lie within one panel of inputs or outputs
            // (checked when they were made), which `x` and `y` are.
            unsafe { kernel.tile(&tile) };
        }
    }

    /// `gradient = Σ dy·xᵀ` over samples and sites, `[rows, columns]`.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn gradient(&mut self, layout: Panels, x: &[f32], dy: &[f32], gradient: &mut [f32]) {
        self.check(layout, x.len(), dy.len());
        assert_eq!(gradient.len(), self.rows * self.columns, "gradient");
        let lanes = self.kernel.lanes();
        let width = lanes / 2;
        self.sums.clear();
        self.sums.resize(gradient.len() * width, 0.0);
        let sites = self.reads.len() / self.columns;
        for (x, dy) in x
            .chunks_exact(self.inputs * lanes)
            .zip(dy.chunks_exact(self.outputs * lanes))
        {
            for row in (0..self.rows).step_by(CONTRACTION_ROWS) {
                for column in (0..self.columns).step_by(CONTRACTION_COLUMNS) {
                    let contraction = Contraction {
                        rows: CONTRACTION_ROWS.min(self.rows - row),
                        columns: CONTRACTION_COLUMNS.min(self.columns - column),
                        sites,
                        y: dy.as_ptr(),
                        y_at: self.writes[row..].as_ptr(),
                        y_step: self.rows,
                        x: x.as_ptr(),
                        x_at: self.reads[column..].as_ptr(),
                        x_step: self.columns,
                        out: self.sums[(row * self.columns + column) * width..].as_mut_ptr(),
                        out_step: self.columns * width,
                    };
                    // SAFETY: as for products; the block lies inside the matrix,
                    // and `sums` has `width` values for each of its entries.
                    unsafe { self.kernel.contract(&contraction) };
                }
            }
        }
        for (g, sums) in gradient.iter_mut().zip(self.sums.chunks_exact(width)) {
            *g = sums.iter().sum();
        }
    }

    fn check(&self, layout: Panels, x: usize, y: usize) {
        assert_eq!(layout.lanes, self.kernel.lanes(), "lanes");
        assert_eq!(x, layout.with_features(self.inputs).len(), "inputs");
        assert_eq!(y, layout.with_features(self.outputs).len(), "outputs");
    }
}

#[cfg(test)]
mod tests;
