//! The predicted cost of a trial: parameters, operations and memory.

use crate::hyperparameters::Hyperparameters;
use crate::hyperparameters::optimizer::OptimizerRule;
use crate::network::Network;
use crate::network::layer::{Layer, LinearLayer};
use crate::setup::Setup;

mod scratch;

use scratch::scratch;

/// Bytes of an f32.
const F32: u64 = 4;

/// Fixed bytes of a process: the program, one file of a data set while it is loaded, and
/// the holes that the allocator keeps.
const PROCESS: u64 = 36 << 20;

/// Fixed bytes of a trial beside weights and activations: packed operands of matrix
/// products and one evaluation batch.
const OVERHEAD: u64 = 8 << 20;

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
    /// Bytes of a trunk on the disk: the twin's parameters and its optimiser's state. In
    /// memory it takes the place of a checkpoint.
    pub trunk_bytes: u64,
}

impl Cost {
    /// Predicts the cost of `setup`.
    pub fn of(setup: &Setup) -> Self {
        let batch = setup
            .config()
            .train
            .batch_size
            .min(setup.data().train_len()) as u64;
        let cost = |network: &Network, training: &Hyperparameters| {
            let engine = setup.backend.has_engine_for(network);
            let bytes = if engine { engine_bytes } else { burn_bytes };
            let parameters = parameters(network);
            // A checkpoint copies the parameters and what the optimiser keeps for each; at
            // the end the parameters are copied, and once more into a file of weights.
            let copies = (1 + moments(training.rule)).max(2);
            NetworkCost {
                parameters,
                flops_per_image: flops_per_image(network),
                bytes: bytes(network, training.rule, batch)
                    .saturating_add(parameters.saturating_mul(F32 * copies))
                    .saturating_add(OVERHEAD),
            }
        };
        let prior = cost(setup.prior(), &setup.prior_training);
        let twin = cost(setup.twin(), &setup.training);
        let dataset = setup.data().dataset();
        let data_bytes = dataset
            .sets()
            .map(|set| (set.pixels().len() + set.labels().len()) as u64)
            .sum();
        Self {
            trajectory_bytes: prior
                .parameters
                .saturating_mul(F32)
                .saturating_mul(setup.snapshots() as u64 + u64::from(setup.prior_ends_apart())),
            trunk_bytes: twin
                .parameters
                .saturating_mul(F32 * (1 + moments(setup.training.rule))),
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
            .saturating_add(PROCESS)
            .saturating_add(per_job.saturating_mul(jobs as u64))
            // A trajectory that is written, to the store or a checkpoint, is copied.
            .saturating_add(
                self.trajectory_bytes
                    .saturating_mul((priors + jobs.min(priors)) as u64),
            )
    }
}

fn parameters(network: &Network) -> u64 {
    let specs = network.parameter_specs();
    specs.iter().map(|spec| spec.len() as u64).sum()
}

/// Multiply-adds of the linear layers for one image, forward.
pub fn macs_per_image(network: &Network) -> u64 {
    let layers = network.linear_layers().into_iter();
    let flops = layers.map(|layer| layer.map.flops());
    flops.fold(0, u64::saturating_add) / 2
}

/// Operations of the linear layers for one image, forward and backward.
fn flops_per_image(network: &Network) -> u64 {
    flops(network.layers(), &mut false)
}

/// Operations of the linear layers among `layers`. The gradient of a layer's input is
/// needed if any layer before it has parameters, linear or not, which `parameters` says,
/// first of those before `layers` and then of these too.
fn flops(layers: &[Layer], parameters: &mut bool) -> u64 {
    let mut sum = 0u64;
    for layer in layers {
        sum = sum.saturating_add(match layer {
            Layer::Linear(linear) => {
                let input_gradient = *parameters;
                *parameters |= has_weight(linear) || linear.map.has_bias();
                layer_flops(linear, input_gradient)
            }
            Layer::LayerNorm(_) => {
                *parameters = true;
                0
            }
            Layer::Residual(branch) => flops(branch, parameters),
            Layer::Relu | Layer::Gelu => 0,
        });
    }
    sum
}

/// Values that an optimiser keeps for each value of a parameter.
fn moments(rule: OptimizerRule) -> u64 {
    match rule {
        OptimizerRule::Sgd { momentum: 0.0, .. } => 0,
        OptimizerRule::Sgd { .. } => 1,
        OptimizerRule::AdamW { .. } => 2,
    }
}

/// Bytes of a network in training by the engine.
fn engine_bytes(network: &Network, rule: OptimizerRule, batch: u64) -> u64 {
    // The gradient of a full matrix is never in memory as a whole. The gradients of
    // other maps are, with a partial sum per lane.
    const LANES: u64 = 32;
    let linear = network.linear_layers();
    let structured = linear.iter().filter(|layer| !layer.map.is_full_matrix());
    let partial: u64 = structured
        .map(|l| l.map.parameter_count() as u64 * LANES)
        .sum();
    // The images twice (row-major and in panels), the outputs of every layer, and the
    // buffers of the backward pass at their largest: the gradients of a layer's output,
    // of its input and of a branch, a transposed input, and the nonzeros of an operand
    // at two values each.
    let input = network.input().len();
    let widest = linear
        .iter()
        .map(|l| l.map.in_len().max(l.map.out_len()))
        .max();
    let outputs: usize = linear.iter().map(|l| l.map.out_len()).sum();
    // Activations other than ReLU, normalisations and sums have outputs of their own.
    let per_image = 2 * input + 3 * outputs + 6 * widest.unwrap_or(0).max(input);
    parameters(network)
        .saturating_mul(F32 * (1 + moments(rule)))
        .saturating_add(partial.saturating_mul(F32))
        .saturating_add((per_image as u64).saturating_mul(F32 * batch.next_multiple_of(LANES)))
}

/// Bytes of a network in training through Burn.
fn burn_bytes(network: &Network, rule: OptimizerRule, batch: u64) -> u64 {
    // Parameter, gradient, optimiser state, and one temporary of an update.
    let copies = 3 + moments(rule);
    // Every linear layer keeps its input (a convolution also in its own layout). Its
    // output and the activation after it are kept, with their gradients on top for a
    // while. Values in between are kept with their gradients.
    let (mut per_image, mut once) = (0u64, 0u64);
    for layer in network.linear_layers() {
        let (map, scratch) = (&layer.map, scratch(&*layer.map));
        let values = 2 * map.in_len() + 4 * map.out_len() + 2 * scratch.per_example;
        per_image = per_image.saturating_add(values as u64);
        once = once.saturating_add(scratch.once as u64);
    }
    parameters(network)
        .saturating_mul(F32 * copies)
        .saturating_add(per_image.saturating_mul(F32 * batch))
        .saturating_add(once.saturating_mul(F32))
}

/// Forward, gradient of the weight if there is one, and gradient of the input
/// if something before the layer needs it.
fn layer_flops(layer: &LinearLayer, input_gradient: bool) -> u64 {
    let forward = layer.map.flops();
    let passes = 1 + u64::from(has_weight(layer)) + u64::from(input_gradient);
    forward.saturating_mul(passes)
}

fn has_weight(layer: &LinearLayer) -> bool {
    layer.map.weight_len() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::prior_config::PriorConfig;
    use imlp_linear::Shape;

    #[test]
    fn the_cifar_twin_costs_what_arithmetic_says() {
        let prior = PriorConfig::default()
            .network(Shape::image(3, 32, 32), 10)
            .unwrap();
        let twin = prior.dense_twin().unwrap();
        let sgd = |momentum| OptimizerRule::Sgd {
            momentum,
            weight_decay: 0.0,
        };
        let sizes = [(3072u64, 1024u64), (1024, 1024), (1024, 1024), (1024, 10)];
        let weights: u64 = sizes.iter().map(|(i, o)| i * o).sum();
        let biases: u64 = sizes.iter().map(|(_, o)| o).sum();
        assert_eq!(parameters(&twin), weights + biases);
        // Three products of 2 FLOP per weight, two for the first layer.
        assert_eq!(flops_per_image(&twin), 6 * weights - 2 * 3072 * 1024);
        // Momentum costs one more value per parameter.
        for bytes in [engine_bytes, burn_bytes] {
            let more = bytes(&twin, sgd(0.9), 256) - bytes(&twin, sgd(0.0), 256);
            assert_eq!(more, F32 * (weights + biases));
        }
        assert_eq!(
            parameters(&prior),
            (3 * 4 * 9 + 4) + (4 * 16 * 9 + 16) + (16 * 64 * 9 + 64) + (1024 * 10 + 10)
        );
    }

    #[test]
    fn parameters_before_a_layer_ask_for_the_gradient_of_its_input() {
        let norm = r#"{ type = "layer-norm" }"#;
        let linear = r#"{ type = "linear" }"#;
        let pool = r#"{ type = "avg-pool2d", kernel = 2 }"#;
        let residual = |layers: &str| format!(r#"{{ type = "residual", layers = [{layers}] }}"#);
        // 2 FLOP for each of the 784·10 or 196·10 weights, or the 784 pixels of a
        // convolution with one weight.
        let (whole, pooled, pixels) = (15_680, 3_920, 1_568);
        for (layers, expected) in [
            (linear.into(), 2 * whole),
            (format!("{norm}, {linear}"), 3 * whole),
            (format!("{}, {linear}", residual(norm)), 3 * whole),
            (
                format!(r#"{}, {linear}"#, residual(r#"{ type = "relu" }"#)),
                2 * whole,
            ),
            // The pool, of 1 FLOP for each of the 784 pixels, has no parameters.
            (format!("{pool}, {norm}, {linear}"), 784 + 3 * pooled),
            (format!("{norm}, {pool}, {linear}"), 2 * 784 + 3 * pooled),
            (
                format!(
                    "{}, {linear}",
                    residual(r#"{ type = "conv2d", channels = 1, kernel = 1 }"#)
                ),
                2 * pixels + 3 * whole,
            ),
            (
                format!(
                    "{}, {linear}",
                    residual(&format!(
                        r#"{norm}, {{ type = "conv2d", channels = 1, kernel = 1 }}"#
                    ))
                ),
                3 * pixels + 3 * whole,
            ),
        ] {
            let prior = format!("kind = \"custom\"\nlayers = [{layers}]");
            let prior: PriorConfig = toml::from_str(&prior).unwrap();
            let network = prior.network(Shape::image(1, 28, 28), 10).unwrap();
            assert_eq!(flops_per_image(&network), expected, "{layers}");
        }
    }

    #[test]
    fn layers_before_the_first_weight_are_computed_once() {
        let layers = [
            r#"{ type = "avg-pool2d", kernel = 2 }"#,
            r#"{ type = "low-rank", rank = 3, features = 5 }"#,
            r#"{ type = "circulant" }"#,
            r#"{ type = "linear" }"#,
        ];
        let prior = format!("kind = \"custom\"\nlayers = [{}]", layers.join(", "));
        let prior: PriorConfig = toml::from_str(&prior).unwrap();
        let network = prior.network(Shape::image(1, 4, 6), 10).unwrap();
        let none = OptimizerRule::Sgd {
            momentum: 0.0,
            weight_decay: 0.0,
        };
        let [pool, low_rank, circulant, linear] = [24, 2 * 3 * (6 + 5), 2 * 5 * 5, 2 * 5 * 10];
        assert_eq!(
            flops_per_image(&network),
            pool + 2 * low_rank + 3 * (circulant + linear)
        );
        let values = 2 * 24 + 6 * 6 + 4 * 5 + 6 * 5 + 2 * 5 + 4 * 10;
        let between = 2 * 3;
        let circulant_matrix = 4 * 5 * 5;
        assert_eq!(
            burn_bytes(&network, none, 1),
            F32 * (3 * parameters(&network) + values + between + circulant_matrix)
        );
    }
}
