//! Statistics of a tensor, and how structured a dense matrix is.

use imlp_linear::{Energy, LinearError, StructuredMap};

use crate::error::TrainError;
use crate::tensors::tensor_file::{TensorEntry, TensorFile};

/// Statistics of a tensor's finite values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TensorStatistics {
    /// Finite values.
    pub finite: u64,
    /// Values that are NaN or infinite.
    pub not_finite: u64,
    /// Square root of the sum of squares.
    pub norm: f64,
    /// Smallest value; 0 where there is none.
    pub min: f64,
    /// Largest value; 0 where there is none.
    pub max: f64,
    /// Mean; 0 where there is none.
    pub mean: f64,
}

impl TensorStatistics {
    /// Reads a tensor of `file` once; it need not fit into memory.
    ///
    /// # Errors
    /// A type that is not read (8-bit floating point, complex); a read error.
    pub fn of(file: &TensorFile, tensor: &TensorEntry) -> Result<Self, TrainError> {
        let mut s = Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            ..Self::default()
        };
        let (mut sum, mut squares) = (0.0, 0.0);
        file.for_each(tensor, |value| {
            if value.is_finite() {
                s.finite += 1;
                sum += value;
                squares += value * value;
                s.min = s.min.min(value);
                s.max = s.max.max(value);
            } else {
                s.not_finite += 1;
            }
        })?;
        if s.finite == 0 {
            (s.min, s.max) = (0.0, 0.0);
        }
        s.norm = f64::sqrt(squares);
        s.mean = sum / s.finite.max(1) as f64;
        Ok(s)
    }
}

/// How much of a matrix's energy a layer's structure explains, beside what it
/// explains on average of a matrix of independent Gaussian entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StructureShares {
    /// Of the matrix.
    pub energy: Energy,
    /// Dimension of the layer's subspace; `None` for a layer that is not linear
    /// in its weight.
    pub dimension: Option<usize>,
    /// Entries that are not 0 for some weight.
    pub support: usize,
    /// Entries of the matrix.
    pub size: usize,
}

impl StructureShares {
    /// Of the dense `weight`, `[out, in]`.
    ///
    /// # Errors
    /// As [`StructuredMap::energy`].
    pub fn of(map: &dyn StructuredMap, weight: &[f32]) -> Result<Self, LinearError> {
        Self::with_energy(map, map.energy(weight)?)
    }

    /// Of a matrix whose `energy` is known.
    ///
    /// # Errors
    /// [`LinearError::OverLimit`] when the structure cannot be addressed.
    pub fn with_energy(map: &dyn StructuredMap, energy: Energy) -> Result<Self, LinearError> {
        Ok(Self {
            energy,
            dimension: map.dimension()?,
            support: map.support()?.len(),
            size: map.out_len() * map.in_len(),
        })
    }

    /// Share of a Gaussian matrix's energy that the structure explains.
    pub fn gaussian_fraction(&self) -> Option<f64> {
        let sized = self.dimension.filter(|_| self.size > 0);
        sized.map(|d| d as f64 / self.size as f64)
    }

    /// Share of a Gaussian matrix's energy inside the support.
    pub fn gaussian_locality(&self) -> Option<f64> {
        (self.size > 0).then(|| self.support as f64 / self.size as f64)
    }

    /// Share of the support's energy that the tied weights explain of a
    /// Gaussian matrix; `None` where the support is empty.
    pub fn gaussian_sharing(&self) -> Option<f64> {
        let supported = self.dimension.filter(|_| self.support > 0);
        supported.map(|d| d as f64 / self.support as f64)
    }
}
