//! Arrays in place of registers: AVX-512 with bfloat16 in plain Rust, so that the packing
//! and the loops around the instructions are tested on every machine and under Miri.

use half::bf16;

use super::contraction::contractions;
use super::csr::{Bf16Nonzero, InterleavedBf16, csr_products, interleaved_index};
use super::micro_kernel::micro_kernels;
use super::{Bf16Pairs, F32Elements, MultiplyAdd, Registers};
use crate::bf16::{pair, unpair};

const WIDTH: usize = 16;

pub(crate) struct Plain;

// SAFETY: needs no instructions.
unsafe impl Registers for Plain {
    type Register = [f32; WIDTH];
    const WIDTH: usize = WIDTH;

    unsafe fn splat(value: f32) -> [f32; WIDTH] {
        [value; WIDTH]
    }

    unsafe fn load(from: *const f32) -> [f32; WIDTH] {
        // SAFETY: the caller promises the address.
        unsafe { from.cast::<[f32; WIDTH]>().read() }
    }

    unsafe fn store(to: *mut f32, value: [f32; WIDTH]) {
        // SAFETY: the caller promises the address.
        unsafe { to.cast::<[f32; WIDTH]>().write(value) }
    }

    unsafe fn add(a: [f32; WIDTH], b: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    unsafe fn multiply_add(a: [f32; WIDTH], b: [f32; WIDTH], sum: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| a[i].mul_add(b[i], sum[i]))
    }

    unsafe fn relu(value: [f32; WIDTH]) -> [f32; WIDTH] {
        value.map(|v| if v < 0.0 { 0.0 } else { v })
    }
}

// SAFETY: needs no instructions.
unsafe impl MultiplyAdd<Plain> for Bf16Pairs {
    unsafe fn multiply_add(a: [f32; WIDTH], b: [f32; WIDTH], sum: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| {
            let ([a0, a1], [b0, b1]) = (unpair(a[i]), unpair(b[i]));
            // `vdpbf16ps` adds the product of the second values first.
            a0.mul_add(b0, a1.mul_add(b1, sum[i]))
        })
    }
}

// SAFETY: needs no instructions.
unsafe impl InterleavedBf16 for Plain {
    unsafe fn multiply_rows(
        values: [f32; WIDTH],
        rows: [[f32; WIDTH]; 2],
        sums: [[f32; WIDTH]; 2],
    ) -> [[f32; WIDTH]; 2] {
        let value = |row: usize, i: usize| {
            let at = interleaved_index(i, WIDTH);
            unpair(rows[row][at / 2])[at % 2]
        };
        std::array::from_fn(|register| {
            let at = |i: usize| register * WIDTH + i;
            let pairs: [f32; WIDTH] =
                std::array::from_fn(|i| pair(value(0, at(i)), value(1, at(i))));
            // SAFETY: needs no instructions.
            unsafe { <Bf16Pairs as MultiplyAdd<Self>>::multiply_add(values, pairs, sums[register]) }
        })
    }
}

micro_kernels! { micro_kernel: Plain, F32Elements, [1 2 3 4 5 6 7 8 9 10 11 12 13 14] }
micro_kernels! { micro_kernel_bf16: Plain, Bf16Pairs, [1 2 3 4 5 6 7 8 9 10 11 12 13 14] }
contractions! { contraction: Plain }
csr_products! { csr_product: Plain, F32Elements, [1 2 3 4 5 6 7 8 9 10 11 12] }
csr_products! { csr_product_bf16: Plain, Bf16Pairs, [2 4 6 8 10 12] }

/// [`Kernel::pair_neighbours`](crate::Kernel::pair_neighbours).
pub(crate) fn pair_neighbours(values: &[f32], out: &mut [f32]) {
    for (out, two) in out.iter_mut().zip(values.chunks(2)) {
        *out = pair(two[0], two.get(1).copied().unwrap_or(0.0));
    }
}

/// [`Kernel::pair_rows`](crate::Kernel::pair_rows).
pub(crate) fn pair_rows(first: &[f32], second: &[f32], out: &mut [f32]) {
    for (out, (&first, &second)) in out.iter_mut().zip(first.iter().zip(second)) {
        *out = pair(first, second);
    }
}

/// [`Kernel::interleave_row`](crate::Kernel::interleave_row).
pub(crate) fn interleave_row(values: &[f32], out: &mut [f32]) {
    for (out, values) in out.chunks_exact_mut(WIDTH).zip(values.chunks(2 * WIDTH)) {
        let mut interleaved = [0.0; 2 * WIDTH];
        for (i, &value) in values.iter().enumerate() {
            interleaved[interleaved_index(i, WIDTH)] = value;
        }
        pair_neighbours(&interleaved, out);
    }
}

/// [`Kernel::split_pairs`](crate::Kernel::split_pairs).
pub(crate) fn split_pairs(pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
    let values = |half: usize| -> Vec<f32> {
        let of_pair = pairs.iter().map(|&pair| unpair(pair)[half]);
        of_pair.collect()
    };
    interleave_row(&values(0), first);
    interleave_row(&values(1), second);
}

/// [`Kernel::compress_bf16`](crate::Kernel::compress_bf16).
pub(crate) fn compress_bf16(
    offset: usize,
    stride: usize,
    values: &[f32],
    out: &mut [Bf16Nonzero],
) -> usize {
    let mut count = 0;
    for (i, &value) in values.iter().enumerate() {
        let value = bf16::from_f32(value);
        out[count] = Bf16Nonzero::new(offset + i * stride, value);
        count += usize::from(value.to_bits() & 0x7fff != 0);
    }
    count
}
