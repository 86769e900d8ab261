//! The micro-kernel: a few rows of a product whose sums stay in registers.

use super::{MultiplyAdd, PANEL_REGISTERS, Registers};

/// Rows of a micro-tile (`mr`) of AVX2: as many as its 16 registers hold.
pub(crate) const AVX2_ROWS: usize = 6;
/// Rows of a micro-tile of AVX-512, with its 32 registers.
pub(crate) const AVX512_ROWS: usize = 14;

/// Elements of k that are summed before the next block of them (`kc`): a block of a panel
/// of `panel_width` samples stays in the first-level cache.
pub(crate) const fn k_block(panel_width: usize) -> usize {
    const PANEL_BYTES: usize = 16 << 10;
    PANEL_BYTES / (size_of::<f32>() * panel_width)
}

/// Where the consecutive rows of an operand start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowAddresses<'a> {
    /// A constant number of values apart.
    Strided(usize),
    /// At these offsets, in values.
    Indirect(&'a [u32]),
}

impl RowAddresses<'_> {
    /// Whether `count` rows of `width` values lie within `len` values.
    fn fit(self, count: usize, width: usize, len: usize) -> bool {
        match self {
            Self::Strided(stride) => count == 0 || (count - 1) * stride + width <= len,
            Self::Indirect(offsets) => {
                let ends = offsets.iter().map(|&offset| offset as usize + width);
                offsets.len() >= count && ends.take(count).all(|end| end <= len)
            }
        }
    }
}

/// How the left operand of a micro-tile lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LhsLayout {
    /// `[depth, rows]`, a packed micro-panel.
    ColumnMajor,
    /// `[rows, `[`k_block`]`]`: the row stride is a constant, which the addresses in the
    /// loop then contain.
    RowMajor,
}

/// What the sums of a micro-tile start from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Initial<'a> {
    Zero,
    /// One value per row.
    Bias(&'a [f32]),
    /// What the output holds.
    Output,
}

/// `out[r, ·] = initial + Σ_k a[r, k]·b[k, ·]` for a few rows r, where the elements of `a`
/// and `b` are values of f32 or [pairs](crate::bf16::pair) of bfloat16. Rows of `b` and
/// `out` have the width of a panel.
#[derive(Debug)]
pub(crate) struct MicroTile<'a> {
    /// From 1 to the kernel's [`micro_rows`](crate::Kernel::micro_rows).
    pub rows: usize,
    /// Elements of k. At most [`k_block`] where `a` is row-major.
    pub depth: usize,
    pub a: &'a [f32],
    pub a_layout: LhsLayout,
    pub b: &'a [f32],
    pub b_rows: RowAddresses<'a>,
    pub initial: Initial<'a>,
    /// Whether negative results become 0.
    pub relu: bool,
    pub out: &'a mut [f32],
    pub out_rows: RowAddresses<'a>,
}

impl MicroTile<'_> {
    /// Whether everything that a kernel with panels of `panel_width` reads and writes lies
    /// within the slices.
    pub fn fits(&self, panel_width: usize) -> bool {
        let a = match self.a_layout {
            LhsLayout::ColumnMajor => self.rows * self.depth <= self.a.len(),
            LhsLayout::RowMajor => {
                let stride = k_block(panel_width);
                self.depth <= stride && (self.rows - 1) * stride + self.depth <= self.a.len()
            }
        };
        let bias = match self.initial {
            Initial::Bias(bias) => self.rows <= bias.len(),
            Initial::Zero | Initial::Output => true,
        };
        let b = self.b_rows.fit(self.depth, panel_width, self.b.len());
        let out = self.out_rows.fit(self.rows, panel_width, self.out.len());
        a && b && bias && out
    }
}

/// Computes a micro-tile of `R` rows.
///
/// # Safety
/// As [`Registers`]; the tile fits.
#[inline(always)]
pub(crate) unsafe fn micro_kernel<K: Registers, M: MultiplyAdd<K>, const R: usize>(
    tile: &mut MicroTile<'_>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match tile.a_layout {
            LhsLayout::ColumnMajor => with_layout::<K, M, R, false>(tile),
            LhsLayout::RowMajor => with_layout::<K, M, R, true>(tile),
        }
    }
}

