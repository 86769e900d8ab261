//! Rows that become columns.

use crate::pack::Block;

/// `out[c·step + r] = block[r, c]`, of a block whose rows or columns are contiguous.
///
/// # Panics
/// If `out` is too short.
pub(crate) fn transpose(block: Block<'_>, step: usize, out: &mut [f32]) {
    if block.row_step == 1 {
        for (c, out) in out.chunks_mut(step).enumerate().take(block.columns) {
            let column = &block.values[c * block.column_step..][..block.rows];
            out[..block.rows].copy_from_slice(column);
        }
        return;
    }
    assert_eq!(block.column_step, 1, "rows or columns are contiguous");
    let (rows, columns) = transpose_squares(block, step, out);
    if rows < block.rows {
        let rest = block.part(rows, block.rows, 0, columns);
        transpose_plain(rest, step, &mut out[rows..]);
    }
    if columns < block.columns {
        let rest = block.part(0, block.rows, columns, block.columns);
        transpose_plain(rest, step, &mut out[columns * step..]);
    }
}

/// The same value by value; a block without values is nothing to do.
fn transpose_plain(block: Block<'_>, step: usize, out: &mut [f32]) {
    for (c, out) in out.chunks_mut(step).enumerate().take(block.columns) {
        for (r, out) in out[..block.rows].iter_mut().enumerate() {
            *out = block.values[r * block.row_step + c];
        }
    }
}

/// The same of the whole squares in the first rows and columns, whose numbers it gives.
///
/// Rows of a large matrix often lie a power of two apart and then displace each other
/// in the nearest cache: a square takes each of its cache lines once.
#[cfg(target_arch = "x86_64")]
fn transpose_squares(block: Block<'_>, step: usize, out: &mut [f32]) -> (usize, usize) {
    let (side, square): (usize, unsafe fn(_, _, _, _)) = if is_x86_feature_detected!("avx512f") {
        (16, x86::square_avx512)
    } else if is_x86_feature_detected!("avx") {
        (8, x86::square_avx)
    } else {
        return (0, 0);
    };
    let (rows, columns) = (block.rows / side * side, block.columns / side * side);
    if rows == 0 || columns == 0 {
        return (0, 0);
    }
    assert!(
        block.values.len() >= (rows - 1) * block.row_step + columns,
        "block"
    );
    assert!(
        rows <= step && out.len() >= (columns - 1) * step + rows,
        "out"
    );
    for r in (0..rows).step_by(side) {
        for c in (0..columns).step_by(side) {
            // SAFETY: the instructions exist; whole squares lie within the first rows
            // and columns, which both slices hold.
            unsafe {
                let from = block.values.as_ptr().add(r * block.row_step + c);
                let to = out.as_mut_ptr().add(c * step + r);
                square(from, block.row_step, to, step);
            }
        }
    }
    (rows, columns)
}

#[cfg(not(target_arch = "x86_64"))]
fn transpose_squares(_: Block<'_>, _: usize, _: &mut [f32]) -> (usize, usize) {
    (0, 0)
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    //! Squares in registers; each function reads and writes whole rows of one, which
    //! start every so many values.
    #![allow(clippy::undocumented_unsafe_blocks)]

    use std::arch::x86_64::*;
    use std::array::from_fn;

    /// 16 × 16.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub unsafe fn square_avx512(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        let row = |r: usize| unsafe { _mm512_loadu_ps(from.add(r * from_step)) };
        // Within each 128 bits: 4 × 4 of four rows.
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
                unsafe { _mm512_storeu_ps(to.add((4 * i + j) * to_step), column) };
            }
        }
    }

    /// 8 × 8.
    #[inline]
    #[target_feature(enable = "avx")]
    pub unsafe fn square_avx(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        let row = |r: usize| unsafe { _mm256_loadu_ps(from.add(r * from_step)) };
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
                unsafe { _mm256_storeu_ps(to.add((4 * i + j) * to_step), column) };
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
            let (from_step, step) = (columns + 3, rows + 5);
            let values: Vec<f32> = (0..rows * from_step).map(|i| i as f32).collect();
            let block = Block {
                values: &values,
                rows,
                columns,
                row_step: from_step,
                column_step: 1,
            };
            let mut out = vec![-1.0; columns * step];
            transpose(block, step, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let (c, r) = (i / step, i % step);
                let expected = if r < rows {
                    (r * from_step + c) as f32
                } else {
                    -1.0
                };
                assert_eq!(got, expected, "row {r} of {rows}, column {c} of {columns}");
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
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
            check(8, x86::square_avx);
        }
        if is_x86_feature_detected!("avx512f") {
            check(16, x86::square_avx512);
        }
    }
}
