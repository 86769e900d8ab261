//! The kernels: which instructions multiply, and on which operands.

use std::fmt;

use self::table::{AmxFunctions, Bf16Functions, KernelTable};
use crate::instruction_set::InstructionSet;
use crate::operands::Operands;
use crate::processor::{Processor, Unsupported};
use crate::vector::PANEL_REGISTERS;
use crate::vector::contraction::Contraction;
use crate::vector::csr::{Bf16Nonzero, CsrProduct, Nonzero};
use crate::vector::micro_kernel::MicroTile;

#[cfg(test)]
mod plain;
pub(crate) mod table;
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
mod x86;

/// The functions of one instruction set for one kind of operands. A kernel exists only
/// where its instructions do: it is the proof that they can be executed.
#[derive(Clone, Copy)]
pub struct Kernel(&'static KernelTable);

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} by {} ({})",
            self.operands().name(),
            self.instruction_set(),
            self.0.description
        )
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Kernel {}

impl Kernel {
    /// The kernel for `operands` of the `pinned` instruction set, or of the fastest that
    /// this machine has.
    ///
    /// # Errors
    /// [`Unsupported`] if this machine cannot execute it or no such kernel exists.
    pub fn new(operands: Operands, pinned: Option<InstructionSet>) -> Result<Self, Unsupported> {
        let set = Processor::detect().choose(operands, pinned)?;
        Ok(Self::of(set, operands))
    }

    /// Every kernel that this machine can execute, the fastest for each operands last.
    pub fn all() -> Vec<Self> {
        let processor = Processor::detect();
        let all = Operands::ALL.into_iter().flat_map(|operands| {
            let usable = processor.usable(operands).into_iter();
            usable.map(move |set| Self::of(set, operands))
        });
        all.collect()
    }

    /// The kernel of `set` for `operands`. The caller knows that the processor has the
    /// instructions.
    #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
    fn of(set: InstructionSet, operands: Operands) -> Self {
        Self(x86::table(set, operands))
    }

    #[cfg(any(not(target_arch = "x86_64"), imlp_portable))]
    fn of(set: InstructionSet, _: Operands) -> Self {
        unreachable!("a kernel of {set} in a build without it");
    }

    /// The instruction set that decides the bits of its products. Kernels of the same
    /// instruction set and operands give the same bits on every machine.
    pub fn instruction_set(self) -> InstructionSet {
        self.0.instruction_set
    }

    /// What it multiplies.
    pub fn operands(self) -> Operands {
        self.0.operands
    }

