//! Transposition.

use crate::matrix::MatrixView;
use crate::size::spanned;

/// `out[c·stride + r] = matrix[r, c]`, for a matrix whose rows or columns are contiguous.
///
/// # Panics
/// If `out` is too short.
pub(crate) fn transpose(matrix: MatrixView<'_>, stride: usize, out: &mut [f32]) {
    if matrix.row_stride == 1 {
        for (c, out) in out.chunks_mut(stride).enumerate().take(matrix.columns) {
            let column = &matrix.values[c * matrix.column_stride..][..matrix.rows];
            out[..matrix.rows].copy_from_slice(column);
        }
        return;
    }
    assert_eq!(matrix.column_stride, 1, "rows or columns are contiguous");
    let (rows, columns) = transpose_blocks(matrix, stride, out);
    if rows < matrix.rows {
        let rest = matrix.submatrix(rows, matrix.rows, 0, columns);
        transpose_plain(rest, stride, &mut out[rows..]);
    }
    if columns < matrix.columns {
        let rest = matrix.submatrix(0, matrix.rows, columns, matrix.columns);
        transpose_plain(rest, stride, &mut out[columns * stride..]);
    }
}

/// The same, value by value. The matrix may be empty.
fn transpose_plain(matrix: MatrixView<'_>, stride: usize, out: &mut [f32]) {
    for (c, out) in out.chunks_mut(stride).enumerate().take(matrix.columns) {
        for (r, out) in out[..matrix.rows].iter_mut().enumerate() {
            *out = matrix.values[r * matrix.row_stride + c];
        }
    }
}

/// Transposes the whole square blocks of the leading rows and columns; returns how many
/// rows and columns they cover.
///
/// Rows of a large matrix often start a power of two apart and then evict each other from
/// the first-level cache: a square reads each of its cache lines once.
#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
fn transpose_blocks(matrix: MatrixView<'_>, stride: usize, out: &mut [f32]) -> (usize, usize) {
    let (side, square): (usize, unsafe fn(_, _, _, _)) = if is_x86_feature_detected!("avx512f") {
        (16, x86::transpose_16x16)
    } else if is_x86_feature_detected!("avx") {
        (8, x86::transpose_8x8)
    } else {
        return (0, 0);
    };
    let (rows, columns) = (matrix.rows / side * side, matrix.columns / side * side);
    if rows == 0 || columns == 0 {
        return (0, 0);
    }
    assert!(
        matrix.values.len() >= spanned(rows, matrix.row_stride, columns),
        "matrix"
    );
    assert!(
        rows <= stride && out.len() >= spanned(columns, stride, rows),
        "out"
    );
    for r in (0..rows).step_by(side) {
        for c in (0..columns).step_by(side) {
            // SAFETY: the instructions exist; the squares lie within the first rows and
            // columns, which both slices hold.
            unsafe {
                let from = matrix.values.as_ptr().add(r * matrix.row_stride + c);
                let to = out.as_mut_ptr().add(c * stride + r);
                square(from, matrix.row_stride, to, stride);
            }
        }
    }
    (rows, columns)
}

#[cfg(any(not(target_arch = "x86_64"), imlp_portable))]
fn transpose_blocks(_: MatrixView<'_>, _: usize, _: &mut [f32]) -> (usize, usize) {
    (0, 0)
}

#[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
pub(crate) mod x86 {
    //! Transposition of squares in registers.

    use std::arch::x86_64::*;
    use std::array::from_fn;

