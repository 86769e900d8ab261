//! What the tests of trials share: small data, recipes, dense equivalents.
#![allow(dead_code, reason = "every test file uses a part")]

pub mod interruption;

use std::sync::Arc;

use imlp_data::{Dataset, ImageSet, ImageShape};
use imlp_linear::{Alpha, Parameters};
use imlp_train::{
    Backend, HostParameters, Network, PriorTrajectory, Role, Setup, Trial, TrialRecord, Unobserved,
    run_trial, train_prior,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A small cnn for [`dataset`].
pub const CNN: &str = "prior.channels = [3, 4]\ntrain.batch_size = 16\n";

/// A small mixer for [`dataset`], with a pool (which has no parameters).
pub const MIXER: &str = r#"
    prior.kind = "mixer"
    prior.patch = [1, 5]
    prior.channels = 4
    prior.blocks = 1
    prior.token_hidden = 5
    prior.channel_hidden = 6
    train.batch_size = 16
"#;

/// Images of 2×7×5 in three classes: a pattern per class under noise.
pub fn dataset() -> Arc<Dataset> {
    const CLASSES: usize = 3;
    let shape = ImageShape {
        channels: 2,
        height: 7,
        width: 5,
    };
    let mut rng = StdRng::seed_from_u64(41);
    let patterns: Vec<Vec<i32>> = (0..CLASSES)
        .map(|_| {
            (0..shape.len())
                .map(|_| rng.random_range(60..196))
                .collect()
        })
        .collect();
    let mut set = |images: usize| {
        let labels: Vec<u8> = (0..images).map(|i| (i % CLASSES) as u8).collect();
        let mut pixels = Vec::new();
        for &label in &labels {
            let pattern = &patterns[usize::from(label)];
            pixels.extend(
                pattern
                    .iter()
                    .map(|p| (p + rng.random_range(-60..60)) as u8),
            );
        }
        ImageSet::new(shape, CLASSES, pixels, labels).unwrap()
    };
    let (train, test) = (set(90), set(60));
    let names = ["a", "b", "c"].map(String::from).to_vec();
    Arc::new(Dataset::new("patterns", train, test, names).unwrap())
}

/// A set-up on [`dataset`] from lines of a recipe.
pub fn setup(recipe: &str) -> Setup {
    setup_on(dataset(), recipe)
}

/// The same by another backend.
pub fn setup_by(backend: Backend, recipe: &str) -> Setup {
    build(dataset(), recipe, backend)
}

pub fn setup_on(dataset: Arc<Dataset>, recipe: &str) -> Setup {
    build(dataset, recipe, Backend::Cpu)
}

fn build(dataset: Arc<Dataset>, recipe: &str, backend: Backend) -> Setup {
    let config = toml::from_str(recipe).unwrap_or_else(|e| panic!("{recipe}\n{e}"));
    Setup::new(config, dataset, backend).unwrap_or_else(|e| panic!("{recipe}\n{e}"))
}

pub fn alpha(value: f64) -> Alpha {
    Alpha::new(value).unwrap()
}

pub fn prior(setup: &Setup, seed: u64) -> PriorTrajectory {
    train_prior(setup, seed, &Unobserved).unwrap()
}

pub fn trial(setup: &Setup, value: f64, seed: u64, prior: Option<&PriorTrajectory>) -> Trial {
    run_trial(setup, alpha(value), seed, prior, &Unobserved).unwrap()
}

pub fn bits(parameters: &HostParameters) -> Vec<Vec<u32>> {
    let of = |values: &Vec<f32>| values.iter().map(|v| v.to_bits()).collect();
    parameters.iter().map(of).collect()
}

/// The record without its measurements of time.
pub fn timeless(record: &TrialRecord) -> TrialRecord {
    TrialRecord {
        train_seconds: 0.0,
        interpolation_seconds: 0.0,
        images_per_second: 0.0,
        ..record.clone()
    }
}

/// The prior's dense equivalents and normalisations in the order of the twin's
/// parameters, found by name.
pub fn dense_equivalents(prior: &Network, parameters: &HostParameters) -> HostParameters {
    let specs = prior.parameter_specs();
    let find = |name: &str| {
        let index = specs.iter().position(|s| s.name == name)?;
        Some(parameters[index].as_slice())
    };
    let linear = prior.linear_layers();
    let twin = prior.dense_twin().unwrap().parameter_specs();
    let values = twin.iter().map(|spec| {
        let layer = spec.name.rsplit_once('.').unwrap().0;
        let dense = || {
            let map = &linear.iter().find(|l| l.name == layer).unwrap().map;
            map.dense(Parameters {
                weight: find(&format!("{layer}.weight")).unwrap_or(&[]),
                bias: find(&format!("{layer}.bias")),
            })
            .unwrap()
        };
        match spec.role {
            Role::Weight => dense().weight,
            Role::Bias => dense().bias,
            Role::Scale | Role::Shift => find(&spec.name).unwrap().to_vec(),
        }
    });
    values.collect()
}

/// The first images of the embedded data set.
pub fn fashion(train: usize, test: usize) -> Arc<Dataset> {
    let all = imlp_data::load("fashion-mini", &imlp_data::LoadOptions::default()).unwrap();
    let first = |set: &ImageSet, images: usize| {
        let pixels = set.pixels()[..images * set.shape().len()].to_vec();
        let labels = set.labels()[..images].to_vec();
        ImageSet::new(set.shape(), set.classes(), pixels, labels).unwrap()
    };
    let (train, test) = (first(&all.train, train), first(&all.test, test));
    Arc::new(Dataset::new("fashion-mini", train, test, all.class_names).unwrap())
}
