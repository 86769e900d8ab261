//! Products by squares of [`amx`](crate::amx).

use super::sparse::finish;
use super::{TileSink, announce, sized};
use crate::amx::{
    Configured, Product, ROWS, SOON, SOON_LEN, SQUARE, STEP, Side, pack_squares, parts,
};
use crate::pack::Block;
use crate::prefetch::{Cache, prefetch_at};
use crate::{Aligned, Kernel, Panels};

/// Packed operands and sums.
#[derive(Clone, Debug)]
pub(super) struct Squares {
    kernel: Kernel,
    left: Aligned,
    right: Aligned,
    sums: Aligned,
    soon: Soon,
}

/// Rows of the left operand that are packed together, and stay in the second cache
/// while every panel passes.
const ROWS_TOGETHER: usize = 8 * ROWS;
/// Columns of a gradient that are handed on together: whole runs of weights are moved.
const COLUMNS_TOGETHER: usize = 8 * ROWS;

/// Steps that are summed before the next ones: of the operand that is used again at
/// once, they stay in the nearest cache.
fn steps_together(kernel: Kernel) -> usize {
    const BYTES: usize = 16 << 10;
    BYTES / (size_of::<f32>() * squares(kernel, 1))
}

/// Places of f32 that so many steps of [`ROWS`] rows take.
fn squares(kernel: Kernel, steps: usize) -> usize {
    steps * parts(kernel) * 2 * SQUARE
}

impl Squares {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            left: Aligned::default(),
            right: Aligned::default(),
            sums: Aligned::default(),
            soon: Soon::default(),
        }
    }

    /// `matrix` times the panels `x`, which have as many features as it has columns.
    pub fn multiply(
        &mut self,
        matrix: Block<'_>,
        layout: Panels,
        bias: Option<&[f32]>,
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let (kernel, lanes) = (self.kernel, layout.lanes);
        assert_eq!(lanes, ROWS, "lanes");
        let output = layout.with_features(matrix.rows);
        let steps = matrix.columns.div_ceil(STEP);
        let together = steps_together(kernel);
        let of_panel = squares(kernel, steps);
        let right = sized(&mut self.right, layout.count() * of_panel);
        let panels = x.chunks_exact(layout.panel_len());
        for (panel, out) in panels.zip(right.chunks_exact_mut(of_panel)) {
            let panel = Block {
                values: panel,
                rows: lanes,
                columns: layout.features,
                row_step: 1,
                column_step: lanes,
            };
            pack_squares(kernel, Side::Right, panel, out);
        }
        let of_row = squares(kernel, together.min(steps));
        let left = sized(&mut self.left, ROWS_TOGETHER / ROWS * of_row);
        let sums = sized(&mut self.sums, layout.count() * ROWS_TOGETHER * lanes);
        let configured = Configured::new(kernel);
        for row in (0..matrix.rows).step_by(ROWS_TOGETHER) {
            let rows_here = ROWS_TOGETHER.min(matrix.rows - row);
            for k in (0..steps).step_by(together) {
                let steps_here = together.min(steps - k);
                let part = |row: usize, k: usize| {
                    matrix.part(row, ROWS_TOGETHER, k * STEP, together * STEP)
                };
                let here = part(row, k);
                for (i, left) in left.chunks_exact_mut(of_row).enumerate() {
                    if i * ROWS < rows_here {
                        let rows = here.part(i * ROWS, ROWS, 0, here.columns);
                        let left = &mut left[..squares(kernel, steps_here)];
                        pack_squares(kernel, Side::Left, rows, left);
                    }
                }
                let next = if k + together < steps {
                    part(row, k + together)
                } else {
                    part((row + ROWS_TOGETHER).min(matrix.rows), 0)
                };
                let blocks = rows_here.div_ceil(ROWS);
                self.soon.start(layout.count() * blocks);
                next.lines().for_each(|line| self.soon.add(line));
                for (p, right) in right.chunks_exact(of_panel).enumerate() {
                    let right = &right[squares(kernel, k)..][..squares(kernel, steps_here)];
                    let sums = &mut sums[p * ROWS_TOGETHER * lanes..][..ROWS_TOGETHER * lanes];
                    for i in 0..blocks {
                        let product = Product {
                            steps: steps_here,
                            left: left[i * of_row..][..right.len()].as_ptr(),
                            right: right.as_ptr(),
                            add: k > 0,
                            out: sums[i * ROWS * lanes..][..ROWS * lanes].as_mut_ptr(),
                            out_step: lanes,
                            soon: self.soon.of_call(steps_here, right),
                        };
                        // SAFETY: the slices have just these sizes.
                        unsafe { configured.multiply(&product) };
                    }
                }
            }
            let panels = y.chunks_exact_mut(output.panel_len());
            for (y, sums) in panels.zip(sums.chunks_exact(ROWS_TOGETHER * lanes)) {
                let y = &mut y[row * lanes..][..rows_here * lanes];
                y.copy_from_slice(&sums[..y.len()]);
                finish(kernel, lanes, bias.map(|bias| &bias[row..]), relu, y);
            }
        }
    }

    /// Hands the tiles of `dW = dy·xᵀ` to `sink`.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl TileSink,
    ) {
        let (kernel, inputs) = (self.kernel, layout.features);
        assert_eq!(layout.lanes, STEP, "lanes");
        // A panel is a step.
        let (steps, together) = (layout.count(), steps_together(kernel));
        let of_rows = squares(kernel, steps);
        let pack = |side, features: usize, panels: &[f32], first: usize, out: &mut [f32]| {
            let layout = layout.with_features(features);
            let panels = panels.chunks_exact(layout.panel_len());
            let out = out.chunks_exact_mut(squares(kernel, 1));
            for (p, (panel, out)) in panels.zip(out).enumerate() {
                let rows = Block {
                    values: &panel[first * layout.lanes..],
                    rows: ROWS.min(features - first),
                    columns: layout.live(p),
                    row_step: layout.lanes,
                    column_step: 1,
                };
                pack_squares(kernel, side, rows, out);
            }
        };
        let left = sized(&mut self.left, outputs.div_ceil(ROWS) * of_rows);
        for (i, left) in left.chunks_exact_mut(of_rows).enumerate() {
            pack(Side::Left, outputs, dy, i * ROWS, left);
        }
        let right = sized(&mut self.right, COLUMNS_TOGETHER / ROWS * of_rows);
        let results = sized(&mut self.sums, ROWS * COLUMNS_TOGETHER);
        let configured = Configured::new(kernel);
        for column in (0..inputs).step_by(COLUMNS_TOGETHER) {
            let columns = COLUMNS_TOGETHER.min(inputs - column);
            let blocks = columns.div_ceil(ROWS);
            for (i, right) in right.chunks_exact_mut(of_rows).enumerate().take(blocks) {
                pack(Side::Right, inputs, x, column + i * ROWS, right);
            }
            // While some rows are summed, the next ones' weights come.
            announce(sink, (0, column), (ROWS.min(outputs), columns));
            for (row, left) in (0..outputs).step_by(ROWS).zip(left.chunks_exact(of_rows)) {
                let rows = ROWS.min(outputs - row);
                self.soon.start(steps.div_ceil(together) * blocks);
                for row in (row + rows..outputs).take(ROWS) {
                    for place in sink.places(row, column) {
                        self.soon.add(&place[..columns.min(place.len())]);
                    }
                }
                for k in (0..steps).step_by(together) {
                    let part = squares(kernel, k)..squares(kernel, steps.min(k + together));
                    let left = &left[part.clone()];
                    for (i, right) in right.chunks_exact(of_rows).enumerate().take(blocks) {
                        let right = &right[part.clone()];
                        let steps = steps.min(k + together) - k;
                        let product = Product {
                            steps,
                            left: left.as_ptr(),
                            right: right.as_ptr(),
                            add: k > 0,
                            out: results[i * ROWS..].as_mut_ptr(),
                            out_step: COLUMNS_TOGETHER,
                            soon: self.soon.of_call(steps, right),
                        };
                        // SAFETY: the slices have just these sizes.
                        unsafe { configured.multiply(&product) };
                    }
                }
                sink.take((row, column), (rows, columns), results, COLUMNS_TOGETHER);
            }
        }
    }
}

