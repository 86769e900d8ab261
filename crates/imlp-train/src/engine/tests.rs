//! The engine against the same training through Burn.

use burn::tensor::Device;
use imlp_kernels::Operands;
use imlp_linear::Shape;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::burn::model::BurnModel;
use crate::hyperparameters::learning_rate::{LearningRate, LearningRateSchedule};
use crate::hyperparameters::optimizer::OptimizerRule;
use crate::hyperparameters::precision::Precision;
use crate::interpolation::optimizer_state::OptimizerState;
use crate::network::initialization::{Initialization, initialize};
use crate::network::prior_config::PriorConfig;
use crate::seeds::RandomStream;

const STEPS: usize = 50;

const MOMENTUM: OptimizerRule = OptimizerRule::Sgd {
    momentum: 0.9,
    weight_decay: 0.0,
};

fn training(rule: OptimizerRule, label_smoothing: f64) -> Hyperparameters {
    Hyperparameters {
        rule,
        rate: LearningRate {
            peak: 0.0,
            schedule: LearningRateSchedule::Constant,
            warmup: 0.0,
            total: 0.0,
        },
        batch_size: 0,
        label_smoothing,
        initialization: Initialization::KaimingNormal,
        precision: Precision::F32,
        instructions: None,
    }
}

/// A network from the table of a custom prior.
fn network(input: &[usize], classes: usize, layers: &[&str]) -> Network {
    let text = format!("kind = \"custom\"\nlayers = [{}]", layers.join(", "));
    let config: PriorConfig = toml::from_str(&text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let input = match input {
        &[channels, height, width] => Shape::image(channels, height, width),
        other => panic!("{other:?} is no image"),
    };
    let network = config.network(input, classes);
    network.unwrap_or_else(|e| panic!("{text}\n{e}"))
}

/// How far the start's biases lie around 0.
const SPREAD: f32 = 0.05;

/// Largest difference of two parameters, relative to the largest value. That of
/// a bias alone may be next to 0: then to what a bias is as a rule.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    let size = a.iter().chain(b).fold(SPREAD, |m, v| m.max(v.abs()));
    let pairs = a.iter().zip(b);
    pairs.fold(0.0f32, |m, (a, b)| m.max((a - b).abs())) / size
}

/// What a training leaves behind: the losses of its steps, the logits of the
/// last batch, the parameters.
struct Trained {
    losses: Vec<f32>,
    logits: Vec<f32>,
    parameters: HostParameters,
}

impl Trained {
    /// Trains on batches that `seed` decides, whose sizes change.
    fn new(model: &mut dyn Model, network: &Network, rate: f64, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut losses, mut logits) = (Vec::new(), Vec::new());
        for step in 0..STEPS {
            // From 64 on the zeros of operands are left out.
            let count = [23, 70, 7, 16][step % 4];
            let images: Vec<f32> = (0..count * network.input().len())
                .map(|_| rng.random_range(-1.5..1.5))
                .collect();
            let labels: Vec<u8> = (0..count)
                .map(|_| rng.random_range(0..network.classes()) as u8)
                .collect();
            losses.push(model.step(&images, &labels, rate) as f32);
            logits = model.logits(&images, count);
        }
        Trained {
            losses,
            logits,
            parameters: model.parameters(),
        }
    }

    /// How far two are [`apart`] in losses, logits and each parameter.
    fn apart(&self, other: &Trained) -> Vec<f32> {
        let outputs = [
            apart(&self.losses, &other.losses),
            apart(&self.logits, &other.logits),
        ];
        let pairs = self.parameters.iter().zip(&other.parameters);
        let parameters = pairs.map(|(a, b)| apart(a, b));
        outputs.into_iter().chain(parameters).collect()
    }
}

