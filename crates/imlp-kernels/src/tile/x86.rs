//! The registers of AVX2 and AVX-512.
//!
//! Every unsafe block here calls an instruction of the set that the type stands
//! for, on addresses that the caller promises: the contract of [`Registers`].
#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;

use super::{
    Combinations, Contraction, Halves, Multiply, Pairs, Registers, Rounded, Singles, Term, Tile,
    combine_of, contract_of, place, tile_of,
};

struct Avx2;

// SAFETY: see the trait.
unsafe impl Registers for Avx2 {
    type Register = __m256;
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m256) {
        unsafe { _mm256_storeu_ps(to, value) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn multiply_add(a: __m256, b: __m256, sum: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, sum) }
    }

    #[inline(always)]
    unsafe fn relu(value: __m256) -> __m256 {
        // The second operand is the result when one is a NaN.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), value) }
    }
}

struct Avx512;

// SAFETY: see the trait.
unsafe impl Registers for Avx512 {
    type Register = __m512;
    const WIDTH: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn multiply_add(a: __m512, b: __m512, sum: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, sum) }
    }

    #[inline(always)]
    unsafe fn relu(value: __m512) -> __m512 {
        unsafe { _mm512_max_ps(_mm512_setzero_ps(), value) }
    }
}

// SAFETY: see the trait.
unsafe impl Multiply<Avx512> for Pairs {
    #[inline(always)]
    unsafe fn multiply(a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: the instruction exists; both types are 512 bits of anything.
        unsafe {
            let pairs = |register| std::mem::transmute::<__m512, __m512bh>(register);
            _mm512_dpbf16_ps(sum, pairs(a), pairs(b))
        }
    }
}

// SAFETY: see the trait.
unsafe impl Halves for Avx512 {
    #[inline(always)]
    unsafe fn multiply_rows(factors: __m512, rows: [__m512; 2], sums: [__m512; 2]) -> [__m512; 2] {
        // SAFETY: the instructions exist.
        unsafe {
            let [first, second] = rows.map(|row| _mm512_castps_si512(row));
            let lower = _mm512_castsi512_ps(_mm512_unpacklo_epi16(first, second));
            let upper = _mm512_castsi512_ps(_mm512_unpackhi_epi16(first, second));
            [
                <Pairs as Multiply<Self>>::multiply(factors, lower, sums[0]),
                <Pairs as Multiply<Self>>::multiply(factors, upper, sums[1]),
            ]
        }
    }
}

tiles! {
    #[target_feature(enable = "avx2,fma")]
    avx2: Avx2, Singles, [1 2 3 4 5 6]
}
tiles! {
    #[target_feature(enable = "avx512f")]
    avx512: Avx512, Singles, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
}
tiles! {
    #[target_feature(enable = "avx512f,avx512bf16")]
    avx512_bf16: Avx512, Pairs, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
}
contractions! {
    #[target_feature(enable = "avx2,fma")]
    contract_avx2: Avx2
}
contractions! {
    #[target_feature(enable = "avx512f")]
    contract_avx512: Avx512
}
combinations! {
    #[target_feature(enable = "avx2,fma")]
    combine_avx2: Avx2, Singles, [1 2 3 4 5 6 7 8 9 10 11 12]
}
combinations! {
    #[target_feature(enable = "avx512f")]
    combine_avx512: Avx512, Singles, [1 2 3 4 5 6 7 8 9 10 11 12]
}
combinations! {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    combine_avx512_bf16: Avx512, Pairs, [2 4 6 8 10 12]
}

/// [`Kernel::pair_neighbours`](crate::Kernel::pair_neighbours).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn pair_neighbours_avx512(values: &[f32], out: &mut [f32]) {
    let (wide, rest) = values.as_chunks::<32>();
    for (values, out) in wide.iter().zip(out.as_chunks_mut::<16>().0) {
        let [low, high] = [0, 16].map(|i| unsafe { _mm512_loadu_ps(values[i..].as_ptr()) });
        let pairs = _mm512_cvtne2ps_pbh(high, low);
        unsafe { _mm512_storeu_epi32(out.as_mut_ptr().cast(), bits(pairs)) };
    }
    if !rest.is_empty() {
        let [mut last, mut pairs] = [[0.0; 32]; 2];
        last[..rest.len()].copy_from_slice(rest);
        pair_neighbours_avx512(&last, &mut pairs[..16]);
        let out = &mut out[16 * wide.len()..];
        out.copy_from_slice(&pairs[..out.len()]);
    }
}

