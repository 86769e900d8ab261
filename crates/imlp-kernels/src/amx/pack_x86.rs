//! Packing of tiles by AVX-512-BF16.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::tile::{OperandSide, TILE_LEN, TILE_ROWS, TileSource};
use crate::transpose::x86::transpose_16x16;

/// Packs one tile of each part.
///
/// # Safety
/// The instructions exist; `source` has all values of a tile, and `out` a tile of each
/// part.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) unsafe fn pack_tile<const PARTS: usize>(
    side: OperandSide,
    source: TileSource<'_>,
    out: &mut [f32],
) {
    // Row-major values come as the rows of a left tile, column-major values as those of a
    // right one; the others are transposed.
    let direct = (side == OperandSide::Left) == source.row_major;
    let (values, out) = (source.values.as_ptr(), out.as_mut_ptr());
    let mut pairs = [const { MaybeUninit::<[f32; TILE_LEN]>::uninit() }; PARTS];
    let (to, apart) = if direct {
        (out, 2 * TILE_LEN)
    } else {
        (pairs.as_mut_ptr().cast(), TILE_LEN)
    };
    let to = |part: usize, row: usize| to.wrapping_add(part * apart + row * TILE_ROWS).cast();
    // SAFETY: `source` and `out` have what is read and written here.
    unsafe {
        if source.row_major {
            for r in 0..TILE_ROWS {
                let at = values.add(r * source.stride);
                let registers = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.add(TILE_ROWS))];
                for (part, pairs) in split::<PARTS>(registers).into_iter().enumerate() {
                    _mm512_storeu_epi32(to(part, r), pairs);
                }
            }
        } else {
            let from = _mm512_loadu_epi16(INTERLEAVED.as_ptr());
            for k in 0..TILE_ROWS {
                let at = values.add(2 * k * source.stride);
                let registers = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.add(source.stride))];
                for (part, halves) in split::<PARTS>(registers).into_iter().enumerate() {
                    let pairs = _mm512_permutexvar_epi16(from, halves);
                    _mm512_storeu_epi32(to(part, k), pairs);
                }
            }
        }
        if !direct {
            for (part, pairs) in pairs.iter().enumerate() {
                // All of it was written above.
                let pairs = pairs.assume_init_ref().as_ptr();
                transpose_16x16(pairs, TILE_ROWS, out.add(part * 2 * TILE_LEN), TILE_ROWS);
            }
        }
    }
}

/// The values of the two halves of a register in turn.
const INTERLEAVED: [i16; 32] = {
    let mut from = [0; 32];
    let mut i = 0;
    while i < 32 {
        from[i] = (i / 2 + i % 2 * 16) as i16;
        i += 1;
    }
    from
};

/// The parts of the values of two registers. Those of the first register are in the lower
/// half.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn split<const PARTS: usize>(mut values: [__m512; 2]) -> [__m512i; PARTS] {
    let mut parts = [_mm512_setzero_si512(); PARTS];
    for (i, part) in parts.iter_mut().enumerate() {
        // SAFETY: any 512 bits are valid for both types.
        *part = unsafe {
            std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(values[1], values[0]))
        };
        if i + 1 < PARTS {
            let halves = [
                _mm512_castsi512_si256(*part),
                _mm512_extracti64x4_epi64::<1>(*part),
            ];
            for (value, half) in values.iter_mut().zip(halves) {
                let rounded = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half));
                *value = _mm512_sub_ps(*value, _mm512_castsi512_ps(rounded));
            }
        }
    }
    parts
}
