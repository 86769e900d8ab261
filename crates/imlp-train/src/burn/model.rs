//! A network in training by Burn, on any of its devices.

use burn::tensor::{Device, Int, Tensor, TensorData};
use imlp_linear::{Alpha, LinearError};

use crate::burn::forward::forward;
use crate::burn::loss::cross_entropy;
use crate::burn::optimizer::Optimizer;
use crate::interpolation::config::OptimizerState;
use crate::model::{Model, Toward};
use crate::network::Network;
use crate::network::parameters::{HostParameters, ParameterSpec, edit, to_device, to_host};
use crate::training::checkpoint::ModelState;
use crate::training::learner::Training;

/// A network, its parameters and its optimiser on a device.
pub(crate) struct BurnModel<'a> {
    network: &'a Network,
    specs: Vec<ParameterSpec>,
    values: Vec<Tensor<1>>,
    optimizer: Optimizer,
    label_smoothing: f64,
    device: Device,
}

impl<'a> BurnModel<'a> {
    /// `network` with these parameters and an optimiser without a past.
    pub fn new(
        network: &'a Network,
        training: Training,
        parameters: &HostParameters,
        device: &Device,
    ) -> Self {
        let specs = network.parameter_specs();
        Self {
            values: to_device(&specs, parameters, device),
            optimizer: Optimizer::new(training.rule, specs.len()),
            specs,
            network,
            label_smoothing: training.label_smoothing,
            device: device.clone(),
        }
    }

    fn images(&self, images: &[f32], count: usize, device: &Device) -> Tensor<2> {
        let shape = [count, self.network.input().len()];
        Tensor::from_data(TensorData::new(images.to_vec(), shape), device)
    }
}

impl Model for BurnModel<'_> {
    fn step(&mut self, images: &[f32], labels: &[u8], rate: f64) -> f64 {
        let autodiff = self.device.clone().autodiff();
        let x = self.images(images, labels.len(), &autodiff);
        let labels: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
        let count = labels.len();
        let labels: Tensor<1, Int> = Tensor::from_data(TensorData::new(labels, [count]), &autodiff);
        let tracked: Vec<Tensor<1>> = std::mem::take(&mut self.values)
            .into_iter()
            .map(|value| value.autodiff().require_grad())
            .collect();
        let logits = forward(self.network, &tracked, x);
        let loss = cross_entropy(logits, labels, self.label_smoothing);
        let mut gradients = loss.backward();
        let loss = f64::from(loss.into_scalar::<f32>());
        self.values = tracked
            .into_iter()
            .enumerate()
            .map(|(index, parameter)| {
                let gradient = parameter
                    .grad_remove(&mut gradients)
                    .expect("the loss depends on every parameter");
                self.optimizer
                    .update(index, parameter.inner(), gradient, rate)
            })
            .collect();
        loss
    }

    fn logits(&mut self, images: &[f32], count: usize) -> Vec<f32> {
        let x = self.images(images, count, &self.device);
        let logits = forward(self.network, &self.values, x).into_data();
        logits.try_into_vec().expect("logits are f32")
    }

    fn pull(&mut self, index: usize, alpha: Alpha, toward: Toward<'_>) -> Result<(), LinearError> {
        edit(&mut self.values[index], |value| match toward {
            // Weights of full matrices lie `[in, out]`.
            Toward::Weight(map, parameters) => {
                map.interpolate_transposed(parameters, alpha, value, None)
            }
            Toward::Bias(map, parameters) => map.interpolate_bias(parameters, alpha, value),
            Toward::Values(values) => {
                alpha.pull(value, |i| values[i]);
                Ok(())
            }
        })
    }

    fn after_interpolation(&mut self, index: usize, alpha: Alpha, policy: OptimizerState) {
        self.optimizer.after_interpolation(index, alpha, policy);
    }

    fn state(&self) -> ModelState {
        let mut state = self.optimizer.state();
        state.parameters = self.parameters();
        state
    }

    fn restore(&mut self, state: ModelState) {
        self.values = to_device(&self.specs, &state.parameters, &self.device);
        self.optimizer.restore(&state, &self.device);
    }

    fn is_finite(&self) -> bool {
        self.values.iter().all(|value| {
            let data = value.to_data();
            let slice = data.as_slice::<f32>().expect("parameters are f32");
            slice.iter().all(|v| v.is_finite())
        })
    }

    fn parameters(&self) -> HostParameters {
        to_host(&self.specs, &self.values)
    }
}