/// [`Kernel::pair_rows`](crate::Kernel::pair_rows).
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) fn pair_rows_avx512(first: &[f32], second: &[f32], out: &mut [f32]) {
    // The first row comes in the low half of a register.
    const PLACES: [u16; 32] = {
        let mut places = [0; 32];
        let mut i = 0;
        while i < 32 {
            places[i] = (i / 2 + i % 2 * 16) as u16;
            i += 1;
        }
        places
    };
    let places = unsafe { _mm512_loadu_epi16(PLACES.as_ptr().cast()) };
    let pairs = |first: &[f32; 16], second: &[f32; 16], out: &mut [f32; 16]| {
        let [low, high] = [first, second].map(|row| unsafe { _mm512_loadu_ps(row.as_ptr()) });
        let pairs = _mm512_permutexvar_epi16(places, bits(_mm512_cvtne2ps_pbh(high, low)));
        unsafe { _mm512_storeu_epi32(out.as_mut_ptr().cast(), pairs) };
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

/// [`Kernel::round_row`](crate::Kernel::round_row).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn round_row_avx512(values: &[f32], out: &mut [f32]) {
    // Groups of four are 64 bits.
    let groups = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    let round = |values: &[f32; 32], out: &mut [f32; 16]| {
        let [low, high] = [0, 16].map(|i| unsafe { _mm512_loadu_ps(values[i..].as_ptr()) });
        let rounded = _mm512_permutexvar_epi64(groups, bits(_mm512_cvtne2ps_pbh(high, low)));
        unsafe { _mm512_storeu_epi32(out.as_mut_ptr().cast(), rounded) };
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
pub(crate) fn split_pairs_avx512(pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
    const PLACES: [[u16; 32]; 2] = {
        let mut places = [[0; 32]; 2];
        let mut i = 0;
        while i < 64 {
            places[i % 2][place(i / 2, 16)] = i as u16;
            i += 1;
        }
        places
    };
    let places = PLACES.map(|half| unsafe { _mm512_loadu_epi16(half.as_ptr().cast()) });
    let rows = first.as_chunks_mut::<16>().0.iter_mut();
    let rows = rows.zip(second.as_chunks_mut::<16>().0);
    for (pairs, (first, second)) in pairs.as_chunks::<32>().0.iter().zip(rows) {
        let [low, high] =
            [0, 16].map(|i| unsafe { _mm512_loadu_epi32(pairs[i..].as_ptr().cast()) });
        for (out, places) in [first, second].into_iter().zip(places) {
            let half = _mm512_permutex2var_epi16(low, places, high);
            unsafe { _mm512_storeu_epi32(out.as_mut_ptr().cast(), half) };
        }
    }
}

/// [`Kernel::list`](crate::Kernel::list).
#[target_feature(enable = "avx512f")]
pub(crate) fn list_avx512(at: usize, step: usize, values: &[f32], out: &mut [Term]) -> usize {
    const WIDTH: usize = 16;
    // The places and the values of the first and of the last eight terms, in turn.
    let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let last = _mm512_add_epi32(first, _mm512_set1_epi32(WIDTH as i32 / 2));
    let (mut at, step) = places(at, step);
    let mut count = 0;
    for values in values.chunks(WIDTH) {
        let live = !0 >> (WIDTH - values.len());
        let values = unsafe { _mm512_maskz_loadu_ps(live, values.as_ptr()) };
        // A NaN is not 0.
        let counts = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps());
        let values = _mm512_maskz_compress_epi32(counts, _mm512_castps_si512(values));
        let rows = _mm512_maskz_compress_epi32(counts, at);
        let out = out[count..][..WIDTH].as_mut_ptr().cast::<i64>();
        for (i, order) in [first, last].into_iter().enumerate() {
            let terms = _mm512_permutex2var_epi32(rows, order, values);
            unsafe { _mm512_storeu_epi64(out.add(i * WIDTH / 2), terms) };
        }
        count += counts.count_ones() as usize;
        at = _mm512_add_epi32(at, step);
    }
    count
}

/// Where 16 rows start that are `step` places apart from `at` on, and how much further
/// the next 16 do.
#[inline]
#[target_feature(enable = "avx512f")]
fn places(at: usize, step: usize) -> (__m512i, __m512i) {
    let rows = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let steps = _mm512_mullo_epi32(rows, _mm512_set1_epi32(step as i32));
    let first = _mm512_set1_epi32(at as i32);
    (
        _mm512_add_epi32(first, steps),
        _mm512_set1_epi32(16 * step as i32),
    )
}

/// [`Kernel::list_rounded`](crate::Kernel::list_rounded).
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn list_rounded_avx512(
    at: usize,
    step: usize,
    values: &[f32],
    out: &mut [Rounded],
) -> usize {
    const WIDTH: usize = 16;
    let (mut at, step) = places(at, step);
    let mut count = 0;
    for values in values.chunks(WIDTH) {
        let live = !0 >> (WIDTH - values.len());
        let values = unsafe { _mm512_maskz_loadu_ps(live, values.as_ptr()) };
        // SAFETY: both are 256 bits of anything.
        let rounded: __m256i = unsafe { std::mem::transmute(_mm512_cvtneps_pbh(values)) };
        let rounded = _mm512_cvtepu16_epi32(rounded);
        let counts = _mm512_test_epi32_mask(rounded, _mm512_set1_epi32(0x7fff));
        let listed = _mm512_or_epi32(_mm512_slli_epi32(rounded, 16), at);
        let listed = _mm512_maskz_compress_epi32(counts, listed);
        let out = out[count..][..WIDTH].as_mut_ptr();
        unsafe { _mm512_storeu_epi32(out.cast(), listed) };
        count += counts.count_ones() as usize;
        at = _mm512_add_epi32(at, step);
    }
    count
}

#[inline(always)]
fn bits(values: __m512bh) -> __m512i {
    // SAFETY: both are 512 bits of anything.
    unsafe { std::mem::transmute(values) }
}
