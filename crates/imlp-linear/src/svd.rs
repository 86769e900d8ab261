//! The nearest matrix of low rank, by the singular value decomposition.

use faer::Mat;

/// Factors U `[rows, rank]` and V `[columns, rank]`, row-major, of the matrix
/// `U·Vᵀ` nearest in Frobenius norm to the `rows`×`columns` matrix of finite
/// `entry(row, column)` (Eckart & Young 1936). Each factor is scaled by the
/// square roots of the singular values. In every column of U the entry of
/// largest magnitude is positive, so that the result does not depend on the
/// decomposition's choice of signs.
pub(crate) fn leading_factors(
    rows: usize,
    columns: usize,
    rank: usize,
    entry: impl FnMut(usize, usize) -> f64,
) -> (Vec<f32>, Vec<f32>) {
    let svd = Mat::from_fn(rows, columns, entry)
        .thin_svd()
        .expect("a finite matrix has a singular value decomposition");
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let scale = |k: usize| {
        let column = (0..rows).map(|i| u[(i, k)]);
        let largest = column.fold(0.0f64, |a, b| if b.abs() > a.abs() { b } else { a });
        s[k].sqrt().copysign(largest)
    };
    let scales: Vec<f64> = (0..rank).map(scale).collect();
    let factor = |len: usize, vector: &dyn Fn(usize, usize) -> f64| {
        let entries = (0..len).flat_map(|i| scales.iter().enumerate().map(move |(k, s)| (i, k, s)));
        entries.map(|(i, k, s)| (s * vector(i, k)) as f32).collect()
    };
    (
        factor(rows, &|i, k| u[(i, k)]),
        factor(columns, &|i, k| v[(i, k)]),
    )
}
