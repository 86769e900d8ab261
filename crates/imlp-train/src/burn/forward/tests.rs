//! The Burn forward against the maps' own loops, against the dense twin, and
//! against forwards written here from the definitions of PyTorch's layers.
//!
//! Tolerance of one map. With u = 2⁻²⁴, a sum of n products of f32 errs by at
//! most about (n + 3)·u·Σ|wᵢ·xᵢ| in any order (Higham 2002, Accuracy and
//! Stability of Numerical Algorithms, §3.1; 3 covers the bias, the rounding of
//! 1/k in an average and second-order terms), so the bounds follow the data.

mod maps;
mod networks;
mod pytorch;

use burn::tensor::{Device, Tensor, TensorData};
use imlp_linear::{Sampler, Shape};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::forward;
use crate::network::Network;
use crate::network::parameters::{HostParameters, ParameterSpec, Role, to_device};
use crate::network::prior_config::PriorConfig;

struct Random(StdRng);

impl Sampler for Random {
    fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }
}

impl Random {
    fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.0.random_range(-2.0..2.0)).collect()
    }

    /// Parameters of every role away from their start, so that none can be
    /// ignored or taken for another.
    fn parameters(&mut self, specs: &[ParameterSpec]) -> HostParameters {
        let mut draw = |spec: &ParameterSpec| -> Vec<f32> {
            let (centre, spread) = match spec.role {
                Role::Weight => (0.0, (6.0 / spec.fan_in as f32).sqrt()),
                Role::Bias | Role::Shift => (0.0, 0.5),
                Role::Scale => (1.0, 0.5),
            };
            let low_high = centre - spread..centre + spread;
            (0..spec.len())
                .map(|_| self.0.random_range(low_high.clone()))
                .collect()
        };
        specs.iter().map(&mut draw).collect()
    }
}

fn network(prior: &str, input: Shape, classes: usize) -> Network {
    toml::from_str::<PriorConfig>(prior)
        .unwrap()
        .network(input, classes)
        .unwrap()
}

fn matrix(values: &[f32], columns: usize) -> Tensor<2> {
    let shape = [values.len() / columns, columns];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let values: Vec<f32> = tensor.into_data().try_to_vec().unwrap();
    values.into_iter().map(f64::from).collect()
}

/// Logits of `images` (one after the other), with parameters in PyTorch layout.
fn logits(network: &Network, parameters: &HostParameters, images: &[f32]) -> Vec<f64> {
    let device = Device::flex();
    let parameters = to_device(&network.parameter_specs(), parameters, &device);
    let x = matrix(images, network.input().len());
    values(forward(network, &parameters, x))
}

/// Both agree up to `relative` times the largest of `want`, which must differ
/// among themselves by much more than that.
#[track_caller]
fn assert_logits(what: &str, got: &[f64], want: &[f64], relative: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let mean = want.iter().sum::<f64>() / want.len() as f64;
    let spread = want.iter().fold(0.0, |m: f64, v| m.max((v - mean).abs()));
    assert!(spread > 0.1 * scale, "{what}: the logits are all alike");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= relative * scale,
            "{what}: logit {i} is {got}, expected {want} (largest {scale})"
        );
    }
}
