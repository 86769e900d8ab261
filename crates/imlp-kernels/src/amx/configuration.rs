//! The configuration of the tile registers.

use super::tile::TileProduct;
use crate::kernel::Kernel;
use crate::kernel::table::AmxFunctions;

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
