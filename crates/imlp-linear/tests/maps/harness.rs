//! Random maps of every registered kind, and how closely single precision can
//! agree with their oracles.
//!
//! Tolerance. With u = 2⁻²⁴ (half a unit in the last place of f32), a sum of n
//! products of f32 errs by at most about (n + 3)·u·Σ|wᵢ·xᵢ| in any order (Higham
//! 2002, Accuracy and Stability of Numerical Algorithms, §3.1; 3 covers the
//! bias, the rounding of 1/k in an average and second-order terms). n is taken
//! as the input length, and Σ|wᵢ·xᵢ| + |b| is the oracle itself applied to
//! absolute values, so the bound follows the data and needs no tuning.

use imlp_linear::{
    Alpha, Conv1d, Conv2d, PaddingMode, Parameters, REGISTRY, Sampler, StructuredMap,
};
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::oracles::{Oracle, oracle};

/// Half a unit in the last place of f32, relative.
pub const U: f64 = f32::EPSILON as f64 / 2.0;

/// proptest's default number of cases per kind, and never fewer than these.
const FEWEST_CASES: u32 = 64;

pub struct Random(pub StdRng);

impl Sampler for Random {
    fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }
}

impl Random {
    pub fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.0.random_range(-2.0..2.0)).collect()
    }

    /// Strictly between 0 and 1, sometimes very close to an end.
    pub fn alpha(&mut self) -> Alpha {
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
pub struct Case {
    pub random: Random,
    pub map: Box<dyn StructuredMap>,
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
    pub oracle: &'static Oracle,
}

impl Case {
    pub fn parameters(&self) -> Parameters<'_> {
        Parameters {
            weight: &self.weight,
            bias: self.bias.as_deref(),
        }
    }

    /// The same map with other parameters.
    pub fn dense_of(&self, weight: &[f32]) -> Vec<f32> {
        let zeros = self.bias.as_ref().map(|bias| vec![0.0; bias.len()]);
        let p = Parameters {
            weight,
            bias: zeros.as_deref(),
        };
        self.map.dense(p).unwrap().weight
    }

    /// Whether some entry of the dense equivalent is a sum of several products.
    pub fn sums_in_entries(&self) -> bool {
        let any = self.map.as_any();
        let conv = any
            .downcast_ref::<Conv2d>()
            .map(|m| m.config().padding_mode);
        let line = any
            .downcast_ref::<Conv1d>()
            .map(|m| m.config().padding_mode);
        let repeats = conv.or(line).is_some_and(|mode| mode != PaddingMode::Zeros);
        repeats || self.map.kind() == "low-rank"
    }

    /// For each entry of the dense equivalent, the size of what it sums up.
    pub fn magnitudes(&self) -> Vec<f32> {
        if self.map.kind() == "learned-permutation" {
            return self.dense_of(&self.weight);
        }
        let absolute: Vec<f32> = self.weight.iter().map(|w| w.abs()).collect();
        self.dense_of(&absolute)
    }

    /// The positions that are not 0 for some weight, by the oracle:
    /// `[out, in]`.
    pub fn support(&self) -> Vec<bool> {
        let (out, inputs) = (self.map.out_len(), self.map.in_len());
        if self.map.kind() == "learned-permutation" {
            return vec![true; out * inputs];
        }
        // Outputs that move when one input does, with a weight of ones: no
        // kind subtracts.
        let ones = vec![1.0; self.map.weight_len()];
        let mut support = vec![false; out * inputs];
        for i in 0..inputs {
            let mut x = vec![0.0; inputs];
            x[i] = 1.0;
            let y = (self.oracle.apply)(&*self.map, &ones, &[], &x);
            for (o, y) in y.iter().enumerate() {
                support[o * inputs + i] = *y != 0.0;
            }
        }
        support
    }

    /// A random dense weight and bias to write into.
    pub fn twin(&mut self) -> (Vec<f32>, Vec<f32>) {
        let (out, inputs) = (self.map.out_len(), self.map.in_len());
        (self.random.vector(out * inputs), self.random.vector(out))
    }

    /// The oracle's answer and, from absolute values, its tolerance.
    pub fn expected(&self, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
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
pub fn for_every_kind(test: fn(Case)) {
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
pub fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, ((got, want), tolerance)) in got.iter().zip(want).zip(tolerance).enumerate() {
        let error = (got - want).abs();
        assert!(
            error <= *tolerance,
            "{what}[{i}] = {got}, expected {want} ± {tolerance}"
        );
    }
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
