//! Projection and structure energies, against an orthonormal basis of the
//! map's subspace and against brute force.

use std::any::Any;

use imlp_linear::{
    Conv2d, Conv2dConfig, Kronecker, LearnedPermutation, LearnedPermutationConfig, LowRank,
    Padding, PaddingMode, RowSegment, Sampler, Shape, Structure, StructuredMap, Tied, TokenMixing,
    TokenMixingConfig, parse_layer,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Case, Random, U, for_every_kind};

/// Larger random maps are left out where a basis is built.
const MOST_WEIGHTS: usize = 120;

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

/// The dense equivalent of each unit weight; of a map without weight, its one
/// matrix.
fn generators(case: &Case) -> Vec<Vec<f64>> {
    let n = case.map.weight_len();
    if n == 0 {
        return vec![wide(&case.dense_of(&[]))];
    }
    let unit = |k: usize| {
        let mut weight = vec![0.0; n];
        weight[k] = 1.0;
        wide(&case.dense_of(&weight))
    };
    (0..n).map(unit).collect()
}

/// Gram-Schmidt, twice per vector (once leaves rounding).
fn orthonormal(vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for vector in vectors {
        let mut rest = vector.clone();
        for _ in 0..2 {
            for q in &basis {
                let along = inner(q, &rest);
                rest.iter_mut().zip(q).for_each(|(r, q)| *r -= along * q);
            }
        }
        let norm = inner(&rest, &rest).sqrt();
        if norm > 1e-9 * inner(vector, vector).sqrt() && norm > 0.0 {
            basis.push(rest.into_iter().map(|r| r / norm).collect());
        }
    }
    basis
}

fn is_linear(case: &Case) -> bool {
    matches!(case.map.structure(), Structure::Tied(_))
}

#[test]
fn the_dense_equivalent_projects_back_to_its_parameters() {
    for_every_kind(|case| {
        let dense = case.map.dense(case.parameters()).unwrap();
        let found = case.map.project(&dense.weight, Some(&dense.bias)).unwrap();
        let again = case.map.dense(found.parameters()).unwrap();
        let largest = wide(&dense.weight)
            .iter()
            .fold(0.0f64, |m, v| m.max(v.abs()));
        // Singular vectors and least squares in double precision, then one
        // rounding of each factor.
        let close = |a: &[f32], b: &[f32], tolerance: f64| {
            a.iter()
                .zip(b)
                .all(|(a, b)| f64::from((a - b).abs()) <= tolerance)
        };
        assert!(
            close(&again.weight, &dense.weight, 64.0 * U * largest),
            "{:?}",
            case.map
        );
        assert_eq!(again.bias.len(), dense.bias.len());
        assert!(close(&again.bias, &dense.bias, 2.0 * U * 2.0));
        let determined = case.map.dimension().unwrap() == Some(case.map.weight_len());
        if determined {
            assert!(close(&found.weight, &case.weight, 1e-5), "{:?}", case.map);
        }
        if let Some(lost) = found.lost {
            assert!(lost <= 1e-10, "lost {lost}");
            assert!((found.energy.fraction().unwrap() - 1.0).abs() <= 1e-10);
            assert!((found.energy.locality().unwrap() - 1.0).abs() <= 1e-10);
            assert!((found.energy.sharing().unwrap() - 1.0).abs() <= 1e-10);
        }
        if let Some(lost) = found.bias_lost {
            assert!(lost <= 1e-10, "bias lost {lost}");
        }
    });
}

