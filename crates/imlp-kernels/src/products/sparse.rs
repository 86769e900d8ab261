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
//! combination takes two rows at a time, and leaves out the pairs that are all 0.

use super::TileSink;
use crate::kernel::vectorized;
use crate::pack::{Block, depth, pack_transposed};
use crate::tile::{COMBINED_REGISTERS, Combinations, Term};
use crate::{Kernel, Operands, Panels};

/// Lists of what is not 0, and the blocks that they combine.
#[derive(Clone, Debug)]
pub(super) struct Sparse {
    kernel: Kernel,
    terms: Vec<Term>,
    /// Where the terms of each list end, and a 0 before them.
    bounds: Vec<u32>,
    /// The rows that are combined: of bfloat16, of pairs.
    block: Vec<f32>,
    /// The combinations.
    sums: Vec<f32>,
    /// Some features of a panel, by samples.
    turned: Vec<f32>,
    /// Pairs on their way.
    pairs: Vec<f32>,
}

/// Values of a row of a block: as many as registers hold sums.
fn row_len(kernel: Kernel) -> usize {
    COMBINED_REGISTERS * kernel.width()
}

/// Rows of a block that are combined before the next ones, in whole panels: they
/// stay in the nearest cache.
fn rows_together(kernel: Kernel) -> usize {
    const BLOCK_BYTES: usize = 24 << 10;
    let panel = size_of::<f32>() * row_len(kernel) * kernel.lanes();
    BLOCK_BYTES / panel * kernel.lanes()
}

/// The index that a product sums over, of an operand in panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summed {
    Features,
    Samples,
}

/// Whether so many values of `x` are 0 that it is faster to leave them out.
pub(super) fn is_sparse(kernel: Kernel, layout: Panels, summed: Summed, x: &[f32]) -> bool {
    /// Fewer samples do not repay the turning of weights and results.
    const SAMPLES: usize = 64;
    if layout.samples < SAMPLES {
        return false;
    }
    let (mut terms, mut all) = (0, x.len());
    match kernel.operands {
        Operands::EmulatedBf16 => return false,
        Operands::F32 => count(kernel, x, &[], &mut terms),
        Operands::Bf16 => {
            all /= 2;
            match summed {
                Summed::Samples => count_neighbours(kernel, x, &mut terms),
                Summed::Features => {
                    for panel in x.chunks_exact(layout.panel_len()) {
                        for rows in panel.chunks(2 * layout.lanes) {
                            let (first, second) = rows.split_at(layout.lanes);
                            count(kernel, first, second, &mut terms);
                        }
                    }
                }
            }
        }
    }
    (terms as f64) < density(kernel) * all as f64
}

/// The share of terms up to which lists are faster than tiles
/// (`cargo bench -p imlp-kernels`).
fn density(kernel: Kernel) -> f64 {
    match kernel.operands {
        Operands::Bf16 => 0.8,
        _ => 0.7,
    }
}

vectorized! {
/// Adds to `terms` the number of places where one of two rows is not 0; the second
/// may be missing.
fn count(kernel, first: &[f32], second: &[f32], terms: &mut usize) {
    // Of at most so many the compiler counts in registers.
    const AT_ONCE: usize = 1 << 12;
    for (i, first) in first.chunks(AT_ONCE).enumerate() {
        let counted: u32 = if second.is_empty() {
            first.iter().map(|&a| u32::from(a != 0.0)).sum()
        } else {
            let second = &second[i * AT_ONCE..];
            let both = first.iter().zip(second);
            both.map(|(&a, &b)| u32::from((a != 0.0) | (b != 0.0))).sum()
        };
        *terms += counted as usize;
    }
}
}

vectorized! {
/// Adds to `terms` the number of pairs of neighbours that are not both 0.
fn count_neighbours(kernel, values: &[f32], terms: &mut usize) {
    for values in values.chunks(1 << 12) {
        let pairs = values.as_chunks::<2>().0.iter();
        let counted: u32 = pairs.map(|[a, b]| u32::from((*a != 0.0) | (*b != 0.0))).sum();
        *terms += counted as usize;
    }
}
}

