//! The trait that every structured linear map implements.

use std::any::Any;
use std::fmt::Debug;

use crate::alpha::Alpha;
use crate::arithmetic::scale;
use crate::equivalent::{
    AffineOperator, DenseEquivalent, SparseEquivalent, dense, dense_bytes, sparse,
};
use crate::error::LinearError;
use crate::parameters::Parameters;
use crate::projection::{Energy, Projection, dimension, energy, project};
use crate::shape::Shape;
use crate::structure::{Structure, Tied};
use crate::support;
use crate::support::{Support, TieGroups};
use crate::transposed;

/// The geometry of a structured linear map, checked when it was built.
///
/// Parameters are passed by reference, so one geometry serves all of them.
/// Vectors are row-major flattened activations; dense matrices are
/// `[out_len, in_len]` row-major, as `torch.nn.Linear`.
///
/// To add a map: implement the required methods in a file of its own; inside
/// this crate, add it to [`REGISTRY`](crate::REGISTRY), and the shared
/// property test asks for an oracle and checks everything below.
pub trait StructuredMap: Debug + Send + Sync {
    /// Name of the kind of map, e.g. `"conv2d"`: its key in the registry.
    fn kind(&self) -> &'static str;

    /// Shape of one example's input.
    fn in_shape(&self) -> &Shape;

    /// Shape of one example's output.
    fn out_shape(&self) -> &Shape;

    /// Shape of the weight in PyTorch layout; empty: no weight.
    fn weight_shape(&self) -> Vec<usize>;

    /// Length of the structured bias if there is one (e.g. the output
    /// channels, whether or not this map has a bias); 0 if the kind never has.
    fn bias_len(&self) -> usize;

    /// Whether this map has a bias.
    fn has_bias(&self) -> bool;

    /// Index into the structured bias for output `row`; not called for a map
    /// without bias.
    fn bias_index(&self, row: usize) -> usize;

    /// How the dense equivalent depends on the weight.
    fn structure(&self) -> Structure<'_>;

    /// Forward floating-point operations of the structured layer per example.
    ///
    /// A multiply-add counts as 2. Padded positions count like any other; the
    /// bias is free (sums start from it). Saturating.
    fn flops(&self) -> u64;

    /// For downcasting to the concrete geometry.
    fn as_any(&self) -> &dyn Any;

    /// Whether every entry of the dense equivalent is a free weight, stored
    /// `[out, in]`.
    fn is_full_matrix(&self) -> bool {
        false
    }

    /// The fan-in f of the weight: initial weights of variance 2/f keep the
    /// scale of the activations through a ReLU (He et al. 2015,
    /// arXiv 1502.01852).
    ///
    /// It is the mean number of products in an output. A product of two weight
    /// matrices has another one: the f that gives the entries of the product
    /// the variance 2/n of a full matrix with n inputs. A map without weight
    /// has no use for it.
    fn fan_in(&self) -> f64 {
        // A multiply-add is 2.
        self.flops() as f64 / (2.0 * self.out_len() as f64)
    }

