//! Prefetching of memory that is needed soon.

/// Where memory is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheLevel {
    /// The first level: it is needed at once.
    First,
    /// The second level: it is needed after what the first holds.
    Second,
}

/// Prefetches the cache lines of `values`, without waiting for them.
#[inline(always)]
pub(crate) fn prefetch(values: &[f32], cache: CacheLevel) {
    prefetch_at(values.as_ptr(), values.len(), cache);
}

/// Prefetches the cache lines of `len` values at an address. Nothing is read, so that the
/// address need not be valid.
#[inline(always)]
pub(crate) fn prefetch_at(from: *const f32, len: usize, cache: CacheLevel) {
    #[cfg(all(target_arch = "x86_64", not(imlp_portable), not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

        const LINE: usize = 64 / size_of::<f32>();
        for at in (0..len).step_by(LINE) {
            let at = from.wrapping_add(at).cast();
            // SAFETY: a prefetch reads nothing, and every x86-64 processor has it.
            unsafe {
                match cache {
                    CacheLevel::First => _mm_prefetch(at, _MM_HINT_T0),
                    CacheLevel::Second => _mm_prefetch(at, _MM_HINT_T1),
                }
            }
        }
    }
    #[cfg(any(not(target_arch = "x86_64"), imlp_portable, miri))]
    let _ = (from, len, cache);
}
