//! Where the entries of a gradient go: each block is used while it is in cache.

use crate::prefetch::{CacheLevel, prefetch};

/// Takes the entries of a gradient block by block, each entry once.
pub trait GradientSink {
    /// The memory that the entries of `row` from `column` on will change, or empty slices.
    /// It is prefetched before the entries come.
    fn targets(&self, row: usize, column: usize) -> [&[f32]; 3];

    /// Takes the entries `[rows, columns]` from `row`, `column` on. Rows of `block` start
    /// `stride` values apart.
    fn take(&mut self, at: (usize, usize), size: (usize, usize), block: &[f32], stride: usize);
}

/// Prefetches what entries of a gradient will change.
pub(super) fn prefetch_targets(
    sink: &impl GradientSink,
    (row, column): (usize, usize),
    (rows, columns): (usize, usize),
) {
    for row in row..row + rows {
        for target in sink.targets(row, column) {
            prefetch(&target[..columns.min(target.len())], CacheLevel::Second);
        }
    }
}
