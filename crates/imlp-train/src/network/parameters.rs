//! Parameters of a network: what they are, how they start, where they live.
//!
//! On the device every parameter is a flat tensor. The weight of a full matrix
//! is stored `[in, out]` there: the forward product `X·W` and the gradient
//! `Xᵀ·dY` then run without a transposed right operand, which costs flex's GEMM
//! a third of its speed. On the host and in files every parameter has PyTorch's
//! layout (`[out, in]`).

use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seeds::{Stream, stream_seed};

/// What a parameter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weight of a linear layer.
    Weight,
    /// Bias of a linear layer.
    Bias,
    /// Scale of a normalisation.
    Scale,
    /// Shift of a normalisation.
    Shift,
}

/// One parameter of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Name as in a PyTorch `state_dict`: `LAYER.weight`, `LAYER.bias`.
    pub name: String,
    /// Shape in PyTorch layout.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// Index of the linear layer that it belongs to; a normalisation belongs
    /// to the linear layer that follows it.
    pub linear: usize,
    /// Whether the device holds it as `[in, out]`.
    pub(crate) transposed: bool,
    /// Of a weight: its layer's [`LinearLayer::fan_in`](crate::LinearLayer::fan_in).
    pub(crate) fan_in: f64,
}

impl ParameterSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Distribution of initial weights (He et al. 2015, arXiv 1502.01852), gain √2;
/// biases and shifts start at 0, scales at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Normal with standard deviation √(2 / fan-in).
    #[default]
    KaimingNormal,
    /// Uniform in ±√(6 / fan-in).
    KaimingUniform,
}

/// Parameters in PyTorch layout on the host, one vector per [`ParameterSpec`].
pub type HostParameters = Vec<Vec<f32>>;

/// Initial parameters; the same for the same seed and stream.
pub(crate) fn initialize(
    specs: &[ParameterSpec],
    initialization: Initialization,
    seed: u64,
    stream: Stream,
) -> HostParameters {
    specs
        .iter()
        .enumerate()
        .map(|(index, spec)| match spec.role {
            Role::Bias | Role::Shift => vec![0.0; spec.len()],
            Role::Scale => vec![1.0; spec.len()],
            Role::Weight => {
                let mut rng = ChaCha8Rng::seed_from_u64(stream_seed(seed, stream));
                rng.set_stream(index as u64);
                let fan_in = spec.fan_in as f32;
                match initialization {
                    Initialization::KaimingNormal => {
                        let deviation = (2.0 / fan_in).sqrt();
                        (0..spec.len())
                            .map(|_| {
                                let z: f32 = StandardNormal.sample(&mut rng);
                                deviation * z
                            })
                            .collect()
                    }
                    Initialization::KaimingUniform => {
                        let bound = (6.0 / fan_in).sqrt();
                        let uniform = Uniform::new_inclusive(-bound, bound)
                            .expect("the bound is finite and positive");
                        (0..spec.len()).map(|_| uniform.sample(&mut rng)).collect()
                    }
                }
            }
        })
        .collect()
}

/// Moves host parameters to the device.
pub(crate) fn to_device(
    specs: &[ParameterSpec],
    host: &HostParameters,
    device: &Device,
) -> Vec<Tensor<1>> {
    specs
        .iter()
        .zip(host)
        .map(|(spec, values)| upload(&spec.shape, spec.transposed, values, device))
        .collect()
}

/// Moves one parameter of that shape to the device, `[out, in]` to `[in, out]`
/// if it lies transposed there.
pub(crate) fn upload(
    shape: &[usize],
    transposed: bool,
    values: &[f32],
    device: &Device,
) -> Tensor<1> {
    let values = if transposed {
        transpose(values, shape[0], shape[1])
    } else {
        values.to_vec()
    };
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

/// Copies device parameters to the host.
pub(crate) fn to_host(specs: &[ParameterSpec], values: &[Tensor<1>]) -> HostParameters {
    specs
        .iter()
        .zip(values)
        .map(|(spec, tensor)| {
            let data = tensor.to_data();
            let slice = data.as_slice::<f32>().expect("parameters are f32");
            if spec.transposed {
                transpose(slice, spec.shape[1], spec.shape[0])
            } else {
                slice.to_vec()
            }
        })
        .collect()
}

/// Lets `change` edit one device parameter in place, in its device layout.
///
/// On a CPU device the values are not copied when the tensor is not shared.
pub(crate) fn edit<R>(value: &mut Tensor<1>, change: impl FnOnce(&mut [f32]) -> R) -> R {
    let device = value.device();
    let taken = std::mem::replace(value, Tensor::empty([1], &device));
    let mut data = taken.into_data();
    let result = change(data.as_mut_slice::<f32>().expect("parameters are f32"));
    *value = Tensor::from_data(data, &device);
    result
}

/// `[rows, columns]` row-major to `[columns, rows]`, tile by tile.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 32;
    let mut out = vec![0.0; values.len()];
    for r0 in (0..rows).step_by(TILE) {
        for c0 in (0..columns).step_by(TILE) {
            for r in r0..(r0 + TILE).min(rows) {
                for c in c0..(c0 + TILE).min(columns) {
                    out[c * rows + r] = values[r * columns + c];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(shape: &[usize]) -> ParameterSpec {
        ParameterSpec {
            name: "layer.weight".to_owned(),
            shape: shape.to_vec(),
            role: Role::Weight,
            linear: 0,
            transposed: shape.len() == 2,
            fan_in: shape[1..].iter().product::<usize>() as f64,
        }
    }

    #[test]
    fn initial_weights_have_the_variance_of_kaiming() {
        for (initialization, shape) in [
            (Initialization::KaimingNormal, vec![120, 90]),
            (Initialization::KaimingUniform, vec![40, 6, 5, 9]),
        ] {
            let spec = weight(&shape);
            let fan_in = spec.fan_in;
            let values = &initialize(&[spec], initialization, 3, Stream::Twin)[0];
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
            let expected = 2.0 / fan_in;
            assert!(mean.abs() < 4.0 * (expected / n).sqrt(), "mean {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{variance}");
        }
    }

    #[test]
    fn seeds_and_streams_differ_and_repeat() {
        let spec = [weight(&[7, 5])];
        let draw = |seed, stream| {
            initialize(&spec, Initialization::KaimingNormal, seed, stream)[0].clone()
        };
        assert_eq!(draw(1, Stream::Twin), draw(1, Stream::Twin));
        assert_ne!(draw(1, Stream::Twin), draw(2, Stream::Twin));
        assert_ne!(draw(1, Stream::Twin), draw(1, Stream::Prior));
    }

    #[test]
    fn the_round_trip_through_the_device_keeps_every_value() {
        let specs = [weight(&[5, 3]), weight(&[2, 3, 1, 4])];
        let host: HostParameters = specs
            .iter()
            .map(|s| (0..s.len()).map(|i| i as f32).collect())
            .collect();
        let device = Device::flex();
        let values = to_device(&specs, &host, &device);
        // [out, in] = [5, 3] lies as [in, out]: entry (o, i) at i·5 + o.
        let first: Vec<f32> = values[0].to_data().try_to_vec().unwrap();
        assert_eq!(first[5 + 2], host[0][2 * 3 + 1]);
        assert_eq!(to_host(&specs, &values), host);
    }
}