#[test]
fn projection_is_orthogonal_and_energies_are_those_of_the_subspace() {
    for_every_kind(|mut case| {
        if !is_linear(&case) {
            assert_eq!(case.map.dimension().unwrap(), None);
            return;
        }
        // Orthogonalising costs weights² · entries.
        if case.map.weight_len() > MOST_WEIGHTS {
            return;
        }
        let (w, _) = case.twin();
        let dense = wide(&w);
        let generators = generators(&case);
        let basis = orthonormal(&generators);
        let found = case.map.project(&w, None).unwrap();
        assert_eq!(found.energy, case.map.energy(&w).unwrap());
        assert_eq!(
            case.map.dimension().unwrap(),
            Some(basis.len()),
            "{:?}",
            case.map
        );

        let total = inner(&dense, &dense);
        let support = case.support();
        let inside = dense.iter().zip(&support).filter(|(_, s)| **s);
        let inside: f64 = inside.map(|(w, _)| w * w).sum();
        let explained: f64 = basis.iter().map(|q| inner(q, &dense).powi(2)).sum();
        for (what, got, want) in [
            ("total", found.energy.total, total),
            ("support", found.energy.support, inside),
            ("explained", found.energy.explained, explained),
        ] {
            assert!(
                (got - want).abs() <= 1e-9 * total,
                "{what}: {got}, expected {want}"
            );
        }
        for share in [
            found.energy.fraction(),
            found.energy.locality(),
            found.energy.sharing(),
        ] {
            assert!(share.is_none_or(|s| (0.0..=1.0).contains(&s)));
        }

        let near = wide(&case.dense_of(&found.weight));
        let rest: Vec<f64> = dense.iter().zip(&near).map(|(w, p)| w - p).collect();
        let lost = inner(&rest, &rest) / total;
        assert!(
            (found.lost.unwrap() - lost).abs() <= 1e-6,
            "lost {:?}, {lost}",
            found.lost
        );
        if case.map.weight_len() > 0 {
            for (k, a) in generators.iter().enumerate() {
                let along = inner(a, &rest).abs();
                // The parameters are rounded to single precision.
                let tolerance = 4.0 * U * inner(a, a).sqrt() * inner(&near, &near).sqrt();
                assert!(
                    along <= tolerance.max(1e-9),
                    "weight {k}: {along} > {tolerance}"
                );
            }
            let size = inner(&near, &near).sqrt().max(1.0);
            let again = case
                .map
                .project(&case.dense_of(&found.weight), None)
                .unwrap();
            for (a, b) in again.weight.iter().zip(&found.weight) {
                assert!(
                    f64::from((a - b).abs()) <= 64.0 * U * size,
                    "idempotent: {a}, {b}"
                );
            }
        }
    });
}

#[test]
fn no_parameters_are_nearer_than_the_projection() {
    for_every_kind(|mut case| {
        let (w, b) = case.twin();
        let found = case.map.project(&w, Some(&b)).unwrap();
        let distance = |case: &Case, weight: &[f32]| -> f64 {
            let p = wide(&case.dense_of(weight));
            p.iter()
                .zip(&w)
                .map(|(p, w)| (p - f64::from(*w)).powi(2))
                .sum()
        };
        let total = inner(&wide(&w), &wide(&w));
        let nearest = distance(&case, &found.weight);
        assert!((nearest / total - found.lost.unwrap()).abs() <= 1e-6);
        for _ in 0..8 {
            let step = case.random.0.random_range(0.001..0.5f32);
            let moved = found.weight.iter();
            let moved: Vec<f32> = moved
                .map(|v| v + step * case.random.0.random_range(-1.0..1.0))
                .collect();
            assert!(distance(&case, &moved) >= nearest - 1e-6 * total);
        }
        // The bias: the mean of the outputs that share it.
        if let Some(bias) = &found.bias {
            for (k, bias) in bias.iter().enumerate() {
                let shared: Vec<f64> = (0..b.len())
                    .filter(|&row| case.map.bias_index(row) == k)
                    .map(|row| b[row].into())
                    .collect();
                let mean = shared.iter().sum::<f64>() / shared.len() as f64;
                assert!((f64::from(*bias) - mean).abs() <= 4.0 * U);
            }
        } else {
            assert!((found.bias_lost.unwrap() - 1.0).abs() <= 1e-12);
        }
    });
}

