//! AVX-512-BF16, with AVX-512F and AVX-512BW.

use std::arch::x86_64::*;

use super::avx512::{Avx512, row_offsets};
use super::csr::{Bf16Nonzero, InterleavedBf16, csr_products, interleaved_index};
use super::micro_kernel::micro_kernels;
use super::{Bf16Pairs, MultiplyAdd};

// SAFETY: the contract is that of the intrinsics.
unsafe impl MultiplyAdd<Avx512> for Bf16Pairs {
    #[inline(always)]
    unsafe fn multiply_add(a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: the caller promises the instruction; any 512 bits are valid for both
        // types.
        unsafe {
            let pairs = |register| std::mem::transmute::<__m512, __m512bh>(register);
            _mm512_dpbf16_ps(sum, pairs(a), pairs(b))
        }
    }
}

// SAFETY: the contract is that of the intrinsics.
unsafe impl InterleavedBf16 for Avx512 {
    #[inline(always)]
    unsafe fn multiply_rows(values: __m512, rows: [__m512; 2], sums: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: the caller promises the instructions.
        unsafe {
            let [first, second] = rows.map(|row| _mm512_castps_si512(row));
            let lower = _mm512_castsi512_ps(_mm512_unpacklo_epi16(first, second));
            let upper = _mm512_castsi512_ps(_mm512_unpackhi_epi16(first, second));
            [
                <Bf16Pairs as MultiplyAdd<Self>>::multiply_add(values, lower, sums[0]),
                <Bf16Pairs as MultiplyAdd<Self>>::multiply_add(values, upper, sums[1]),
            ]
        }
    }
}

micro_kernels! {
    #[target_feature(enable = "avx512f,avx512bf16")]
    micro_kernel: Avx512, Bf16Pairs, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
}
csr_products! {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    csr_product: Avx512, Bf16Pairs, [2 4 6 8 10 12]
}

/// Two times 16 values from one array.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_halves(values: &[f32; 32]) -> [__m512; 2] {
    // SAFETY: both halves lie within the array.
    [0, 16].map(|i| unsafe { _mm512_loadu_ps(values[i..].as_ptr()) })
}

/// 32 values of 16 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_u16(values: &[u16; 32]) -> __m512i {
    // SAFETY: the array has the 512 bits.
    unsafe { _mm512_loadu_epi16(values.as_ptr().cast()) }
}

/// Writes 512 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_bits(out: &mut [f32; 16], bits: __m512i) {
    // SAFETY: the array has the 512 bits.
    unsafe { _mm512_storeu_epi32(out.as_mut_ptr().cast(), bits) };
}

#[inline(always)]
fn bits(values: __m512bh) -> __m512i {
    // SAFETY: any 512 bits are valid for both types.
    unsafe { std::mem::transmute(values) }
}

/// [`Kernel::pair_neighbours`](crate::Kernel::pair_neighbours).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn pair_neighbours(values: &[f32], out: &mut [f32]) {
    let (wide, rest) = values.as_chunks::<32>();
    for (values, out) in wide.iter().zip(out.as_chunks_mut::<16>().0) {
        let [low, high] = load_halves(values);
        store_bits(out, bits(_mm512_cvtne2ps_pbh(high, low)));
    }
    if !rest.is_empty() {
        let [mut last, mut pairs] = [[0.0; 32]; 2];
        last[..rest.len()].copy_from_slice(rest);
        pair_neighbours(&last, &mut pairs[..16]);
        let out = &mut out[16 * wide.len()..];
        out.copy_from_slice(&pairs[..out.len()]);
    }
}

