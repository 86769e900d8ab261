//! Products by Intel's Advanced Matrix Extensions: 16 × 16 sums in one tile register.
//!
//! An operand is cut into AMX *tiles* of 16 × 16 [pairs](crate::bf16::pair) of bfloat16,
//! which lie in memory as a tile register holds them:
//!
//! - in a tile of the left operand, row r has the pairs of its row r: `[r, k / 2]`;
//! - in a tile of the right operand, row k has pair k of all columns: `[k / 2, column]`.
//!
//! # f32 as three bfloat16
//! A value of f32 is the sum of three of bfloat16, its *parts*, 8 bits of its 24 each:
//! `a = a₀ + a₁ + a₂`, where each part is what the ones before leave, rounded. Of the nine
//! products of the parts of two values, six are added: the rest, `a₁b₂`, `a₂b₁` and
//! `a₂b₂`, are below 2⁻²⁴ of `ab`, which is half of the last place of an f32 (Henry, Tang
//! & Heinecke 2019, arXiv 1904.06376). An infinite operand, or one that rounds to infinity
//! (above 3.39e38), gives a NaN. The instructions take a part below 1.2e-38, the smallest
//! normal number, as 0: an operand below 1e-33 has fewer digits.

use crate::Kernel;
use crate::kernel::table::AmxFunctions;

mod pack;
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(imlp_portable)))]
pub(crate) mod pack_x86;
#[cfg(test)]
pub(crate) mod plain;
mod prefetch;
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(imlp_portable)))]
pub(crate) mod x86;

pub(crate) use pack::{OperandSide, TileSource, pack_tiles};
pub(crate) use prefetch::PrefetchSchedule;

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

/// The tile registers in the shape of whole tiles, while this exists.
pub(crate) struct TileConfiguration(AmxFunctions);

impl TileConfiguration {
    /// Configures the tile registers of this thread.
    ///
    /// # Panics
    /// If the kernel does not use AMX.
    pub fn new(kernel: Kernel) -> Self {
        let functions = kernel.amx().expect("a kernel with AMX");
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (functions.configure)() };
        Self(functions)
    }

    /// Computes one product.
    ///
    /// # Safety
    /// The product [fits](TileProduct::fits).
    pub unsafe fn multiply(&self, product: &mut TileProduct<'_>) {
        debug_assert!(product.fits(self.0.parts), "{} steps", product.steps);
        // SAFETY: the registers are configured; the product fits.
        unsafe { (self.0.product)(product) }
    }
}

impl Drop for TileConfiguration {
    fn drop(&mut self) {
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.0.release)() };
    }
}
