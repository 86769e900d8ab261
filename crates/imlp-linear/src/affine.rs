//! Compositions of linear maps: chains and residual branches.
//!
//! ```text
//! chain:     y = L_n(… L_1(x)),   W = W_n ⋯ W_1,   b = W_n ⋯ W_2·b_1 + … + b_n
//! residual:  y = x + L(x),        W = I + W_L,     b = b_L
//! ```

use crate::equivalent::{
    AffineOperator, DenseEquivalent, SparseEquivalent, dense, dense_bytes, sparse,
};
use crate::error::LinearError;
use crate::map::{StructuredMap, WithParameters};
use crate::parameters::Parameters;

/// A structured linear map with its parameters, or a composition of them: an
/// affine function `x ↦ W·x + b` whose matrix is not built.
///
/// ```
/// use imlp_linear::{Affine, AvgPool2d, AvgPool2dConfig, Conv2d, Conv2dConfig, Parameters};
///
/// let conv = Conv2d::new(Conv2dConfig::new([3, 8, 8], 4, [3, 3]))?;
/// let pool = AvgPool2d::new(AvgPool2dConfig::new([4, 6, 6], [2, 2]))?;
/// let p = Parameters { weight: &[0.1; 4 * 3 * 3 * 3], bias: Some(&[0.5; 4]) };
/// let folded = Affine::chain(vec![
///     Affine::map(&conv, p)?,
///     Affine::map(&pool, Parameters::NONE)?,
/// ])?
/// .dense()?;
/// assert_eq!((folded.out_len, folded.in_len), (4 * 3 * 3, 3 * 8 * 8));
/// # Ok::<(), imlp_linear::LinearError>(())
/// ```
pub struct Affine<'a>(Part<'a>);

enum Part<'a> {
    Map(WithParameters<'a, dyn StructuredMap + 'a>),
    /// First to last, never empty.
    Chain(Vec<Affine<'a>>),
    Residual(Box<Affine<'a>>),
}

impl<'a> Affine<'a> {
    /// One map.
    ///
    /// # Errors
    /// The parameters do not fit (see [`StructuredMap::check`]).
    pub fn map(map: &'a dyn StructuredMap, p: Parameters<'a>) -> Result<Self, LinearError> {
        map.check(p)?;
        Ok(Self(Part::Map(WithParameters(map, p))))
    }

    /// The composition of `parts`, applied first to last.
    ///
    /// # Errors
    /// [`LinearError::Chain`]: no part, or a part whose input is not as long
    /// as the output before it.
    pub fn chain(parts: Vec<Self>) -> Result<Self, LinearError> {
        let mut previous: Option<&Self> = None;
        for (position, part) in parts.iter().enumerate() {
            if let Some(before) = previous.filter(|before| before.out_len() != part.in_len()) {
                return Err(LinearError::Chain {
                    position,
                    name: part.name(),
                    before: before.name(),
                    output: before.out_len(),
                    input: part.in_len(),
                });
            }
            previous = Some(part);
        }
        if parts.is_empty() {
            return Err(LinearError::EmptyChain);
        }
        Ok(Self(Part::Chain(parts)))
    }

    /// `x + branch(x)`.
    ///
    /// # Errors
    /// [`LinearError::Residual`]: the branch's output is not as long as its
    /// input.
    pub fn residual(branch: Self) -> Result<Self, LinearError> {
        if branch.in_len() != branch.out_len() {
            return Err(LinearError::Residual {
                name: branch.name(),
                input: branch.in_len(),
                output: branch.out_len(),
            });
        }
        Ok(Self(Part::Residual(Box::new(branch))))
    }

    /// Number of inputs.
    pub fn in_len(&self) -> usize {
        match &self.0 {
            Part::Map(map) => map.in_len(),
            Part::Chain(parts) => parts[0].in_len(),
            Part::Residual(branch) => branch.in_len(),
        }
    }

    /// Number of outputs.
    pub fn out_len(&self) -> usize {
        match &self.0 {
            Part::Map(map) => map.out_len(),
            Part::Chain(parts) => parts[parts.len() - 1].out_len(),
            Part::Residual(branch) => branch.out_len(),
        }
    }

    /// `b`, `[out_len]`: the image of 0.
    pub fn bias(&self) -> Vec<f32> {
        AffineOperator::bias(self)
    }

    /// Bytes of [`dense`](Self::dense), weight and bias; saturating.
    pub fn dense_bytes(&self) -> u64 {
        dense_bytes(self.out_len(), self.in_len())
    }

    /// `y = W·x + b` by the parts, without their matrices (`y` is
    /// overwritten).
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        AffineOperator::apply(self, x, y);
    }

    /// `W` and `b`, row by row: no part's own matrix is built.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when the matrix cannot be addressed.
    pub fn dense(&self) -> Result<DenseEquivalent, LinearError> {
        self.dense_within(u64::MAX)
    }

    /// [`dense`](Self::dense), if it needs at most `limit` bytes.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`].
    pub fn dense_within(&self, limit: u64) -> Result<DenseEquivalent, LinearError> {
        dense(self, limit)
    }

    /// `W` in compressed sparse rows, and `b`.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when it cannot be addressed.
    pub fn sparse(&self) -> Result<SparseEquivalent, LinearError> {
        self.sparse_within(u64::MAX)
    }

    /// [`sparse`](Self::sparse), if it needs at most `limit` bytes.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`].
    pub fn sparse_within(&self, limit: u64) -> Result<SparseEquivalent, LinearError> {
        sparse(self, limit)
    }
}

