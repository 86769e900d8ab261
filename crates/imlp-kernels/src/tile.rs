//! The innermost loops, written once over the registers of each instruction set.
//!
//! Three of them: a *tile*, `out[r, lane] = Σ_k a[k, r]·b[k, lane]`, whose sums
//! stay in registers while k runs; a *contraction*,
//! `out[m, k] = Σ y[m, lane]·x[k, lane]` over lanes and sites; and a *combination*
//! of rows, `out[lane] = Σ value·b[at, lane]` over a list of terms.

use crate::bf16::{round_to_bf16, unpair};
use crate::prefetch::{Cache, prefetch_at};

/// Where consecutive rows of `lanes` values lie from a base address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows {
    /// One every so many values.
    Every(usize),
    /// At these offsets, in values.
    At(*const u32),
}

/// How the left operand of a tile lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// `[depth, rows]`.
    Turned,
    /// `[rows, `[`deepest`]`]`: a fixed number, which the addresses in the loop then
    /// contain.
    Straight,
}

/// Elements of the depth that are summed before the next block: a panel of the
/// right operand stays in the nearest cache.
pub(crate) const fn deepest(lanes: usize) -> usize {
    const RIGHT_BYTES: usize = 16 << 10;
    RIGHT_BYTES / (size_of::<f32>() * lanes)
}

/// What a tile's sums start from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Zero,
    /// One value per row of the tile.
    Bias(*const f32),
    /// What lies in the rows that are written.
    Output,
}

/// `out[r, ·] = start + Σ_k a[r, k] · b[k, ·]` for `rows` rows, where the elements of
/// `a` and `b` are f32, or [pairs](crate::bf16::pair).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    /// At least 1, at most the kernel's.
    pub rows: usize,
    /// Elements that are summed over: of a straight `a`, at most [`deepest`].
    pub depth: usize,
    pub a: *const f32,
    pub left: Left,
    pub b: *const f32,
    pub b_rows: Rows,
    pub start: Start,
    /// Whether negative results become 0.
    pub relu: bool,
    pub out: *mut f32,
    pub out_rows: Rows,
}

/// `out[m, k, j] += Σ_site Σ_i y[site, m, i·width + j] · x[site, k, i·width + j]`
/// with `width` lanes in a register, for the block of `rows` × `columns` at the
/// first offsets of each site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contraction {
    /// At most [`CONTRACTION_ROWS`].
    pub rows: usize,
    /// At most [`CONTRACTION_COLUMNS`].
    pub columns: usize,
    pub sites: usize,
    pub y: *const f32,
    /// Offsets of the rows of the first site, and from one site's to the next's.
    pub y_at: *const u32,
    pub y_step: usize,
    pub x: *const f32,
    pub x_at: *const u32,
    pub x_step: usize,
    /// One register's width of sums per entry; `out_step` values from one row
    /// to the next.
    pub out: *mut f32,
    pub out_step: usize,
}

/// One term of a combination: a value times the row that starts so many places from
/// the first; of bfloat16, two of both. All are one number, so that one load gets
/// them: loads are what limits a combination.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Term(u64);

impl Term {
    #[inline(always)]
    fn new(at: usize, value: f32) -> Self {
        Self(u64::from(value.to_bits()) << 32 | at as u64)
    }

    #[inline(always)]
    pub fn parts(self) -> (usize, f32) {
        (
            self.0 as u32 as usize,
            f32::from_bits((self.0 >> 32) as u32),
        )
    }

    #[inline(always)]
    pub fn of_two([first, second]: [Rounded; 2]) -> Self {
        let rows = first.0 & 0xffff | second.0 << 16;
        let values = first.0 >> 16 | second.0 & 0xffff_0000;
        Self(u64::from(values) << 32 | u64::from(rows))
    }

    /// The two rows, and the [pair](crate::bf16::pair) of values.
    #[inline(always)]
    fn parts_of_two(self) -> ((usize, usize), f32) {
        let (rows, pair) = self.parts();
        ((rows & 0xffff, rows >> 16), pair)
    }
}

