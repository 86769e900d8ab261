//! The trait that every structured linear map implements.

use std::any::Any;
use std::fmt::Debug;

use crate::arithmetic::{axpy, product, scale};
use crate::{Alpha, LinearError, Shape, transposed};

/// One snapshot of a map's parameters, in PyTorch layout.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// Weight, row-major, of shape [`StructuredMap::weight_shape`]; empty for
    /// maps without parameters.
    pub weight: &'a [f32],
    /// Bias, of length [`StructuredMap::bias_len`], exactly when
    /// [`StructuredMap::has_bias`].
    pub bias: Option<&'a [f32]>,
}

impl Parameters<'static> {
    /// The parameters of a map that has none (pooling).
    pub const NONE: Self = Self {
        weight: &[],
        bias: None,
    };
}

/// The dense equivalent `(W_P, b_P)`: `W_P·vec(x) + b_P = vec(layer(x))`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseEquivalent {
    /// `[out_len, in_len]`, row-major.
    pub weight: Vec<f32>,
    /// `[out_len]`; zeros for a map without bias.
    pub bias: Vec<f32>,
    /// Number of outputs.
    pub out_len: usize,
    /// Number of inputs.
    pub in_len: usize,
}

impl DenseEquivalent {
    /// Row `row` of the weight, `[in_len]`.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.weight[row * self.in_len..(row + 1) * self.in_len]
    }
}

/// The geometry of a structured linear map, checked when it was built.
///
/// Parameters are passed by reference, so one geometry serves every snapshot.
/// Vectors are row-major flattened activations; dense matrices are
/// `[out_len, in_len]` row-major, as `torch.nn.Linear`.
///
/// To add a map: implement the required methods in a file of its own and add
/// it to [`REGISTRY`](crate::REGISTRY); the shared property test then asks for
/// an oracle and checks everything below.
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

    /// Adds `alpha` × row `row` of the dense equivalent to `out` (`[in_len]`),
    /// touching only the positions of the structure.
    ///
    /// # Panics
    /// If a slice or `row` does not fit (see [`check`](Self::check)).
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]);

    /// Entry `row` of the dense bias; 0 without bias.
    ///
    /// # Panics
    /// If the bias does not fit (see [`check`](Self::check)).
    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32;

    /// `y = layer(x)` for one example, `[in_len]` to `[out_len]`, by the
    /// structured layer's own loop (`y` is overwritten).
    ///
    /// # Panics
    /// If a slice does not fit (see [`check`](Self::check)).
    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]);

    /// Forward floating-point operations of the structured layer per example.
    ///
    /// A multiply-add is 2. Positions that meet zero padding count as if
    /// computed; the bias is free (sums start from it). Saturating.
    fn flops(&self) -> u64;

    /// For downcasting to the concrete geometry.
    fn as_any(&self) -> &dyn Any;

    /// Number of inputs.
    fn in_len(&self) -> usize {
        self.in_shape().len()
    }

    /// Number of outputs.
    fn out_len(&self) -> usize {
        self.out_shape().len()
    }

    /// Number of values of the weight; 0 without weight.
    fn weight_len(&self) -> usize {
        let shape = self.weight_shape();
        if shape.is_empty() {
            0
        } else {
            shape.iter().product()
        }
    }

    /// Free parameters of the structured layer, bias included.
    fn parameter_count(&self) -> usize {
        let bias = if self.has_bias() { self.bias_len() } else { 0 };
        self.weight_len() + bias
    }

    /// Bytes of the dense equivalent in single precision, weight and bias;
    /// saturating.
    fn dense_bytes(&self) -> u64 {
        let weight = product(&[self.out_len(), self.in_len()]);
        weight
            .saturating_add(self.out_len() as u64)
            .saturating_mul(size_of::<f32>() as u64)
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

    /// The dense equivalent, materialised (see
    /// [`dense_bytes`](Self::dense_bytes) before).
    ///
    /// # Errors
    /// As [`check`](Self::check); [`LinearError::TooLarge`] when the matrix
    /// cannot be allocated.
    fn dense(&self, p: Parameters<'_>) -> Result<DenseEquivalent, LinearError> {
        self.check(p)?;
        let (out_len, in_len) = (self.out_len(), self.in_len());
        if isize::try_from(self.dense_bytes()).is_err() {
            return Err(LinearError::TooLarge {
                kind: self.kind(),
                what: "the dense equivalent",
                input: self.in_shape().clone(),
                output: self.out_shape().to_string(),
            });
        }
        let mut weight = vec![0.0; out_len * in_len];
        for (row, out) in weight.chunks_exact_mut(in_len).enumerate() {
            self.add_row(p, row, 1.0, out);
        }
        Ok(DenseEquivalent {
            weight,
            bias: (0..out_len).map(|row| self.bias_at(p, row)).collect(),
            out_len,
            in_len,
        })
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
    /// biases out. A map without bias pulls the dense bias toward 0.
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
        let (kept, pulled) = alpha.shares();
        for (row, out) in weight.chunks_exact_mut(self.in_len()).enumerate() {
            if alpha.is_one() {
                out.fill(0.0);
            } else {
                scale(kept, out);
            }
            self.add_row(p, row, pulled, out);
        }
        match bias {
            Some(bias) => self.interpolate_bias(p, alpha, bias),
            None => Ok(()),
        }
    }

    /// [`interpolate`](Self::interpolate) for a weight stored transposed,
    /// `[in_len, out_len]` row-major; the same bits, transposed.
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
        alpha.pull(bias, |row| self.bias_at(p, row));
        Ok(())
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

/// The bias of group `group` (channel, token, …); 0 without bias.
pub(crate) fn group_bias(p: Parameters<'_>, group: usize) -> f32 {
    p.bias.map_or(0.0, |bias| bias[group])
}

/// Adds `alpha`·`run` to `out[start..]`: one contiguous run of a row.
pub(crate) fn add_run(alpha: f32, run: &[f32], start: usize, out: &mut [f32]) {
    axpy(alpha, run, &mut out[start..start + run.len()]);
}
