//! A matrix of low rank, as the product of two thin ones.
//!
//! ```text
//! y = U·(Vᵀ·x) + b,   W_P = U·Vᵀ
//! ```
//!
//! The nearest matrix of rank r keeps the r leading singular vectors: Eckart &
//! Young 1936.
//!
//! Source: Denil et al. 2013, Predicting parameters in deep learning (arXiv
//! 1306.0543).

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use crate::arithmetic::{axpy, dot, product};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::parameters::Parameters;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{Factored, Structure};
use crate::svd::leading_factors;

/// Geometry of a [`LowRank`] map, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowRankConfig {
    /// Input shape; any.
    pub input: Shape,
    /// Output shape; any.
    pub output: Shape,
    /// Rank, at most the lengths of input and output.
    pub rank: usize,
    /// Whether there is a bias, `[out]`.
    pub bias: bool,
}

/// `y = U·(Vᵀ·x) + b` with `U: [out, r]`, `V: [in, r]` and `b: [out]`. The
/// weight is `[out + in, r]`: the rows of U, then those of V.
///
/// Only the product matters: `(U·M, V·M⁻ᵀ)` is the same map.
///
/// Source: Denil et al. 2013 (arXiv 1306.0543); Eckart & Young 1936.
#[derive(Clone, Debug)]
pub struct LowRank {
    input: Shape,
    output: Shape,
    rank: usize,
    bias: bool,
}

impl LowRank {
    const KIND: &'static str = "low-rank";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Denil et al. 2013, arXiv 1306.0543; Eckart & Young 1936",
        sample: |sampler: &mut dyn Sampler| {
            let (input, output) = (sampler.between(1, 20), sampler.between(1, 20));
            let config = LowRankConfig {
                input: Shape::flat(input),
                output: Shape::flat(output),
                rank: sampler.between(1, input.min(output)),
                bias: sampler.flip(),
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, a rank above the smaller side, or an overflow.
    pub fn new(config: LowRankConfig) -> Result<Self, LinearError> {
        let LowRankConfig {
            input,
            output,
            rank,
            bias,
        } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the input length", input.len()),
                ("the output length", output.len()),
                ("the rank", rank),
            ],
        )?;
        let sum = input.len().saturating_add(output.len());
        refuse_overflow(Self::KIND, &input, &output, &[sum, rank])?;
        let most = input.len().min(output.len());
        if rank > most {
            return Err(LinearError::Rank {
                kind: Self::KIND,
                rank,
                most,
            });
        }
        Ok(Self {
            input,
            output,
            rank,
            bias,
        })
    }

    /// The rank.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// U and V.
    fn factors<'a>(&self, weight: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        weight.split_at(self.output.len() * self.rank)
    }
}

impl Factored for LowRank {
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let (u, v) = self.factors(p.weight);
        let u = &u[row * self.rank..(row + 1) * self.rank];
        for (out, v) in out.iter_mut().zip(v.chunks_exact(self.rank)) {
            *out += alpha * dot(u, v);
        }
    }

    /// `z = Vᵀ·x`, then `U·z`.
    fn multiply(&self, weight: &[f32], x: &[f32], y: &mut [f32]) {
        let (u, v) = self.factors(weight);
        let mut z = vec![0.0; self.rank];
        for (x, v) in x.iter().zip(v.chunks_exact(self.rank)) {
            axpy(*x, v, &mut z);
        }
        for (y, u) in y.iter_mut().zip(u.chunks_exact(self.rank)) {
            *y = dot(u, &z);
        }
    }

    fn nearest(&self, dense: &[f32]) -> Vec<f32> {
        let (out_len, in_len) = (self.output.len(), self.input.len());
        let entry = |row: usize, column: usize| dense[row * in_len + column].into();
        let (u, v) = leading_factors(out_len, in_len, self.rank, entry);
        [u, v].concat()
    }
}

impl StructuredMap for LowRank {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.output.len() + self.input.len(), self.rank]
    }

    fn bias_len(&self) -> usize {
        self.output.len()
    }

    fn has_bias(&self) -> bool {
        self.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Factored(self)
    }

    /// At rank r, factors of variance 2/f give the product variance
    /// r·(2/f)² = 2/n.
    fn fan_in(&self) -> f64 {
        (2.0 * self.rank as f64 * self.in_len() as f64).sqrt()
    }

    fn flops(&self) -> u64 {
        product(&[
            2,
            self.rank,
            self.output.len().saturating_add(self.input.len()),
        ])
    }
}