    /// Adds `alpha` × row `row` of the dense equivalent to `out` (`[in_len]`),
    /// touching only the positions of the structure.
    ///
    /// # Panics
    /// If a slice or `row` does not fit (see [`check`](Self::check)).
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        match self.structure() {
            Structure::Tied(tied) => {
                let weight = p.tied_weight();
                tied.segments(row, &mut |segment| segment.add(weight, alpha, out));
            }
            Structure::Factored(factored) => factored.add_row(p, row, alpha, out),
        }
    }

    /// Entry `row` of the dense bias; 0 without bias.
    ///
    /// # Panics
    /// If the bias does not fit (see [`check`](Self::check)).
    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        p.bias.map_or(0.0, |bias| bias[self.bias_index(row)])
    }

    /// `y = layer(x)` for one example, `[in_len]` to `[out_len]`, at the cost
    /// of the structured layer (`y` is overwritten).
    ///
    /// # Panics
    /// If a slice does not fit (see [`check`](Self::check)).
    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.in_len(), "input of {self:?}");
        assert_eq!(y.len(), self.out_len(), "output of {self:?}");
        match self.structure() {
            Structure::Tied(tied) => {
                let weight = p.tied_weight();
                for (row, y) in y.iter_mut().enumerate() {
                    let mut sum = self.bias_at(p, row);
                    tied.segments(row, &mut |segment| {
                        let products = segment.entries().map(|(column, k)| weight[k] * x[column]);
                        sum += segment.factor * products.sum::<f32>();
                    });
                    *y = sum;
                }
            }
            Structure::Factored(factored) => {
                factored.multiply(p.weight, x, y);
                if p.bias.is_some() {
                    for (row, y) in y.iter_mut().enumerate() {
                        *y += self.bias_at(p, row);
                    }
                }
            }
        }
    }

    /// Number of inputs.
    fn in_len(&self) -> usize {
        self.in_shape().len()
    }

    /// Number of outputs.
    fn out_len(&self) -> usize {
        self.out_shape().len()
    }

    /// Number of weights; 0 for a map without weight.
    fn weight_len(&self) -> usize {
        let shape = self.weight_shape();
        if shape.is_empty() {
            0
        } else {
            shape.iter().product()
        }
    }

    /// Number of parameters of the structured layer, bias included.
    fn parameter_count(&self) -> usize {
        let bias = if self.has_bias() { self.bias_len() } else { 0 };
        self.weight_len() + bias
    }

    /// Bytes of the dense equivalent in single precision, weight and bias;
    /// saturating.
    fn dense_bytes(&self) -> u64 {
        dense_bytes(self.out_len(), self.in_len())
    }

    /// Checks the lengths of the parameters; their values may be anything.
    ///
    /// # Errors
    /// [`LinearError::WeightLength`] or [`LinearError::BiasLength`].
    fn check(&self, p: Parameters<'_>) -> Result<(), LinearError> {
        let expected = self.weight_len();
        if p.weight.len() != expected {
            return Err(LinearError::WeightLength {
                kind: self.kind(),
                input: self.in_shape().clone(),
                output: self.out_shape().clone(),
                shape: self.weight_shape(),
                expected,
                got: p.weight.len(),
            });
        }
        let expected = self.has_bias().then(|| self.bias_len());
        let got = p.bias.map(<[f32]>::len);
        if got != expected {
            return Err(LinearError::BiasLength {
                kind: self.kind(),
                input: self.in_shape().clone(),
                output: self.out_shape().clone(),
                expected,
                got,
            });
        }
        Ok(())
    }

    /// Checks the lengths of a dense weight and bias to write into.
    ///
    /// # Errors
    /// [`LinearError::TargetWeight`] or [`LinearError::TargetBias`].
    fn check_target(&self, weight: &[f32], bias: Option<&[f32]>) -> Result<(), LinearError> {
        if Some(weight.len()) != self.out_len().checked_mul(self.in_len()) {
            return Err(LinearError::TargetWeight {
                kind: self.kind(),
                input: self.in_shape().clone(),
                output: self.out_shape().clone(),
                got: weight.len(),
            });
        }
        bias.map_or(Ok(()), |bias| check_target_bias(self, bias))
    }

    /// The dense equivalent, materialised.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`LinearError::OverLimit`] when the matrix
    /// cannot be addressed.
    fn dense(&self, p: Parameters<'_>) -> Result<DenseEquivalent, LinearError> {
        self.dense_within(p, u64::MAX)
    }

    /// The dense equivalent, if it needs at most `limit` bytes
    /// (see [`dense_bytes`](Self::dense_bytes)).
    ///
    /// # Errors
    /// As [`check`](Self::check); [`LinearError::OverLimit`].
    fn dense_within(&self, p: Parameters<'_>, limit: u64) -> Result<DenseEquivalent, LinearError> {
        self.check(p)?;
        dense(&WithParameters(self, p), limit)
    }

    /// The dense equivalent in compressed sparse rows.
    ///
    /// # Errors
    /// As [`sparse_within`](Self::sparse_within).
    fn sparse(&self, p: Parameters<'_>) -> Result<SparseEquivalent, LinearError> {
        self.sparse_within(p, u64::MAX)
    }

    /// The dense equivalent in compressed sparse rows, if it needs at most
    /// `limit` bytes.
    ///
    /// It stores every position of the [`support`](Self::support), whatever
    /// its value; of a [`Structure::Factored`] map those that these parameters
    /// reach.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`LinearError::OverLimit`].
    fn sparse_within(
        &self,
        p: Parameters<'_>,
        limit: u64,
    ) -> Result<SparseEquivalent, LinearError> {
        self.check(p)?;
        sparse(&WithParameters(self, p), limit)
    }

    /// The positions that are non-zero for some weight.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when they cannot be addressed.
    fn support(&self) -> Result<Support, LinearError> {
        support::support(self)
    }

    /// The support, partitioned into positions whose entries are equal for
    /// every weight.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when they cannot be addressed.
    fn tie_groups(&self) -> Result<TieGroups, LinearError> {
        support::tie_groups(self)
    }

    /// The parameters whose dense equivalent is nearest to the dense `weight`
    /// (`[out_len, in_len]`) and `bias` (`[out_len]`) in Frobenius norm.
    ///
    /// Where the map is linear in its weight this is the orthogonal projection
    /// onto its subspace. Parameters that never reach the dense equivalent
    /// (a kernel entry that only meets zero padding) are 0.
    ///
    /// # Errors
    /// As [`check_target`](Self::check_target); [`LinearError::NotFinite`].
    fn project(&self, weight: &[f32], bias: Option<&[f32]>) -> Result<Projection, LinearError> {
        self.check_target(weight, bias)?;
        project(self, weight, bias)
    }

    /// How much of the dense `weight` (`[out_len, in_len]`) the structure
    /// explains.
    ///
    /// # Errors
    /// As [`check_target`](Self::check_target); [`LinearError::NotFinite`].
    fn energy(&self, weight: &[f32]) -> Result<Energy, LinearError> {
        self.check_target(weight, None)?;
        energy(self, weight)
    }

    /// Dimension of the subspace of dense equivalents (for a map without
    /// weight, 1: the multiples of its matrix). At most the number of weights;
    /// `None` for a map that is not linear in its weight.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when the structure cannot be addressed.
    fn dimension(&self) -> Result<Option<usize>, LinearError> {
        dimension(self)
    }

    /// `W += alpha·W_P` and `b += alpha·b_P`, without materialising `W_P`.
    ///
    /// `weight` is `[out_len, in_len]`, `bias` is `[out_len]`; `None` leaves
    /// biases out.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`check_target`](Self::check_target).
    fn scatter_add(
        &self,
        p: Parameters<'_>,
        alpha: f32,
        weight: &mut [f32],
        bias: Option<&mut [f32]>,
    ) -> Result<(), LinearError> {
        self.check(p)?;
        self.check_target(weight, bias.as_deref())?;
        for (row, out) in weight.chunks_exact_mut(self.in_len()).enumerate() {
            self.add_row(p, row, alpha, out);
        }
        if let Some(bias) = bias.filter(|_| self.has_bias()) {
            for (row, b) in bias.iter_mut().enumerate() {
                *b += alpha * self.bias_at(p, row);
            }
        }
        Ok(())
    }

    /// `W ← (1−α)·W + α·W_P` and `b` likewise, in one pass over memory and
    /// without materialising `W_P`.
    ///
    /// `weight` is `[out_len, in_len]`, `bias` is `[out_len]`; `None` leaves
    /// biases out. A map without bias interpolates the dense bias toward 0.
    /// α = 0 changes no bit; α = 1 assigns exactly what
    /// [`dense`](Self::dense) returns, whatever `weight` held (even NaN).
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`check_target`](Self::check_target).
    fn interpolate(
        &self,
        p: Parameters<'_>,
        alpha: Alpha,
        weight: &mut [f32],
        bias: Option<&mut [f32]>,
    ) -> Result<(), LinearError> {
        self.check(p)?;
        self.check_target(weight, bias.as_deref())?;
        if alpha.is_zero() {
            return Ok(());
        }
        let (kept, added) = alpha.shares();
        for (row, out) in weight.chunks_exact_mut(self.in_len()).enumerate() {
            if alpha.is_one() {
                out.fill(0.0);
            } else {
                scale(kept, out);
            }
            self.add_row(p, row, added, out);
        }
        match bias {
            Some(bias) => self.interpolate_bias(p, alpha, bias),
            None => Ok(()),
        }
    }

    /// [`interpolate`](Self::interpolate) for a weight stored transposed,
    /// `[in_len, out_len]` row-major; the same bits, transposed, wherever an
    /// entry of `W_P` is not a sum of several weights.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`check_target`](Self::check_target).
    fn interpolate_transposed(
        &self,
        p: Parameters<'_>,
        alpha: Alpha,
        weight_in_out: &mut [f32],
        bias: Option<&mut [f32]>,
    ) -> Result<(), LinearError> {
        self.check(p)?;
        self.check_target(weight_in_out, bias.as_deref())?;
        if alpha.is_zero() {
            return Ok(());
        }
        transposed::interpolate_weight(self, p, alpha, weight_in_out);
        match bias {
            Some(bias) => self.interpolate_bias(p, alpha, bias),
            None => Ok(()),
        }
    }

    /// `b ← (1−α)·b + α·b_P` alone; `bias` is `[out_len]`.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`LinearError::TargetBias`].
    fn interpolate_bias(
        &self,
        p: Parameters<'_>,
        alpha: Alpha,
        bias: &mut [f32],
    ) -> Result<(), LinearError> {
        self.check(p)?;
        check_target_bias(self, bias)?;
        alpha.interpolate(bias, |row| self.bias_at(p, row));
        Ok(())
    }
}

