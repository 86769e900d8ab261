//! Every registered map against an oracle written from its definition.
//!
//! A map joins by being in `REGISTRY`; without an oracle of its name in
//! `tests/oracles` these tests fail.
//!
//! Tolerance. With u = 2⁻²⁴ (half a unit in the last place of f32), a sum of n
//! products of f32 errs by at most about (n + 3)·u·Σ|wᵢ·xᵢ| in any order (Higham
//! 2002, Accuracy and Stability of Numerical Algorithms, §3.1; 3 covers the
//! bias, the rounding of 1/k in an average and second-order terms). n is taken
//! as the input length, and Σ|wᵢ·xᵢ| + |b| is the oracle itself applied to
//! absolute values, so the bound follows the data and needs no tuning.

mod oracles;

use std::collections::BTreeSet;

use imlp_linear::{Alpha, Parameters, REGISTRY, Sampler, StructuredMap};
use oracles::{ORACLES, Oracle, oracle};
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Half a unit in the last place of f32, relative.
const U: f64 = f32::EPSILON as f64 / 2.0;

/// proptest's default number of cases per kind, and never fewer than these.
const FEWEST_CASES: u32 = 64;

struct Random(StdRng);

impl Sampler for Random {
    fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }
}

impl Random {
    fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.0.random_range(-2.0..2.0)).collect()
    }

    /// Strictly between 0 and 1, sometimes very close to an end.
    fn alpha(&mut self) -> Alpha {
        let value: f64 = self.0.random_range(1e-6..0.999_999);
        Alpha::new(match self.between(0, 5) {
            0 => 1e-12 * value,
            1 => 1.0 - 1e-7 * value,
            _ => value,
        })
        .unwrap()
    }
}

/// A random map with random parameters, and its oracle.
struct Case {
    random: Random,
    map: Box<dyn StructuredMap>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    oracle: &'static Oracle,
}

impl Case {
    fn parameters(&self) -> Parameters<'_> {
        Parameters {
            weight: &self.weight,
            bias: self.bias.as_deref(),
        }
    }

    /// A random dense weight and bias to write into.
    fn twin(&mut self) -> (Vec<f32>, Vec<f32>) {
        let (out, inputs) = (self.map.out_len(), self.map.in_len());
        (self.random.vector(out * inputs), self.random.vector(out))
    }

    /// The oracle's answer and, from absolute values, its tolerance.
    fn expected(&self, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let bias = self.bias.as_deref().unwrap_or(&[]);
        let with = |f: fn(f32) -> f64| {
            let convert = |v: &[f32]| v.iter().map(|&v| f(v)).collect::<Vec<_>>();
            (self.oracle.apply)(
                &*self.map,
                &convert(&self.weight),
                &convert(bias),
                &convert(x),
            )
        };
        let terms = x.len() as f64 + 3.0;
        let magnitude = with(|v| f64::from(v.abs()));
        let tolerance = magnitude.iter().map(|m| terms * U * m).collect();
        (with(f64::from), tolerance)
    }
}

/// Runs `test` on many random maps of every registered kind.
fn for_every_kind(test: fn(Case)) {
    for registration in REGISTRY {
        let oracle = oracle(registration.kind);
        let defaults = Config::default();
        let mut runner = TestRunner::new(Config {
            cases: defaults.cases.max(FEWEST_CASES),
            // Smaller seeds are not simpler cases.
            max_shrink_iters: 0,
            failure_persistence: None,
            ..defaults
        });
        let outcome = runner.run(&any::<u64>(), |seed| {
            let mut random = Random(StdRng::seed_from_u64(seed));
            let map = (registration.sample)(&mut random);
            let weight = random.vector(map.weight_len());
            let bias = map.has_bias().then(|| random.vector(map.bias_len()));
            test(Case {
                random,
                map,
                weight,
                bias,
                oracle,
            });
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("map `{}`: {error}", registration.kind);
        }
    }
}

#[track_caller]
fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, ((got, want), tolerance)) in got.iter().zip(want).zip(tolerance).enumerate() {
        let error = (got - want).abs();
        assert!(
            error <= *tolerance,
            "{what}[{i}] = {got}, expected {want} ± {tolerance}"
        );
    }
}