/// Half a term of two: where a row starts, in the low half, and a bfloat16.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Rounded(u32);

impl Rounded {
    /// The same row times 0.
    pub fn of_zero(self) -> Self {
        Self(self.0 & 0xffff)
    }
}

/// [`Kernel::list`](crate::Kernel::list) in plain Rust.
pub(crate) fn list(at: usize, step: usize, values: &[f32], out: &mut [Term]) -> usize {
    let mut count = 0;
    for (i, &value) in values.iter().enumerate() {
        out[count] = Term::new(at + i * step, value);
        count += usize::from(value != 0.0);
    }
    count
}

/// [`Kernel::list_rounded`](crate::Kernel::list_rounded) in plain Rust.
pub(crate) fn list_rounded(at: usize, step: usize, values: &[f32], out: &mut [Rounded]) -> usize {
    let mut count = 0;
    for (i, &value) in values.iter().enumerate() {
        let value = u32::from(round_to_bf16(value));
        out[count] = Rounded((at + i * step) as u32 | value << 16);
        count += usize::from(value & 0x7fff != 0);
    }
    count
}

/// `out[r, ·] = start + Σ value·b[at + ·]` over the terms of row r, which are those
/// from `bounds[r]` to `bounds[r + 1]`.
///
/// A register of rows of bfloat16 holds the values of two registers of `out`, in
/// groups of four from one and the other in turn: what takes the lower or the upper
/// halves of two registers, 128 bits at a time, then gives the pairs of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combinations {
    pub rows: usize,
    /// Registers of one row: at least 1, at most [`COMBINED_REGISTERS`]; of bfloat16,
    /// an even number.
    pub registers: usize,
    pub terms: *const Term,
    pub bounds: *const u32,
    pub b: *const f32,
    /// Whether sums start from what lies in `out`, else from 0.
    pub add: bool,
    pub out: *mut f32,
    /// Values from one row of `out` to the next.
    pub out_step: usize,
}

/// Values of one register of `out` that neighbour in a row of bfloat16.
const GROUP: usize = 4;

/// Where the values of two registers of `out` go in one of bfloat16.
const fn place(i: usize, width: usize) -> usize {
    let (register, i) = (i / width, i % width);
    i / GROUP * 2 * GROUP + register * GROUP + i % GROUP
}

/// [`Kernel::round_row`](crate::Kernel::round_row) in plain Rust.
pub(crate) fn round_row(values: &[f32], out: &mut [f32]) {
    const WIDTH: usize = 16;
    for (out, values) in out.chunks_exact_mut(WIDTH).zip(values.chunks(2 * WIDTH)) {
        let mut placed = [0.0; 2 * WIDTH];
        for (i, &value) in values.iter().enumerate() {
            placed[place(i, WIDTH)] = value;
        }
        crate::bf16::pair_neighbours(&placed, out);
    }
}

/// [`Kernel::split_pairs`](crate::Kernel::split_pairs) in plain Rust.
pub(crate) fn split_pairs(pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
    let values = |half: usize| -> Vec<f32> {
        let of_pair = pairs.iter().map(|&pair| unpair(pair)[half]);
        of_pair.collect()
    };
    round_row(&values(0), first);
    round_row(&values(1), second);
}

pub(crate) const AVX2_ROWS: usize = 6;
pub(crate) const AVX512_ROWS: usize = 14;
/// Registers of one row of a tile, in every instruction set.
pub(crate) const REGISTERS: usize = 2;

pub(crate) const CONTRACTION_ROWS: usize = 4;
pub(crate) const CONTRACTION_COLUMNS: usize = 3;

/// With one for the value, they fit AVX2's 16 registers, and are enough sums to
/// hide the latency of one.
pub(crate) const COMBINED_REGISTERS: usize = 12;

