//! Products that leave out the zeros of an operand.
//!
//! Half of what follows a ReLU is 0, and more as training goes on; so is the
//! gradient where the ReLU was closed. A tile, with samples in its lanes, can leave
//! nothing out, since another sample of the same register is rarely 0 at the same
//! place. Here the lanes are features instead: a sample's outputs are a combination
//! of rows, one for each of its inputs that is not 0.
//!
//! The values and the order of their sums are those that are left; only a 0 that
//! meets an infinite or undefined value gives 0 instead of NaN. Of bfloat16 a
//! combination takes two rows at a time, any two.

use super::{TileSink, announce, sized};
use crate::kernel::vectorized;
use crate::pack::Block;
use crate::tile::{COMBINED_REGISTERS, Combinations, Rounded, Term};
use crate::transpose::transpose;
use crate::{Aligned, Kernel, Operands, Panels};

/// Lists of what is not 0, and the blocks that they combine.
#[derive(Clone, Debug)]
pub(super) struct Sparse {
    kernel: Kernel,
    lists: Lists,
    /// The rows that are combined.
    block: Aligned,
    packing: Packing,
    /// The combinations.
    sums: Aligned,
    /// Some features of a panel, by samples.
    turned: Vec<f32>,
}

/// Values of a row of sums: as many as registers hold.
fn row_len(kernel: Kernel) -> usize {
    COMBINED_REGISTERS * kernel.width()
}

/// From one row of a block to the next, in places of f32: two values of bfloat16 share
/// one.
fn block_step(kernel: Kernel) -> usize {
    row_len(kernel) / kernel.packed()
}

/// Rows of a block that are combined before the next ones, in whole panels: they
/// stay in the nearest cache.
fn rows_together(kernel: Kernel) -> usize {
    const BLOCK_BYTES: usize = 24 << 10;
    let panel = size_of::<f32>() * block_step(kernel) * kernel.lanes();
    BLOCK_BYTES / panel * kernel.lanes()
}

/// Registers that hold the sums of so many columns.
fn registers(kernel: Kernel, columns: usize) -> usize {
    columns.div_ceil(kernel.width() * kernel.packed()) * kernel.packed()
}

/// Whether so many values of `x` are 0 that it is faster to leave them out.
pub(super) fn is_sparse(kernel: Kernel, layout: Panels, x: &[f32]) -> bool {
    /// Fewer samples do not repay the turning of weights and results.
    const SAMPLES: usize = 64;
    if kernel.operands == Operands::EmulatedBf16 || layout.samples < SAMPLES {
        return false;
    }
    let mut values = 0;
    count_values(kernel, x, &mut values);
    (values as f64) < DENSITY * x.len() as f64
}

/// The share of values up to which lists are faster than tiles
/// (`cargo bench -p imlp-kernels`).
const DENSITY: f64 = 0.7;

vectorized! {
/// Adds to `count` the number of values that are not 0.
fn count_values(kernel, x: &[f32], count: &mut usize) {
    for x in x.chunks(1 << 12) {
        *count += x.iter().map(|&x| u32::from(x != 0.0)).sum::<u32>() as usize;
    }
}
}

