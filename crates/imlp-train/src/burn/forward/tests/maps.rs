//! Every registered map, alone: value and gradients.
//!
//! A derivative is a sum of products too, so the same bounds hold for it. No
//! bound is measured: each counts the roundings of both sides.

use burn::tensor::{Device, Tensor, TensorData};
use imlp_linear::{LowRank, Parameters, REGISTRY, Registration, Sampler, Structure, StructuredMap};
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};

use super::super::structured::structured;
use super::{Random, matrix, values};

/// Half a unit in the last place of f32, relative.
const U: f64 = f32::EPSILON as f64 / 2.0;

/// The one kind without a forward: it has no gradient in its scores.
pub(super) const NO_FORWARD: &str = "learned-permutation";

/// The most weights of one map by which derivatives are checked.
const MOST_WEIGHTS: usize = 64;

/// A weight at both ends of its step, and the sign of the map's value there;
/// at 0, a map that is linear in all weights together is 0.
const ENDS: [(f32, f64); 2] = [(1.0, 1.0), (0.0, -1.0)];

/// A random map with parameters and a batch of inputs.
struct Case {
    map: Box<dyn StructuredMap>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    batch: usize,
    x: Vec<f32>,
    /// Of the outputs, for the gradient of Σ c·y.
    coefficients: Vec<f32>,
    /// The first weight by which a derivative is checked, modulo their step.
    first: usize,
}

impl Case {
    fn parameters(&self) -> Parameters<'_> {
        Parameters {
            weight: &self.weight,
            bias: self.bias.as_deref(),
        }
    }

    /// Position in the device's weight of the value at `i` in PyTorch layout.
    fn on_device(&self, i: usize) -> usize {
        if self.map.is_full_matrix() {
            let (inputs, outputs) = (self.map.in_len(), self.map.out_len());
            (i % inputs) * outputs + i / inputs
        } else {
            i
        }
    }

    fn device_weight(&self) -> Option<Tensor<1>> {
        let mut weight = vec![0.0; self.weight.len()];
        for (i, &w) in self.weight.iter().enumerate() {
            weight[self.on_device(i)] = w;
        }
        (!weight.is_empty()).then(|| vector(weight))
    }

    fn device_bias(&self) -> Option<Tensor<1>> {
        self.bias.clone().map(vector)
    }

    /// The map's own loop with another weight and without bias, one example.
    fn linear_part(&self, weight: &[f32], x: &[f32]) -> Vec<f64> {
        let zeros = self.bias.as_ref().map(|b| vec![0.0; b.len()]);
        self.apply(weight, zeros.as_deref(), x)
    }

    /// Whether the map is linear in all its weights together.
    fn linear_in_weight(&self) -> bool {
        matches!(self.map.structure(), Structure::Tied(_))
    }

    /// Roundings of one output, and of one derivative of all outputs by an
    /// input, but for a constant: the most products that they sum.
    ///
    /// A product of two matrices sums twice. Of n₁ + n₂ ≤ n₁·n₂ + 1 products in
    /// a row (Kronecker) that is the number of inputs or outputs; with rank r
    /// there are r more, and as many in the dense equivalent.
    fn most_products(&self) -> (f64, f64) {
        let (in_len, out_len) = (self.map.in_len(), self.map.out_len());
        let (of_output, of_input) = match self.map.structure() {
            Structure::Tied(tied) => {
                let mut of_inputs = vec![0; in_len];
                let mut of_output = 0;
                for row in 0..out_len {
                    let mut products = 0;
                    tied.segments(row, &mut |segment| {
                        products += segment.len;
                        segment.entries().for_each(|(i, _)| of_inputs[i] += 1);
                    });
                    of_output = of_output.max(products);
                }
                (of_output, *of_inputs.iter().max().unwrap())
            }
            Structure::Factored(_) => {
                let low_rank = self.map.downcast_ref::<LowRank>();
                let rank = low_rank.map_or(0, |map| map.weight_shape()[1]);
                (in_len + 2 * rank, out_len + 2 * rank)
            }
        };
        (of_output as f64, of_input as f64)
    }

    fn apply(&self, weight: &[f32], bias: Option<&[f32]>, x: &[f32]) -> Vec<f64> {
        let mut y = vec![f32::NAN; self.map.out_len()];
        self.map.apply(Parameters { weight, bias }, x, &mut y);
        y.into_iter().map(f64::from).collect()
    }
}

