//! Memory that will be needed soon.

/// Asks for the cache lines of `values`, without waiting for them.
#[inline(always)]
pub(crate) fn prefetch(values: &[f32]) {
    prefetch_at(values.as_ptr(), values.len());
}

/// Asks for the cache lines of `len` values at an address, which need not be one:
/// nothing is read.
#[inline(always)]
pub(crate) fn prefetch_at(from: *const f32, len: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        const LINE: usize = 64 / size_of::<f32>();
        for at in (0..len).step_by(LINE) {
            // SAFETY: a prefetch reads nothing, and every x86-64 has it.
            unsafe { _mm_prefetch(from.wrapping_add(at).cast(), _MM_HINT_T0) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, len);
}