impl Sparse {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            lists: Lists::new(kernel),
            block: Aligned::default(),
            packing: Packing::default(),
            sums: Aligned::default(),
            turned: Vec::new(),
        }
    }

    /// `matrix` times the panels `x`, which have as many features as it has
    /// columns.
    pub fn multiply(
        &mut self,
        matrix: Block<'_>,
        layout: Panels,
        bias: Option<&[f32]>,
        relu: bool,
        x: &[f32],
        y: &mut [f32],
    ) {
        let (kernel, lanes, samples) = (self.kernel, layout.lanes, layout.samples);
        let (step, together) = (row_len(kernel), rows_together(kernel));
        let output = layout.with_features(matrix.rows);
        self.list_samples(layout, x);
        let block = sized(&mut self.block, together * block_step(kernel));
        let sums = sized(&mut self.sums, layout.count() * lanes * step);
        // Dead lanes have no list; of a gradient they must stay 0.
        sums[samples * step..].fill(0.0);
        for first in (0..matrix.rows).step_by(step) {
            let columns = step.min(matrix.rows - first);
            for (part, k) in (0..matrix.columns).step_by(together).enumerate() {
                let rows = matrix.part(first, columns, k, together);
                self.packing.pack(kernel, rows, block);
                let next = if k + together < matrix.columns {
                    matrix.part(first, columns, k + together, together)
                } else {
                    let first = (first + step).min(matrix.rows);
                    matrix.part(first, step, 0, together)
                };
                let bounds = &self.lists.bounds[part * samples..][..=samples];
                for sample in (0..samples).step_by(LISTS) {
                    let lists = LISTS.min(samples - sample);
                    next.fetch(sample, lists, samples);
                    let combinations = Combinations {
                        rows: lists,
                        registers: registers(kernel, columns),
                        terms: self.lists.terms.as_ptr(),
                        bounds: bounds[sample..][..=lists].as_ptr(),
                        b: block.as_ptr(),
                        add: k > 0,
                        out: sums[sample * step..][..lists * step].as_mut_ptr(),
                        out_step: step,
                    };
                    // SAFETY: a term is within the block; sums has a row per sample.
                    unsafe { kernel.combine(&combinations) };
                }
            }
            let panels = y.chunks_exact_mut(output.panel_len());
            for (y, sums) in panels.zip(sums.chunks_exact(lanes * step)) {
                let y = &mut y[first * lanes..][..columns * lanes];
                let block = Block {
                    values: sums,
                    rows: lanes,
                    columns,
                    row_step: step,
                    column_step: 1,
                };
                transpose(block, lanes, y);
                finish(kernel, lanes, bias.map(|bias| &bias[first..]), relu, y);
            }
        }
    }

    /// Lists by parts of the features, then by samples.
    fn list_samples(&mut self, layout: Panels, x: &[f32]) {
        let (lanes, together) = (layout.lanes, rows_together(self.kernel));
        self.lists.clear(x.len());
        self.turned.resize(lanes * together, 0.0);
        for first in (0..layout.features).step_by(together) {
            let features = together.min(layout.features - first);
            for (p, panel) in x.chunks_exact(layout.panel_len()).enumerate() {
                let block = Block {
                    values: &panel[first * lanes..],
                    rows: features,
                    columns: lanes,
                    row_step: lanes,
                    column_step: 1,
                };
                transpose(block, together, &mut self.turned);
                for sample in self.turned.chunks_exact(together).take(layout.live(p)) {
                    self.lists.extend(0, &sample[..features]);
                    self.lists.end();
                }
            }
        }
    }

    /// Hands the tiles of `dW = dy·xᵀ` to `sink`; zeros of `dy` are left out.
    pub fn gradient(
        &mut self,
        layout: Panels,
        outputs: usize,
        x: &[f32],
        dy: &[f32],
        sink: &mut impl TileSink,
    ) {
        let (kernel, lanes, samples) = (self.kernel, layout.lanes, layout.samples);
        let (step, together) = (row_len(kernel), rows_together(kernel));
        let block_step = block_step(kernel);
        let parts = samples.div_ceil(together);
        self.list_outputs(layout.with_features(outputs), dy);
        let block = sized(&mut self.block, layout.count() * lanes * block_step);
        let results = sized(&mut self.sums, OUTPUTS_TOGETHER * step);
        for column in (0..layout.features).step_by(step) {
            let columns = step.min(layout.features - column);
            let panels = x.chunks_exact(layout.panel_len());
            for (rows, panel) in block.chunks_exact_mut(lanes * block_step).zip(panels) {
                let features = Block {
                    values: &panel[column * lanes..],
                    rows: columns,
                    columns: lanes,
                    row_step: lanes,
                    column_step: 1,
                };
                self.packing.pack(kernel, features, rows);
            }
            for first in (0..outputs).step_by(OUTPUTS_TOGETHER) {
                let rows_here = OUTPUTS_TOGETHER.min(outputs - first);
                for part in 0..parts {
                    let lists = first * parts + part * rows_here;
                    let ends = part + 1 == parts;
                    // The last sums of a few rows go to the sink at once.
                    for row in (0..rows_here).step_by(LISTS) {
                        let rows = LISTS.min(rows_here - row);
                        let share = rows * part / parts..rows * (part + 1) / parts;
                        announce(
                            sink,
                            (first + row + share.start, column),
                            (share.len(), columns),
                        );
                        let sums = &mut results[row * step..][..rows * step];
                        let combinations = Combinations {
                            rows,
                            registers: registers(kernel, columns),
                            terms: self.lists.terms.as_ptr(),
                            bounds: self.lists.bounds[lists + row..][..=rows].as_ptr(),
                            b: block[part * together * block_step..].as_ptr(),
                            add: part > 0,
                            out: sums.as_mut_ptr(),
                            out_step: step,
                        };
                        // SAFETY: a term is within its part of the block.
                        unsafe { kernel.combine(&combinations) };
                        if ends {
                            sink.take((first + row, column), (rows, columns), sums, step);
                        }
                    }
                }
            }
        }
    }

    /// Lists by groups of outputs, then by parts of the samples, then by outputs.
    fn list_outputs(&mut self, layout: Panels, dy: &[f32]) {
        let (lanes, outputs) = (layout.lanes, layout.features);
        self.lists.clear(dy.len());
        let panels_together = rows_together(self.kernel) / lanes;
        for first in (0..outputs).step_by(OUTPUTS_TOGETHER) {
            let group = first..(first + OUTPUTS_TOGETHER).min(outputs);
            for panels in (0..layout.count()).step_by(panels_together) {
                for output in group.clone() {
                    for p in panels..(panels + panels_together).min(layout.count()) {
                        let from = (p * outputs + output) * lanes;
                        let values = &dy[from..][..layout.live(p)];
                        self.lists.extend((p - panels) * lanes, values);
                    }
                    self.lists.end();
                }
            }
        }
    }
}

