//! What an experiment leaves for people and programs: `results.csv`,
//! `summary.json`, `curve.svg`, `curve.png`, `report.html`.

use std::path::PathBuf;

use imlp_train::{
    Every, Measurement, Metrics, OptimizerState, PriorRecord, TrialRecord, TrialStatus, bytes,
};
use serde::Serialize;

use crate::LabError;
use crate::curve::{Curve, CurvePoint, Level, Row};
use crate::experiment::{Execution, Experiment, Prediction};
use crate::figure::{render_svg, svg_to_png};
use crate::files::{write_atomically, write_json};
use crate::report::{Report, render_html};
use crate::sweep::Results;

/// What was written, and the curve in it.
#[derive(Clone, Debug)]
pub struct Written {
    /// Accuracy against α on the test set.
    pub curve: Curve,
    /// The files, in the order in which a reader wants them.
    pub files: Vec<PathBuf>,
}

/// One row of `results.csv`; missing numbers are empty.
#[derive(Debug, Serialize)]
struct CsvRow {
    alpha: f64,
    seed: u64,
    status: &'static str,
    val_accuracy_before: Option<f64>,
    val_accuracy_after: Option<f64>,
    test_accuracy_before: Option<f64>,
    test_accuracy_after: Option<f64>,
    prior_test_accuracy: Option<f64>,
    effective_prior_share: f64,
    epochs: u32,
    train_seconds: f64,
    prior_val_accuracy: Option<f64>,
    train_accuracy_before: Option<f64>,
    train_accuracy_after: Option<f64>,
    val_loss_before: Option<f64>,
    val_loss_after: Option<f64>,
    test_loss_before: Option<f64>,
    test_loss_after: Option<f64>,
    diverged_epoch: Option<u32>,
    restored_epochs: u32,
    budget: f64,
    interpolated_weights: usize,
    interpolation_seconds: f64,
    images_per_second: f64,
    prior_train_seconds: f64,
}

/// `summary.json`: the curve and everything needed to run it again.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    imlp_version: &'static str,
    burn_version: &'static str,
    command: &'a str,
    config: &'a imlp_train::TrialConfig,
    sweep: &'a crate::SweepConfig,
    data_checksum: &'a str,
    cost: Prediction,
    metric: &'static str,
    test: &'a Curve,
    validation: Option<&'a Curve>,
    seconds_of_training: f64,
    units: &'static str,
    note: &'static str,
}

/// What the curve's accuracy is.
const METRIC: &str = "Test accuracy";

/// The confidence level is that of `statistics`.
const NOTE: &str = "intervals are 95 % Student-t intervals over seeds; \
    diverged trials are counted, never averaged; test accuracy is measured once, at the end, after \
    the last interpolation";

