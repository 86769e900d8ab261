//! What a trial costs, before it runs.

use crate::Setup;
use crate::layer::LinearLayer;
use crate::network::Network;
use crate::optimizer::Rule;

/// Bytes of an f32.
const F32: u64 = 4;

/// Fixed bytes of a trial beside weights and activations: packed operands of
/// matrix products, one evaluation batch, the allocator's slack.
const OVERHEAD: u64 = 64 << 20;

/// Parameters, operations and memory of one network in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NetworkCost {
    /// Free parameters.
    pub parameters: u64,
    /// Floating-point operations of the linear layers per image, forward and
    /// backward; a multiply-add is 2.
    pub flops_per_image: u64,
    /// Predicted bytes while it trains: parameters, gradients, optimiser
    /// state, activations of one batch.
    pub bytes: u64,
}

/// The cost of an experiment's pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// The prior in training.
    pub prior: NetworkCost,
    /// The dense twin in training.
    pub twin: NetworkCost,
    /// Bytes of one prior trajectory.
    pub trajectory_bytes: u64,
    /// Bytes of the data set, held once.
    pub data_bytes: u64,
}

impl Cost {
    /// Predicts the cost of `setup`.
    pub fn of(setup: &Setup) -> Self {
        let batch = setup
            .config()
            .train
            .batch_size
            .min(setup.data().train_len()) as u64;
        let prior = network_cost(setup.prior(), setup.training.rule, batch);
        let twin = network_cost(setup.twin(), setup.training.rule, batch);
        let dataset = setup.data().dataset();
        let data_bytes = [&dataset.train, &dataset.test]
            .iter()
            .map(|set| (set.pixels().len() + set.labels().len()) as u64)
            .sum();
        Self {
            trajectory_bytes: prior
                .parameters
                .saturating_mul(F32)
                .saturating_mul(setup.snapshots() as u64),
            prior,
            twin,
            data_bytes,
        }
    }

    /// Predicted peak bytes with `jobs` trials at a time and the trajectories
    /// of `priors` seeds alive.
    pub fn peak_bytes(&self, jobs: usize, priors: usize) -> u64 {
        let per_job = self.prior.bytes.max(self.twin.bytes);
        self.data_bytes
            .saturating_add(per_job.saturating_mul(jobs as u64))
            // While one is written, it is there as tensors and as a file too.
            .saturating_add(self.trajectory_bytes.saturating_mul(priors as u64 + 2))
    }
}

fn network_cost(network: &Network, rule: Rule, batch: u64) -> NetworkCost {
    let parameters: u64 = network
        .parameter_specs()
        .iter()
        .map(|spec| spec.len() as u64)
        .sum();
    let linear = network.linear_layers();
    let flops_per_image = linear
        .iter()
        .enumerate()
        .map(|(i, layer)| layer_flops(layer, i == 0))
        .fold(0, u64::saturating_add);
    let state = match rule {
        Rule::Sgd { momentum: 0.0, .. } => 0,
        Rule::Sgd { .. } => 1,
        Rule::AdamW { .. } => 2,
    };
    // Parameter, gradient, optimiser state, and one temporary of an update.
    let copies = 3 + state;
    // Every linear layer keeps its input (a convolution in its own layout too);
    // its output and the activation after it are kept, and their gradients come
    // on top while they last.
    let activations: u64 = linear
        .iter()
        .map(|layer| (2 * layer.map.in_len() + 4 * layer.map.out_len()) as u64)
        .sum();
    NetworkCost {
        parameters,
        flops_per_image,
        bytes: parameters
            .saturating_mul(F32 * copies)
            .saturating_add(activations.saturating_mul(F32 * batch))
            .saturating_add(OVERHEAD),
    }
}

/// Forward, gradient of the weight, gradient of the input; the first layer
/// needs no gradient of its input and a layer without weight none of it.
fn layer_flops(layer: &LinearLayer, first: bool) -> u64 {
    let forward = layer.map.flops();
    let weight = if layer.map.weight_shape().is_empty() {
        0
    } else {
        forward
    };
    let input = if first { 0 } else { forward };
    forward.saturating_add(weight).saturating_add(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriorConfig;
    use imlp_linear::Shape;

    #[test]
    fn the_cifar_twin_costs_what_arithmetic_says() {
        let prior = PriorConfig::default()
            .network(Shape::image(3, 32, 32), 10)
            .unwrap();
        let twin = prior.dense_twin().unwrap();
        let sgd = Rule::Sgd {
            momentum: 0.9,
            weight_decay: 0.0,
        };
        let cost = network_cost(&twin, sgd, 256);
        let sizes = [(3072u64, 1024u64), (1024, 1024), (1024, 1024), (1024, 10)];
        let weights: u64 = sizes.iter().map(|(i, o)| i * o).sum();
        let biases: u64 = sizes.iter().map(|(_, o)| o).sum();
        assert_eq!(cost.parameters, weights + biases);
        // Three products of 2 FLOP per weight, two for the first layer.
        assert_eq!(cost.flops_per_image, 6 * weights - 2 * 3072 * 1024);
        let prior_cost = network_cost(&prior, sgd, 256);
        assert_eq!(
            prior_cost.parameters,
            (3 * 4 * 9 + 4) + (4 * 16 * 9 + 16) + (16 * 64 * 9 + 64) + (1024 * 10 + 10)
        );
    }
}
