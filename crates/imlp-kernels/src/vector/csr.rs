//! Products of a sparse matrix in compressed sparse rows (CSR) with a dense one.

use super::{Bf16Pairs, F32Elements, Registers};
use crate::prefetch::{CacheLevel, prefetch_at};

/// Most registers that hold the sums of one row. With one for the value, they fit AVX2's
/// 16 registers, and are enough independent sums to hide the latency of an addition.
pub(crate) const CSR_REGISTERS: usize = 12;

/// A value of the sparse matrix that is not 0, and where the row of the dense matrix
/// starts that it multiplies. For bfloat16, two values and two rows. Both are in one
/// number, so that one load gets them: loads are what limits the product.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nonzero(u64);

impl Nonzero {
    #[inline(always)]
    fn new(offset: usize, value: f32) -> Self {
        Self(u64::from(value.to_bits()) << 32 | offset as u64)
    }

    /// The row's offset and the value.
    #[inline(always)]
    pub fn parts(self) -> (usize, f32) {
        (
            self.0 as u32 as usize,
            f32::from_bits((self.0 >> 32) as u32),
        )
    }

    /// Two values of bfloat16.
    #[inline(always)]
    pub fn pair([first, second]: [Bf16Nonzero; 2]) -> Self {
        let offsets = first.0 & 0xffff | second.0 << 16;
        let values = first.0 >> 16 | second.0 & 0xffff_0000;
        Self(u64::from(values) << 32 | u64::from(offsets))
    }

    /// The two rows' offsets, and the [pair](crate::bf16::pair) of values.
    #[inline(always)]
    fn pair_parts(self) -> ((usize, usize), f32) {
        let (offsets, values) = self.parts();
        ((offsets & 0xffff, offsets >> 16), values)
    }
}

/// One value of bfloat16 that is not 0, in the upper half, and its row's offset.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Bf16Nonzero(u32);

impl Bf16Nonzero {
    #[cfg(test)]
    pub fn new(offset: usize, value: half::bf16) -> Self {
        Self(offset as u32 | u32::from(value.to_bits()) << 16)
    }

    /// The same row with the value 0.
    pub fn with_zero(self) -> Self {
        Self(self.0 & 0xffff)
    }
}

/// [`Kernel::compress`](crate::Kernel::compress) in plain Rust.
pub(crate) fn compress(offset: usize, stride: usize, values: &[f32], out: &mut [Nonzero]) -> usize {
    let mut count = 0;
    for (i, &value) in values.iter().enumerate() {
        out[count] = Nonzero::new(offset + i * stride, value);
        count += usize::from(value != 0.0);
    }
    count
}

/// `out[r, ·] (+)= Σ value·b[offset + ·]` over the nonzeros of row r of the sparse matrix,
/// which are those from `row_ptr[r]` to `row_ptr[r + 1]`.
///
/// Rows of `b` in bfloat16 are [interleaved](interleaved_index).
#[derive(Debug)]
pub(crate) struct CsrProduct<'a> {
    pub rows: usize,
    /// Registers of one row of `out`: from 1 to [`CSR_REGISTERS`]; an even number for
    /// bfloat16.
    pub registers: usize,
    pub nonzeros: &'a [Nonzero],
    pub row_ptr: &'a [u32],
    pub b: &'a [f32],
    /// Whether sums start from what `out` holds, else from 0.
    pub accumulate: bool,
    pub out: &'a mut [f32],
    /// Values from one row of `out` to the next.
    pub out_stride: usize,
}

impl CsrProduct<'_> {
    /// Whether everything that a kernel with registers of `width` values reads and writes
    /// lies within the slices. `values_per_element` is 2 for bfloat16, else 1.
    pub fn fits(&self, width: usize, values_per_element: usize) -> bool {
        let row_len = self.registers * width;
        let b_fits = |offset: usize| offset + row_len / values_per_element <= self.b.len();
        let nonzero_fits = |nonzero: &Nonzero| {
            if values_per_element == 2 {
                let ((first, second), _) = nonzero.pair_parts();
                b_fits(first) && b_fits(second)
            } else {
                b_fits(nonzero.parts().0)
            }
        };
        let (Some(&first), Some(&last)) = (self.row_ptr.first(), self.row_ptr.get(self.rows))
        else {
            return false;
        };
        let nonzeros = self.nonzeros.get(first as usize..last as usize);
        self.row_ptr[..=self.rows].is_sorted()
            && nonzeros.is_some_and(|all| all.iter().all(nonzero_fits))
            && (self.rows - 1) * self.out_stride + row_len <= self.out.len()
    }
}

/// Values of one register of `out` that are neighbours in an interleaved row.
const GROUP: usize = 4;