    /// The instructions that multiply full matrices, in words.
    pub fn instructions(self) -> &'static str {
        self.0.description
    }

    /// The kernel of the same instruction set for f32.
    pub fn with_f32(self) -> Self {
        Self(self.0.f32_table)
    }

    /// Samples in one panel.
    pub fn panel_width(self) -> usize {
        self.0.panel_width
    }

    /// Values of f32 in one register.
    pub(crate) fn register_width(self) -> usize {
        self.panel_width() / PANEL_REGISTERS
    }

    /// Most rows of a micro-tile (`mr`): as many as the registers hold.
    pub(crate) fn micro_rows(self) -> usize {
        self.0.micro_rows
    }

    /// Values of k in one element of an operand.
    pub(crate) fn values_per_element(self) -> usize {
        match self.operands() {
            Operands::F32 | Operands::EmulatedBf16 => 1,
            Operands::Bf16 => 2,
        }
    }

    /// The products of full matrices by AMX, if it computes them.
    pub(crate) fn amx(self) -> Option<AmxFunctions> {
        self.0.amx
    }

    /// The vector instructions of functions that the compiler vectorizes.
    pub(crate) fn vector_isa(self) -> table::VectorIsa {
        self.0.vector_isa
    }

    fn bf16(self) -> Bf16Functions {
        self.0.bf16.expect("operands are bfloat16")
    }

    /// Computes one micro-tile.
    ///
    /// # Safety
    /// The tile [fits](MicroTile::fits).
    pub(crate) unsafe fn micro_kernel(self, tile: &mut MicroTile<'_>) {
        debug_assert!(tile.fits(self.panel_width()), "{tile:?}");
        // SAFETY: a kernel exists only where its instructions do; the tile fits.
        unsafe { (self.0.micro_kernel)(tile) }
    }

    /// Multiplies a sparse matrix with a dense one.
    ///
    /// # Safety
    /// The product [fits](CsrProduct::fits).
    pub(crate) unsafe fn csr_product(self, product: &mut CsrProduct<'_>) {
        debug_assert!(
            product.fits(self.register_width(), self.values_per_element()),
            "{} rows of {} registers",
            product.rows,
            product.registers
        );
        // SAFETY: a kernel exists only where its instructions do; the product fits.
        unsafe { (self.0.csr_product)(product) }
    }

    /// Sums outer products over samples and positions. Operands are f32.
    ///
    /// # Safety
    /// The contraction [fits](Contraction::fits).
    pub(crate) unsafe fn contraction(self, contraction: &mut Contraction<'_>) {
        debug_assert!(
            contraction.fits(self.panel_width()),
            "{} rows, {} columns, {} positions",
            contraction.rows,
            contraction.columns,
            contraction.positions
        );
        // SAFETY: a kernel exists only where its instructions do; the contraction fits.
        unsafe { (self.0.contraction)(contraction) }
    }

    /// Writes the `values` that are not 0 to `out`, as factors of rows that start `stride`
    /// apart from `offset` on, and gives their number. `out` has room for a register more
    /// than there are.
    pub(crate) fn compress(
        self,
        offset: usize,
        stride: usize,
        values: &[f32],
        out: &mut [Nonzero],
    ) -> usize {
        assert!(
            offset + values.len() * stride <= 1 << 31,
            "offsets in 32 bits"
        );
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.0.compress)(offset, stride, values, out) }
    }

    /// [`compress`](Self::compress) for the `values` that are not 0 once they are rounded
    /// to bfloat16.
    pub(crate) fn compress_bf16(
        self,
        offset: usize,
        stride: usize,
        values: &[f32],
        out: &mut [Bf16Nonzero],
    ) -> usize {
        assert!(
            offset + values.len() * stride <= 1 << 16,
            "offsets in 16 bits"
        );
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.bf16().compress)(offset, stride, values, out) }
    }

    /// Rounds `values` to [pairs](crate::bf16::pair) of neighbours; 0 follows an odd
    /// number of them. A value too small for a normal number may become 0, as products
    /// count it.
    pub(crate) fn pair_neighbours(self, values: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), values.len().div_ceil(2), "pairs");
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.bf16().pair_neighbours)(values, out) }
    }

    /// Rounds two rows to [pairs](crate::bf16::pair) of a value of each.
    pub(crate) fn pair_rows(self, first: &[f32], second: &[f32], out: &mut [f32]) {
        assert!(
            first.len() == out.len() && second.len() == out.len(),
            "rows"
        );
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.bf16().pair_rows)(first, second, out) }
    }

    /// Rounds a row to bfloat16, [interleaved](crate::vector::csr::interleaved_index), up
    /// to whole registers of `out`; 0 follows the values.
    pub(crate) fn interleave_row(self, values: &[f32], out: &mut [f32]) {
        assert!(values.len() <= 2 * out.len(), "row");
        assert_eq!(out.len() % self.register_width(), 0, "registers");
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.bf16().interleave_row)(values, out) }
    }

    /// Splits pairs, in whole registers, into two
    /// [interleaved](crate::vector::csr::interleaved_index) rows.
    pub(crate) fn split_pairs(self, pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
        assert_eq!(pairs.len() % (2 * self.register_width()), 0, "registers");
        assert!(
            first.len() * 2 == pairs.len() && second.len() == first.len(),
            "rows"
        );
        // SAFETY: a kernel exists only where its instructions do.
        unsafe { (self.bf16().split_pairs)(pairs, first, second) }
    }
}

/// Declares a function whose loops the compiler vectorizes for the instructions of
/// `$kernel`.
macro_rules! vectorized {
    ($(#[$doc:meta])* $visible:vis fn $name:ident($kernel:ident $(, $arg:ident: $type:ty)* $(,)?) $body:block) => {
        $(#[$doc])*
        $visible fn $name($kernel: $crate::Kernel $(, $arg: $type)*) {
            #[inline(always)]
            fn body($($arg: $type),*) $body
            #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) {
                body($($arg),*);
            }
            #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
            #[target_feature(enable = "avx512f")]
            fn avx512($($arg: $type),*) {
                body($($arg),*);
            }
            match $kernel.vector_isa() {
                // SAFETY: a kernel exists only where its instructions do.
                #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
                $crate::kernel::table::VectorIsa::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
                $crate::kernel::table::VectorIsa::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(test)]
                $crate::kernel::table::VectorIsa::Plain => body($($arg),*),
            }
        }
    };
}
pub(crate) use vectorized;

#[cfg(test)]
impl Kernel {
    /// Every kernel that this machine can execute, and those in plain Rust.
    pub(crate) fn all_and_plain() -> Vec<Self> {
        let mut all = Self::all();
        all.extend(Self::all_plain());
        all
    }

    /// The kernels in plain Rust.
    pub(crate) fn all_plain() -> [Self; 5] {
        plain::ALL.map(Self)
    }

    pub(crate) fn is_plain(self) -> bool {
        self.0.vector_isa == table::VectorIsa::Plain
    }
}

#[cfg(test)]
mod tests;
