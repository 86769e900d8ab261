//! A learned permutation: the order in which scores sort the inputs.
//!
//! ```text
//! y[o] = x[π(o)],   w[π(0)] ≤ w[π(1)] ≤ …
//! ```
//!
//! Equal scores keep their order. The nearest permutation matrix to W is the
//! one that collects the largest Σ_o W[o, π(o)]: a linear assignment problem
//! (Kuhn 1955, The Hungarian method).
//!
//! Source: Grover et al. 2019, NeuralSort (arXiv 1903.08850); Prillo &
//! Eisenschlos 2020, SoftSort (arXiv 2006.16038).

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::geometry::{geometry, refuse_zeros};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::parameters::Parameters;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{Factored, Structure};

/// Geometry of a [`LearnedPermutation`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedPermutationConfig {
    /// Number of values.
    pub len: usize,
}

/// The inputs, sorted by their scores `w: [n]`: `y[o] = x[argsort(w)[o]]`.
///
/// The permutation is piecewise constant in the scores, so it has no gradient;
/// relaxations that have one are not linear maps.
///
/// Source: Grover et al. 2019 (arXiv 1903.08850); Prillo & Eisenschlos 2020
/// (arXiv 2006.16038).
#[derive(Clone, Debug)]
pub struct LearnedPermutation {
    input: Shape,
    output: Shape,
}

/// Largest number of inputs: up to here single precision numbers them exactly.
const MOST: usize = 1 << 24;

/// Largest cost of one entry; costs are whole numbers, so that their sums
/// are exact.
const COST_SCALE: f64 = (1u64 << 40) as f64;

impl LearnedPermutation {
    const KIND: &'static str = "learned-permutation";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Grover et al. 2019, arXiv 1903.08850; Kuhn 1955",
        sample: |sampler: &mut dyn Sampler| {
            let len = sampler.between(1, 12);
            Box::new(Self::new(LearnedPermutationConfig { len }).expect("a valid sample"))
        },
    };

    /// Checks the size.
    ///
    /// # Errors
    /// A size of 0, or above 2²⁴ (which scores in single precision cannot
    /// number).
    pub fn new(config: LearnedPermutationConfig) -> Result<Self, LinearError> {
        refuse_zeros(Self::KIND, &[("the number of values", config.len)])?;
        if config.len > MOST {
            return Err(LinearError::TooLarge {
                kind: Self::KIND,
                what: format!("a score for each of {} values", config.len),
            });
        }
        let shape = Shape::flat(config.len);
        Ok(Self {
            input: shape.clone(),
            output: shape,
        })
    }

    /// π: for each output, the input that it takes under these scores.
    pub fn order(scores: &[f32]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        order
    }
}

impl Factored for LearnedPermutation {
    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let scores = p.weight;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // Selection, not sorting: a row at a time needs one position.
        let by_score = |a: &usize, b: &usize| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b));
        let (_, &mut input, _) = order.select_nth_unstable_by(row, by_score);
        out[input] += alpha;
    }

    fn multiply(&self, weight: &[f32], x: &[f32], y: &mut [f32]) {
        for (y, i) in y.iter_mut().zip(Self::order(weight)) {
            *y = x[i];
        }
    }

    fn nearest(&self, dense: &[f32]) -> Vec<f32> {
        let n = self.input.len();
        let largest = dense.iter().fold(0.0f64, |m, &w| m.max(f64::from(w).abs()));
        let scale = if largest > 0.0 {
            COST_SCALE / largest
        } else {
            0.0
        };
        let gain = |&w: &f32| (f64::from(w) * scale).round() as i64;
        let gains = Matrix::from_vec(n, n, dense.iter().map(gain).collect());
        let (_, order) = kuhn_munkres(&gains.expect("n×n values"));
        let mut scores = vec![0.0; n];
        for (rank, input) in order.into_iter().enumerate() {
            scores[input] = rank as f32;
        }
        scores
    }
}

impl StructuredMap for LearnedPermutation {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.input.len()]
    }

    fn bias_len(&self) -> usize {
        0
    }

    fn has_bias(&self) -> bool {
        false
    }

    fn bias_index(&self, _: usize) -> usize {
        unreachable!("{} has no bias", Self::KIND)
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Factored(self)
    }

    /// Comparisons alone, which do not count.
    fn flops(&self) -> u64 {
        0
    }
}
