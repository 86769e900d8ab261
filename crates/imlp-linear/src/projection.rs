//! From a dense matrix back to the nearest parameters, and how much of the
//! matrix they explain.
//!
//! For a map that is linear in its weight, `vec(W_P) = A·w`. The nearest
//! weight solves the normal equations `AᵀA·w = Aᵀ·vec(W)`. `AᵀA` is diagonal
//! (how often each weight is used) unless several weights add up in one entry
//! (padding that repeats pixels). It is then block diagonal with small blocks;
//! each is solved by its eigendecomposition, with 0 along its null space (the
//! solution of least norm). Björck 1996, Numerical Methods for
//! Least Squares Problems, §1.2.

use std::collections::{BTreeMap, HashMap};

use faer::{Mat, Side};

use crate::arithmetic::sum_of_squares;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::parameters::Parameters;
use crate::structure::{Structure, Tied};
use crate::support::{Term, refuse_wide, row_terms};

/// Eigenvalues below this fraction of the largest are rounding errors: the
/// blocks hold small counts, whose eigenvalues are not that far apart.
const RANK_TOLERANCE: f64 = 1e-10;

/// How much of a dense matrix W a map's structure explains, as sums of
/// squares.
///
/// The map's subspace is the span of its dense equivalents; for a map
/// without weight, the multiples of its one matrix; for a map that is not
/// linear in its weight, the non-negative multiples of its nearest one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energy {
    /// ‖W‖², over all entries.
    pub total: f64,
    /// ‖W‖² over the entries in the support.
    pub support: f64,
    /// ‖projection of W onto the subspace‖².
    pub explained: f64,
}

impl Energy {
    /// Share of ‖W‖² that the subspace explains: `locality · sharing`. `None`
    /// for W = 0.
    pub fn fraction(&self) -> Option<f64> {
        share(self.explained, self.total)
    }

    /// Share of ‖W‖² inside the support. `None` for W = 0.
    pub fn locality(&self) -> Option<f64> {
        share(self.support, self.total)
    }

    /// Share of the support's ‖W‖² that tied weights explain. `None` where W
    /// is 0 on the support.
    pub fn sharing(&self) -> Option<f64> {
        share(self.explained, self.support)
    }
}

/// The quotient, clamped to [0, 1] against rounding.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

/// The nearest parameters to a dense weight and bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Weight, of shape [`StructuredMap::weight_shape`].
    pub weight: Vec<f32>,
    /// Bias, of length [`StructuredMap::bias_len`], exactly when the map has
    /// one.
    pub bias: Option<Vec<f32>>,
    /// How much of the dense weight the structure explains.
    pub energy: Energy,
    /// ‖W − W_P‖² / ‖W‖² with these parameters: what is lost. `None` for
    /// W = 0. It is `1 − energy.fraction()`, except for a map without weight,
    /// whose one matrix cannot take W's scale.
    pub lost: Option<f64>,
    /// ‖b − b_P‖² / ‖b‖² of the bias. `None` without a bias or for b = 0.
    pub bias_lost: Option<f64>,
}

impl Projection {
    /// The parameters.
    pub fn parameters(&self) -> Parameters<'_> {
        Parameters {
            weight: &self.weight,
            bias: self.bias.as_deref(),
        }
    }
}

/// `map.project`, of matching lengths.
pub(crate) fn project<M: StructuredMap + ?Sized>(
    map: &M,
    dense: &[f32],
    dense_bias: Option<&[f32]>,
) -> Result<Projection, LinearError> {
    refuse_not_finite(map, "bias", dense_bias.unwrap_or_default())?;
    let Nearest {
        weight,
        energy,
        inner,
        norm,
    } = nearest(map, dense)?;
    let lost = energy.total - 2.0 * inner + norm;
    let bias = map.has_bias().then(|| mean_bias(map, dense_bias));
    let bias_lost = dense_bias.and_then(|dense| {
        let square = |v: f64| v * v;
        let total: f64 = dense.iter().map(|&b| square(b.into())).sum();
        let at = |row| {
            bias.as_ref()
                .map_or(0.0, |bias: &Vec<f32>| bias[map.bias_index(row)])
        };
        let terms = dense.iter().enumerate();
        let lost: f64 = terms
            .map(|(row, &b)| square(f64::from(b) - f64::from(at(row))))
            .sum();
        share(lost, total)
    });
    Ok(Projection {
        weight,
        bias,
        energy,
        lost: (energy.total > 0.0).then(|| (lost / energy.total).max(0.0)),
        bias_lost,
    })
}

