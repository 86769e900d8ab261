//! Memory of large matrices, in large pages where the system has them.
//!
//! Writing a new matrix is dominated by page faults: the operating system zeroes
//! each page on first touch, and a gigabyte has a quarter of a million pages of
//! 4 KiB (0.9 s on a virtual machine where large pages take 0.15 s, more with
//! several threads).

/// `len` zeros; the system provides pages on first touch.
pub(crate) fn zeros(len: usize) -> Vec<f32> {
    let values = vec![0.0; len];
    advise(&values);
    values
}

/// Linux's large page; smaller ranges gain nothing.
#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;

/// Asks for large pages; a refusal is harmless.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn advise(values: &[f32]) {
    let start = values.as_ptr().addr();
    let first = start.next_multiple_of(LARGE_PAGE);
    let end = (start + size_of_val(values)) / LARGE_PAGE * LARGE_PAGE;
    if first < end {
        let range = values.as_ptr().with_addr(first);
        // SAFETY: the range lies inside `values`, and the advice changes neither
        // its contents nor its protection.
        unsafe {
            libc::madvise(range.cast_mut().cast(), end - first, libc::MADV_HUGEPAGE);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: &[f32]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_zeros_of_any_length() {
        for len in [0, 1, 1000, 524_288, 1_572_865] {
            let values = zeros(len);
            assert_eq!(values.len(), len);
            assert!(values.iter().all(|v| v.to_bits() == 0));
        }
    }
}