/// [`Kernel::pair_rows`](crate::Kernel::pair_rows).
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) fn pair_rows(first: &[f32], second: &[f32], out: &mut [f32]) {
    // Rounding leaves the first row in the lower half of a register.
    const FROM: [u16; 32] = {
        let mut from = [0; 32];
        let mut i = 0;
        while i < 32 {
            from[i] = (i / 2 + i % 2 * 16) as u16;
            i += 1;
        }
        from
    };
    let from = load_u16(&FROM);
    let pairs = |first: &[f32; 16], second: &[f32; 16], out: &mut [f32; 16]| {
        // SAFETY: the arrays have the 16 values.
        let [low, high] = [first, second].map(|row| unsafe { _mm512_loadu_ps(row.as_ptr()) });
        let pairs = _mm512_permutexvar_epi16(from, bits(_mm512_cvtne2ps_pbh(high, low)));
        store_bits(out, pairs);
    };
    let ((first, last_first), (second, last_second)) = (first.as_chunks(), second.as_chunks());
    let (out, last_out) = out.as_chunks_mut();
    for ((first, second), out) in first.iter().zip(second).zip(out) {
        pairs(first, second, out);
    }
    let count = last_out.len();
    if count > 0 {
        let [mut a, mut b, mut c] = [[0.0; 16]; 3];
        a[..count].copy_from_slice(last_first);
        b[..count].copy_from_slice(last_second);
        pairs(&a, &b, &mut c);
        last_out.copy_from_slice(&c[..count]);
    }
}

/// [`Kernel::interleave_row`](crate::Kernel::interleave_row).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn interleave_row(values: &[f32], out: &mut [f32]) {
    // A group of four values has 64 bits.
    let groups = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    let round = |values: &[f32; 32], out: &mut [f32; 16]| {
        let [low, high] = load_halves(values);
        let rounded = _mm512_permutexvar_epi64(groups, bits(_mm512_cvtne2ps_pbh(high, low)));
        store_bits(out, rounded);
    };
    let (whole, rest) = values.as_chunks();
    let mut out = out.as_chunks_mut().0.iter_mut();
    for (values, out) in whole.iter().zip(&mut out) {
        round(values, out);
    }
    if let (false, Some(out)) = (rest.is_empty(), out.next()) {
        let mut last = [0.0; 32];
        last[..rest.len()].copy_from_slice(rest);
        round(&last, out);
    }
}

/// [`Kernel::split_pairs`](crate::Kernel::split_pairs).
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) fn split_pairs(pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
    // Of the first and of the second values.
    const FROM: [[u16; 32]; 2] = {
        let mut from = [[0; 32]; 2];
        let mut i = 0;
        while i < 64 {
            from[i % 2][interleaved_index(i / 2, 16)] = i as u16;
            i += 1;
        }
        from
    };
    let from = [load_u16(&FROM[0]), load_u16(&FROM[1])];
    let rows = first.as_chunks_mut::<16>().0.iter_mut();
    let rows = rows.zip(second.as_chunks_mut::<16>().0);
    for (pairs, (first, second)) in pairs.as_chunks::<32>().0.iter().zip(rows) {
        let [low, high] = load_halves(pairs).map(|pairs| _mm512_castps_si512(pairs));
        for (out, from) in [first, second].into_iter().zip(from) {
            store_bits(out, _mm512_permutex2var_epi16(low, from, high));
        }
    }
}

/// [`Kernel::compress_bf16`](crate::Kernel::compress_bf16).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn compress_bf16(
    offset: usize,
    stride: usize,
    values: &[f32],
    out: &mut [Bf16Nonzero],
) -> usize {
    const WIDTH: usize = 16;
    let (mut offsets, advance) = row_offsets(offset, stride);
    let mut count = 0;
    for values in values.chunks(WIDTH) {
        let lanes = !0 >> (WIDTH - values.len());
        // SAFETY: only the lanes of the chunk are read.
        let values = unsafe { _mm512_maskz_loadu_ps(lanes, values.as_ptr()) };
        // SAFETY: any 256 bits are valid for both types.
        let rounded: __m256i = unsafe { std::mem::transmute(_mm512_cvtneps_pbh(values)) };
        let rounded = _mm512_cvtepu16_epi32(rounded);
        let nonzero = _mm512_test_epi32_mask(rounded, _mm512_set1_epi32(0x7fff));
        let nonzeros = _mm512_or_epi32(_mm512_slli_epi32(rounded, 16), offsets);
        let nonzeros = _mm512_maskz_compress_epi32(nonzero, nonzeros);
        let out = out[count..][..WIDTH].as_mut_ptr();
        // SAFETY: `out` has room for 16 nonzeros of 32 bits.
        unsafe { _mm512_storeu_epi32(out.cast(), nonzeros) };
        count += nonzero.count_ones() as usize;
        offsets = _mm512_add_epi32(offsets, advance);
    }
    count
}