/// The registers of an instruction set.
///
/// # Safety
/// Its functions are called only where the instructions exist, inlined into a
/// function that is compiled for them.
unsafe trait Registers {
    type Register: Copy;
    const WIDTH: usize;
    unsafe fn splat(value: f32) -> Self::Register;
    unsafe fn load(from: *const f32) -> Self::Register;
    unsafe fn store(to: *mut f32, value: Self::Register);
    unsafe fn add(a: Self::Register, b: Self::Register) -> Self::Register;
    /// `sum + a·b` in f32.
    unsafe fn multiply_add(
        a: Self::Register,
        b: Self::Register,
        sum: Self::Register,
    ) -> Self::Register;
    /// 0 for what is negative; a NaN stays one.
    unsafe fn relu(value: Self::Register) -> Self::Register;
}

/// How the elements of two operands in registers are multiplied.
///
/// # Safety
/// As [`Registers`].
unsafe trait Multiply<K: Registers> {
    unsafe fn multiply(a: K::Register, b: K::Register, sum: K::Register) -> K::Register;
}

/// Elements are f32.
struct Singles;

// SAFETY: as the registers.
unsafe impl<K: Registers> Multiply<K> for Singles {
    #[inline(always)]
    unsafe fn multiply(a: K::Register, b: K::Register, sum: K::Register) -> K::Register {
        // SAFETY: the caller's promise.
        unsafe { K::multiply_add(a, b, sum) }
    }
}

/// Elements are [pairs](crate::bf16::pair) of bfloat16.
struct Pairs;

#[inline(always)]
unsafe fn tile_of<K: Registers, M: Multiply<K>, const R: usize>(tile: &Tile) {
    // SAFETY: the caller's promise.
    unsafe {
        match tile.left {
            Left::Turned => tile_from::<K, M, R, false>(tile),
            Left::Straight => tile_from::<K, M, R, true>(tile),
        }
    }
}

#[inline(always)]
unsafe fn tile_from<K: Registers, M: Multiply<K>, const R: usize, const STRAIGHT: bool>(
    tile: &Tile,
) {
    let width = K::WIDTH;
    // Of `a`: from one element of the depth to the next, from one row to the next.
    let (step, row_step) = if STRAIGHT {
        (1, deepest(REGISTERS * K::WIDTH))
    } else {
        (R, 1)
    };
    // SAFETY: the addresses are the caller's promise; `out_row` stays within the
    // rows of the tile.
    unsafe {
        let out_row = |r: usize| match tile.out_rows {
            Rows::Every(step) => tile.out.add(r * step),
            Rows::At(offsets) => tile.out.add(*offsets.add(r) as usize),
        };
        // The sums of the loop are an array of their own, which no other loop
        // indexes: only then does the compiler keep all of it in registers.
        let mut first = [[K::splat(0.0); REGISTERS]; R];
        match tile.start {
            Start::Zero => {}
            Start::Bias(bias) => {
                for (r, sums) in first.iter_mut().enumerate() {
                    *sums = [K::splat(*bias.add(r)); REGISTERS];
                }
            }
            Start::Output => {
                for (r, sums) in first.iter_mut().enumerate() {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = K::load(out_row(r).add(i * width));
                    }
                }
            }
        }
        let mut sums = first;
        match tile.b_rows {
            Rows::Every(stride) => {
                for k in 0..tile.depth {
                    let (a, b) = (tile.a.add(k * step), tile.b.add(k * stride));
                    add_products::<K, M, R>((a, row_step), b, &mut sums);
                }
            }
            Rows::At(offsets) => {
                for k in 0..tile.depth {
                    let b = tile.b.add(*offsets.add(k) as usize);
                    add_products::<K, M, R>((tile.a.add(k * step), row_step), b, &mut sums);
                }
            }
        }
        let last = sums;
        for (r, sums) in last.iter().enumerate() {
            for (i, &sum) in sums.iter().enumerate() {
                let sum = if tile.relu { K::relu(sum) } else { sum };
                K::store(out_row(r).add(i * width), sum);
            }
        }
    }
}