impl AffineOperator for Affine<'_> {
    fn name(&self) -> String {
        match &self.0 {
            Part::Map(map) => map.name(),
            Part::Chain(parts) => {
                let names: Vec<_> = parts.iter().map(AffineOperator::name).collect();
                names.join(" → ")
            }
            Part::Residual(branch) => format!("x + ({})", branch.name()),
        }
    }

    fn in_len(&self) -> usize {
        Self::in_len(self)
    }

    fn out_len(&self) -> usize {
        Self::out_len(self)
    }

    fn add_row(&self, row: usize, alpha: f32, out: &mut [f32]) {
        match &self.0 {
            Part::Map(map) => map.add_row(row, alpha, out),
            Part::Chain(parts) => {
                // eᵀ·W_n ⋯ W_1 from the left: a vector through each part.
                let [first, rest @ ..] = parts.as_slice() else {
                    unreachable!("a chain has a part");
                };
                let mut coefficients = vec![(row, alpha)];
                for part in rest.iter().rev() {
                    let mut line = vec![-0.0f32; part.in_len()];
                    for (row, alpha) in coefficients.drain(..) {
                        part.add_row(row, alpha, &mut line);
                    }
                    let touched = |(_, v): &(usize, f32)| v.to_bits() != (-0.0f32).to_bits();
                    coefficients.extend(line.into_iter().enumerate().filter(touched));
                }
                for (row, alpha) in coefficients {
                    first.add_row(row, alpha, out);
                }
            }
            Part::Residual(branch) => {
                out[row] += alpha;
                branch.add_row(row, alpha, out);
            }
        }
    }

    fn bias(&self) -> Vec<f32> {
        match &self.0 {
            Part::Map(map) => map.bias(),
            Part::Chain(parts) => {
                let first = parts[0].bias();
                parts[1..].iter().fold(first, |bias, part| {
                    let mut next = vec![0.0; part.out_len()];
                    AffineOperator::apply(part, &bias, &mut next);
                    next
                })
            }
            Part::Residual(branch) => branch.bias(),
        }
    }

    fn apply(&self, x: &[f32], y: &mut [f32]) {
        match &self.0 {
            Part::Map(map) => map.apply(x, y),
            Part::Chain(parts) => {
                let (last, before) = parts.split_last().expect("a chain has a part");
                let mut value = x.to_vec();
                for part in before {
                    let mut next = vec![0.0; part.out_len()];
                    AffineOperator::apply(part, &value, &mut next);
                    value = next;
                }
                AffineOperator::apply(last, &value, y);
            }
            Part::Residual(branch) => {
                AffineOperator::apply(&**branch, x, y);
                for (y, x) in y.iter_mut().zip(x) {
                    *y += x;
                }
            }
        }
    }

    fn tied(&self) -> Option<(&dyn crate::structure::Tied, &[f32])> {
        match &self.0 {
            Part::Map(map) => map.tied(),
            Part::Chain(_) | Part::Residual(_) => None,
        }
    }
}
