//! Which implementation trains a network: the engine on the CPU, or Burn on a device.

use burn::tensor::Device;
use imlp_kernels::{InstructionSet, Kernel, Operands};
use imlp_linear::Structure;

use crate::burn::model::BurnModel;
use crate::engine::Engine;
use crate::error::TrainError;
use crate::hyperparameters::Hyperparameters;
use crate::hyperparameters::precision::Precision;
use crate::model::Model;
use crate::network::Network;
use crate::network::parameters::HostParameters;

/// The implementation that trains networks.
#[derive(Clone, Debug)]
pub enum Backend {
    /// The products of `imlp-kernels`, one core per trial. Burn's CPU backend
    /// stands in where the processor lacks their instructions, and for priors
    /// with a map that is not linear in its weight.
    Cpu,
    /// Burn, on one of its devices.
    Burn(Device),
}

impl Backend {
    /// Checks that this machine can compute in `precision`, with the `pinned`
    /// instruction set if there is one.
    ///
    /// # Errors
    /// [`TrainError::Config`] with the alternatives.
    pub(crate) fn check(
        &self,
        precision: Precision,
        pinned: Option<InstructionSet>,
    ) -> Result<(), TrainError> {
        let refuse = |reason: String| {
            Err(match pinned {
                Some(set) => TrainError::config("train.instructions", set, reason),
                None => TrainError::config("train.precision", precision.name(), reason),
            })
        };
        match (self, precision, pinned) {
            (_, Precision::F32, None) => Ok(()),
            (Self::Burn(_), _, Some(_)) => refuse(
                "belongs to device cpu; Burn chooses its instructions itself; leave the key out"
                    .to_owned(),
            ),
            (Self::Burn(_), _, None) => {
                refuse("belongs to device cpu; this device computes in \"f32\"".to_owned())
            }
            (Self::Cpu, ..) => match Kernel::new(precision.operands(), pinned) {
                Ok(_) => Ok(()),
                Err(error) => refuse(error.to_string()),
            },
        }
    }

    /// The name of what trains dense twins, which is part of a trial's identity.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Cpu if Kernel::new(Operands::F32, None).is_ok() => "cpu".to_owned(),
            Self::Cpu => format!("{:?}", Device::flex()),
            Self::Burn(device) => format!("{device:?}"),
        }
    }

    /// What computes the products of `network` in `training`, on which the bits of its
    /// weights depend: an instruction set (`avx2`, `avx512`, `amx`), or `burn` and the
    /// widest vectors that its CPU backend finds here (`burn-avx512`).
    pub(crate) fn instructions(&self, network: &Network, training: Hyperparameters) -> String {
        let kernel = Kernel::new(training.precision.operands(), training.instructions);
        if let (true, Ok(kernel)) = (self.has_engine_for(network), kernel) {
            return kernel.instruction_set().to_string();
        }
        let vectors = Kernel::all()
            .into_iter()
            .filter(|kernel| kernel.operands() == Operands::F32)
            .map(Kernel::instruction_set)
            .filter(|set| *set != InstructionSet::Amx)
            .max();
        vectors.map_or("burn".to_owned(), |set| format!("burn-{set}"))
    }

    /// Whether [`model`](Self::model) trains `network` with the engine.
    pub(crate) fn has_engine_for(&self, network: &Network) -> bool {
        let linear = network.linear_layers();
        let mut maps = linear.iter().map(|layer| layer.map.structure());
        matches!(self, Self::Cpu)
            && Kernel::new(Operands::F32, None).is_ok()
            && maps.all(|structure| matches!(structure, Structure::Tied(_)))
    }

    /// `network` in training from `parameters` on.
    pub(crate) fn model<'a>(
        &self,
        network: &'a Network,
        training: Hyperparameters,
        parameters: HostParameters,
    ) -> Box<dyn Model + 'a> {
        let device = match self {
            Self::Cpu => {
                let kernel = Kernel::new(training.precision.operands(), training.instructions);
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
            let error = backend.check(precision, None).unwrap_err();
            error.to_string()
        };
        let message = refusal(&Backend::Burn(Device::flex()), Precision::Bf16);
        for part in ["train.precision", "bf16", "f32"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(Backend::Cpu.check(Precision::F32, None).is_ok());
        if Kernel::new(Operands::Bf16, None).is_ok() {
            assert!(Backend::Cpu.check(Precision::Bf16, None).is_ok());
        } else {
            let message = refusal(&Backend::Cpu, Precision::Bf16);
            for part in ["train.precision", "AVX-512-BF16", "bf16-emulated"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn an_instruction_set_can_be_pinned_where_it_is() {
        let flex = Backend::Burn(Device::flex());
        for set in InstructionSet::ALL {
            let message = flex.check(Precision::F32, Some(set)).unwrap_err();
            let message = message.to_string();
            for part in ["train.instructions", set.name(), "device cpu"] {
                assert!(message.contains(part), "{message}");
            }
            let here = Kernel::new(Operands::F32, Some(set));
            match (Backend::Cpu.check(Precision::F32, Some(set)), here) {
                (Ok(()), Ok(_)) => {}
                (Err(error), Err(_)) => {
                    let message = error.to_string();
                    for part in ["train.instructions", set.name(), "avx2"] {
                        assert!(message.contains(part), "{message}");
                    }
                }
                (check, here) => panic!("{check:?}, but {here:?}"),
            }
        }
    }
}