/// Writes all files of an experiment that has run.
///
/// # Errors
/// A file that cannot be written; a figure that cannot be drawn.
pub fn write(
    experiment: &Experiment,
    results: &Results,
    execution: &Execution,
    command: &str,
) -> Result<Written, LabError> {
    let title = format!(
        "Accuracy against α: {} toward {}",
        experiment.config.data.name,
        experiment.config.prior.kind.name()
    );
    let subtitle = format!(
        "dense twin with {} parameters, {} epochs, {} seed(s), {} prior",
        thousands(experiment.predict(execution.jobs).cost.twin.parameters),
        experiment.config.train.epochs,
        experiment.seeds.len(),
        experiment.config.prior.training.name(),
    );
    let mut test = curve(METRIC, results, |m| m.test, |p| p.test)?.titled(&title, &subtitle);
    let validation = (experiment.setup.data().validation_len() > 0)
        .then(|| {
            curve(
                "Validation accuracy",
                results,
                |m| m.validation,
                |p| p.validation,
            )
        })
        .transpose()?;
    if let Some(validation) = &validation {
        test = test.chosen_by(validation);
    }
    let svg = render_svg(&test)?;
    let png = svg_to_png(&svg)?;
    let names = [
        "results.csv",
        "summary.json",
        "curve.svg",
        "curve.png",
        "report.html",
    ];
    let files: Vec<PathBuf> = names.iter().map(|name| execution.out.join(name)).collect();

    write_atomically(&files[0], &csv(results)?)?;
    let summary = Summary {
        imlp_version: env!("CARGO_PKG_VERSION"),
        burn_version: imlp_train::BURN_VERSION,
        command,
        config: &experiment.config,
        sweep: &experiment.sweep,
        data_checksum: &experiment.setup.data().dataset().checksum,
        cost: experiment.predict(execution.jobs),
        metric: METRIC,
        test: &test,
        validation: validation.as_ref(),
        seconds_of_training: seconds_of_training(results),
        units: "accuracies are fractions, losses are nats",
        note: NOTE,
    };
    write_json(&files[1], &summary)?;
    write_atomically(&files[2], svg.as_bytes())?;
    write_atomically(&files[3], &png)?;
    let html = render_html(&Report {
        title,
        command: command.to_owned(),
        config_toml: config_toml(experiment)?,
        facts: facts(experiment, results, execution),
        curve: &test,
        svg: &svg,
        files: names.iter().map(|&n| n.to_owned()).collect(),
        ends_as_prior: experiment.setup.ends_as_prior()?,
        notes: notes(experiment, &test),
    })?;
    write_atomically(&files[4], html.as_bytes())?;
    Ok(Written { curve: test, files })
}

fn accuracy(metrics: Option<Metrics>) -> Option<f64> {
    metrics.map(|m| m.accuracy)
}

fn loss(metrics: Option<Metrics>) -> Option<f64> {
    metrics.map(|m| m.loss)
}

fn curve(
    metric: &str,
    results: &Results,
    of_trial: impl Fn(&Measurement) -> Option<Metrics>,
    of_prior: impl Fn(&PriorRecord) -> Option<Metrics>,
) -> Result<Curve, LabError> {
    let rows: Vec<Row> = results
        .trials
        .iter()
        .map(|trial| Row {
            alpha: trial.alpha.get(),
            seed: trial.seed,
            value: accuracy(of_trial(&trial.after)),
        })
        .collect();
    let priors: Vec<(u64, Option<f64>)> = results
        .priors
        .iter()
        .map(|prior| (prior.seed, accuracy(of_prior(prior))))
        .collect();
    Ok(Curve::from_rows(metric, &rows, &priors)?)
}

fn csv(results: &Results) -> Result<Vec<u8>, LabError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for trial in &results.trials {
        let prior = results.priors.iter().find(|p| p.seed == trial.seed);
        writer
            .serialize(csv_row(trial, prior))
            .map_err(|e| LabError::io("write", "results.csv".as_ref())(e.into()))?;
    }
    writer
        .into_inner()
        .map_err(|e| LabError::io("write", "results.csv".as_ref())(e.into_error()))
}

fn csv_row(trial: &TrialRecord, prior: Option<&PriorRecord>) -> CsvRow {
    let TrialRecord { before, after, .. } = trial;
    let (status, diverged_epoch) = match trial.status {
        TrialStatus::Done => ("done", None),
        TrialStatus::Diverged { epoch } => ("diverged", Some(epoch)),
        TrialStatus::PriorDiverged { epoch } => ("prior-diverged", Some(epoch)),
    };
    CsvRow {
        alpha: trial.alpha.get(),
        seed: trial.seed,
        status,
        val_accuracy_before: accuracy(before.validation),
        val_accuracy_after: accuracy(after.validation),
        test_accuracy_before: accuracy(before.test),
        test_accuracy_after: accuracy(after.test),
        prior_test_accuracy: prior.and_then(|p| accuracy(p.test)),
        effective_prior_share: trial.effective_prior_share,
        epochs: trial.epochs,
        train_seconds: trial.train_seconds,
        prior_val_accuracy: prior.and_then(|p| accuracy(p.validation)),
        train_accuracy_before: accuracy(before.train),
        train_accuracy_after: accuracy(after.train),
        val_loss_before: loss(before.validation),
        val_loss_after: loss(after.validation),
        test_loss_before: loss(before.test),
        test_loss_after: loss(after.test),
        diverged_epoch,
        restored_epochs: trial.restored_epochs,
        budget: trial.budget,
        interpolated_weights: trial.interpolated_weights,
        interpolation_seconds: trial.interpolation_seconds,
        images_per_second: trial.images_per_second,
        prior_train_seconds: prior.map_or(0.0, |p| p.train_seconds),
    }
}