/// Trains by both from the same start on the same batches.
///
/// They may end 1e-4 apart. Rounding alone can send two correct programs
/// further, where a ReLU's input is 0 but for rounding or a layer norm divides
/// by next to nothing. So where they do end further apart, others through Burn
/// start up to 1e-5 away, about a hundred roundings, and only where these end
/// as far off is the network to blame and not the engine.
#[track_caller]
fn train_both(network: &Network, training: Hyperparameters, rate: f64, seed: u64, kernel: Kernel) {
    let mut rng = StdRng::seed_from_u64(seed);
    let specs = network.parameter_specs();
    let mut start = initialize(&specs, training.initialization, seed, RandomStream::Twin);
    // Biases, scales and shifts that are not all alike.
    for value in start.iter_mut().flatten() {
        *value += rng.random_range(-SPREAD..SPREAD);
    }
    let through_burn = |start: &HostParameters| {
        let mut model = BurnModel::new(network, training, start, &Device::flex());
        Trained::new(&mut model, network, rate, seed)
    };
    let mut engine = Engine::new(network, training, &start, kernel).expect("expressed here");
    let engine = Trained::new(&mut engine, network, rate, seed);
    let burn = through_burn(&start);
    let finite = |values: &Vec<f32>| values.iter().all(|value| value.is_finite());
    assert!(
        engine.parameters.iter().all(finite),
        "NaN compares with nothing"
    );
    let distances = engine.apart(&burn);
    // The logits are differences of larger terms.
    let mut limits = vec![1e-4f32; distances.len()];
    limits[1] = 1e-3;
    let near = |limits: &[f32]| distances.iter().zip(limits).all(|(d, l)| d < l);
    if !near(&limits) {
        for _ in 0..8 {
            let mut moved = start.clone();
            for value in moved.iter_mut().flatten() {
                *value *= 1.0 + rng.random_range(-1e-5..1e-5);
            }
            let moved = through_burn(&moved).apart(&burn);
            for (limit, distance) in limits.iter_mut().zip(moved) {
                *limit = limit.max(2.0 * distance);
            }
        }
        let names = specs.iter().map(|spec| spec.name.as_str());
        let names: Vec<&str> = ["losses", "logits"].into_iter().chain(names).collect();
        assert!(near(&limits), "{names:?}: {distances:?}, limits {limits:?}");
    }
    // Some parameters have no gradient (a bias that a normalisation takes away).
    let moved = engine.parameters.iter().zip(&start);
    let moved = moved.map(|(a, start)| apart(a, start));
    assert!(moved.fold(0.0, f32::max) > 1e-2, "nothing has moved");
}

fn f32_kernels() -> Vec<Kernel> {
    let all = Kernel::all().into_iter();
    all.filter(|kernel| kernel.operands() == Operands::F32)
        .collect()
}

fn adamw(weight_decay: f64) -> OptimizerRule {
    OptimizerRule::AdamW {
        beta1: 0.9,
        beta2: 0.99,
        // Large enough that a gradient near 0 does not decide a whole step.
        epsilon: 1e-3,
        weight_decay,
    }
}

#[test]
fn every_rule_moves_a_dense_twin_as_through_burn() {
    let prior = network(
        &[2, 5, 7],
        5,
        &[
            r#"{ type = "conv2d", channels = 3, kernel = 3, stride = 2, padding = 1 }"#,
            r#"{ type = "relu" }"#,
            r#"{ type = "linear", features = 19 }"#,
            r#"{ type = "relu" }"#,
            r#"{ type = "linear" }"#,
        ],
    );
    let twin = prior.dense_twin().unwrap();
    let plain = OptimizerRule::Sgd {
        momentum: 0.0,
        weight_decay: 0.0,
    };
    let decayed = OptimizerRule::Sgd {
        momentum: 0.5,
        weight_decay: 0.03,
    };
    for kernel in f32_kernels() {
        for (rule, rate) in [
            (plain, 0.05),
            (MOMENTUM, 0.02),
            (decayed, 0.03),
            (adamw(0.0), 0.005),
            (adamw(0.1), 0.005),
        ] {
            for smoothing in [0.0, 0.2] {
                train_both(&twin, training(rule, smoothing), rate, 3, kernel);
                train_both(&prior, training(rule, smoothing), rate, 4, kernel);
            }
        }
    }
}