/// # Safety
/// As [`micro_kernel`].
#[inline(always)]
unsafe fn with_layout<K: Registers, M: MultiplyAdd<K>, const R: usize, const ROW_MAJOR: bool>(
    tile: &mut MicroTile<'_>,
) {
    let width = K::WIDTH;
    let (k_stride, row_stride) = if ROW_MAJOR {
        (1, k_block(PANEL_REGISTERS * K::WIDTH))
    } else {
        (R, 1)
    };
    let (a, b, out) = (tile.a.as_ptr(), tile.b.as_ptr(), tile.out.as_mut_ptr());
    let out_rows = tile.out_rows;
    // SAFETY: the tile fits: all rows and elements lie within its slices.
    unsafe {
        let out_row = |r: usize| match out_rows {
            RowAddresses::Strided(stride) => out.add(r * stride),
            RowAddresses::Indirect(offsets) => out.add(*offsets.get_unchecked(r) as usize),
        };
        // The sums of the loop are an array of their own, which no other loop indexes:
        // only then does the compiler keep all of it in registers.
        let mut first = [[K::splat(0.0); PANEL_REGISTERS]; R];
        match tile.initial {
            Initial::Zero => {}
            Initial::Bias(bias) => {
                for (r, sums) in first.iter_mut().enumerate() {
                    *sums = [K::splat(*bias.get_unchecked(r)); PANEL_REGISTERS];
                }
            }
            Initial::Output => {
                for (r, sums) in first.iter_mut().enumerate() {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = K::load(out_row(r).add(i * width));
                    }
                }
            }
        }
        let mut sums = first;
        match tile.b_rows {
            RowAddresses::Strided(stride) => {
                for k in 0..tile.depth {
                    let (a, b) = (a.add(k * k_stride), b.add(k * stride));
                    rank_one_update::<K, M, R>((a, row_stride), b, &mut sums);
                }
            }
            RowAddresses::Indirect(offsets) => {
                for k in 0..tile.depth {
                    let b = b.add(*offsets.get_unchecked(k) as usize);
                    rank_one_update::<K, M, R>((a.add(k * k_stride), row_stride), b, &mut sums);
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

/// `sums[r, ·] += a[r]·b[·]`, where the elements of `a` lie `row_stride` apart.
///
/// # Safety
/// As [`Registers`]; `a` has `R` elements and `b` a row of a panel.
#[inline(always)]
unsafe fn rank_one_update<K: Registers, M: MultiplyAdd<K>, const R: usize>(
    (a, row_stride): (*const f32, usize),
    b: *const f32,
    sums: &mut [[K::Register; PANEL_REGISTERS]; R],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let b: [K::Register; PANEL_REGISTERS] =
            std::array::from_fn(|i| K::load(b.add(i * K::WIDTH)));
        for (r, sums) in sums.iter_mut().enumerate() {
            let a = K::splat(*a.add(r * row_stride));
            for (sum, &b) in sums.iter_mut().zip(&b) {
                *sum = M::multiply_add(a, b, *sum);
            }
        }
    }
}

/// Declares a micro-kernel: each number of rows is compiled on its own, so that the sums
/// stay in registers.
macro_rules! micro_kernels {
    ($(#[$feature:meta])* $name:ident: $registers:ty, $elements:ty, [$($rows:literal)*]) => {
        /// # Safety
        /// The instructions exist; the tile fits.
        $(#[$feature])*
        pub(crate) unsafe fn $name(tile: &mut $crate::vector::micro_kernel::MicroTile<'_>) {
            use $crate::vector::micro_kernel::micro_kernel;
            // SAFETY: the caller's promise.
            unsafe {
                match tile.rows {
                    $($rows => micro_kernel::<$registers, $elements, $rows>(tile),)*
                    rows => unreachable!("a micro-tile of {rows} rows"),
                }
            }
        }
    };
}
pub(crate) use micro_kernels;