fn config_toml(experiment: &Experiment) -> Result<String, LabError> {
    #[derive(Serialize)]
    struct Recipe<'a> {
        #[serde(flatten)]
        trial: &'a imlp_train::TrialConfig,
        sweep: &'a crate::SweepConfig,
    }
    toml::to_string(&Recipe {
        trial: &experiment.config,
        sweep: &experiment.sweep,
    })
    .map_err(|e| LabError::Toml {
        origin: "the configuration".to_owned(),
        reason: e.to_string(),
    })
}

fn facts(
    experiment: &Experiment,
    results: &Results,
    execution: &Execution,
) -> Vec<(String, String)> {
    let prediction = experiment.predict(execution.jobs);
    let data = experiment.setup.data();
    let cost = prediction.cost;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact(
            "Data",
            format!(
                "{}: {} training, {} validation, {} test images",
                experiment.config.data.name,
                data.train_len(),
                data.validation_len(),
                data.dataset().test.len()
            ),
        ),
        fact("Data checksum (SHA-256)", data.dataset().checksum.clone()),
        fact("Prior", experiment.config.prior.kind.name().to_owned()),
        fact(
            "Parameters",
            format!(
                "prior {}, dense twin {}",
                thousands(cost.prior.parameters),
                thousands(cost.twin.parameters)
            ),
        ),
        fact(
            "FLOPs per image, forward and backward (a multiply-add is 2)",
            format!(
                "prior {}, dense twin {}",
                thousands(cost.prior.flops_per_image),
                thousands(cost.twin.flops_per_image)
            ),
        ),
        fact(
            "FLOPs of the whole experiment, priors included",
            format!("{:.3e}", prediction.total_flops),
        ),
        fact("Predicted peak memory", bytes(prediction.peak_bytes)),
        fact(
            "Seconds of training, summed over trials",
            format!("{:.1}", seconds_of_training(results)),
        ),
        fact(
            "Versions",
            format!(
                "imlp {}, Burn {}",
                env!("CARGO_PKG_VERSION"),
                imlp_train::BURN_VERSION
            ),
        ),
    ]
}

fn seconds_of_training(results: &Results) -> f64 {
    let trials: f64 = results.trials.iter().map(|t| t.train_seconds).sum();
    let priors: f64 = results.priors.iter().map(|p| p.train_seconds).sum();
    trials + priors
}

fn notes(experiment: &Experiment, curve: &Curve) -> Vec<String> {
    let mut notes = vec![NOTE.to_owned()];
    let interpolation = &experiment.config.interpolation;
    if matches!(interpolation.every, Every::Steps(_))
        && interpolation.optimizer_state == OptimizerState::Reset
    {
        notes.push(
            "the optimiser's state is reset after every interpolation, for every α above 0 and not \
             for α = 0: with interpolations within an epoch, a difference from α = 0 is also the \
             effect of that reset; interpolation.optimizer_state = \"scale\" goes over into the \
             plain MLP as α goes to 0"
                .to_owned(),
        );
    }
    let diverged: usize = curve
        .points
        .iter()
        .map(|p: &CurvePoint| p.diverged.len())
        .sum();
    if diverged > 0 {
        notes.push(format!(
            "{diverged} trial(s) diverged: results.csv names them and the epoch"
        ));
    }
    if curve.prior.as_ref().is_some_and(|p: &Level| p.n == 0) {
        notes.push("the prior diverged for every seed; lower prior.learning_rate".to_owned());
    }
    notes
}

/// `5256202` as `5 256 202`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
