//! The weight gradient of an indirect product.

use super::{PANEL_REGISTERS, Registers};

/// Most rows of a [`Contraction`].
pub(crate) const CONTRACTION_ROWS: usize = 4;
/// Most columns of a [`Contraction`].
pub(crate) const CONTRACTION_COLUMNS: usize = 3;

/// `out[m, n, j] += Σ_position Σ_i y[position, m, i·width + j]·x[position, n, i·width + j]`,
/// where `width` is the number of values in a register: the partial sums of
/// `rows` × `columns` entries of a gradient, over one panel.
#[derive(Debug)]
pub(crate) struct Contraction<'a> {
    /// From 1 to [`CONTRACTION_ROWS`].
    pub rows: usize,
    /// From 1 to [`CONTRACTION_COLUMNS`].
    pub columns: usize,
    pub positions: usize,
    /// A panel of the outputs' gradient.
    pub y: &'a [f32],
    /// Where its rows start; those of the next position `y_step` offsets further on.
    pub y_offsets: &'a [u32],
    pub y_step: usize,
    /// A panel of inputs.
    pub x: &'a [f32],
    pub x_offsets: &'a [u32],
    pub x_step: usize,
    /// One register of sums per entry, rows `out_stride` values apart.
    pub out: &'a mut [f32],
    pub out_stride: usize,
}

impl Contraction<'_> {
    /// Whether everything that a kernel with panels of `panel_width` reads and writes lies
    /// within the slices.
    pub fn fits(&self, panel_width: usize) -> bool {
        let rows_fit = |offsets: &[u32], step: usize, count: usize, values: &[f32]| {
            (0..self.positions).all(|position| {
                let offsets = offsets.get(position * step..position * step + count);
                let end = |&offset: &u32| offset as usize + panel_width;
                offsets.is_some_and(|all| all.iter().map(end).all(|end| end <= values.len()))
            })
        };
        let width = panel_width / PANEL_REGISTERS;
        rows_fit(self.y_offsets, self.y_step, self.rows, self.y)
            && rows_fit(self.x_offsets, self.x_step, self.columns, self.x)
            && (self.rows - 1) * self.out_stride + self.columns * width <= self.out.len()
    }
}

/// Computes a contraction of `M` rows and `N` columns.
///
/// # Safety
/// As [`Registers`]; the contraction fits.
#[inline(always)]
pub(crate) unsafe fn contract<K: Registers, const M: usize, const N: usize>(
    contraction: &mut Contraction<'_>,
) {
    let c = contraction;
    let (y, x, out) = (c.y.as_ptr(), c.x.as_ptr(), c.out.as_mut_ptr());
    let (y_offsets, x_offsets) = (c.y_offsets.as_ptr(), c.x_offsets.as_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[K::splat(0.0); N]; M];
        for position in 0..c.positions {
            let y_offsets = y_offsets.add(position * c.y_step);
            let x_offsets = x_offsets.add(position * c.x_step);
            let y: [*const f32; M] = std::array::from_fn(|m| y.add(*y_offsets.add(m) as usize));
            let x: [*const f32; N] = std::array::from_fn(|n| x.add(*x_offsets.add(n) as usize));
            for i in 0..PANEL_REGISTERS {
                let x: [K::Register; N] = std::array::from_fn(|n| K::load(x[n].add(i * K::WIDTH)));
                for (sums, y) in sums.iter_mut().zip(&y) {
                    let y = K::load(y.add(i * K::WIDTH));
                    for (sum, &x) in sums.iter_mut().zip(&x) {
                        *sum = K::multiply_add(y, x, *sum);
                    }
                }
            }
        }
        for (m, sums) in sums.iter().enumerate() {
            for (n, &sum) in sums.iter().enumerate() {
                let out = out.add(m * c.out_stride + n * K::WIDTH);
                K::store(out, K::add(K::load(out), sum));
            }
        }
    }
}

/// Declares a function for contractions: each size is compiled on its own, so that the
/// sums stay in registers.
macro_rules! contractions {
    ($(#[$feature:meta])* $name:ident: $registers:ty) => {
        /// # Safety
        /// The instructions exist; the contraction fits.
        $(#[$feature])*
        pub(crate) unsafe fn $name(c: &mut $crate::vector::contraction::Contraction<'_>) {
            use $crate::vector::contraction::contract;
            // SAFETY: the caller's promise.
            unsafe {
                match (c.rows, c.columns) {
                    (1, 1) => contract::<$registers, 1, 1>(c),
                    (1, 2) => contract::<$registers, 1, 2>(c),
                    (1, 3) => contract::<$registers, 1, 3>(c),
                    (2, 1) => contract::<$registers, 2, 1>(c),
                    (2, 2) => contract::<$registers, 2, 2>(c),
                    (2, 3) => contract::<$registers, 2, 3>(c),
                    (3, 1) => contract::<$registers, 3, 1>(c),
                    (3, 2) => contract::<$registers, 3, 2>(c),
                    (3, 3) => contract::<$registers, 3, 3>(c),
                    (4, 1) => contract::<$registers, 4, 1>(c),
                    (4, 2) => contract::<$registers, 4, 2>(c),
                    (4, 3) => contract::<$registers, 4, 3>(c),
                    size => unreachable!("a contraction of {size:?}"),
                }
            }
        }
    };
}
pub(crate) use contractions;