impl<'a> dyn StructuredMap + 'a {
    /// This map as an `M`, if it is one.
    pub fn downcast_ref<M: StructuredMap + 'static>(&self) -> Option<&M> {
        self.as_any().downcast_ref()
    }

    /// Whether this map is an `M`.
    pub fn is<M: StructuredMap + 'static>(&self) -> bool {
        self.as_any().is::<M>()
    }
}

/// A map with its parameters, which have been checked.
pub(crate) struct WithParameters<'a, M: ?Sized>(pub(crate) &'a M, pub(crate) Parameters<'a>);

impl<M: StructuredMap + ?Sized> AffineOperator for WithParameters<'_, M> {
    fn name(&self) -> String {
        self.0.kind().to_owned()
    }

    fn in_len(&self) -> usize {
        self.0.in_len()
    }

    fn out_len(&self) -> usize {
        self.0.out_len()
    }

    fn add_row(&self, row: usize, alpha: f32, out: &mut [f32]) {
        self.0.add_row(self.1, row, alpha, out);
    }

    fn tied(&self) -> Option<(&dyn Tied, &[f32])> {
        match self.0.structure() {
            Structure::Tied(tied) => Some((tied, self.1.tied_weight())),
            Structure::Factored(_) => None,
        }
    }

    fn bias(&self) -> Vec<f32> {
        let at = |row| self.0.bias_at(self.1, row);
        (0..self.0.out_len()).map(at).collect()
    }

    fn apply(&self, x: &[f32], y: &mut [f32]) {
        self.0.apply(self.1, x, y);
    }
}

fn check_target_bias<M: StructuredMap + ?Sized>(map: &M, bias: &[f32]) -> Result<(), LinearError> {
    if bias.len() == map.out_len() {
        return Ok(());
    }
    Err(LinearError::TargetBias {
        kind: map.kind(),
        input: map.in_shape().clone(),
        output: map.out_shape().clone(),
        got: bias.len(),
    })
}