/// Memory that is asked for while products are computed, the same share with each.
#[derive(Clone, Debug, Default)]
struct Soon {
    /// Addresses of [`SOON_LEN`] values each.
    all: Vec<usize>,
    calls: usize,
    call: usize,
    of_steps: Vec<[usize; SOON]>,
}

impl Soon {
    /// Starts again, for so many calls.
    fn start(&mut self, calls: usize) {
        self.all.clear();
        (self.calls, self.call) = (calls, 0);
    }

    fn add(&mut self, values: &[f32]) {
        let parts = values.chunks(SOON_LEN);
        self.all.extend(parts.map(|part| part.as_ptr().addr()));
    }

    /// The share of the next call, which has so many steps; in their places that stay
    /// empty, what is near anyway.
    fn of_call(&mut self, steps: usize, near: &[f32]) -> *const [usize; SOON] {
        let bound = |call: usize| self.all.len() * call / self.calls;
        let share = &self.all[bound(self.call)..bound(self.call + 1)];
        self.call += 1;
        // What is too much for the steps of few samples is asked for at once.
        let (now, later) = share.split_at(share.len().saturating_sub(SOON * steps));
        for &at in now {
            let at = std::ptr::without_provenance(at);
            prefetch_at(at, SOON_LEN, Cache::Second);
        }
        self.of_steps.clear();
        self.of_steps.resize(steps, [near.as_ptr().addr(); SOON]);
        let places = self.of_steps.as_flattened_mut();
        let apart = places.len() / later.len().max(1);
        for (place, &at) in places.iter_mut().step_by(apart.max(1)).zip(later) {
            *place = at;
        }
        self.of_steps.as_ptr()
    }
}
