//! Operands cut into squares.

use super::{ROWS, SIDE, SQUARE, STEP, parts};
use crate::Kernel;
use crate::pack::Block;

/// Which operand of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Its squares hold rows of pairs.
    Left,
    /// Its squares hold columns of pairs.
    Right,
}

/// One square's numbers, and how they lie.
#[derive(Clone, Copy, Debug)]
struct Numbers<'a> {
    values: &'a [f32],
    /// Whether those of a row, [`STEP`] of them, are neighbours, else [`SIDE`] of a
    /// column.
    along: bool,
    /// Values from one row (column) to the next.
    step: usize,
}

impl Numbers<'_> {
    /// Rows or columns, and their length.
    const fn size(along: bool) -> (usize, usize) {
        if along { (SIDE, STEP) } else { (STEP, SIDE) }
    }
}

/// Packs `block`, of at most [`ROWS`] rows and with rows or columns that are
/// contiguous, as `[steps, parts, 2]` squares; what is missing is 0. A right operand is
/// given transposed: its columns are the block's rows.
pub(crate) fn pack_squares(kernel: Kernel, side: Side, block: Block<'_>, out: &mut [f32]) {
    let of_step = parts(kernel) * 2 * SQUARE;
    let along = block.column_step == 1;
    assert!(
        along || block.row_step == 1,
        "rows or columns are contiguous"
    );
    assert!(block.rows <= ROWS, "rows");
    assert_eq!(
        out.len(),
        block.columns.div_ceil(STEP) * of_step,
        "squares of {} columns",
        block.columns
    );
    let (lines, len) = Numbers::size(along);
    for (s, out) in out.chunks_exact_mut(of_step).enumerate() {
        for first in [0, SIDE] {
            let out = &mut out[first / SIDE * SQUARE..];
            let mut padded = [0.0; SIDE * STEP];
            let whole = block.rows >= first + SIDE && block.columns >= (s + 1) * STEP;
            let numbers = if whole {
                let step = block.row_step.max(block.column_step);
                let values = block.part(first, SIDE, s * STEP, STEP).values;
                Numbers {
                    values: &values[..(lines - 1) * step + len],
                    along,
                    step,
                }
            } else {
                if block.rows > first {
                    let part = block.part(first, SIDE, s * STEP, STEP);
                    for r in 0..part.rows {
                        for k in 0..part.columns {
                            let at = if along { r * len + k } else { k * len + r };
                            padded[at] = part.values[r * part.row_step + k * part.column_step];
                        }
                    }
                }
                Numbers {
                    values: &padded,
                    along,
                    step: len,
                }
            };
            pack_square(kernel, side, numbers, out);
        }
    }
}