/// `a·x + b·y` elementwise in double precision, rounded as `a·x + b·y` of f32
/// may be: both coefficients, both products and the sum.
#[track_caller]
fn assert_combination(what: &str, got: &[f32], (a, x): (f64, &[f32]), (b, y): (f64, &[f32])) {
    let got: Vec<f64> = got.iter().map(|&v| v.into()).collect();
    let terms = x.iter().zip(y);
    let terms = terms.map(|(&x, &y)| (a * f64::from(x), b * f64::from(y)));
    let (want, tolerance): (Vec<_>, Vec<_>) = terms
        .map(|(l, r)| (l + r, 4.0 * U * (l.abs() + r.abs())))
        .unzip();
    assert_close(what, &got, &want, &tolerance);
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// As [`bits`], with all NaN alike.
fn numbers(values: &[f32]) -> Vec<u32> {
    let number = |v: &f32| if v.is_nan() { f32::NAN } else { *v }.to_bits();
    values.iter().map(number).collect()
}

fn transpose(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns;
    let entry = |i: usize| matrix[(i % rows) * columns + i / rows];
    (0..matrix.len()).map(entry).collect()
}

/// Puts NaN, infinity and −0 at random places.
fn poison(random: &mut Random, values: &mut [f32]) {
    for special in [f32::NAN, f32::NEG_INFINITY, -0.0, f32::NAN] {
        let i = random.between(0, values.len() - 1);
        values[i] = special;
    }
}

#[test]
fn every_registered_kind_has_one_oracle_and_every_oracle_one_kind() {
    let registered: Vec<_> = REGISTRY.iter().map(|r| r.kind).collect();
    let tested: Vec<_> = ORACLES.iter().map(|o| o.kind).collect();
    let unique = |kinds: &[&'static str]| kinds.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(unique(&registered).len(), registered.len());
    assert_eq!(unique(&tested).len(), tested.len());
    assert_eq!(unique(&registered), unique(&tested));
}

#[test]
fn samples_are_of_their_kind_with_and_without_bias() {
    for registration in REGISTRY {
        let mut random = Random(StdRng::seed_from_u64(7));
        let samples: Vec<_> = (0..64)
            .map(|_| (registration.sample)(&mut random))
            .collect();
        assert!(samples.iter().all(|map| map.kind() == registration.kind));
        let with_bias = samples.iter().filter(|map| map.has_bias()).count();
        if samples[0].bias_len() > 0 {
            assert!((1..64).contains(&with_bias), "{}", registration.kind);
        } else {
            assert_eq!(with_bias, 0, "{}", registration.kind);
        }
        assert!(!registration.source.is_empty());
    }
}

#[test]
fn apply_is_the_layer() {
    for_every_kind(|mut case| {
        let x = case.random.vector(case.map.in_len());
        let (want, tolerance) = case.expected(&x);
        let mut y = vec![f32::NAN; case.map.out_len()];
        case.map.apply(case.parameters(), &x, &mut y);
        let y: Vec<_> = y.into_iter().map(f64::from).collect();
        assert_close("y", &y, &want, &tolerance);
    });
}

#[test]
fn the_dense_equivalent_is_the_layer() {
    for_every_kind(|mut case| {
        let x = case.random.vector(case.map.in_len());
        let (want, tolerance) = case.expected(&x);
        let dense = case.map.dense(case.parameters()).unwrap();
        let row = |o: usize| {
            let terms = dense.row(o).iter().zip(&x);
            let sum: f64 = terms.map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
            sum + f64::from(dense.bias[o])
        };
        let y: Vec<_> = (0..dense.out_len).map(row).collect();
        assert_close("W·x + b", &y, &want, &tolerance);
    });
}

#[test]
fn sizes_are_those_of_the_layer() {
    for_every_kind(|case| {
        let (weight, bias) = (case.oracle.lengths)(&*case.map);
        assert_eq!(case.map.weight_len(), weight);
        assert_eq!(case.map.bias_len(), bias);
        let present = if case.map.has_bias() { bias } else { 0 };
        assert_eq!(case.map.parameter_count(), weight + present);
        let dense = case.map.dense(case.parameters()).unwrap();
        let values = dense.weight.len() + dense.bias.len();
        assert_eq!(case.map.dense_bytes(), 4 * values as u64);
        assert!(case.map.flops() >= case.map.out_len() as u64);
    });
}

#[test]
fn add_row_touches_only_the_support() {
    for_every_kind(|mut case| {
        let (out, inputs) = (case.map.out_len(), case.map.in_len());
        // The support: outputs that move when one input does, with a weight of ones.
        let ones = vec![1.0; case.map.weight_len()];
        let mut support = vec![false; out * inputs];
        for i in 0..inputs {
            let mut x = vec![0.0; inputs];
            x[i] = 1.0;
            let y = (case.oracle.apply)(&*case.map, &ones, &[], &x);
            for (o, y) in y.iter().enumerate() {
                support[o * inputs + i] = *y != 0.0;
            }
        }
        // Adding anything, even 0, to −0 changes its sign; NaN spreads.
        case.weight.fill(f32::NAN);
        for row in 0..out {
            for alpha in [0.0, 1.0] {
                let mut line = vec![-0.0f32; inputs];
                case.map.add_row(case.parameters(), row, alpha, &mut line);
                for (i, v) in line.iter().enumerate() {
                    let touched = v.to_bits() != (-0.0f32).to_bits();
                    assert_eq!(touched, support[row * inputs + i], "row {row}, column {i}");
                }
            }
        }
    });
}

#[test]
fn scatter_add_adds_the_dense_equivalent() {
    for_every_kind(|mut case| {
        let (weight, bias) = case.twin();
        let alpha = case.random.0.random_range(-2.0f32..2.0);
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        case.map
            .scatter_add(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let dense = case.map.dense(p).unwrap();
        let alpha = f64::from(alpha);
        assert_combination("W", &w, (1.0, &weight), (alpha, &dense.weight));
        assert_combination("b", &b, (1.0, &bias), (alpha, &dense.bias));
    });
}

#[test]
fn interpolation_is_the_weighted_mean() {
    for_every_kind(|mut case| {
        let (weight, bias) = case.twin();
        let alpha = case.random.alpha();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let dense = case.map.dense(p).unwrap();
        let (kept, pulled) = (1.0 - alpha.get(), alpha.get());
        assert_combination("W", &w, (kept, &weight), (pulled, &dense.weight));
        assert_combination("b", &b, (kept, &bias), (pulled, &dense.bias));

        let mut without_bias = weight.clone();
        case.map
            .interpolate(p, alpha, &mut without_bias, None)
            .unwrap();
        assert_eq!(bits(&without_bias), bits(&w));
    });
}

#[test]
fn alpha_zero_changes_no_bit() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        poison(&mut case.random, &mut weight);
        poison(&mut case.random, &mut bias);
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        let alpha = Alpha::ZERO;
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!((bits(&w), bits(&b)), (bits(&weight), bits(&bias)));
        case.map
            .interpolate_transposed(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!((bits(&w), bits(&b)), (bits(&weight), bits(&bias)));
    });
}

#[test]
fn alpha_one_assigns_the_dense_equivalent_even_over_nan() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        poison(&mut case.random, &mut weight);
        poison(&mut case.random, &mut bias);
        let p = case.parameters();
        let dense = case.map.dense(p).unwrap();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        case.map
            .interpolate(p, Alpha::ONE, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!(
            (bits(&w), bits(&b)),
            (bits(&dense.weight), bits(&dense.bias))
        );
        let (mut w, mut b) = (weight, bias);
        case.map
            .interpolate_transposed(p, Alpha::ONE, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!(bits(&w), bits(&transpose(&dense.weight, dense.in_len)));
        assert_eq!(bits(&b), bits(&dense.bias));
    });
}