/// Where an interleaved row of bfloat16 holds value `i` of the two registers of `out` that
/// one of its registers multiplies: groups of four from either in turn. The instructions
/// that take the lower or upper halves of two registers, 128 bits at a time, then give the
/// pairs that belong to one register of `out`.
pub(crate) const fn interleaved_index(i: usize, width: usize) -> usize {
    let (register, i) = (i / width, i % width);
    i / GROUP * 2 * GROUP + register * GROUP + i % GROUP
}

/// How a nonzero adds its row to the sums: `sums += value·b[offset + ·]`.
///
/// # Safety
/// As [`Registers`].
pub(crate) unsafe trait Axpy<K: Registers> {
    unsafe fn axpy<const R: usize>(nonzero: Nonzero, b: *const f32, sums: &mut [K::Register; R]);
}

// SAFETY: the contract is that of the registers.
unsafe impl<K: Registers> Axpy<K> for F32Elements {
    #[inline(always)]
    unsafe fn axpy<const R: usize>(nonzero: Nonzero, b: *const f32, sums: &mut [K::Register; R]) {
        // SAFETY: the caller promises that `b` has the row.
        unsafe {
            let (offset, value) = nonzero.parts();
            let (value, b) = (K::splat(value), b.add(offset));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = K::multiply_add(value, K::load(b.add(i * K::WIDTH)), *sum);
            }
        }
    }
}

/// Registers that can hold interleaved rows of bfloat16, twice as many values.
///
/// # Safety
/// As [`Registers`].
pub(crate) unsafe trait InterleavedBf16: Registers {
    /// Multiplies registers of two interleaved rows by a pair of values, and adds the
    /// products to the sums of the two registers of `out` that they belong to.
    unsafe fn multiply_rows(
        values: Self::Register,
        rows: [Self::Register; 2],
        sums: [Self::Register; 2],
    ) -> [Self::Register; 2];
}

// SAFETY: the contract is that of the registers.
unsafe impl<K: InterleavedBf16> Axpy<K> for Bf16Pairs {
    #[inline(always)]
    unsafe fn axpy<const R: usize>(nonzero: Nonzero, b: *const f32, sums: &mut [K::Register; R]) {
        // SAFETY: the caller promises that `b` has the rows.
        unsafe {
            let (offsets, values) = nonzero.pair_parts();
            let values = K::splat(values);
            for (i, sums) in sums.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let row = |offset: usize| K::load(b.add(offset + i * K::WIDTH));
                *sums = K::multiply_rows(values, [row(offsets.0), row(offsets.1)], *sums);
            }
        }
    }
}

/// Computes a product whose rows have `R` registers.
///
/// # Safety
/// As [`Registers`]; the product fits.
#[inline(always)]
pub(crate) unsafe fn csr_product<K: Registers, A: Axpy<K>, const R: usize>(
    product: &mut CsrProduct<'_>,
) {
    let p = product;
    let (nonzeros, row_ptr) = (p.nonzeros.as_ptr(), p.row_ptr.as_ptr());
    let (b, out) = (p.b.as_ptr(), p.out.as_mut_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        for row in 0..p.rows {
            let out = out.add(row * p.out_stride);
            // As in the micro-kernel, the sums of the loop are an array of their own.
            let mut first = [K::splat(0.0); R];
            if p.accumulate {
                for (i, sum) in first.iter_mut().enumerate() {
                    *sum = K::load(out.add(i * K::WIDTH));
                }
                prefetch_at(
                    out.wrapping_add(p.out_stride),
                    R * K::WIDTH,
                    CacheLevel::First,
                );
            }
            let mut sums = first;
            for i in *row_ptr.add(row)..*row_ptr.add(row + 1) {
                A::axpy(*nonzeros.add(i as usize), b, &mut sums);
            }
            let last = sums;
            for (i, &sum) in last.iter().enumerate() {
                K::store(out.add(i * K::WIDTH), sum);
            }
        }
    }
}

/// Declares a function for CSR products: each number of registers is compiled on its own,
/// so that the sums stay in registers.
macro_rules! csr_products {
    ($(#[$feature:meta])* $name:ident: $registers:ty, $elements:ty, [$($count:literal)*]) => {
        /// # Safety
        /// The instructions exist; the product fits.
        $(#[$feature])*
        pub(crate) unsafe fn $name(product: &mut $crate::vector::csr::CsrProduct<'_>) {
            use $crate::vector::csr::csr_product;
            // SAFETY: the caller's promise.
            unsafe {
                match product.registers {
                    $($count => csr_product::<$registers, $elements, $count>(product),)*
                    registers => unreachable!("rows of {registers} registers"),
                }
            }
        }
    };
}
pub(crate) use csr_products;