/// Packs one square of each part; they lie two squares apart in `out`.
fn pack_square(kernel: Kernel, side: Side, numbers: Numbers<'_>, out: &mut [f32]) {
    assert!(kernel.amx, "a kernel without AMX");
    let (lines, len) = Numbers::size(numbers.along);
    assert!(numbers.values.len() >= (lines - 1) * numbers.step + len);
    assert!(out.len() >= (parts(kernel) - 1) * 2 * SQUARE + SQUARE);
    #[cfg(test)]
    if kernel.is_plain() {
        return plain::pack_square(kernel, side, numbers, out);
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a kernel exists only where its instructions do; the sizes are checked.
    unsafe {
        match parts(kernel) {
            1 => x86::pack_square::<1>(side, numbers, out),
            _ => x86::pack_square::<3>(side, numbers, out),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("{side:?} {numbers:?}");
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! Every unsafe block here calls an instruction that the attribute of its function
    //! has, on addresses that its caller has checked.
    #![allow(clippy::undocumented_unsafe_blocks)]

    use std::arch::x86_64::*;
    use std::mem::MaybeUninit;

    use super::{Numbers, SIDE, SQUARE, Side};
    use crate::transpose::x86::square_avx512;

    /// See the function of the same name.
    ///
    /// # Safety
    /// `numbers` has all its values; `out` has a square of each part.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub unsafe fn pack_square<const PARTS: usize>(
        side: Side,
        numbers: Numbers<'_>,
        out: &mut [f32],
    ) {
        // What comes as rows of pairs is a left operand, what comes as pairs of
        // columns a right one; the others are turned.
        let natural = (side == Side::Left) == numbers.along;
        let (from, out) = (numbers.values.as_ptr(), out.as_mut_ptr());
        let mut pairs = [const { MaybeUninit::<[f32; SQUARE]>::uninit() }; PARTS];
        let (to, apart) = if natural {
            (out, 2 * SQUARE)
        } else {
            (pairs.as_mut_ptr().cast(), SQUARE)
        };
        let to = |part: usize, row: usize| to.wrapping_add(part * apart + row * SIDE).cast();
        unsafe {
            if numbers.along {
                for r in 0..SIDE {
                    let at = from.add(r * numbers.step);
                    let values = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.add(SIDE))];
                    for (part, pairs) in split::<PARTS>(values).into_iter().enumerate() {
                        _mm512_storeu_epi32(to(part, r), pairs);
                    }
                }
            } else {
                let places = _mm512_loadu_epi16(INTERLEAVED.as_ptr());
                for k in 0..SIDE {
                    let at = from.add(2 * k * numbers.step);
                    let values = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.add(numbers.step))];
                    for (part, halves) in split::<PARTS>(values).into_iter().enumerate() {
                        let pairs = _mm512_permutexvar_epi16(places, halves);
                        _mm512_storeu_epi32(to(part, k), pairs);
                    }
                }
            }
            if !natural {
                for (part, pairs) in pairs.iter().enumerate() {
                    // SAFETY: all of it was written above.
                    let pairs = pairs.assume_init_ref().as_ptr();
                    square_avx512(pairs, SIDE, out.add(part * 2 * SQUARE), SIDE);
                }
            }
        }
    }

    /// Values of two registers in turn, from the two halves of one.
    const INTERLEAVED: [i16; 32] = {
        let mut places = [0; 32];
        let mut i = 0;
        while i < 32 {
            places[i] = (i / 2 + i % 2 * 16) as i16;
            i += 1;
        }
        places
    };

    /// Numbers of bfloat16 whose sum is each value: those of the first register are in
    /// the lower half.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn split<const PARTS: usize>(mut values: [__m512; 2]) -> [__m512i; PARTS] {
        let mut parts = [_mm512_setzero_si512(); PARTS];
        for (i, part) in parts.iter_mut().enumerate() {
            // SAFETY: both are 512 bits of anything.
            *part = unsafe {
                std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(values[1], values[0]))
            };
            if i + 1 < PARTS {
                let halves = [
                    _mm512_castsi512_si256(*part),
                    _mm512_extracti64x4_epi64::<1>(*part),
                ];
                for (value, half) in values.iter_mut().zip(halves) {
                    let taken = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half));
                    *value = _mm512_sub_ps(*value, _mm512_castsi512_ps(taken));
                }
            }
        }
        parts
    }
}

#[cfg(test)]
mod plain {
    use super::{Numbers, SIDE, SQUARE, Side, parts};
    use crate::Kernel;
    use crate::bf16::{pair, rounded};

    pub fn pack_square(kernel: Kernel, side: Side, numbers: Numbers<'_>, out: &mut [f32]) {
        for r in 0..SIDE {
            for k in 0..SIDE {
                let mut values = [2 * k, 2 * k + 1].map(|k| {
                    let (line, at) = if numbers.along { (r, k) } else { (k, r) };
                    numbers.values[line * numbers.step + at]
                });
                let at = match side {
                    Side::Left => r * SIDE + k,
                    Side::Right => k * SIDE + r,
                };
                for part in 0..parts(kernel) {
                    out[part * 2 * SQUARE + at] = pair(values[0], values[1]);
                    values = values.map(|value| value - rounded(value));
                }
            }
        }
    }
}
