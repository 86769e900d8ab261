//! Every registered map, alone: value and gradients.

use burn::tensor::{Device, Tensor, TensorData};
use imlp_linear::{Parameters, REGISTRY, Sampler, StructuredMap};
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};

use super::super::structured::structured;
use super::{Random, matrix, values};

/// Half a unit in the last place of f32, relative.
const U: f64 = f32::EPSILON as f64 / 2.0;

/// A random map with parameters and a batch of inputs.
struct Case {
    map: Box<dyn StructuredMap>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    batch: usize,
    x: Vec<f32>,
    /// Of the outputs, for the gradient of Σ c·y.
    coefficients: Vec<f32>,
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
        if self.map.kind() == "dense" {
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

/// Runs `test` on many random maps of every registered kind.
fn for_every_kind(test: fn(&Case)) {
    for registration in REGISTRY {
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
                let tolerance = (in_len as f64 + 3.0) * U * magnitude[o];
                assert_within("W·x + b", o, got, by_matrix, tolerance);
                // Both are sums in single precision.
                assert_within("apply", o, got, by_map[o], 2.0 * tolerance);
            }
        }
    });
}

/// L = Σ c·y over the batch is linear in the weight, in the bias and in x, so
/// each derivative is the map itself applied to a unit vector.
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
        let terms = |y: &[f64], c: &[f32]| -> (f64, f64) {
            let products = y.iter().zip(c).map(|(y, &c)| y * f64::from(c));
            products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()))
        };
        let roundings = (case.batch * out_len) as f64 + 3.0;

        if let Some(weight) = weight {
            let got = values(weight.grad(&gradients).expect("y depends on the weight"));
            for i in 0..case.weight.len() {
                let mut unit = vec![0.0; case.weight.len()];
                unit[i] = 1.0;
                let (mut want, mut size) = (0.0, 0.0);
                for (x, c) in examples() {
                    let (sum, magnitude) = terms(&case.linear_part(&unit, x), c);
                    want += sum;
                    size += magnitude;
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
                    let (sum, magnitude) = terms(&y, c);
                    want += sum;
                    size += magnitude;
                }
                assert_within("dL/db", i, got, want, roundings * U * size);
            }
        }
        let got = values(x.grad(&gradients).expect("y depends on x"));
        for i in 0..in_len {
            let mut unit = vec![0.0; in_len];
            unit[i] = 1.0;
            let column = case.linear_part(&case.weight, &unit);
            for (example, (_, c)) in examples().enumerate() {
                let (want, size) = terms(&column, c);
                let got = got[example * in_len + i];
                assert_within("dL/dx", i, got, want, roundings * U * size);
            }
        }
    });
}