/// `sums[r, ·] += a[r]·b[·]`, with so many values from one a to the next.
#[inline(always)]
unsafe fn add_products<K: Registers, M: Multiply<K>, const R: usize>(
    (a, row_step): (*const f32, usize),
    b: *const f32,
    sums: &mut [[K::Register; REGISTERS]; R],
) {
    // SAFETY: the addresses are the caller's promise.
    unsafe {
        let b: [K::Register; REGISTERS] = std::array::from_fn(|i| K::load(b.add(i * K::WIDTH)));
        for (r, sums) in sums.iter_mut().enumerate() {
            let a = K::splat(*a.add(r * row_step));
            for (sum, &b) in sums.iter_mut().zip(&b) {
                *sum = M::multiply(a, b, *sum);
            }
        }
    }
}

#[inline(always)]
unsafe fn contract_of<K: Registers, const M: usize, const C: usize>(c: &Contraction) {
    // SAFETY: the addresses are the caller's promise.
    unsafe {
        let mut sums = [[K::splat(0.0); C]; M];
        for site in 0..c.sites {
            let y_at = c.y_at.add(site * c.y_step);
            let x_at = c.x_at.add(site * c.x_step);
            let y: [*const f32; M] = std::array::from_fn(|m| c.y.add(*y_at.add(m) as usize));
            let x: [*const f32; C] = std::array::from_fn(|k| c.x.add(*x_at.add(k) as usize));
            for i in 0..REGISTERS {
                let x: [K::Register; C] = std::array::from_fn(|k| K::load(x[k].add(i * K::WIDTH)));
                for (sums, y) in sums.iter_mut().zip(&y) {
                    let y = K::load(y.add(i * K::WIDTH));
                    for (sum, &x) in sums.iter_mut().zip(&x) {
                        *sum = K::multiply_add(y, x, *sum);
                    }
                }
            }
        }
        for (m, sums) in sums.iter().enumerate() {
            for (k, &sum) in sums.iter().enumerate() {
                let out = c.out.add(m * c.out_step + k * K::WIDTH);
                K::store(out, K::add(K::load(out), sum));
            }
        }
    }
}

/// How one term adds to the sums of a combination.
///
/// # Safety
/// As [`Registers`].
unsafe trait Combine<K: Registers> {
    unsafe fn combine<const R: usize>(term: Term, b: *const f32, sums: &mut [K::Register; R]);
}

// SAFETY: as the registers.
unsafe impl<K: Registers> Combine<K> for Singles {
    #[inline(always)]
    unsafe fn combine<const R: usize>(term: Term, b: *const f32, sums: &mut [K::Register; R]) {
        // SAFETY: the addresses are the caller's promise.
        unsafe {
            let (at, value) = term.parts();
            let (value, b) = (K::splat(value), b.add(at));
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = K::multiply_add(value, K::load(b.add(i * K::WIDTH)), *sum);
            }
        }
    }
}

/// Registers that also hold twice as many bfloat16s.
///
/// # Safety
/// As [`Registers`].
unsafe trait Halves: Registers {
    /// Multiplies two rows of bfloat16 by a pair of factors, and adds the products to
    /// the sums of the two registers of values that each holds.
    unsafe fn multiply_rows(
        factors: Self::Register,
        rows: [Self::Register; 2],
        sums: [Self::Register; 2],
    ) -> [Self::Register; 2];
}

// SAFETY: as the registers.
unsafe impl<K: Halves> Combine<K> for Pairs {
    #[inline(always)]
    unsafe fn combine<const R: usize>(term: Term, b: *const f32, sums: &mut [K::Register; R]) {
        // SAFETY: the addresses are the caller's promise.
        unsafe {
            let (rows, factors) = term.parts_of_two();
            let factors = K::splat(factors);
            for (i, sums) in sums.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let row = |at: usize| K::load(b.add(at + i * K::WIDTH));
                *sums = K::multiply_rows(factors, [row(rows.0), row(rows.1)], *sums);
            }
        }
    }
}

