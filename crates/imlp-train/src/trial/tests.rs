//! The trial against code that lacks it: a training loop without interpolation,
//! and the prior's own logits.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use imlp_data::{Dataset, ImageSet};
use imlp_linear::Alpha;

use super::{Trial, run_trial};
use crate::backend::Backend;
use crate::burn::forward::forward;
use crate::burn::loss::cross_entropy;
use crate::network::Network;
use crate::network::parameters::{HostParameters, Initialization, initialize, to_device, to_host};
use crate::observer::Unobserved;
use crate::prior::train_prior;
use crate::seeds::{Stream, stream_seed};
use crate::setup::Setup;
use crate::training::data::Subset;

/// 180 real images of training, 40 of test; through Burn.
fn setup(recipe: &str) -> Setup {
    setup_by(Backend::Burn(Device::flex()), recipe)
}

fn setup_by(backend: Backend, recipe: &str) -> Setup {
    let all = imlp_data::load("fashion-mini", &imlp_data::LoadOptions::default()).unwrap();
    let first = |set: &ImageSet, images: usize| {
        let pixels = set.pixels()[..images * set.shape().len()].to_vec();
        let labels = set.labels()[..images].to_vec();
        ImageSet::new(set.shape(), set.classes(), pixels, labels).unwrap()
    };
    let (train, test) = (first(&all.train, 180), first(&all.test, 40));
    let data = Dataset::new("fashion-mini", train, test, all.class_names).unwrap();
    let config = toml::from_str(recipe).unwrap();
    Setup::new(config, Arc::new(data), backend).unwrap()
}

fn run(setup: &Setup, alpha: Alpha, seed: u64) -> Trial {
    let prior = train_prior(setup, seed, &Unobserved).unwrap();
    run_trial(setup, alpha, seed, Some(&prior), &Unobserved).unwrap()
}

