//! A matrix inside a slice.

use crate::prefetch::{CacheLevel, prefetch};

/// A matrix inside `values`: entry `(r, c)` lies at `r·row_stride + c·column_stride`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatrixView<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// All of `values`, `[rows, columns]` row-major.
    pub fn row_major(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// Rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The submatrix from `row` and `column` on, of at most `rows` × `columns`.
    pub fn submatrix(self, row: usize, rows: usize, column: usize, columns: usize) -> Self {
        Self {
            values: &self.values[row * self.row_stride + column * self.column_stride..],
            rows: rows.min(self.rows - row),
            columns: columns.min(self.columns - column),
            ..self
        }
    }

    /// The rows or the columns, whichever are contiguous.
    pub fn contiguous_lines(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        let (lines, len, stride) = if self.column_stride == 1 {
            (self.rows, self.columns, self.row_stride)
        } else {
            (self.columns, self.rows, self.column_stride)
        };
        (0..lines).map(move |line| &self.values[line * stride..][..len])
    }

    /// Prefetches the parts `steps` of `of` equal parts.
    pub fn prefetch_share(self, steps: std::ops::Range<usize>, of: usize) {
        let lines = self.contiguous_lines();
        let (from, to) = (lines.len() * steps.start / of, lines.len() * steps.end / of);
        for line in lines.take(to).skip(from) {
            prefetch(line, CacheLevel::Second);
        }
    }
}
