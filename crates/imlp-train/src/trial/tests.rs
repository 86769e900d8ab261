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
use crate::burn::parameters::{to_device, to_host};
use crate::network::Network;
use crate::network::initialization::{Initialization, initialize};
use crate::network::parameters::HostParameters;
use crate::observer::Unobserved;
use crate::prior::train_prior;
use crate::seeds::{RandomStream, stream_seed};
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
    let stream = stream_seed(seed, RandomStream::Twin);
    let start = initialize(
        &specs,
        Initialization::KaimingNormal,
        seed,
        RandomStream::Twin,
    );
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

/// The twin's logits on `subset`, and the images' labels.
fn logits_on(
    setup: &Setup,
    network: &Network,
    parameters: &HostParameters,
    subset: Subset,
) -> (Vec<f32>, Vec<u8>) {
    let device = Device::flex();
    let (set, indices) = setup.data().subset(subset);
    let (mut x, mut labels) = (Vec::new(), Vec::new());
    let data = setup.data();
    data.evaluation_batch(set, indices, &mut x, &mut labels);
    let x = images(&x, indices.len(), &device);
    let parameters = to_device(&network.parameter_specs(), parameters, &device);
    let logits = forward(network, &parameters, x);
    (logits.into_data().try_to_vec().unwrap(), labels)
}

fn test_logits(setup: &Setup, network: &Network, parameters: &HostParameters) -> Vec<f32> {
    logits_on(setup, network, parameters, Subset::Test).0
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

/// 130 training and 50 validation images.
const MEASURED: &str = "prior.channels = [4, 8]\ntrain.batch_size = 50\n\
    data.validation_fraction = 0.3\n";

/// `evaluation.every` and `evaluation.validation_images` leave the training and its result
/// as they are; what they leave of the curve is what a shorter run measures at its end.
#[test]
fn measuring_less_changes_no_bit_of_training() {
    let alpha = Alpha::new(0.3).unwrap();
    let recipe =
        |epochs: u32, rest: &str| setup(&format!("{MEASURED}train.epochs = {epochs}\n{rest}"));
    let full = recipe(5, "");
    let sparse = recipe(
        5,
        "evaluation.every = 2\nevaluation.validation_images = 7\n",
    );
    for seed in [0, 1] {
        let priors = [&full, &sparse].map(|setup| train_prior(setup, seed, &Unobserved).unwrap());
        assert_eq!(priors[0].snapshots, priors[1].snapshots);
        assert_eq!(priors[0].record.validation, priors[1].record.validation);
        assert_eq!(priors[0].record.test, priors[1].record.test);
        let epochs = &priors[1].record.epochs;
        let measured: Vec<bool> = epochs.iter().map(|epoch| epoch.train.is_some()).collect();
        assert_eq!(measured, [false, true, false, true, true]);
        assert!(epochs.iter().all(|epoch| epoch.train_loss.is_some()));

        let [all, some] = [(&full, &priors[0]), (&sparse, &priors[1])]
            .map(|(setup, prior)| run_trial(setup, alpha, seed, Some(prior), &Unobserved).unwrap());
        assert_eq!(all.parameters, some.parameters);
        assert_eq!(
            (all.record.before, all.record.after),
            (some.record.before, some.record.after)
        );
        for (index, (all, some)) in all
            .record
            .points
            .iter()
            .zip(&some.record.points)
            .enumerate()
        {
            assert_eq!((all.epoch, &all.alphas), (some.epoch, &some.alphas));
            assert_eq!(all.train_loss, some.train_loss);
            let is_measured = [false, true, false, true, true][index];
            assert_eq!(some.after.train, all.after.train.filter(|_| is_measured));
            assert_eq!(some.before.train, all.before.train.filter(|_| is_measured));
            assert_eq!(some.after.validation.is_some(), is_measured);
        }

        // A run that ends after two epochs, measured by hand on the sample.
        let two = recipe(2, "evaluation.validation_images = 7\n");
        let short = run(&two, alpha, seed);
        let (logits, labels) = logits_on(
            &two,
            two.twin(),
            &short.parameters,
            Subset::ValidationSample,
        );
        assert_eq!(labels.len(), 7);
        let (mut correct, mut loss) = (0, 0.0);
        for (logits, &label) in logits.chunks(10).zip(&labels) {
            let exp: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp()).collect();
            let own = exp[usize::from(label)];
            correct += usize::from(exp.iter().all(|&e| e <= own));
            loss -= (own / exp.iter().sum::<f64>()).ln() / 7.0;
        }
        let measured = some.record.points[1].after.validation.unwrap();
        assert_eq!(measured.accuracy, correct as f64 / 7.0);
        assert!((measured.loss - loss).abs() < 1e-5 * loss);
    }
}

#[test]
fn the_validation_sample_is_a_random_part_of_the_split() {
    let of = |rest: &str, subset: Subset| {
        let setup = setup(&format!("{MEASURED}{rest}"));
        setup.data().subset(subset).1.to_vec()
    };
    let all = of("", Subset::Validation);
    assert_eq!(all.len(), 50);
    assert_eq!(of("", Subset::ValidationSample), all);
    let twenty = of(
        "evaluation.validation_images = 20\n",
        Subset::ValidationSample,
    );
    let mut sorted = twenty.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 20);
    assert!(sorted.iter().all(|image| all.contains(image)));
    assert_ne!(sorted, all[..20], "they are drawn, not the first");
    assert_eq!(
        of("evaluation.validation_images = 20\n", Subset::Validation),
        all
    );
    assert_eq!(
        of(
            "evaluation.validation_images = 999\n",
            Subset::ValidationSample
        ),
        all
    );
    assert!(
        of(
            "evaluation.validation_images = 0\n",
            Subset::ValidationSample
        )
        .is_empty()
    );
}

/// Between the two measurements of a plain MLP nothing happens, so there is one.
#[test]
fn without_interpolation_before_and_after_are_one_measurement() {
    let setup = setup(&format!("{MEASURED}train.epochs = 2\n"));
    let trial = run_trial(&setup, Alpha::ZERO, 2, None, &Unobserved).unwrap();
    for point in &trial.record.points {
        assert!(point.after.validation.is_some());
        assert_eq!(point.before, point.after);
    }
}

/// The shares and the learning rates of the points follow from α and the steps.
#[test]
fn points_know_the_prior_s_share_and_the_learning_rate() {
    let setup = setup(&format!(
        "{MEASURED}train.epochs = 3\ninterpolation.every = 2\nevaluation.within_epoch = false\n\
         train.warmup_epochs = 3\ntrain.learning_rate = 0.09\n"
    ));
    let trial = run(&setup, Alpha::new(0.25).unwrap(), 4);
    // 130 images, 3 steps an epoch; interpolations after the steps 2, 4, 6 and 8.
    for (point, (before, after)) in trial.record.points.iter().zip([(1, 1), (2, 3), (4, 4)]) {
        let share = |interpolations: i32| 1.0 - 0.75f64.powi(interpolations);
        assert!(
            (point.prior_share_before.unwrap() - share(before)).abs() < 1e-12,
            "{point:?}"
        );
        assert!(
            (point.prior_share_after.unwrap() - share(after)).abs() < 1e-12,
            "{point:?}"
        );
        let expected = 0.09 * f64::from(3 * point.epoch) / 9.0;
        assert!(
            (point.learning_rate.unwrap() - expected).abs() < 1e-12,
            "{point:?}"
        );
    }
    let last = trial.record.points.last().unwrap();
    assert_eq!(
        last.prior_share_after,
        Some(trial.record.effective_prior_share)
    );
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
