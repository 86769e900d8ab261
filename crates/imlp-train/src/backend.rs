//! What trains a network: our products on the CPU, or Burn on a device.

use burn::tensor::Device;
use imlp_kernels::{Kernel, Operands};
use imlp_linear::Structure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::burn::model::BurnModel;
use crate::engine::Engine;
use crate::error::TrainError;
use crate::model::Model;
use crate::network::Network;
use crate::network::parameters::HostParameters;
use crate::training::learner::Training;

/// What trains networks.
#[derive(Clone, Debug)]
pub enum Backend {
    /// The products of `imlp-kernels`, one core per trial. Burn's CPU backend
    /// stands in where the processor lacks their instructions, and for priors
    /// with a map that is not linear in its weight.
    Cpu,
    /// Burn, on one of its devices.
    Burn(Device),
}

/// In which numbers the products of the dense twin are computed. Weights, sums,
/// the optimiser's state and everything of the prior are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Operands rounded to bfloat16, on processors with AVX-512-BF16.
    Bf16,
    /// The same rounding on any processor, slower than `f32`.
    Bf16Emulated,
}

impl Precision {
    /// The word that a recipe uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Bf16Emulated => "bf16-emulated",
        }
    }

    fn operands(self) -> Operands {
        match self {
            Self::F32 => Operands::F32,
            Self::Bf16 => Operands::Bf16,
            Self::Bf16Emulated => Operands::EmulatedBf16,
        }
    }
}

impl Backend {
    /// Checks that this machine can compute in `precision`.
    ///
    /// # Errors
    /// [`TrainError::Config`] with what else there is.
    pub(crate) fn check(&self, precision: Precision) -> Result<(), TrainError> {
        let refuse = |reason: String| {
            Err(TrainError::config(
                "train.precision",
                precision.name(),
                reason,
            ))
        };
        match (self, precision) {
            (_, Precision::F32) => Ok(()),
            (Self::Burn(_), _) => {
                refuse("belongs to device cpu; this device computes in \"f32\"".to_owned())
            }
            (Self::Cpu, _) => match Kernel::new(precision.operands()) {
                Ok(_) => Ok(()),
                Err(error) if precision == Precision::Bf16 => refuse(format!(
                    "{error}; use \"f32\", or \"bf16-emulated\" for the same rounding without the speed"
                )),
                Err(error) => refuse(format!("{error}; use \"f32\"")),
            },
        }
    }

    /// The name of what trains dense twins, as part of what results belong to.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Cpu if Kernel::new(Operands::F32).is_ok() => "cpu".to_owned(),
            Self::Cpu => format!("{:?}", Device::flex()),
            Self::Burn(device) => format!("{device:?}"),
        }
    }

    /// What multiplies matrices of a dense twin in `precision`: the processor's
    /// instructions, or a device of Burn.
    pub fn instructions(&self, precision: Precision) -> String {
        match (self, Kernel::new(precision.operands())) {
            (Self::Cpu, Ok(kernel)) => kernel.instructions().to_owned(),
            _ => self.name(),
        }
    }

    /// Whether [`model`](Self::model) trains `network` by the engine.
    pub(crate) fn has_engine_for(&self, network: &Network) -> bool {
        let linear = network.linear_layers();
        let mut maps = linear.iter().map(|layer| layer.map.structure());
        matches!(self, Self::Cpu)
            && Kernel::new(Operands::F32).is_ok()
            && maps.all(|structure| matches!(structure, Structure::Tied(_)))
    }

    /// `network` in training from `parameters` on.
    pub(crate) fn model<'a>(
        &self,
        network: &'a Network,
        training: Training,
        parameters: HostParameters,
    ) -> Box<dyn Model + 'a> {
        let device = match self {
            Self::Cpu => {
                let kernel = Kernel::new(training.precision.operands());
                let engine = kernel
                    .ok()
                    .and_then(|kernel| Engine::new(network, training, &parameters, kernel));
                if let Some(engine) = engine {
                    return Box::new(engine);
                }
                &Device::flex()
            }
            Self::Burn(device) => device,
        };
        Box::new(BurnModel::new(network, training, &parameters, device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_that_the_machine_lacks_is_refused_with_a_remedy() {
        let refusal = |backend: &Backend, precision| {
            let error = backend.check(precision).unwrap_err();
            error.to_string()
        };
        let message = refusal(&Backend::Burn(Device::flex()), Precision::Bf16);
        for part in ["train.precision", "bf16", "f32"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(Backend::Cpu.check(Precision::F32).is_ok());
        if Kernel::new(Operands::Bf16).is_ok() {
            assert!(Backend::Cpu.check(Precision::Bf16).is_ok());
        } else {
            let message = refusal(&Backend::Cpu, Precision::Bf16);
            for part in ["train.precision", "AVX-512-BF16", "bf16-emulated"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
