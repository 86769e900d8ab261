//! Trains a small convolutional prior and its dense twin on the built-in images,
//! plainly (α = 0) and under interpolation (α = 0.1), and prints the accuracy
//! before and after each interpolation.
//!
//! `cargo run --release -p imlp-train --example interpolate`

use std::error::Error;
use std::sync::Arc;

use imlp_data::LoadOptions;
use imlp_linear::Alpha;
use imlp_train::{Backend, Measurement, Setup, TrialConfig, Unobserved, run_trial, train_prior};

/// The tables of a recipe, but for `[sweep]`.
const CONFIG: &str = r#"
    [data]
    name = "fashion-mini"
    validation_fraction = 0.2

    [prior]
    kind = "custom"
    layers = [
        { type = "conv2d", channels = 4, kernel = 4, stride = 4 },
        { type = "relu" },
        { type = "linear" },
    ]

    [train]
    epochs = 2
    batch_size = 64
"#;

/// Initial weights and the order of the images follow from it.
const SEED: u64 = 0;

fn main() -> Result<(), Box<dyn Error>> {
    let dataset = imlp_data::load("fashion-mini", &LoadOptions::default())?;
    let config: TrialConfig = toml::from_str(CONFIG)?;
    let setup = Setup::new(config, Arc::new(dataset), Backend::Cpu)?;

    // One prior serves every α.
    let prior = train_prior(&setup, SEED, &Unobserved)?;
    if let Some(metrics) = prior.record.validation {
        println!(
            "prior: {:.1} % on the validation images",
            100.0 * metrics.accuracy
        );
    }
    for alpha in [0.0, 0.1] {
        let trial = run_trial(&setup, Alpha::new(alpha)?, SEED, Some(&prior), &Unobserved)?;
        println!("dense twin at α = {alpha}:");
        for point in &trial.record.points {
            println!(
                "  epoch {}: {} before, {} after interpolation",
                point.epoch,
                accuracy(point.before),
                accuracy(point.after)
            );
        }
    }
    Ok(())
}

fn accuracy(measured: Measurement) -> String {
    let validation = measured.validation;
    validation.map_or("–".to_owned(), |m| format!("{:.1} %", 100.0 * m.accuracy))
}
