//! Initial parameters of a network.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::parameters::{HostParameters, ParameterSpec, Role};
use crate::seeds::{RandomStream, stream_seed};

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

/// Initial parameters; the same for the same seed and stream.
pub(crate) fn initialize(
    specs: &[ParameterSpec],
    initialization: Initialization,
    seed: u64,
    stream: RandomStream,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_weights_have_the_variance_of_kaiming() {
        for (initialization, shape) in [
            (Initialization::KaimingNormal, vec![120, 90]),
            (Initialization::KaimingUniform, vec![40, 6, 5, 9]),
        ] {
            let spec = ParameterSpec::of_weight(&shape);
            let fan_in = spec.fan_in;
            let values = &initialize(&[spec], initialization, 3, RandomStream::Twin)[0];
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
        let spec = [ParameterSpec::of_weight(&[7, 5])];
        let draw = |seed, stream| {
            initialize(&spec, Initialization::KaimingNormal, seed, stream)[0].clone()
        };
        assert_eq!(draw(1, RandomStream::Twin), draw(1, RandomStream::Twin));
        assert_ne!(draw(1, RandomStream::Twin), draw(2, RandomStream::Twin));
        assert_ne!(draw(1, RandomStream::Twin), draw(1, RandomStream::Prior));
    }
}
