//! Tiles, the operands that are cut into them, and their product.

/// Rows of a tile; also the pairs of a row, and the sums in a row of a tile register.
pub(crate) const TILE_ROWS: usize = 16;
/// Elements of a tile.
pub(crate) const TILE_LEN: usize = TILE_ROWS * TILE_ROWS;
/// Rows and columns of the result of one [`TileProduct`]: two tiles.
pub(crate) const BLOCK: usize = 2 * TILE_ROWS;
/// Values of k in a tile.
pub(crate) const K_STEP: usize = 2 * TILE_ROWS;

/// Addresses that are prefetched with each step. A few at a time: a processor waits when
/// it has more outstanding requests than it can track.
pub(crate) const PREFETCHES_PER_STEP: usize = 2;
/// Values that are prefetched from each address.
pub(crate) const PREFETCH_LEN: usize = 128;

/// `out[r, c] (+)= Σ_k left[r, k]·right[k, c]` for [`BLOCK`] rows and columns.
///
/// An operand lies as `[steps, parts, 2]` tiles.
#[derive(Debug)]
pub(crate) struct TileProduct<'a> {
    /// Steps of [`K_STEP`] values of k; at least 1.
    pub steps: usize,
    pub left: &'a [f32],
    pub right: &'a [f32],
    /// Whether sums start from what `out` holds, else from 0.
    pub accumulate: bool,
    pub out: &'a mut [f32],
    /// Values from one row of `out` to the next.
    pub out_stride: usize,
    /// What each step prefetches: [`PREFETCH_LEN`] values from each address. Nothing is
    /// read, so that any address will do.
    pub prefetch: &'a [[usize; PREFETCHES_PER_STEP]],
}

impl TileProduct<'_> {
    /// Whether everything that a product of operands with `parts` parts reads and writes
    /// lies within the slices.
    pub fn fits(&self, parts: usize) -> bool {
        let operand = self.steps * parts * 2 * TILE_LEN;
        self.steps > 0
            && operand <= self.left.len()
            && operand <= self.right.len()
            && self.steps <= self.prefetch.len()
            && (BLOCK - 1) * self.out_stride + BLOCK <= self.out.len()
    }
}

/// Which operand of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperandSide {
    /// Its tiles hold rows of pairs.
    Left,
    /// Its tiles hold columns of pairs.
    Right,
}

/// The values of one tile, [`TILE_ROWS`] × [`K_STEP`], and how they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TileSource<'a> {
    pub values: &'a [f32],
    /// Whether the values of a row are neighbours, else those of a column.
    pub row_major: bool,
    /// Values from one row (column) to the next.
    pub stride: usize,
}

impl TileSource<'_> {
    /// The number of contiguous lines, rows or columns, and their length.
    pub const fn lines(row_major: bool) -> (usize, usize) {
        if row_major {
            (TILE_ROWS, K_STEP)
        } else {
            (K_STEP, TILE_ROWS)
        }
    }
}