/// One layer of every kind that is expressed, between two others.
#[test]
fn every_kind_of_map_trains_as_through_burn() {
    let middle = [
        r#"{ type = "conv2d", channels = 4, kernel = [3, 2], stride = [2, 1], padding = [1, 0] }"#,
        r#"{ type = "conv2d", channels = 8, kernel = 3, groups = 2, padding = 1, bias = false }"#,
        r#"{ type = "conv2d", channels = 4, kernel = 3, groups = 4, padding = 2, dilation = 2 }"#,
        r#"{ type = "conv2d", channels = 3, kernel = 3, padding = 1, padding_mode = "reflect" }"#,
        r#"{ type = "conv2d", channels = 3, kernel = 3, padding = 1, padding_mode = "replicate" }"#,
        r#"{ type = "conv2d", channels = 3, kernel = 3, padding = 1, padding_mode = "circular" }"#,
        r#"{ type = "conv-transpose2d", channels = 3, kernel = 3, stride = 2, padding = 1 }"#,
        r#"{ type = "locally-connected2d", channels = 3, kernel = 2 }"#,
        r#"{ type = "avg-pool2d", kernel = 2 }"#,
        r#"{ type = "adaptive-avg-pool2d", size = [2, 3] }"#,
        r#"{ type = "global-avg-pool" }"#,
        r#"{ type = "bilinear-resize", size = [7, 4] }"#,
        r#"{ type = "circulant" }"#,
        r#"{ type = "patch-embedding", patch = 2, channels = 6 }"#,
        r#"{ type = "linear", features = 9, bias = false }"#,
    ];
    for kernel in f32_kernels() {
        for layer in middle {
            let layers = [
                r#"{ type = "conv2d", channels = 4, kernel = 3, padding = 1 }"#,
                r#"{ type = "relu" }"#,
                layer,
                r#"{ type = "gelu" }"#,
                r#"{ type = "linear" }"#,
            ];
            let network = network(&[2, 6, 6], 4, &layers);
            train_both(&network, training(MOMENTUM, 0.0), 0.01, 5, kernel);
        }
    }
}

#[test]
fn a_mixer_and_its_twin_train_as_through_burn() {
    let config = r#"
        kind = "mixer"
        patch = [2, 3]
        channels = 6
        blocks = 2
        token_hidden = 5
        channel_hidden = 7
    "#;
    let config: PriorConfig = toml::from_str(config).unwrap();
    let prior = config
        .resolved()
        .network(Shape::image(3, 8, 9), 10)
        .unwrap();
    let twin = prior.dense_twin().unwrap();
    for kernel in f32_kernels() {
        for (rule, rate) in [(MOMENTUM, 0.005), (adamw(0.05), 0.002)] {
            train_both(&prior, training(rule, 0.1), rate, 6, kernel);
            train_both(&twin, training(rule, 0.0), rate, 7, kernel);
        }
    }
}

