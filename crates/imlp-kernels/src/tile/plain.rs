//! Arrays in place of registers: the tile of AVX-512 in plain Rust, so that the
//! packing and the loops around it are tested on every machine.

use super::{
    Combinations, Contraction, Halves, Multiply, Pairs, Registers, Singles, Tile, combine_of,
    contract_of, place, tile_of,
};
use crate::bf16::{pair, unpair};

const WIDTH: usize = 16;

struct Plain;

// SAFETY: needs no instructions.
unsafe impl Registers for Plain {
    type Register = [f32; WIDTH];
    const WIDTH: usize = WIDTH;

    unsafe fn splat(value: f32) -> [f32; WIDTH] {
        [value; WIDTH]
    }

    unsafe fn load(from: *const f32) -> [f32; WIDTH] {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[f32; WIDTH]>().read_unaligned() }
    }

    unsafe fn store(to: *mut f32, value: [f32; WIDTH]) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; WIDTH]>().write_unaligned(value) }
    }

    unsafe fn add(a: [f32; WIDTH], b: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    unsafe fn multiply_add(a: [f32; WIDTH], b: [f32; WIDTH], sum: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| a[i].mul_add(b[i], sum[i]))
    }

    unsafe fn relu(value: [f32; WIDTH]) -> [f32; WIDTH] {
        value.map(|v| if v < 0.0 { 0.0 } else { v })
    }
}

// SAFETY: needs no instructions.
unsafe impl Multiply<Plain> for Pairs {
    unsafe fn multiply(a: [f32; WIDTH], b: [f32; WIDTH], sum: [f32; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|i| {
            let ([a0, a1], [b0, b1]) = (unpair(a[i]), unpair(b[i]));
            // As the instruction: the second product first.
            a0.mul_add(b0, a1.mul_add(b1, sum[i]))
        })
    }
}

// SAFETY: needs no instructions.
unsafe impl Halves for Plain {
    unsafe fn multiply_rows(
        factors: [f32; WIDTH],
        rows: [[f32; WIDTH]; 2],
        sums: [[f32; WIDTH]; 2],
    ) -> [[f32; WIDTH]; 2] {
        let value = |row: usize, i: usize| {
            let at = place(i, WIDTH);
            unpair(rows[row][at / 2])[at % 2]
        };
        std::array::from_fn(|half| {
            let at = |i: usize| half * WIDTH + i;
            let pairs: [f32; WIDTH] =
                std::array::from_fn(|i| pair(value(0, at(i)), value(1, at(i))));
            // SAFETY: needs no instructions.
            unsafe { <Pairs as Multiply<Self>>::multiply(factors, pairs, sums[half]) }
        })
    }
}

tiles! { plain: Plain, Singles, [1 2 3 4 5 6 7 8 9 10 11 12 13 14] }
tiles! { plain_bf16: Plain, Pairs, [1 2 3 4 5 6 7 8 9 10 11 12 13 14] }
contractions! { contract_plain: Plain }
combinations! { combine_plain: Plain, Singles, [1 2 3 4 5 6 7 8 9 10 11 12] }
combinations! { combine_plain_bf16: Plain, Pairs, [2 4 6 8 10 12] }
