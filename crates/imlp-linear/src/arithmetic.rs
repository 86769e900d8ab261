//! The vector loops that the maps share.

/// Independent partial sums, so that the compiler can use vector registers.
const LANES: usize = 16;

/// `out[i] += a · x[i]`.
pub(crate) fn axpy(a: f32, x: &[f32], out: &mut [f32]) {
    debug_assert_eq!(x.len(), out.len());
    for (o, &v) in out.iter_mut().zip(x) {
        *o += a * v;
    }
}

/// `Σ x[i]·y[i]`, summed in [`LANES`] interleaved partial sums.
pub(crate) fn dot(x: &[f32], y: &[f32]) -> f32 {
    debug_assert_eq!(x.len(), y.len());
    let mut sums = [0.0f32; LANES];
    let (x_blocks, x_rest) = x.as_chunks::<LANES>();
    let (y_blocks, y_rest) = y.as_chunks::<LANES>();
    for (a, b) in x_blocks.iter().zip(y_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// `Σ x[i]²` in double precision, in [`LANES`] interleaved partial sums.
pub(crate) fn sum_of_squares(x: &[f32]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for (sum, &v) in sums.iter_mut().zip(block) {
            *sum += f64::from(v) * f64::from(v);
        }
    }
    let rest: f64 = rest.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    sums.iter().sum::<f64>() + rest
}

/// `out[i] *= a`.
pub(crate) fn scale(a: f32, out: &mut [f32]) {
    for o in out {
        *o *= a;
    }
}

/// Product of `sizes` as FLOPs or bytes, saturating.
pub(crate) fn product(sizes: &[usize]) -> u64 {
    sizes
        .iter()
        .fold(1u64, |n, &size| n.saturating_mul(size as u64))
}