/// `len` values of `buffer` that start with a cache line: a register that lies in
/// two lines is loaded at half the speed.
fn aligned(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    const LINE: usize = 64;
    const SPARE: usize = LINE / size_of::<f32>() - 1;
    buffer.resize(len + SPARE, 0.0);
    let from = buffer.as_ptr().align_offset(LINE).min(SPARE);
    &mut buffer[from..][..len]
}

impl Sparse {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            terms: Vec::new(),
            bounds: Vec::new(),
            block: Vec::new(),
            sums: Vec::new(),
            turned: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// Starts the lists of an operand of `len` values.
    fn clear(&mut self, len: usize) {
        // One more: a term is written before it is known whether it counts.
        self.terms.resize(len + 1, Term::default());
        self.bounds.clear();
        self.bounds.push(0);
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
        let block = aligned(&mut self.block, together * step);
        let pairs = &mut self.pairs;
        let together = together * kernel.packed();
        let sums = aligned(&mut self.sums, layout.count() * lanes * step);
        // Dead lanes have no list; of a gradient they must stay 0.
        sums[samples * step..].fill(0.0);
        for first in (0..matrix.rows).step_by(step) {
            let columns = step.min(matrix.rows - first);
            for (part, k) in (0..matrix.columns).step_by(together).enumerate() {
                let rows = matrix.part(first, columns, k, together);
                pack_block(kernel, rows, step, pairs, block);
                let combinations = Combinations {
                    rows: samples,
                    registers: columns.div_ceil(kernel.width()),
                    terms: self.terms.as_ptr(),
                    bounds: self.bounds[part * samples..][..=samples].as_ptr(),
                    b: block.as_ptr(),
                    add: k > 0,
                    out: sums.as_mut_ptr(),
                    out_step: step,
                };
                // SAFETY: a term is within the block; sums has a row per sample.
                unsafe { kernel.combine(&combinations) };
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
                pack_transposed(block, lanes, y);
                finish(kernel, lanes, bias.map(|bias| &bias[first..]), relu, y);
            }
        }
    }

