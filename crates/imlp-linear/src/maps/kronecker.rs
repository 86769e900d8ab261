//! The Kronecker map: two matrices, one along each dimension of the input.
//!
//! ```text
//! Y = A·X·Bᵀ + b,   W_P = A ⊗ B,   W_P[(t,c), (s,d)] = A[t, s]·B[c, d]
//! ```
//!
//! Token mixing is the case B = I, channel mixing A = I. The nearest Kronecker
//! product to W is the nearest matrix of rank one to W with its entries
//! rearranged as `[(t,s), (c,d)]`: Van Loan & Pitsianis 1993, Approximation
//! with Kronecker products.

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use super::window::sample_pair;
use crate::arithmetic::{axpy, dot, product};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::parameters::Parameters;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{Factored, Structure};
use crate::svd::leading_factors;

/// Geometry of a [`Kronecker`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KroneckerConfig {
    /// Input `[rows, columns]`.
    pub input: [usize; 2],
    /// Output `[rows, columns]`.
    pub output: [usize; 2],
    /// Whether there is a bias, one value per output.
    pub bias: bool,
}

/// `[S, D]` to `[T, C]` by `A: [T, S]` and `B: [C, D]`. The weight is A, then
/// B, each row-major: `[T·S + C·D]`; `b: [T·C]`.
///
/// ```text
/// Y = A·X·Bᵀ + b,   W_P = A ⊗ B
/// ```
///
/// Only the product matters: `(c·A, B/c)` is the same map.
///
/// Source: Van Loan & Pitsianis 1993; Tolstikhin et al. 2021 (arXiv
/// 2105.01601) for the two mixings.
#[derive(Clone, Debug)]
pub struct Kronecker {
    config: KroneckerConfig,
    input: Shape,
    output: Shape,
}

impl Kronecker {
    const KIND: &'static str = "kronecker";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Van Loan & Pitsianis 1993",
        sample: |sampler: &mut dyn Sampler| {
            let config = KroneckerConfig {
                input: sample_pair(sampler, 1, 5),
                output: sample_pair(sampler, 1, 5),
                bias: sampler.flip(),
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: KroneckerConfig) -> Result<Self, LinearError> {
        let KroneckerConfig {
            input: [s, d],
            output: [t, c],
            bias: _,
        } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the number of input rows", s),
                ("the number of input columns", d),
                ("the number of output rows", t),
                ("the number of output columns", c),
            ],
        )?;
        let (input, output) = (Shape::tokens(s, d), Shape::tokens(t, c));
        // A and B are no longer than this.
        refuse_overflow(Self::KIND, &input, &output, &[2, t.max(c), s.max(d)])?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &KroneckerConfig {
        &self.config
    }

    /// A and B.
    fn factors<'a>(&self, weight: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        weight.split_at(self.config.output[0] * self.config.input[0])
    }
}

impl Factored for Kronecker {
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let ([s, d], [_, c]) = (self.config.input, self.config.output);
        let (a, b) = self.factors(p.weight);
        let (t, c) = (row / c, row % c);
        let b = &b[c * d..(c + 1) * d];
        for (a, out) in a[t * s..(t + 1) * s].iter().zip(out.chunks_exact_mut(d)) {
            axpy(alpha * a, b, out);
        }
    }

    /// `Z = X·Bᵀ`, then `A·Z`.
    fn multiply(&self, weight: &[f32], x: &[f32], y: &mut [f32]) {
        let ([s, d], [_, c]) = (self.config.input, self.config.output);
        let (a, b) = self.factors(weight);
        let rows = x.chunks_exact(d);
        let z = rows.flat_map(|x| b.chunks_exact(d).map(|b| dot(b, x)));
        let z: Vec<f32> = z.collect();
        y.fill(0.0);
        for (a, y) in a.chunks_exact(s).zip(y.chunks_exact_mut(c)) {
            for (a, z) in a.iter().zip(z.chunks_exact(c)) {
                axpy(*a, z, y);
            }
        }
    }

    fn nearest(&self, dense: &[f32]) -> Vec<f32> {
        let ([s, d], [t, c]) = (self.config.input, self.config.output);
        let rearranged = |ts: usize, cd: usize| {
            let (row, column) = (ts / s * c + cd / d, ts % s * d + cd % d);
            dense[row * s * d + column].into()
        };
        let (a, b) = leading_factors(t * s, c * d, 1, rearranged);
        [a, b].concat()
    }
}

impl StructuredMap for Kronecker {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        let ([s, d], [t, c]) = (self.config.input, self.config.output);
        vec![t * s + c * d]
    }

    fn bias_len(&self) -> usize {
        self.output.len()
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Factored(self)
    }

    /// Of `X·Bᵀ`, then `A·(X·Bᵀ)`.
    /// Factors of variance 2/f give the product variance (2/f)² = 2/n.
    fn fan_in(&self) -> f64 {
        (2.0 * self.in_len() as f64).sqrt()
    }

    fn flops(&self) -> u64 {
        let ([s, d], [t, c]) = (self.config.input, self.config.output);
        product(&[2, s, d, c]).saturating_add(product(&[2, t, s, c]))
    }
}