fn images(values: &[f32], count: usize, device: &Device) -> Tensor<2> {
    let shape = [count, values.len() / count];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// SGD with momentum 0.9 on Burn's tensors; no learner, no optimiser, no
/// segments, no interpolation.
fn plain_training(
    setup: &Setup,
    seed: u64,
    epochs: u32,
    batch: usize,
    rate: f64,
) -> HostParameters {
    let network = setup.twin();
    let specs = network.parameter_specs();
    let device = Device::flex();
    let stream = stream_seed(seed, Stream::Twin);
    let start = initialize(&specs, Initialization::KaimingNormal, seed, Stream::Twin);
    let mut weights = to_device(&specs, &start, &device);
    let mut velocities: Vec<Option<Tensor<1>>> = vec![None; weights.len()];
    for epoch in 1..=epochs {
        for indices in setup.data().order(stream, epoch).chunks(batch) {
            let autodiff = device.clone().autodiff();
            let (mut x, mut labels) = (Vec::new(), Vec::new());
            let data = setup.data();
            data.training_batch(indices, stream, epoch, &mut x, &mut labels);
            let x = images(&x, indices.len(), &autodiff);
            let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
            let labels = Tensor::from_data(TensorData::new(labels, [indices.len()]), &autodiff);
            let tracked: Vec<_> = weights
                .iter()
                .map(|w| w.clone().autodiff().require_grad())
                .collect();
            let loss = cross_entropy(forward(network, &tracked, x), labels, 0.0);
            let gradients = loss.backward();
            for (i, parameter) in tracked.iter().enumerate() {
                let gradient = parameter.grad(&gradients).unwrap();
                let velocity = match velocities[i].take() {
                    Some(velocity) => velocity * 0.9 + gradient,
                    None => gradient,
                };
                velocities[i] = Some(velocity.clone());
                weights[i] = weights[i].clone() - velocity * rate;
            }
        }
    }
    to_host(&specs, &weights)
}

#[test]
fn alpha_zero_is_bit_for_bit_a_loop_without_interpolation() {
    for (recipe, extra) in [
        ("prior.channels = [4, 8]\n", ""),
        ("prior.channels = [4, 8]\n", "interpolation.every = 2\n"),
        (
            "prior.kind = \"mixer\"\nprior.patch = 7\nprior.blocks = 1\n",
            "",
        ),
    ] {
        let setup = setup(&format!(
            "{recipe}{extra}train.epochs = 2\ntrain.batch_size = 50\ntrain.learning_rate = 0.03\n\
             data.augmentation = \"crop-flip\"\n"
        ));
        let trial = run(&setup, Alpha::ZERO, 5);
        let plain = plain_training(&setup, 5, 2, 50, 0.03);
        for ((spec, got), want) in trial.specs.iter().zip(&trial.parameters).zip(&plain) {
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert!(bits(got) == bits(want), "{recipe}{extra}: {}", spec.name);
        }
    }
}

fn test_logits(setup: &Setup, network: &Network, parameters: &HostParameters) -> Vec<f32> {
    let device = Device::flex();
    let (set, indices) = setup.data().subset(Subset::Test);
    let (mut x, mut labels) = (Vec::new(), Vec::new());
    let data = setup.data();
    data.evaluation_batch(set, indices, &mut x, &mut labels);
    let x = images(&x, indices.len(), &device);
    let parameters = to_device(&network.parameter_specs(), parameters, &device);
    forward(network, &parameters, x)
        .into_data()
        .try_to_vec()
        .unwrap()
}

#[test]
fn after_alpha_one_the_twin_s_logits_are_the_prior_s() {
    for recipe in [
        "prior.channels = [4, 8]\n",
        "prior.kind = \"mixer\"\nprior.patch = 7\nprior.blocks = 1\n",
    ] {
        let setup = setup(&format!(
            "{recipe}train.epochs = 2\ntrain.batch_size = 50\n"
        ));
        let prior = train_prior(&setup, 6, &Unobserved).unwrap();
        let trial = run_trial(&setup, Alpha::ONE, 6, Some(&prior), &Unobserved).unwrap();
        let got = test_logits(&setup, setup.twin(), &trial.parameters);
        let want = test_logits(&setup, setup.prior(), prior.snapshots.last().unwrap());
        let scale = want.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        assert!(scale > 0.1, "the logits are all near 0");
        assert_eq!(got.len(), 40 * 10);
        for (got, want) in got.iter().zip(&want) {
            assert!((got - want).abs() <= 2e-5 * scale, "{got} {want}");
        }
    }
}

/// The engine and Burn train the same prior and the same twin, interpolations
/// included.
#[test]
fn a_trial_by_the_engine_is_the_trial_through_burn() {
    for recipe in [
        "prior.channels = [4, 8]\ninterpolation.every = 2\n",
        "prior.kind = \"mixer\"\nprior.patch = 7\nprior.blocks = 1\n",
        "prior.channels = [3]\ntrain.optimizer = \"adamw\"\ntrain.epsilon = 1e-3\n\
         train.label_smoothing = 0.1\ninterpolation.optimizer_state = \"scale\"\n",
    ] {
        let recipe = format!(
            "{recipe}train.epochs = 2\ntrain.batch_size = 50\ntrain.learning_rate = 0.005\n\
             data.augmentation = \"crop-flip\"\n"
        );
        let run = |backend| {
            let setup = setup_by(backend, &recipe);
            let prior = train_prior(&setup, 8, &Unobserved).unwrap();
            let alpha = Alpha::new(0.3).unwrap();
            let trial = run_trial(&setup, alpha, 8, Some(&prior), &Unobserved).unwrap();
            (prior.snapshots, trial)
        };
        let (ours, burn) = (run(Backend::Cpu), run(Backend::Burn(Device::flex())));
        let close = |a: &HostParameters, b: &HostParameters| {
            for (a, b) in a.iter().zip(b) {
                let size = b.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                for (a, b) in a.iter().zip(b) {
                    // A bias that a normalisation takes away is all rounding.
                    let bound = 1e-4 * size + 1e-7;
                    assert!((a - b).abs() <= bound, "{recipe}: {a} {b}");
                }
            }
        };
        assert_eq!(ours.0.len(), burn.0.len());
        for (a, b) in ours.0.iter().zip(&burn.0) {
            close(a, b);
        }
        close(&ours.1.parameters, &burn.1.parameters);
        let loss = |trial: &Trial| trial.record.after.test.unwrap().loss;
        assert!((loss(&ours.1) - loss(&burn.1)).abs() < 1e-3);
    }
}