/// The terms of one combination after the other.
#[derive(Clone, Debug)]
struct Lists {
    kernel: Kernel,
    terms: Vec<Term>,
    /// Where the terms of each list end, and a 0 before them.
    bounds: Vec<u32>,
    /// Terms so far.
    count: usize,
    /// Of bfloat16, the values of the list that has not ended.
    rounded: Vec<Rounded>,
    rounded_count: usize,
}

impl Lists {
    fn new(kernel: Kernel) -> Self {
        let longest = match kernel.operands {
            Operands::Bf16 => rows_together(kernel) + kernel.width(),
            _ => 0,
        };
        Self {
            kernel,
            terms: Vec::new(),
            bounds: Vec::new(),
            count: 0,
            rounded: vec![Rounded::default(); longest],
            rounded_count: 0,
        }
    }

    /// Starts the lists of an operand of `len` values.
    fn clear(&mut self, len: usize) {
        // A register more: terms are written before it is known whether they count.
        let room = len + self.kernel.width();
        self.terms.resize(room, Term::default());
        self.bounds.clear();
        self.bounds.push(0);
        self.count = 0;
    }

    /// Adds to the list the values that are not 0, as factors of the rows of a block
    /// from `row` on.
    #[inline(always)]
    fn extend(&mut self, row: usize, values: &[f32]) {
        let step = block_step(self.kernel);
        if self.kernel.operands != Operands::Bf16 {
            let terms = &mut self.terms[self.count..];
            self.count += self.kernel.list(row * step, step, values, terms);
            return;
        }
        let rounded = &mut self.rounded[self.rounded_count..];
        self.rounded_count += self.kernel.list_rounded(row * step, step, values, rounded);
    }

    /// Ends the list.
    #[inline(always)]
    fn end(&mut self) {
        if let Some(&last) = self.rounded[..self.rounded_count].last() {
            // A value without another takes its own row again, times 0.
            self.rounded[self.rounded_count] = last.of_zero();
            let twos = self.rounded[..self.rounded_count + 1].as_chunks::<2>().0;
            for (term, &two) in self.terms[self.count..].iter_mut().zip(twos) {
                *term = Term::of_two(two);
            }
            self.count += twos.len();
            self.rounded_count = 0;
        }
        self.bounds.push(self.count as u32);
    }
}

/// Lays out rows that are combined.
#[derive(Clone, Debug, Default)]
struct Packing {
    /// Pairs of neighbours, and turned.
    pairs: Vec<f32>,
    turned: Vec<f32>,
}

impl Packing {
    /// Writes column k of `block`, whose rows or columns are contiguous, as row k of
    /// `out`.
    fn pack(&mut self, kernel: Kernel, block: Block<'_>, out: &mut [f32]) {
        let step = block_step(kernel);
        if kernel.operands != Operands::Bf16 {
            return transpose(block, step, out);
        }
        if block.row_step == 1 {
            for (c, out) in out.chunks_mut(step).enumerate().take(block.columns) {
                let column = &block.values[c * block.column_step..][..block.rows];
                kernel.round_row(column, out);
            }
            return;
        }
        // Pairs are turned, half as many as values, and then taken apart.
        let deep = block.columns.div_ceil(2);
        self.pairs.resize(block.rows * deep, 0.0);
        for (r, pairs) in self.pairs.chunks_exact_mut(deep).enumerate() {
            let row = &block.values[r * block.row_step..][..block.columns];
            kernel.pair_neighbours(row, pairs);
        }
        let len = row_len(kernel);
        self.turned.resize(deep * len, 0.0);
        let pairs = Block::whole(&self.pairs, block.rows, deep);
        transpose(pairs, len, &mut self.turned);
        for (pairs, out) in self.turned.chunks_exact(len).zip(out.chunks_mut(2 * step)) {
            let (first, second) = out.split_at_mut(step);
            kernel.split_pairs(pairs, first, second);
        }
    }
}

/// Rows of a gradient that are summed together: they stay in the second cache.
const OUTPUTS_TOGETHER: usize = 128;
/// Lists between which memory that is needed next is asked for: little at a time, or
/// the processor waits for it. The sink gets so many rows of a gradient at once.
const LISTS: usize = 16;

vectorized! {
/// Adds the bias to rows of `lanes` results, then takes max(·, 0) if `relu`.
pub(super) fn finish(kernel, lanes: usize, bias: Option<&[f32]>, relu: bool, y: &mut [f32]) {
    for (i, y) in y.chunks_exact_mut(lanes).enumerate() {
        let bias = bias.map_or(0.0, |bias| bias[i]);
        for y in y {
            let value = *y + bias;
            *y = if relu && value < 0.0 { 0.0 } else { value };
        }
    }
}
}