    /// Transposes 16 × 16 values whose rows start `from_stride` and `to_stride` apart.
    ///
    /// # Safety
    /// The instructions exist; both addresses have the 16 rows.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub unsafe fn transpose_16x16(
        from: *const f32,
        from_stride: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        // SAFETY: the caller promises the rows.
        let row = |r: usize| unsafe { _mm512_loadu_ps(from.add(r * from_stride)) };
        // Within each 128 bits: 4 × 4 values of four rows.
        let fours: [[__m512; 4]; 4] = from_fn(|i| {
            let [a, b, c, d] = from_fn(|r| row(4 * i + r));
            let low = [_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d)];
            let high = [_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d)];
            let [low, high] = [low, high].map(|two| two.map(|values| _mm512_castps_pd(values)));
            [
                _mm512_unpacklo_pd(low[0], low[1]),
                _mm512_unpackhi_pd(low[0], low[1]),
                _mm512_unpacklo_pd(high[0], high[1]),
                _mm512_unpackhi_pd(high[0], high[1]),
            ]
            .map(|values| _mm512_castpd_ps(values))
        });
        // Then the 128 bits themselves: fours[i][j] has columns j, 4 + j, 8 + j and
        // 12 + j of rows 4·i to 4·i + 3.
        let [a, b, c, d] = fours;
        for (j, (((a, b), c), d)) in a.into_iter().zip(b).zip(c).zip(d).enumerate() {
            let even = _mm512_shuffle_f32x4::<0x88>(a, b);
            let odd = _mm512_shuffle_f32x4::<0xdd>(a, b);
            let even_below = _mm512_shuffle_f32x4::<0x88>(c, d);
            let odd_below = _mm512_shuffle_f32x4::<0xdd>(c, d);
            let columns = [
                _mm512_shuffle_f32x4::<0x88>(even, even_below),
                _mm512_shuffle_f32x4::<0x88>(odd, odd_below),
                _mm512_shuffle_f32x4::<0xdd>(even, even_below),
                _mm512_shuffle_f32x4::<0xdd>(odd, odd_below),
            ];
            for (i, column) in columns.into_iter().enumerate() {
                // SAFETY: the caller promises the rows.
                unsafe { _mm512_storeu_ps(to.add((4 * i + j) * to_stride), column) };
            }
        }
    }

    /// Transposes 8 × 8 values whose rows start `from_stride` and `to_stride` apart.
    ///
    /// # Safety
    /// The instructions exist; both addresses have the 8 rows.
    #[inline]
    #[target_feature(enable = "avx")]
    pub unsafe fn transpose_8x8(
        from: *const f32,
        from_stride: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        // SAFETY: the caller promises the rows.
        let row = |r: usize| unsafe { _mm256_loadu_ps(from.add(r * from_stride)) };
        // As above; fours[i][j] has columns j and 4 + j.
        let fours: [[__m256; 4]; 2] = from_fn(|i| {
            let [a, b, c, d] = from_fn(|r| row(4 * i + r));
            let low = [_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d)];
            let high = [_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d)];
            let [low, high] = [low, high].map(|two| two.map(|values| _mm256_castps_pd(values)));
            [
                _mm256_unpacklo_pd(low[0], low[1]),
                _mm256_unpackhi_pd(low[0], low[1]),
                _mm256_unpacklo_pd(high[0], high[1]),
                _mm256_unpackhi_pd(high[0], high[1]),
            ]
            .map(|values| _mm256_castpd_ps(values))
        });
        let [above, below] = fours;
        for (j, (above, below)) in above.into_iter().zip(below).enumerate() {
            let columns = [
                _mm256_permute2f128_ps::<0x20>(above, below),
                _mm256_permute2f128_ps::<0x31>(above, below),
            ];
            for (i, column) in columns.into_iter().enumerate() {
                // SAFETY: the caller promises the rows.
                unsafe { _mm256_storeu_ps(to.add((4 * i + j) * to_stride), column) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(1, 40), (7, 9), (16, 16), (33, 50), (48, 31), (8, 24)] {
            let (from_stride, stride) = (columns + 3, rows + 5);
            let values: Vec<f32> = (0..rows * from_stride).map(|i| i as f32).collect();
            let matrix = MatrixView {
                values: &values,
                rows,
                columns,
                row_stride: from_stride,
                column_stride: 1,
            };
            let mut out = vec![-1.0; columns * stride];
            transpose(matrix, stride, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let (c, r) = (i / stride, i % stride);
                let expected = if r < rows {
                    (r * from_stride + c) as f32
                } else {
                    -1.0
                };
                assert_eq!(got, expected, "row {r} of {rows}, column {c} of {columns}");
            }
        }
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
    fn squares_of_each_instruction_set_become_columns() {
        let values: Vec<f32> = (0..16 * 21).map(|i| i as f32).collect();
        let check = |side: usize, square: unsafe fn(*const f32, usize, *mut f32, usize)| {
            let mut out = vec![-1.0; side * 19];
            // SAFETY: the instructions exist; both have `side` rows.
            unsafe { square(values.as_ptr(), 21, out.as_mut_ptr(), 19) };
            for (i, &got) in out.iter().enumerate() {
                let (c, r) = (i / 19, i % 19);
                let expected = if r < side { (r * 21 + c) as f32 } else { -1.0 };
                assert_eq!(got, expected, "row {r}, column {c}");
            }
        };
        if is_x86_feature_detected!("avx") {
            check(8, x86::transpose_8x8);
        }
        if is_x86_feature_detected!("avx512f") {
            check(16, x86::transpose_16x16);
        }
    }
}
