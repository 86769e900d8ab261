//! How the entries of a dense equivalent depend on the map's parameters.

use crate::parameters::Parameters;

/// Evenly spaced entries of one row of a dense equivalent, each a multiple of
/// one weight: for k in `0..len`
///
/// ```text
/// W_P[row, input + k·input_step] += factor · weight[weight + k·weight_step]
/// ```
///
/// A strided slice of the weight, scaled by `factor`, adds to a strided slice of
/// the row. A map without weight has `weight` and `weight_step` 0: its entries
/// are `factor` times an implied weight of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSegment {
    /// Column of the first entry (an input of the map).
    pub input: usize,
    /// Stride in the row, in columns.
    pub input_step: usize,
    /// Index into the weight for the first entry.
    pub weight: usize,
    /// Stride in the weight.
    pub weight_step: usize,
    /// Number of entries, at least 1.
    pub len: usize,
    /// Scale of every entry; not 0.
    pub factor: f32,
}

impl RowSegment {
    /// `len` consecutive columns that take consecutive weights.
    pub fn contiguous(input: usize, weight: usize, len: usize) -> Self {
        Self {
            input,
            input_step: 1,
            weight,
            weight_step: 1,
            len,
            factor: 1.0,
        }
    }

    /// One entry of a map without weight.
    pub fn fixed(input: usize, factor: f32) -> Self {
        Self {
            input,
            input_step: 1,
            weight: 0,
            weight_step: 0,
            len: 1,
            factor,
        }
    }

    /// The columns and the indices into the weight of the entries.
    pub fn entries(self) -> impl Iterator<Item = (usize, usize)> {
        let entry = move |k| {
            let column = self.input + k * self.input_step;
            (column, self.weight + k * self.weight_step)
        };
        (0..self.len).map(entry)
    }

    /// `out[column] += alpha·factor·weight[…]` for every entry.
    pub(crate) fn add(self, weight: &[f32], alpha: f32, out: &mut [f32]) {
        let scale = alpha * self.factor;
        if (self.input_step, self.weight_step) == (1, 1) {
            let weight = &weight[self.weight..self.weight + self.len];
            let out = &mut out[self.input..self.input + self.len];
            for (out, w) in out.iter_mut().zip(weight) {
                *out += scale * w;
            }
        } else {
            for (column, k) in self.entries() {
                out[column] += scale * weight[k];
            }
        }
    }
}

/// The structure of a map that is linear in its weight, as most maps are, or has
/// no weight.
///
/// From the segments alone follow the dense equivalent, its sparse form, support,
/// tie groups, the nearest parameters and the structure energy.
pub trait Tied {
    /// Visits the segments of row `row`. Where several overlap in one entry
    /// (padding that repeats pixels), their contributions add up.
    ///
    /// # Panics
    /// If there is no such row.
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment));
}

/// The structure of a map whose dense equivalent is a product of its
/// parameters (a Kronecker product, a low-rank matrix, …): every entry may be
/// non-zero, and no two entries are equal for every weight.
pub trait Factored {
    /// Adds `alpha` × row `row` of the dense equivalent to `out` (`[in_len]`).
    ///
    /// # Panics
    /// If a slice or `row` does not fit.
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]);

    /// `y = W_P·x`, without bias, by the factors (`y` is overwritten).
    ///
    /// # Panics
    /// If a slice does not fit.
    fn multiply(&self, weight: &[f32], x: &[f32], y: &mut [f32]);

    /// The weight whose dense equivalent is nearest to `dense`
    /// (`[out_len, in_len]`, finite) in Frobenius norm.
    fn nearest(&self, dense: &[f32]) -> Vec<f32>;
}

/// How the entries of a map's dense equivalent depend on its parameters.
pub enum Structure<'a> {
    /// Linear in the weight, or fixed.
    Tied(&'a dyn Tied),
    /// A product of parameters.
    Factored(&'a dyn Factored),
}