/// `map.energy`, of matching length.
pub(crate) fn energy<M: StructuredMap + ?Sized>(
    map: &M,
    dense: &[f32],
) -> Result<Energy, LinearError> {
    Ok(nearest(map, dense)?.energy)
}

/// `map.dimension`: the dimension of the subspace.
pub(crate) fn dimension<M: StructuredMap + ?Sized>(map: &M) -> Result<Option<usize>, LinearError> {
    refuse_wide(map)?;
    Ok(match map.structure() {
        Structure::Tied(tied) => Some(NormalEquations::new(map, tied, None).solve().1),
        Structure::Factored(_) => None,
    })
}

/// The nearest weight P of W, with `⟨W, P⟩` and `‖P‖²` of its dense
/// equivalent.
struct Nearest {
    weight: Vec<f32>,
    energy: Energy,
    inner: f64,
    norm: f64,
}

fn nearest<M: StructuredMap + ?Sized>(map: &M, dense: &[f32]) -> Result<Nearest, LinearError> {
    refuse_wide(map)?;
    let total = sum_of_squares(dense);
    // Squares of finite single-precision numbers do not overflow here.
    if !total.is_finite() {
        refuse_not_finite(map, "weight", dense)?;
    }
    let result = |weight, support: f64, explained: f64, inner, norm| Nearest {
        weight,
        energy: Energy {
            total,
            support,
            explained: explained.clamp(0.0, support),
        },
        inner,
        norm,
    };
    Ok(match map.structure() {
        Structure::Tied(tied) => {
            let equations = NormalEquations::new(map, tied, Some(dense));
            let (weight, _) = equations.solve();
            // ‖A·w‖² = wᵀ·AᵀA·w = wᵀ·Aᵀ·vec(W).
            let terms = weight.iter().zip(&equations.right);
            let explained = terms.map(|(w, r)| w * r).sum();
            if map.weight_len() == 0 {
                let (inner, norm) = (equations.right[0], equations.diagonal[0]);
                result(Vec::new(), equations.support, explained, inner, norm)
            } else {
                let weight = weight.into_iter().map(|w| w as f32).collect();
                result(weight, equations.support, explained, explained, explained)
            }
        }
        Structure::Factored(factored) => {
            let weight = factored.nearest(dense);
            let p = Parameters {
                weight: &weight,
                bias: None,
            };
            let (mut inner, mut norm) = (0.0, 0.0);
            let mut line = vec![0.0f32; map.in_len()];
            for (row, dense) in dense.chunks_exact(map.in_len()).enumerate() {
                line.fill(0.0);
                factored.add_row(p, row, 1.0, &mut line);
                for (&w, &p) in dense.iter().zip(&line) {
                    inner += f64::from(w) * f64::from(p);
                    norm += f64::from(p) * f64::from(p);
                }
            }
            let explained = if norm > 0.0 {
                inner.max(0.0).powi(2) / norm
            } else {
                0.0
            };
            result(weight, total, explained, inner, norm)
        }
    })
}

/// The nearest bias: the mean of the dense bias over the outputs that share an
/// entry.
fn mean_bias<M: StructuredMap + ?Sized>(map: &M, dense: Option<&[f32]>) -> Vec<f32> {
    let mut sums = vec![(0.0f64, 0usize); map.bias_len()];
    for (row, &b) in dense.unwrap_or_default().iter().enumerate() {
        let (sum, count) = &mut sums[map.bias_index(row)];
        *sum += f64::from(b);
        *count += 1;
    }
    let mean = |(sum, count): (f64, usize)| (sum / count.max(1) as f64) as f32;
    sums.into_iter().map(mean).collect()
}

/// Names the first value that is not finite.
fn refuse_not_finite<M: StructuredMap + ?Sized>(
    map: &M,
    what: &'static str,
    values: &[f32],
) -> Result<(), LinearError> {
    let Some(i) = values.iter().position(|v| !v.is_finite()) else {
        return Ok(());
    };
    let position = if what == "weight" {
        format!("[{}, {}]", i / map.in_len(), i % map.in_len())
    } else {
        format!("[{i}]")
    };
    Err(LinearError::NotFinite {
        kind: map.kind(),
        what,
        position,
        value: values[i],
    })
}

/// `AᵀA·w = Aᵀ·vec(W)`, one equation per weight (one in all for a map without
/// weight).
struct NormalEquations {
    diagonal: Vec<f64>,
    /// Upper triangle off the diagonal.
    off_diagonal: HashMap<(u32, u32), f64>,
    right: Vec<f64>,
    /// ‖W‖² over the support.
    support: f64,
}