/// Eigenvalues of a symmetric matrix by cyclic Jacobi rotations, descending.
fn eigenvalues(mut a: Vec<Vec<f64>>) -> Vec<f64> {
    let n = a.len();
    for _ in 0..60 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (upper, lower) = a.split_at_mut(q);
                for (a, b) in upper[p].iter_mut().zip(&mut lower[0]) {
                    (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| a[i][i]).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// Squares of the singular values of a matrix `[rows, columns]`, descending.
fn squared_singular_values(
    entries: &dyn Fn(usize, usize) -> f64,
    rows: usize,
    columns: usize,
) -> Vec<f64> {
    let gram = |i: usize, j: usize| (0..rows).map(|r| entries(r, i) * entries(r, j)).sum();
    eigenvalues(
        (0..columns)
            .map(|i| (0..columns).map(|j| gram(i, j)).collect())
            .collect(),
    )
}

#[test]
fn low_rank_and_kronecker_explain_the_leading_singular_values() {
    for_every_kind(|mut case| {
        let (w, _) = case.twin();
        let (rows, columns) = (case.map.out_len(), case.map.in_len());
        let any = case.map.as_any();
        let explained = if let Some(map) = any.downcast_ref::<LowRank>() {
            let entry = |i: usize, j: usize| f64::from(w[i * columns + j]);
            squared_singular_values(&entry, rows, columns)
                .iter()
                .take(map.rank())
                .sum()
        } else if let Some(map) = any.downcast_ref::<Kronecker>() {
            let ([s, d], [t, c]) = (map.config().input, map.config().output);
            // Row (t, s), column (c, d) of the rearranged matrix.
            let entry = |ts: usize, cd: usize| {
                let row = (ts / s) * c + cd / d;
                f64::from(w[row * s * d + (ts % s) * d + cd % d])
            };
            squared_singular_values(&entry, t * s, c * d)[0]
        } else {
            return;
        };
        let energy = case.map.energy(&w).unwrap();
        assert!(
            (energy.explained - explained).abs() <= 1e-5 * energy.total,
            "{energy:?}, {explained}"
        );
        assert_eq!(energy.support, energy.total);
    });
}

#[test]
fn the_nearest_permutation_is_the_best_of_all() {
    fn best(w: &[f32], n: usize, row: usize, taken: &mut Vec<bool>) -> f64 {
        if row == n {
            return 0.0;
        }
        let mut most = f64::NEG_INFINITY;
        for column in 0..n {
            if !taken[column] {
                taken[column] = true;
                most = most.max(f64::from(w[row * n + column]) + best(w, n, row + 1, taken));
                taken[column] = false;
            }
        }
        most
    }
    let mut random = Random(StdRng::seed_from_u64(11));
    for _ in 0..60 {
        let n = random.between(1, 6);
        let map = LearnedPermutation::new(LearnedPermutationConfig { len: n }).unwrap();
        let w = random.vector(n * n);
        let found = map.project(&w, None).unwrap();
        let order = LearnedPermutation::order(&found.weight);
        let gain: f64 = order
            .iter()
            .enumerate()
            .map(|(o, &i)| f64::from(w[o * n + i]))
            .sum();
        let most = best(&w, n, 0, &mut vec![false; n]);
        assert!((gain - most).abs() <= 1e-5, "{gain} of {most}");
        let energy = most.max(0.0).powi(2) / n as f64;
        assert!((found.energy.explained - energy).abs() <= 1e-4 * found.energy.total);
    }
}

/// A standard normal number (Box & Muller 1958).
fn normal(random: &mut Random) -> f32 {
    let (u, v): (f64, f64) = (
        random.0.random_range(f64::MIN_POSITIVE..1.0),
        random.0.random(),
    );
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

/// Of ‖W‖² of a Gaussian matrix a subspace of dimension d of n explains a
/// share with the distribution Beta(d/2, (n−d)/2).
#[test]
fn a_gaussian_matrix_has_the_energies_of_a_random_direction() {
    let mut random = Random(StdRng::seed_from_u64(5));
    for text in [
        "conv2d(in=2,out=3,kernel=3x2,stride=1x2,padding=1,input=4x5)",
        "conv2d(in=2,out=2,kernel=3,padding=1,padding_mode=reflect,groups=2,input=4x3)",
        "token-mixing(in=4,out=3,channels=3)",
        "locally-connected2d(in=2,out=1,kernel=2,input=4x3)",
        "circulant(in=9)",
        "avg-pool2d(in=2,kernel=2,input=4x4)",
    ] {
        let map = parse_layer(text, false).unwrap();
        let size = (map.in_len() * map.out_len()) as f64;
        let dimension = map.dimension().unwrap().unwrap() as f64;
        let support = map.support().unwrap().len() as f64;
        let samples = 300;
        let mut means = [0.0; 3];
        for _ in 0..samples {
            let w: Vec<f32> = (0..size as usize).map(|_| normal(&mut random)).collect();
            let energy = map.energy(&w).unwrap();
            let shares = [energy.fraction(), energy.locality(), energy.sharing()];
            for (mean, share) in means.iter_mut().zip(shares) {
                *mean += share.unwrap() / f64::from(samples);
            }
        }
        for (what, mean, part, whole) in [
            ("fraction", means[0], dimension, size),
            ("locality", means[1], support, size),
            ("sharing", means[2], dimension, support),
        ] {
            let expected = part / whole;
            let variance = 2.0 * part * (whole - part) / (whole * whole * (whole + 2.0));
            let error = (variance / f64::from(samples)).sqrt();
            assert!(
                (mean - expected).abs() <= 4.5 * error + 1e-12,
                "{text}, {what}: {mean}, expected {expected} ± {error}"
            );
        }
    }
}

#[test]
fn weights_that_reach_nothing_are_zero_and_not_counted() {
    // The outer entries of the kernel only ever meet the padding.
    let conv = Conv2d::new(Conv2dConfig {
        padding: Padding::symmetric([1, 1]),
        bias: false,
        ..Conv2dConfig::new([1, 1, 1], 1, [3, 3])
    })
    .unwrap();
    let found = conv.project(&[2.0], None).unwrap();
    assert_eq!(found.weight, [0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(conv.dimension().unwrap(), Some(1));

    // On a torus of one pixel all nine meet it: the least norm shares equally.
    let conv = Conv2d::new(Conv2dConfig {
        padding_mode: PaddingMode::Circular,
        ..*conv.config()
    })
    .unwrap();
    let found = conv.project(&[2.0], None).unwrap();
    for w in &found.weight {
        assert!((w - 2.0 / 9.0).abs() <= 1e-6, "{w}");
    }
    assert_eq!(conv.dimension().unwrap(), Some(1));
}

#[test]
fn zero_and_non_finite_matrices() {
    let map = TokenMixing::new(TokenMixingConfig {
        tokens_in: 3,
        tokens_out: 2,
        channels: 2,
        bias: true,
    })
    .unwrap();
    let zeros = vec![0.0; 24];
    let found = map.project(&zeros, Some(&[0.0; 4])).unwrap();
    assert_eq!(found.weight, [0.0; 6]);
    assert_eq!((found.lost, found.bias_lost), (None, None));
    let energy = found.energy;
    assert_eq!(
        (energy.fraction(), energy.locality(), energy.sharing()),
        (None, None, None)
    );

    let mut bad = zeros.clone();
    bad[7] = f32::NAN;
    let message = map.project(&bad, None).unwrap_err().to_string();
    assert!(
        message.contains("token-mixing") && message.contains("[1, 1]"),
        "{message}"
    );
    assert!(map.energy(&bad).is_err());
    let message = map.project(&zeros, Some(&[0.0, f32::INFINITY, 0.0, 0.0]));
    assert!(message.unwrap_err().to_string().contains("bias[1]"));
    assert!(map.project(&zeros[1..], None).is_err());
    assert!(map.project(&zeros, Some(&[0.0; 3])).is_err());
}

/// A map of its own whose weight meets itself: `y = w·x + w·x`.
#[derive(Debug)]
struct Doubled(Shape);

impl Tied for Doubled {
    fn segments(&self, _: usize, visit: &mut dyn FnMut(RowSegment)) {
        visit(RowSegment::contiguous(0, 0, 1));
        visit(RowSegment::contiguous(0, 0, 1));
    }
}

impl StructuredMap for Doubled {
    fn kind(&self) -> &'static str {
        "doubled"
    }

    fn in_shape(&self) -> &Shape {
        &self.0
    }

    fn out_shape(&self) -> &Shape {
        &self.0
    }

    fn weight_shape(&self) -> Vec<usize> {
        vec![1]
    }

    fn bias_len(&self) -> usize {
        0
    }

    fn has_bias(&self) -> bool {
        false
    }

    fn bias_index(&self, _: usize) -> usize {
        unreachable!("it has no bias")
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        4
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[test]
fn a_weight_may_meet_itself_in_one_entry() {
    let map = Doubled(Shape::flat(1));
    let found = map.project(&[3.0], None).unwrap();
    assert_eq!(found.weight, [1.5]);
    assert_eq!(found.energy.fraction(), Some(1.0));
    assert_eq!(map.sparse(found.parameters()).unwrap().values, [3.0]);
    assert_eq!(map.tie_groups().unwrap().count, 1);
}
