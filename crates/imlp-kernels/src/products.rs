//! The three products of a full matrix in training.

mod amx;
mod sparse;

use self::amx::Squares;
use self::sparse::{Sparse, is_sparse};
use crate::pack::{Block, MAX_LANES, depth, pack_right, pack_straight, pack_turned};
use crate::prefetch::{Cache, prefetch};
use crate::tile::{Left, Rows, Start, Tile, deepest};
use crate::transpose::transpose;
use crate::{Aligned, Kernel, Operands, Panels};

/// Takes the entries of a gradient, each once.
pub trait TileSink {
    /// The memory that the entries of `row` from `column` on will change, or nothing:
    /// it is asked for before they come.
    fn places(&self, row: usize, column: usize) -> [&[f32]; 3];

    /// The entries `[rows, columns]` from `row`, `column` on, one row of them
    /// every `stride` values of `tile`.
    fn take(&mut self, at: (usize, usize), size: (usize, usize), tile: &[f32], stride: usize);
}

/// `buffer` with room for `len` values, and these.
fn sized(buffer: &mut Aligned, len: usize) -> &mut [f32] {
    buffer.set_len(len);
    buffer
}

/// Asks for the memory of entries that will come soon.
fn announce(sink: &impl TileSink, (row, column): (usize, usize), (rows, columns): (usize, usize)) {
    for row in row..row + rows {
        for place in sink.places(row, column) {
            prefetch(&place[..columns.min(place.len())], Cache::Second);
        }
    }
}

/// Products with full matrices `[outputs, inputs]`, with the memory that they
/// need in between. Zeros of `x` (forward) or `dy` (the others) are left out where
/// there are enough of them, but for emulated bfloat16.
#[derive(Clone, Debug)]
pub struct Products {
    kernel: Kernel,
    /// A block of the left operand, packed.
    left: Aligned,
    /// The right operand, packed where it cannot be used as it lies.
    right: Aligned,
    /// The inputs of a gradient, transposed.
    turned: Aligned,
    /// Some rows of a gradient.
    results: Aligned,
    sparse: Sparse,
    squares: Squares,
}

/// Rows of the left operand that are packed together: they stay in the second
/// cache while every panel passes.
fn row_block(kernel: Kernel, depth: usize) -> usize {
    const LEFT_BYTES: usize = 128 << 10;
    let tiles = LEFT_BYTES / (size_of::<f32>() * depth * kernel.rows());
    tiles.max(1) * kernel.rows()
}

