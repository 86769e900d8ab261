//! AVX-512F.

use std::arch::x86_64::*;

use super::contraction::contractions;
use super::csr::{Nonzero, csr_products};
use super::micro_kernel::micro_kernels;
use super::{F32Elements, registers};

pub(super) struct Avx512;

registers! {
    Avx512: __m512, 16,
    _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps,
    _mm512_fmadd_ps, _mm512_max_ps
}
micro_kernels! {
    #[target_feature(enable = "avx512f")]
    micro_kernel: Avx512, F32Elements, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
}
contractions! {
    #[target_feature(enable = "avx512f")]
    contraction: Avx512
}
csr_products! {
    #[target_feature(enable = "avx512f")]
    csr_product: Avx512, F32Elements, [1 2 3 4 5 6 7 8 9 10 11 12]
}

/// [`Kernel::compress`](crate::Kernel::compress).
#[target_feature(enable = "avx512f")]
pub(crate) fn compress(offset: usize, stride: usize, values: &[f32], out: &mut [Nonzero]) -> usize {
    const WIDTH: usize = 16;
    // Offsets and values in turn: of the first and of the last eight nonzeros.
    let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let last = _mm512_add_epi32(first, _mm512_set1_epi32(WIDTH as i32 / 2));
    let (mut offsets, advance) = row_offsets(offset, stride);
    let mut count = 0;
    for values in values.chunks(WIDTH) {
        let lanes = !0 >> (WIDTH - values.len());
        // SAFETY: only the lanes of the chunk are read.
        let values = unsafe { _mm512_maskz_loadu_ps(lanes, values.as_ptr()) };
        // A NaN is not 0.
        let nonzero = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps());
        let values = _mm512_maskz_compress_epi32(nonzero, _mm512_castps_si512(values));
        let rows = _mm512_maskz_compress_epi32(nonzero, offsets);
        let out = out[count..][..WIDTH].as_mut_ptr().cast::<i64>();
        for (i, order) in [first, last].into_iter().enumerate() {
            let nonzeros = _mm512_permutex2var_epi32(rows, order, values);
            // SAFETY: `out` has room for 16 nonzeros of 64 bits.
            unsafe { _mm512_storeu_epi64(out.add(i * WIDTH / 2), nonzeros) };
        }
        count += nonzero.count_ones() as usize;
        offsets = _mm512_add_epi32(offsets, advance);
    }
    count
}

/// The offsets of 16 rows that start `stride` apart from `offset` on, and what leads to
/// those of the next 16.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn row_offsets(offset: usize, stride: usize) -> (__m512i, __m512i) {
    let rows = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let from_first = _mm512_mullo_epi32(rows, _mm512_set1_epi32(stride as i32));
    let first = _mm512_set1_epi32(offset as i32);
    (
        _mm512_add_epi32(first, from_first),
        _mm512_set1_epi32(16 * stride as i32),
    )
}