#[inline(always)]
unsafe fn combine_of<K: Registers, C: Combine<K>, const R: usize>(c: &Combinations) {
    // SAFETY: the addresses are the caller's promise.
    unsafe {
        for row in 0..c.rows {
            let out = c.out.add(row * c.out_step);
            // As for tiles, the sums of the loop are an array of their own.
            let mut first = [K::splat(0.0); R];
            if c.add {
                for (i, sum) in first.iter_mut().enumerate() {
                    *sum = K::load(out.add(i * K::WIDTH));
                }
                prefetch_at(out.wrapping_add(c.out_step), R * K::WIDTH, Cache::First);
            }
            let mut sums = first;
            for term in *c.bounds.add(row)..*c.bounds.add(row + 1) {
                C::combine(*c.terms.add(term as usize), c.b, &mut sums);
            }
            let last = sums;
            for (i, &sum) in last.iter().enumerate() {
                K::store(out.add(i * K::WIDTH), sum);
            }
        }
    }
}

/// Declares a function for tiles: each number of rows is compiled on its own, so
/// that the sums stay in registers.
macro_rules! tiles {
    ($(#[$feature:meta])* $name:ident: $registers:ty, $multiply:ty, [$($rows:literal)*]) => {
        $(#[$feature])*
        pub(crate) unsafe fn $name(tile: &Tile) {
            // SAFETY: the caller promises the addresses, the attribute the
            // instructions.
            unsafe {
                match tile.rows {
                    $($rows => tile_of::<$registers, $multiply, $rows>(tile),)*
                    rows => unreachable!("a tile of {rows} rows"),
                }
            }
        }
    };
}

/// Declares a function for contractions, in the same way.
macro_rules! contractions {
    ($(#[$feature:meta])* $name:ident: $registers:ty) => {
        $(#[$feature])*
        pub(crate) unsafe fn $name(c: &Contraction) {
            // SAFETY: as for tiles.
            unsafe {
                match (c.rows, c.columns) {
                    (1, 1) => contract_of::<$registers, 1, 1>(c),
                    (1, 2) => contract_of::<$registers, 1, 2>(c),
                    (1, 3) => contract_of::<$registers, 1, 3>(c),
                    (2, 1) => contract_of::<$registers, 2, 1>(c),
                    (2, 2) => contract_of::<$registers, 2, 2>(c),
                    (2, 3) => contract_of::<$registers, 2, 3>(c),
                    (3, 1) => contract_of::<$registers, 3, 1>(c),
                    (3, 2) => contract_of::<$registers, 3, 2>(c),
                    (3, 3) => contract_of::<$registers, 3, 3>(c),
                    (4, 1) => contract_of::<$registers, 4, 1>(c),
                    (4, 2) => contract_of::<$registers, 4, 2>(c),
                    (4, 3) => contract_of::<$registers, 4, 3>(c),
                    block => unreachable!("a contraction of {block:?}"),
                }
            }
        }
    };
}

/// Declares a function for combinations, in the same way.
macro_rules! combinations {
    ($(#[$feature:meta])* $name:ident: $registers:ty, $combine:ty, [$($registers_of_row:literal)*]) => {
        $(#[$feature])*
        pub(crate) unsafe fn $name(c: &Combinations) {
            // SAFETY: as for tiles.
            unsafe {
                match c.registers {
                    $($registers_of_row => combine_of::<$registers, $combine, $registers_of_row>(c),)*
                    registers => unreachable!("a combination of {registers} registers"),
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{
    avx2, avx512, avx512_bf16, combine_avx2, combine_avx512, combine_avx512_bf16, contract_avx2,
    contract_avx512, list_avx512, list_rounded_avx512, pair_neighbours_avx512, pair_rows_avx512,
    round_row_avx512, split_pairs_avx512,
};

#[cfg(test)]
mod plain;
#[cfg(test)]
pub(crate) use plain::{combine_plain, combine_plain_bf16, contract_plain, plain, plain_bf16};