impl Products {
    /// Products by `kernel`.
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            left: Aligned::default(),
            right: Aligned::default(),
            turned: Aligned::default(),
            results: Aligned::default(),
            sparse: Sparse::new(kernel),
            squares: Squares::new(kernel),
        }
    }

    /// How it multiplies.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// `y = W·x + b`, then max(·, 0) if `relu`. `x` lies in panels of `layout`,
    /// `y` in panels of as many features as `bias` is long; `weight` is
    /// `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn forward(
        &mut self,
        layout: Panels,
        (weight, bias): (&[f32], &[f32]),
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let matrix = Block::whole(weight, bias.len(), layout.features);
        self.multiply(matrix, layout, Some(bias), relu, x, y);
    }

    /// `dx = Wᵀ·dy`. `dy` lies in panels of `layout`, `dx` in panels of `inputs`
    /// features; `weight` is `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn backward(
        &mut self,
        layout: Panels,
        weight: &[f32],
        inputs: usize,
        dy: &[f32],
        dx: &mut [f32],
    ) {
        let matrix = Block::whole(weight, layout.features, inputs).transposed();
        self.multiply(matrix, layout, None, false, dy, dx);
    }

    /// `matrix` times the panels `x`, which have as many features as it has
    /// columns.
    fn multiply(
        &mut self,
        matrix: Block<'_>,
        layout: Panels,
        bias: Option<&[f32]>,
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let kernel = self.kernel;
        let lanes = kernel.lanes();
        let output = layout.with_features(matrix.rows);
        assert_eq!(layout.lanes, lanes, "lanes");
        assert_eq!(matrix.columns, layout.features, "columns");
        assert_eq!(matrix.values.len(), matrix.rows * matrix.columns, "weight");
        assert_eq!(x.len(), layout.len(), "right operand");
        assert_eq!(y.len(), output.len(), "result");
        if kernel.amx {
            let squares = &mut self.squares;
            return squares.multiply(matrix, layout, bias, relu, x, y);
        }
        if is_sparse(kernel, layout, x) {
            let sparse = &mut self.sparse;
            return sparse.multiply(matrix, layout, bias, relu, x, y);
        }
        let whole_depth = depth(kernel, matrix.columns);
        let block = deepest(lanes);
        let rows_together = row_block(kernel, block);
        let right: &[f32] = if kernel.operands == Operands::F32 {
            x
        } else {
            let panel_len = whole_depth * lanes;
            self.right.set_len(layout.count() * panel_len);
            let panels = self.right.chunks_exact_mut(panel_len);
            for (packed, panel) in panels.zip(x.chunks_exact(layout.panel_len())) {
                pack_right(kernel, panel, lanes, packed);
            }
            &self.right
        };
        for k in (0..whole_depth).step_by(block) {
            let deep = block.min(whole_depth - k);
            let ends = k + deep == whole_depth;
            let column = k * kernel.packed();
            for row in (0..matrix.rows).step_by(rows_together) {
                let part = matrix.part(row, rows_together, column, deep * kernel.packed());
                // A tile's rows: one after the other from their first on.
                let (left, row_step) = if part.column_step == 1 {
                    self.left.set_len(part.rows * block);
                    pack_straight(kernel, part, &mut self.left, |r| r * block);
                    (Left::Straight, block)
                } else {
                    pack_turned(kernel, part, &mut self.left);
                    (Left::Turned, deep)
                };
                for (right, y) in right
                    .chunks_exact(whole_depth * lanes)
                    .zip(y.chunks_exact_mut(output.panel_len()))
                {
                    let right = &right[k * lanes..][..deep * lanes];
                    for first in (0..part.rows).step_by(kernel.rows()) {
                        let rows = kernel.rows().min(part.rows - first);
                        let y = &mut y[(row + first) * lanes..][..rows * lanes];
                        let start = match bias {
                            _ if k > 0 => Start::Output,
                            Some(bias) => Start::Bias(bias[row + first..][..rows].as_ptr()),
                            None => Start::Zero,
                        };
                        let tile = Tile {
                            rows,
                            depth: deep,
                            a: self.left[first * row_step..][..rows * row_step].as_ptr(),
                            left,
                            b: right.as_ptr(),
                            b_rows: Rows::Every(lanes),
                            start,
                            relu: relu && ends,
                            out: y.as_mut_ptr(),
                            out_rows: Rows::Every(lanes),
                        };
                        // SAFETY: the slices above have just these sizes.
                        unsafe { kernel.tile(&tile) };
                    }
                }
            }
        }
    }

    /// Hands the tiles of `dW = dy·xᵀ` to `sink`. `x` lies in panels of `layout`,
    /// `dy` in panels of `outputs` features; `dW` is `[outputs, inputs]`.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl TileSink,
    ) {
        let kernel = self.kernel;
        let lanes = kernel.lanes();
        let (samples, inputs) = (layout.samples, layout.features);
        assert_eq!(layout.lanes, lanes, "lanes");
        assert_eq!(x.len(), layout.len(), "inputs");
        assert_eq!(
            dy.len(),
            layout.with_features(outputs).len(),
            "gradient of the outputs"
        );
        if kernel.amx {
            return self.squares.gradient(layout, outputs, x, dy, sink);
        }
        if is_sparse(kernel, layout.with_features(outputs), dy) {
            return self.sparse.gradient(layout, outputs, x, dy, sink);
        }
        let deep = depth(kernel, samples);
        self.turn(layout, x);
        let block = deepest(lanes);
        let together = row_block(kernel, deep);
        let mut results = std::mem::take(&mut self.results);
        results.set_len(together.min(outputs) * lanes);
        for row in (0..outputs).step_by(together) {
            let rows_here = together.min(outputs - row);
            self.pack_gradient(layout.with_features(outputs), dy, row..row + rows_here);
            let panels = self.turned.chunks_exact(deep * lanes);
            for (column, right) in (0..inputs).step_by(lanes).zip(panels) {
                let columns = lanes.min(inputs - column);
                for k in (0..deep).step_by(block) {
                    let depth = block.min(deep - k);
                    for first in (0..rows_here).step_by(kernel.rows()) {
                        let rows = kernel.rows().min(rows_here - first);
                        let ends = k + depth == deep;
                        if ends {
                            announce(sink, (row + first, column), (rows, columns));
                        }
                        let left = &self.left[k * rows_here + first * block..][..rows * block];
                        let results = &mut results[first * lanes..][..rows * lanes];
                        let tile = Tile {
                            rows,
                            depth,
                            a: left.as_ptr(),
                            left: Left::Straight,
                            b: right[k * lanes..][..depth * lanes].as_ptr(),
                            b_rows: Rows::Every(lanes),
                            start: if k > 0 { Start::Output } else { Start::Zero },
                            relu: false,
                            out: results.as_mut_ptr(),
                            out_rows: Rows::Every(lanes),
                        };
                        // SAFETY: the slices above have just these sizes.
                        unsafe { kernel.tile(&tile) };
                        if ends {
                            sink.take((row + first, column), (rows, columns), results, lanes);
                        }
                    }
                }
            }
        }
        self.results = results;
    }

    /// Packs these rows of `dyᵀ` as the straight left operand of a gradient: by
    /// blocks of the depth, then by rows.
    fn pack_gradient(&mut self, layout: Panels, dy: &[f32], rows: std::ops::Range<usize>) {
        let (kernel, lanes) = (self.kernel, layout.lanes);
        let block = deepest(lanes);
        let panel_depth = depth(kernel, lanes);
        let blocks = depth(kernel, layout.samples).div_ceil(block);
        self.left.set_len(blocks * rows.len() * block);
        for (panel, dy) in dy.chunks_exact(layout.panel_len()).enumerate() {
            let of_panel = Block {
                values: &dy[rows.start * lanes..],
                rows: rows.len(),
                columns: layout.live(panel),
                row_step: lanes,
                column_step: 1,
            };
            let k = panel * panel_depth;
            let at = |r: usize| k / block * block * rows.len() + r * block + k % block;
            pack_straight(kernel, of_panel, &mut self.left, at);
        }
    }

    /// `x` in panels of features instead of samples, as the right operand of a
    /// gradient: `[panels, depth, lanes]`.
    fn turn(&mut self, layout: Panels, x: &[f32]) {
        let kernel = self.kernel;
        let lanes = layout.lanes;
        let deep = depth(kernel, layout.samples);
        let of_features = layout.features.div_ceil(lanes);
        self.turned.set_len(of_features * deep * lanes);
        let panel_depth = depth(kernel, lanes);
        // One square of lanes × lanes at a time.
        let mut square = [0.0f32; MAX_LANES * MAX_LANES];
        for (p, panel) in x.chunks_exact(layout.panel_len()).enumerate() {
            let live = layout.live(p);
            for (f, rows) in panel.chunks(lanes * lanes).enumerate() {
                let rows = Block::whole(rows, rows.len() / lanes, lanes);
                if rows.rows < lanes {
                    // What is missing of the last features is 0.
                    square.fill(0.0);
                }
                transpose(rows, lanes, &mut square);
                let packed = depth(kernel, live) * lanes;
                let out = &mut self.turned[(f * deep + p * panel_depth) * lanes..][..packed];
                pack_right(kernel, &square[..live * lanes], lanes, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
