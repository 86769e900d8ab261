//! Sizes that callers give. They are multiplied with care: a product that wraps may be the
//! length of a slice by chance, and kernels would then reach out of it.

/// The number of values in `count` parts of `len` values.
///
/// # Panics
/// If no slice is as long.
pub(crate) fn values(count: usize, len: usize) -> usize {
    let Some(values) = count.checked_mul(len) else {
        panic!("{count} × {len} values are more than memory can hold");
    };
    values
}

/// The number of values from the first to the last of `lines` lines of `len` values which
/// start `stride` apart; there is at least one line.
///
/// # Panics
/// If no slice is as long.
pub(crate) fn spanned(lines: usize, stride: usize, len: usize) -> usize {
    let Some(values) = values(lines - 1, stride).checked_add(len) else {
        panic!("{lines} lines {stride} values apart are more than memory can hold");
    };
    values
}
