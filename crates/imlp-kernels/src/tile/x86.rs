//! The registers of AVX2 and AVX-512.
//!
//! Every unsafe block here calls an instruction of the set that the type stands
//! for, on addresses that the caller promises: the contract of [`Registers`].
#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;

use super::{
    Combinations, Contraction, Multiply, Pairs, Registers, Singles, Tile, combine_of, contract_of,
    tile_of,
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
    combine_avx2: Avx2, [1 2 3 4 5 6 7 8 9 10 11 12]
}
combinations! {
    #[target_feature(enable = "avx512f")]
    combine_avx512: Avx512, [1 2 3 4 5 6 7 8 9 10 11 12]
}