/// Layers of a random network on images of 2×6×6.
fn layers() -> impl Strategy<Value = Vec<String>> {
    let body = prop_oneof![
        (1usize..6, 1usize..4, 1usize..3).prop_map(|(c, k, s)| format!(
            r#"{{ type = "conv2d", channels = {c}, kernel = {k}, stride = {s}, padding = 1 }}"#
        )),
        Just(r#"{ type = "relu" }"#.to_owned()),
        Just(r#"{ type = "gelu" }"#.to_owned()),
        Just(r#"{ type = "layer-norm" }"#.to_owned()),
        Just(
            r#"{ type = "residual", layers = [{ type = "conv2d", channels = 2, kernel = 3, padding = 1 }, { type = "relu" }] }"#
                .to_owned()
        ),
        (1usize..40).prop_map(|f| format!(r#"{{ type = "linear", features = {f} }}"#)),
    ];
    prop::collection::vec(body, 0..5).prop_map(|mut layers| {
        layers.push(r#"{ type = "linear" }"#.to_owned());
        layers
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_networks_train_as_through_burn(layers in layers(), seed in 0u64..1000) {
        let text = format!("kind = \"custom\"\nlayers = [{}]", layers.join(", "));
        let config: PriorConfig = toml::from_str(&text).unwrap();
        // A convolution after a full matrix, a branch of another shape: no network.
        if let Ok(network) = config.network(Shape::image(2, 6, 6), 3) {
            for kernel in f32_kernels() {
                train_both(&network, training(MOMENTUM, 0.1), 0.003, seed, kernel);
                let twin = network.dense_twin().unwrap();
                train_both(&twin, training(MOMENTUM, 0.0), 0.003, seed, kernel);
            }
        }
    }
}

/// A product of parameters is no small matrix at many places.
#[test]
fn maps_that_are_not_linear_in_their_weight_are_left_to_burn() {
    let network = network(
        &[1, 4, 4],
        3,
        &[
            r#"{ type = "low-rank", rank = 2, features = 5 }"#,
            r#"{ type = "linear" }"#,
        ],
    );
    let start = initialize(
        &network.parameter_specs(),
        Initialization::KaimingNormal,
        1,
        RandomStream::Prior,
    );
    for kernel in f32_kernels() {
        assert!(Engine::new(&network, training(MOMENTUM, 0.0), &start, kernel).is_none());
    }
}

/// The same policies as of the optimiser through Burn.
#[test]
fn states_after_an_interpolation_are_those_through_burn() {
    let network = network(&[1, 3, 4], 3, &[r#"{ type = "linear" }"#]);
    let start = initialize(
        &network.parameter_specs(),
        Initialization::KaimingNormal,
        1,
        RandomStream::Twin,
    );
    let target: Vec<f32> = (0..36).map(|i| (i as f32).cos()).collect();
    for kernel in f32_kernels() {
        for rule in [MOMENTUM, adamw(0.01)] {
            for policy in [
                OptimizerState::Keep,
                OptimizerState::Scale,
                OptimizerState::Reset,
            ] {
                for alpha in [0.0, 0.3, 1.0] {
                    let alpha = Alpha::new(alpha).unwrap();
                    let training = training(rule, 0.0);
                    let mut ours = Engine::new(&network, training, &start, kernel).unwrap();
                    let mut burn = BurnModel::new(&network, training, &start, &Device::flex());
                    let mut rng = StdRng::seed_from_u64(9);
                    for step in 0..6 {
                        let images: Vec<f32> =
                            (0..5 * 12).map(|_| rng.random_range(-1.0..1.0)).collect();
                        let labels = [0, 1, 2, 1, 0];
                        ours.step(&images, &labels, 0.05);
                        burn.step(&images, &labels, 0.05);
                        if step == 2 {
                            // Burn's weights lie transposed: interpolate the bias alone.
                            for model in [&mut ours as &mut dyn Model, &mut burn] {
                                model
                                    .interpolate(
                                        1,
                                        alpha,
                                        InterpolationTarget::Values(&target[..3]),
                                    )
                                    .unwrap();
                                for index in [0, 1] {
                                    model.change_optimizer_state(index, policy.change(alpha));
                                }
                            }
                        }
                    }
                    for (a, b) in ours.parameters().iter().zip(&burn.parameters()) {
                        assert!(apart(a, b) < 1e-5, "{rule:?} {policy:?} {alpha}");
                    }
                }
            }
        }
    }
}

/// Rounded operands change a step by no more than the rounding.
#[test]
fn bf16_trains_near_f32() {
    let network = network(
        &[3, 4, 5],
        4,
        &[
            r#"{ type = "linear", features = 33 }"#,
            r#"{ type = "relu" }"#,
            r#"{ type = "linear" }"#,
        ],
    );
    let start = initialize(
        &network.parameter_specs(),
        Initialization::KaimingNormal,
        2,
        RandomStream::Twin,
    );
    for kernel in Kernel::all() {
        let mut rng = StdRng::seed_from_u64(11);
        let training = training(MOMENTUM, 0.0);
        let mut exact = Engine::new(&network, training, &start, kernel.with_f32()).unwrap();
        let mut rounded = Engine::new(&network, training, &start, kernel).unwrap();
        for _ in 0..10 {
            let images: Vec<f32> = (0..30 * 60).map(|_| rng.random_range(-1.0..1.0)).collect();
            let labels: Vec<u8> = (0..30).map(|_| rng.random_range(0..4)).collect();
            exact.step(&images, &labels, 0.02);
            rounded.step(&images, &labels, 0.02);
        }
        // Weights; biases have come too little far from 0 to be compared.
        for (a, b) in exact
            .parameters()
            .iter()
            .zip(&rounded.parameters())
            .step_by(2)
        {
            let apart = apart(a, b);
            assert!(apart < 1e-2, "{kernel:?}: {apart}");
            let same = kernel.operands() == Operands::F32;
            assert_eq!(apart == 0.0, same, "{kernel:?}");
        }
    }
}