    /// Lists by parts of the features, then by samples.
    fn list_samples(&mut self, layout: Panels, x: &[f32]) {
        let (kernel, lanes, step) = (self.kernel, layout.lanes, row_len(self.kernel));
        let together = rows_together(kernel) * kernel.packed();
        self.clear(x.len());
        self.turned.resize(lanes * together, 0.0);
        let mut count = 0;
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
                pack_transposed(block, together, &mut self.turned);
                for sample in self.turned.chunks_exact(together).take(layout.live(p)) {
                    let elements = elements(kernel, &sample[..features], &mut self.pairs);
                    count = extend(&mut self.terms, count, 0, step, elements);
                    self.bounds.push(count as u32);
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
        let deep = depth(kernel, lanes);
        let parts = depth(kernel, samples).div_ceil(together);
        self.list_outputs(layout.with_features(outputs), dy);
        let block = aligned(&mut self.block, layout.count() * deep * step);
        let results = aligned(&mut self.sums, OUTPUTS_TOGETHER * step);
        for column in (0..layout.features).step_by(step) {
            let columns = step.min(layout.features - column);
            let panels = x.chunks_exact(layout.panel_len());
            for (rows, panel) in block.chunks_exact_mut(deep * step).zip(panels) {
                let features = Block {
                    values: &panel[column * lanes..],
                    rows: columns,
                    columns: lanes,
                    row_step: lanes,
                    column_step: 1,
                };
                pack_block(kernel, features, step, &mut self.pairs, rows);
            }
            for first in (0..outputs).step_by(OUTPUTS_TOGETHER) {
                let rows_here = OUTPUTS_TOGETHER.min(outputs - first);
                for part in 0..parts {
                    let lists = first * parts + part * rows_here;
                    let ends = part + 1 == parts;
                    // The last sums of a few rows go to the sink at once.
                    let handed = if ends { ROWS_HANDED } else { rows_here };
                    for row in (0..rows_here).step_by(handed) {
                        let rows = handed.min(rows_here - row);
                        if ends {
                            sink.announce(first + row, column, rows, columns);
                        }
                        let sums = &mut results[row * step..][..rows * step];
                        let combinations = Combinations {
                            rows,
                            registers: columns.div_ceil(kernel.width()),
                            terms: self.terms.as_ptr(),
                            bounds: self.bounds[lists + row..][..=rows].as_ptr(),
                            b: block[part * together * step..].as_ptr(),
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
        let (kernel, lanes, outputs) = (self.kernel, layout.lanes, layout.features);
        let (step, deep) = (row_len(kernel), depth(kernel, lanes));
        self.clear(dy.len());
        let panels_together = rows_together(kernel) / deep;
        let mut count = 0;
        for first in (0..outputs).step_by(OUTPUTS_TOGETHER) {
            let group = first..(first + OUTPUTS_TOGETHER).min(outputs);
            for panels in (0..layout.count()).step_by(panels_together) {
                for output in group.clone() {
                    for p in panels..(panels + panels_together).min(layout.count()) {
                        let from = (p * outputs + output) * lanes;
                        let values = &dy[from..][..layout.live(p)];
                        let at = (p - panels) * deep * step;
                        let elements = elements(kernel, values, &mut self.pairs);
                        count = extend(&mut self.terms, count, at, step, elements);
                    }
                    self.bounds.push(count as u32);
                }
            }
        }
    }
}

/// Writes the elements that are not 0 from term `count` on, as factors of rows `step`
/// values apart from `at` on; gives the number of terms then.
#[inline(always)]
fn extend(terms: &mut [Term], mut count: usize, at: usize, step: usize, elements: &[f32]) -> usize {
    for (i, &element) in elements.iter().enumerate() {
        terms[count] = Term::new(at + i * step, element);
        // Of a pair as of one value, all but the signs.
        count += usize::from(element.to_bits() & 0x7fff_7fff != 0);
    }
    count
}

/// What a list has terms for: `values`, or their pairs.
#[inline(always)]
fn elements<'a>(kernel: Kernel, values: &'a [f32], pairs: &'a mut Vec<f32>) -> &'a [f32] {
    if kernel.operands != Operands::Bf16 {
        return values;
    }
    pairs.resize(values.len().div_ceil(2), 0.0);
    kernel.pair_neighbours(values, pairs);
    pairs
}

/// `out[k·step + r]` = element k of row r of `block`, whose rows or columns are
/// contiguous.
fn pack_block(
    kernel: Kernel,
    block: Block<'_>,
    step: usize,
    pairs: &mut Vec<f32>,
    out: &mut [f32],
) {
    if kernel.operands != Operands::Bf16 {
        return pack_transposed(block, step, out);
    }
    let deep = depth(kernel, block.columns);
    if block.row_step == 1 {
        let column = |c: usize| &block.values[c * block.column_step..][..block.rows];
        for (k, out) in out.chunks_mut(step).enumerate().take(deep) {
            let (c, out) = (2 * k, &mut out[..block.rows]);
            if c + 1 < block.columns {
                kernel.pair_rows(column(c), column(c + 1), out);
            } else {
                pairs.clear();
                pairs.resize(block.rows, 0.0);
                kernel.pair_rows(column(c), pairs, out);
            }
        }
        return;
    }
    pairs.resize(block.rows * deep, 0.0);
    for (r, pairs) in pairs.chunks_exact_mut(deep).enumerate() {
        let row = &block.values[r * block.row_step..][..block.columns];
        kernel.pair_neighbours(row, pairs);
    }
    pack_transposed(Block::whole(pairs, block.rows, deep), step, out);
}

/// Rows of a gradient that are summed together: they stay in the second cache.
const OUTPUTS_TOGETHER: usize = 128;
/// Rows of a gradient that the sink gets at once.
const ROWS_HANDED: usize = 8;

vectorized! {
/// Adds the bias to rows of `lanes` results, then takes max(·, 0) if `relu`.
fn finish(kernel, lanes: usize, bias: Option<&[f32]>, relu: bool, y: &mut [f32]) {
    for (i, y) in y.chunks_exact_mut(lanes).enumerate() {
        let bias = bias.map_or(0.0, |bias| bias[i]);
        for y in y {
            let value = *y + bias;
            *y = if relu && value < 0.0 { 0.0 } else { value };
        }
    }
}
}