fn vector(values: Vec<f32>) -> Tensor<1> {
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn absolute(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| v.abs()).collect()
}

/// Every kind of map that a network can hold.
fn kinds() -> impl Iterator<Item = &'static Registration> {
    REGISTRY.iter().filter(|r| r.kind != NO_FORWARD)
}

#[test]
#[should_panic(expected = "no Burn forward for a map of kind learned-permutation")]
fn only_the_learned_permutation_has_no_forward() {
    // The other tests run the forwards of all others.
    assert_eq!(kinds().count() + 1, REGISTRY.len());
    let registration = REGISTRY.iter().find(|r| r.kind == NO_FORWARD).unwrap();
    let map = (registration.sample)(&mut Random::new(1));
    let x = matrix(&vec![0.0; map.in_len()], map.in_len());
    structured(&*map, Some(vector(vec![0.0; map.weight_len()])), None, x);
}

/// Runs `test` on many random maps of every kind.
fn for_every_kind(test: fn(&Case)) {
    for registration in kinds() {
        let mut runner = TestRunner::new(Config {
            cases: 48,
            // Smaller seeds are not simpler cases.
            max_shrink_iters: 0,
            failure_persistence: None,
            ..Config::default()
        });
        let outcome = runner.run(&any::<u64>(), |seed| {
            let mut random = Random::new(seed);
            let map = (registration.sample)(&mut random);
            let batch = random.between(2, 4);
            test(&Case {
                weight: random.vector(map.weight_len()),
                bias: map.has_bias().then(|| random.vector(map.bias_len())),
                x: random.vector(batch * map.in_len()),
                coefficients: random.vector(batch * map.out_len()),
                first: random.between(0, MOST_WEIGHTS),
                batch,
                map,
            });
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("map `{}`: {error}", registration.kind);
        }
    }
}

#[track_caller]
fn assert_within(what: &str, i: usize, got: f64, want: f64, tolerance: f64) {
    assert!(
        (got - want).abs() <= tolerance,
        "{what}[{i}] = {got}, expected {want} ± {tolerance}"
    );
}

#[test]
fn the_burn_forward_is_the_map_and_its_dense_equivalent() {
    for_every_kind(|case| {
        let (in_len, out_len) = (case.map.in_len(), case.map.out_len());
        let x = matrix(&case.x, in_len);
        let y = structured(&*case.map, case.device_weight(), case.device_bias(), x);
        assert_eq!(y.dims(), [case.batch, out_len]);
        let y = values(y);
        let dense = case.map.dense(case.parameters()).unwrap();
        let (products, _) = case.most_products();
        for (x, y) in case.x.chunks_exact(in_len).zip(y.chunks_exact(out_len)) {
            let by_map = case.apply(&case.weight, case.bias.as_deref(), x);
            let magnitude = case.apply(
                &absolute(&case.weight),
                case.bias.as_deref().map(absolute).as_deref(),
                &absolute(x),
            );
            for (o, &got) in y.iter().enumerate() {
                let terms = dense.row(o).iter().zip(x);
                let by_matrix = terms
                    .map(|(&w, &x)| f64::from(w) * f64::from(x))
                    .sum::<f64>()
                    + f64::from(dense.bias[o]);
                let tolerance = (products + 3.0) * U * magnitude[o];
                assert_within("W·x + b", o, got, by_matrix, tolerance);
                // Both are sums in single precision.
                assert_within("apply", o, got, by_map[o], 2.0 * tolerance);
            }
        }
    });
}

/// L = Σ c·y over the batch is linear in each single weight, in the bias and in
/// x, so each derivative is what L gains when that one goes from 0 to 1. (Of
/// kinds that are linear in all weights together the others are 0 meanwhile:
/// they would cancel.)
#[test]
fn the_gradients_are_those_of_a_linear_map() {
    for_every_kind(|case| {
        let (in_len, out_len) = (case.map.in_len(), case.map.out_len());
        let tracked = |t: Tensor<1>| t.autodiff().require_grad();
        let weight = case.device_weight().map(tracked);
        let bias = case.device_bias().map(tracked);
        let x = matrix(&case.x, in_len).autodiff().require_grad();
        let y = structured(&*case.map, weight.clone(), bias.clone(), x.clone());
        let c = matrix(&case.coefficients, out_len).autodiff();
        let gradients = (y * c).sum().backward();

        let examples = || {
            let x = case.x.chunks_exact(in_len);
            x.zip(case.coefficients.chunks_exact(out_len))
        };
        // Σ c·y, and Σ |c|·size as a scale of its roundings.
        let terms = |y: &[f64], size: &[f64], c: &[f32]| -> (f64, f64) {
            let sum = y.iter().zip(c).map(|(y, &c)| y * f64::from(c)).sum();
            let size = size.iter().zip(c).map(|(s, &c)| s * f64::from(c.abs()));
            (sum, size.sum())
        };
        let (of_output, of_input) = case.most_products();
        let outputs = (case.batch * out_len) as f64;

        if let Some(weight) = weight {
            let got = values(weight.grad(&gradients).expect("y depends on the weight"));
            let zeros = vec![0.0; case.weight.len()];
            let (rest, ends, roundings) = if case.linear_in_weight() {
                (zeros, &ENDS[..1], outputs + 3.0)
            } else {
                (
                    case.weight.clone(),
                    &ENDS[..],
                    outputs + 2.0 * of_output + 3.0,
                )
            };
            let step = case.weight.len().div_ceil(MOST_WEIGHTS);
            for i in (case.first % step..case.weight.len()).step_by(step) {
                let (mut want, mut size) = (0.0, 0.0);
                for &(at, sign) in ends {
                    let mut weight = rest.clone();
                    weight[i] = at;
                    for (x, c) in examples() {
                        let y = case.linear_part(&weight, x);
                        let magnitude = case.linear_part(&absolute(&weight), &absolute(x));
                        let (sum, scale) = terms(&y, &magnitude, c);
                        want += sign * sum;
                        size += scale;
                    }
                }
                let got = got[case.on_device(i)];
                assert_within("dL/dw", i, got, want, roundings * U * size);
            }
        }
        if let Some(bias) = bias {
            let got = values(bias.grad(&gradients).expect("y depends on the bias"));
            let none = vec![0.0; case.weight.len()];
            for (i, &got) in got.iter().enumerate() {
                let mut unit = vec![0.0; case.map.bias_len()];
                unit[i] = 1.0;
                let y = case.apply(&none, Some(&unit), &vec![0.0; in_len]);
                let (mut want, mut size) = (0.0, 0.0);
                for (_, c) in examples() {
                    let (sum, scale) = terms(&y, &y, c);
                    want += sum;
                    size += scale;
                }
                assert_within("dL/db", i, got, want, (outputs + 3.0) * U * size);
            }
        }
        let got = values(x.grad(&gradients).expect("y depends on x"));
        let roundings = 2.0 * of_input + 3.0;
        for i in 0..in_len {
            let mut unit = vec![0.0; in_len];
            unit[i] = 1.0;
            let column = case.linear_part(&case.weight, &unit);
            let magnitude = case.linear_part(&absolute(&case.weight), &unit);
            for (example, (_, c)) in examples().enumerate() {
                let (want, size) = terms(&column, &magnitude, c);
                let got = got[example * in_len + i];
                assert_within("dL/dx", i, got, want, roundings * U * size);
            }
        }
    });
}
