//! The three products of a full matrix in training.

mod amx;
mod csr;
mod csr_builder;
mod dense;
mod epilogue;
pub(crate) mod gradient_sink;

use self::amx::AmxProducts;
use self::csr::{CsrProducts, is_sparse};
use self::dense::DenseProducts;
use self::gradient_sink::GradientSink;
use crate::kernel::Kernel;
use crate::matrix::MatrixView;
use crate::panels::Panels;
use crate::size;

/// Products with full matrices `[outputs, inputs]`, with the buffers that they need.
///
/// AMX multiplies all operands, dense ones or not. Without it, and not for emulated
/// bfloat16, the zeros of `x` (forward) or `dy` (backward, gradient) are skipped where
/// there are enough of them: a 0 that meets an infinite or undefined value then gives 0
/// instead of NaN.
#[derive(Clone, Debug)]
pub struct Products {
    kernel: Kernel,
    dense: DenseProducts,
    csr: CsrProducts,
    amx: AmxProducts,
}

impl Products {
    /// Products by `kernel`.
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            dense: DenseProducts::new(kernel),
            csr: CsrProducts::new(kernel),
            amx: AmxProducts::new(kernel),
        }
    }

    /// The kernel that multiplies.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// `y = W·x + b`, then max(·, 0) if `relu`. `x` lies in panels of `layout`, `y` in
    /// panels of as many features as `bias` has values; `weight` is `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit or the matrix is empty.
    pub fn forward(
        &mut self,
        layout: Panels,
        (weight, bias): (&[f32], &[f32]),
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let matrix = MatrixView::row_major(weight, bias.len(), layout.features);
        self.multiply(matrix, layout, Some(bias), relu, x, y);
    }

    /// `dx = Wᵀ·dy`. `dy` lies in panels of `layout`, `dx` in panels of `inputs` features;
    /// `weight` is `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit or the matrix is empty.
    pub fn backward(
        &mut self,
        layout: Panels,
        weight: &[f32],
        inputs: usize,
        dy: &[f32],
        dx: &mut [f32],
    ) {
        let matrix = MatrixView::row_major(weight, layout.features, inputs).transposed();
        self.multiply(matrix, layout, None, false, dy, dx);
    }

    /// `matrix` times the panels `x`, which have as many features as it has columns.
    fn multiply(
        &mut self,
        matrix: MatrixView<'_>,
        layout: Panels,
        bias: Option<&[f32]>,
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let output = layout.with_features(matrix.rows);
        assert_eq!(layout.width, self.kernel.panel_width(), "panel width");
        assert_eq!(matrix.columns, layout.features, "columns");
        assert!(matrix.rows > 0 && matrix.columns > 0, "an empty matrix");
        let len = size::values(matrix.rows, matrix.columns);
        assert_eq!(matrix.values.len(), len, "weight");
        assert_eq!(x.len(), layout.len(), "right operand");
        assert_eq!(y.len(), output.len(), "result");
        if self.kernel.amx().is_some() {
            self.amx.multiply(matrix, layout, bias, relu, x, y);
        } else if is_sparse(self.kernel, layout, x) {
            self.csr.multiply(matrix, layout, bias, relu, x, y);
        } else {
            self.dense.multiply(matrix, layout, bias, relu, x, y);
        }
    }

    /// Gives the blocks of `dW = dy·xᵀ` to `sink`. `x` lies in panels of `layout`, `dy` in
    /// panels of `outputs` features; `dW` is `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit, the matrix is empty or there is no sample.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl GradientSink,
    ) {
        let output = layout.with_features(outputs);
        assert_eq!(layout.width, self.kernel.panel_width(), "panel width");
        // As slices that exist, all three sizes are then bounded.
        assert!(layout.samples > 0, "no samples");
        assert!(outputs > 0 && layout.features > 0, "an empty matrix");
        assert_eq!(x.len(), layout.len(), "inputs");
        assert_eq!(dy.len(), output.len(), "gradient of the outputs");
        if self.kernel.amx().is_some() {
            self.amx.gradient(layout, outputs, x, dy, sink);
        } else if is_sparse(self.kernel, output, dy) {
            self.csr.gradient(layout, outputs, x, dy, sink);
        } else {
            self.dense.gradient(layout, outputs, x, dy, sink);
        }
    }
}

#[cfg(test)]
mod tests;