#[test]
fn transposed_interpolation_is_interpolation_transposed() {
    for_every_kind(|mut case| {
        let (mut weight, bias) = case.twin();
        poison(&mut case.random, &mut weight);
        let alpha = case.random.alpha();
        let p = case.parameters();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let (mut t, mut b_t) = (transpose(&weight, case.map.in_len()), bias);
        case.map
            .interpolate_transposed(p, alpha, &mut t, Some(&mut b_t))
            .unwrap();
        assert_eq!(numbers(&t), numbers(&transpose(&w, case.map.in_len())));
        assert_eq!(bits(&b), bits(&b_t));
    });
}

#[test]
fn wrong_lengths_are_refused_before_anything_is_written() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        let before = (bits(&weight), bits(&bias));
        let p = case.parameters();
        let longer = vec![0.0; p.weight.len() + 1];
        let wrong = Parameters {
            weight: &longer,
            ..p
        };
        let alpha = Alpha::new(0.5).unwrap();
        let map = &case.map;
        assert!(map.check(p).is_ok());
        assert!(
            map.interpolate(wrong, alpha, &mut weight, Some(&mut bias))
                .is_err()
        );
        assert!(
            map.scatter_add(wrong, 1.0, &mut weight, Some(&mut bias))
                .is_err()
        );
        assert!(map.dense(wrong).is_err());

        let extra = vec![0.0; map.bias_len()];
        let flipped = if map.has_bias() {
            None
        } else {
            Some(&extra[..])
        };
        let wrong = Parameters { bias: flipped, ..p };
        assert!(
            map.interpolate(wrong, alpha, &mut weight, Some(&mut bias))
                .is_err()
        );

        let shorter = &mut weight[1..];
        let error = map
            .interpolate(p, Alpha::ZERO, shorter, Some(&mut bias))
            .unwrap_err();
        assert!(error.to_string().contains(map.kind()));
        assert!(map.interpolate_transposed(p, alpha, shorter, None).is_err());
        let shorter = &mut bias[1..];
        assert!(
            map.interpolate(p, alpha, &mut weight, Some(shorter))
                .is_err()
        );
        assert_eq!(before, (bits(&weight), bits(&bias)));
    });
}
