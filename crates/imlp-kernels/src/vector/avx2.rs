//! AVX2 with FMA.

use std::arch::x86_64::*;

use super::contraction::contractions;
use super::csr::csr_products;
use super::micro_kernel::micro_kernels;
use super::{F32Elements, registers};

struct Avx2;

registers! {
    Avx2: __m256, 8,
    _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps,
    _mm256_fmadd_ps, _mm256_max_ps
}
micro_kernels! {
    #[target_feature(enable = "avx2,fma")]
    micro_kernel: Avx2, F32Elements, [1 2 3 4 5 6]
}
contractions! {
    #[target_feature(enable = "avx2,fma")]
    contraction: Avx2
}
csr_products! {
    #[target_feature(enable = "avx2,fma")]
    csr_product: Avx2, F32Elements, [1 2 3 4 5 6 7 8 9 10 11 12]
}
