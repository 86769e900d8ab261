//! Memory that will be needed soon.

/// Where memory is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// The nearest: it is needed at once.
    First,
    /// The one behind: it is needed after what is in the first.
    Second,
}

/// Asks for the cache lines of `values`, without waiting for them.
#[inline(always)]
pub(crate) fn prefetch(values: &[f32], cache: Cache) {
    prefetch_at(values.as_ptr(), values.len(), cache);
}

/// Asks for the cache lines of `len` values at an address, which need not be one:
/// nothing is read.
#[inline(always)]
pub(crate) fn prefetch_at(from: *const f32, len: usize, cache: Cache) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

        const LINE: usize = 64 / size_of::<f32>();
        for at in (0..len).step_by(LINE) {
            let at = from.wrapping_add(at).cast();
            // SAFETY: a prefetch reads nothing, and every x86-64 has it.
            unsafe {
                match cache {
                    Cache::First => _mm_prefetch(at, _MM_HINT_T0),
                    Cache::Second => _mm_prefetch(at, _MM_HINT_T1),
                }
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, len, cache);
}
