//! The innermost loops, written once over the vector registers of every instruction set.
//!
//! - [`micro_kernel`]: `out[r, lane] = Σ_k a[r, k]·b[k, lane]`, the micro-kernel of a
//!   dense product (Van Zee & van de Geijn 2015, BLIS);
//! - [`csr`]: the product of a sparse matrix in compressed rows with a dense one;
//! - [`contraction`]: the weight gradient of an indirect product, a sum of outer products
//!   over samples and positions.
//!
//! Each loop takes a struct of slices that says what it reads and writes. Its method
//! `fits` is what the caller of the loop promises; builds with debug assertions check it.

pub(crate) mod contraction;
pub(crate) mod csr;
pub(crate) mod micro_kernel;

#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
pub(crate) mod avx2;
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
pub(crate) mod avx512;
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
pub(crate) mod avx512_bf16;

#[cfg(test)]
pub(crate) mod plain;

/// Registers that hold one row of a panel, in every instruction set.
pub(crate) const PANEL_REGISTERS: usize = 2;

/// The vector registers of an instruction set.
///
/// # Safety
/// Its functions must be called only where the instructions exist, inlined into a
/// function that is compiled for them, and with addresses of [`WIDTH`](Self::WIDTH)
/// values.
pub(crate) unsafe trait Registers {
    type Register: Copy;
    /// Values of f32 in one register.
    const WIDTH: usize;
    unsafe fn splat(value: f32) -> Self::Register;
    unsafe fn load(from: *const f32) -> Self::Register;
    unsafe fn store(to: *mut f32, value: Self::Register);
    unsafe fn add(a: Self::Register, b: Self::Register) -> Self::Register;
    /// `sum + a·b` in f32, rounded once.
    unsafe fn multiply_add(
        a: Self::Register,
        b: Self::Register,
        sum: Self::Register,
    ) -> Self::Register;
    /// max(value, 0); a NaN stays one.
    unsafe fn relu(value: Self::Register) -> Self::Register;
}

/// How the elements of two operands in registers are multiplied.
///
/// # Safety
/// As [`Registers`].
pub(crate) unsafe trait MultiplyAdd<K: Registers> {
    unsafe fn multiply_add(a: K::Register, b: K::Register, sum: K::Register) -> K::Register;
}

/// Elements are values of f32.
pub(crate) struct F32Elements;

// SAFETY: the contract is that of the registers.
unsafe impl<K: Registers> MultiplyAdd<K> for F32Elements {
    #[inline(always)]
    unsafe fn multiply_add(a: K::Register, b: K::Register, sum: K::Register) -> K::Register {
        // SAFETY: the caller's promise.
        unsafe { K::multiply_add(a, b, sum) }
    }
}

/// Elements are [pairs](crate::bf16::pair) of bfloat16.
pub(crate) struct Bf16Pairs;

/// Implements [`Registers`] by the intrinsics of an instruction set.
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
macro_rules! registers {
    (
        $name:ident: $register:ty, $width:literal,
        $zero:ident, $splat:ident, $load:ident, $store:ident, $add:ident, $multiply_add:ident,
        $max:ident
    ) => {
        // SAFETY: the trait's contract is that of the intrinsics.
        unsafe impl $crate::vector::Registers for $name {
            type Register = $register;
            const WIDTH: usize = $width;

            #[inline(always)]
            unsafe fn splat(value: f32) -> $register {
                // SAFETY: the caller promises the instructions.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> $register {
                // SAFETY: the caller promises the instructions and the address.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store(to: *mut f32, value: $register) {
                // SAFETY: the caller promises the instructions and the address.
                unsafe { $store(to, value) }
            }

            #[inline(always)]
            unsafe fn add(a: $register, b: $register) -> $register {
                // SAFETY: the caller promises the instructions.
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            unsafe fn multiply_add(a: $register, b: $register, sum: $register) -> $register {
                // SAFETY: the caller promises the instructions.
                unsafe { $multiply_add(a, b, sum) }
            }

            #[inline(always)]
            unsafe fn relu(value: $register) -> $register {
                // SAFETY: the caller promises the instructions. Where one operand is a
                // NaN, the instruction gives the second.
                unsafe { $max($zero(), value) }
            }
        }
    };
}
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
use registers;