impl NormalEquations {
    /// Without `dense`, only the left side.
    fn new<M: StructuredMap + ?Sized>(map: &M, tied: &dyn Tied, dense: Option<&[f32]>) -> Self {
        let size = map.weight_len().max(1);
        let mut equations = Self {
            diagonal: vec![0.0; size],
            off_diagonal: HashMap::new(),
            right: vec![0.0; size],
            support: 0.0,
        };
        let mut terms = Vec::new();
        for row in 0..map.out_len() {
            row_terms(tied, row, &mut terms);
            let line = dense.map(|dense| &dense[row * map.in_len()..][..map.in_len()]);
            for entry in terms.chunk_by(|a, b| a.column == b.column) {
                let w = line.map_or(0.0, |line| f64::from(line[entry[0].column as usize]));
                equations.add(entry, w);
            }
        }
        equations
    }

    /// One entry of the support: its terms, and the dense matrix's value there.
    fn add(&mut self, entry: &[Term], w: f64) {
        self.support += w * w;
        for (i, a) in entry.iter().enumerate() {
            let (k, f) = (a.weight as usize, f64::from(a.factor));
            self.diagonal[k] += f * f;
            self.right[k] += f * w;
            for b in &entry[..i] {
                let product = f * f64::from(b.factor);
                if a.weight == b.weight {
                    self.diagonal[k] += 2.0 * product;
                } else {
                    let key = (a.weight.min(b.weight), a.weight.max(b.weight));
                    *self.off_diagonal.entry(key).or_default() += product;
                }
            }
        }
    }

    /// The solution of least norm, and the rank of the left side.
    fn solve(&self) -> (Vec<f64>, usize) {
        let mut solution = vec![0.0; self.right.len()];
        let mut rank = 0;
        let blocks = self.blocks();
        let mut coupled = vec![false; self.right.len()];
        for block in &blocks {
            for &k in block {
                coupled[k] = true;
            }
            rank += self.solve_block(block, &mut solution);
        }
        for k in (0..self.right.len()).filter(|&k| !coupled[k] && self.diagonal[k] > 0.0) {
            solution[k] = self.right[k] / self.diagonal[k];
            rank += 1;
        }
        (solution, rank)
    }

    /// The sets of weights that add up in some entry, directly or through others.
    fn blocks(&self) -> Vec<Vec<usize>> {
        let mut parent: HashMap<u32, u32> = HashMap::new();
        fn root(parent: &mut HashMap<u32, u32>, mut k: u32) -> u32 {
            while let Some(&up) = parent.get(&k).filter(|&&up| up != k) {
                let above = parent.get(&up).copied().unwrap_or(up);
                parent.insert(k, above);
                k = above;
            }
            parent.entry(k).or_insert(k);
            k
        }
        for &(a, b) in self.off_diagonal.keys() {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent.insert(a.max(b), a.min(b));
        }
        let mut weights: Vec<u32> = parent.keys().copied().collect();
        weights.sort_unstable();
        let mut blocks: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for k in weights {
            let root = root(&mut parent, k);
            blocks.entry(root).or_default().push(k as usize);
        }
        blocks.into_values().collect()
    }

    fn solve_block(&self, block: &[usize], solution: &mut [f64]) -> usize {
        let at = |i: usize, j: usize| {
            let (a, b) = (block[i].min(block[j]), block[i].max(block[j]));
            if a == b {
                self.diagonal[a]
            } else {
                let key = (a as u32, b as u32);
                self.off_diagonal.get(&key).copied().unwrap_or(0.0)
            }
        };
        let left = Mat::from_fn(block.len(), block.len(), at);
        let eigen = left
            .self_adjoint_eigen(Side::Lower)
            .expect("a finite symmetric matrix has eigenvectors");
        let (values, vectors) = (eigen.S().column_vector(), eigen.U());
        let largest = (0..block.len()).map(|j| values[j]).fold(0.0, f64::max);
        let mut rank = 0;
        for j in (0..block.len()).filter(|&j| values[j] > RANK_TOLERANCE * largest) {
            rank += 1;
            let inner: f64 = (0..block.len())
                .map(|i| vectors[(i, j)] * self.right[block[i]])
                .sum();
            for (i, &k) in block.iter().enumerate() {
                solution[k] += vectors[(i, j)] * inner / values[j];
            }
        }
        rank
    }
}
