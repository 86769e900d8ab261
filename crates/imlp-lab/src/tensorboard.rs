//! Event files for TensorBoard, one per finished trial and one per trained prior:
//! `OUT/tensorboard/alpha=0.1,seed=2/events.out.tfevents.…`, `OUT/tensorboard/prior,seed=2/…`.
//!
//! A file is made from the finished record, so it is complete, has no
//! value twice, and has the same bytes whichever process writes it.

mod events;

use std::path::Path;

use imlp_train::{Measurement, Metrics, PriorRecord, TrialRecord, TrialStatus};
use serde_json::Value;

use crate::error::LabError;
use crate::experiment::{Configuration, PlannedTrial};
use crate::files::{create_folder, list, remove_file, write_atomically};
use crate::folder_name::folder_name;
use crate::identity::PriorId;
use crate::keys::flat;
use crate::store::{Published, Store};
use crate::text::alpha_text;
use events::{EventFile, HyperParameter};

/// Folder for `tensorboard --logdir`, inside the experiment's folder.
const FOLDER: &str = "tensorboard";

/// Prefix by which TensorBoard recognises event files.
const PREFIX: &str = "events.out.tfevents.";

/// Writes the event file of a trial unless it exists.
///
/// # Errors
/// [`LabError::Io`].
pub fn write(
    out: &Path,
    configuration: &Configuration,
    trial: &PlannedTrial,
    published: &Published<TrialRecord>,
) -> Result<(), LabError> {
    let alpha = alpha_text(trial.alpha);
    let run = run_name(configuration, &format!("alpha={alpha}"), trial.seed);
    write_once(out, run, (published.at, trial.id.as_str()), || {
        event_file(configuration, trial, published)
    })
}

/// Writes the event file of a prior in `store`, likewise; none where it is not trained.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Damaged`].
pub fn prior(store: &Store, configuration: &Configuration, id: &PriorId) -> Result<(), LabError> {
    let Some(published) = store.published_prior(id)? else {
        return Ok(());
    };
    let run = run_name(configuration, "prior", published.result.seed);
    write_once(store.root(), run, (published.at, id.as_str()), || {
        prior_file(configuration, &published)
    })
}

/// Writes the file of the job `id`, which was published `at`, into the folder of `run`, unless
/// it is there.
fn write_once(
    out: &Path,
    run: String,
    (at, id): (u64, &str),
    file: impl FnOnce() -> EventFile,
) -> Result<(), LabError> {
    let runs = out.join(FOLDER);
    let is_of = |name: &String| name.starts_with(PREFIX) && name.ends_with(id);
    let mut folder = runs.join(&run);
    let mut there = list(&folder)?;
    if !there.is_empty() && !there.iter().any(is_of) {
        // The folder belongs to a job of another command, with another configuration.
        folder = runs.join(format!("{run},{id}"));
        there = list(&folder)?;
    }
    let name = format!("{PREFIX}{at}.{id}");
    if there.contains(&name) {
        return Ok(());
    }
    create_folder(&folder)?;
    write_atomically(&folder.join(&name), &file().into_bytes())?;
    // Files of an earlier result of the same job, which was lost.
    for other in there.iter().filter(|other| is_of(other)) {
        remove_file(&folder.join(other))?;
    }
    Ok(())
}

/// `alpha=0.1,seed=2,train.epochs=3`, `prior,seed=2`.
fn run_name(configuration: &Configuration, what: &str, seed: u64) -> String {
    let mut name = format!("{what},seed={seed}");
    let label = configuration.label();
    if !label.is_empty() {
        name.push(',');
        name.push_str(&folder_name(&label));
    }
    name
}

fn event_file(
    configuration: &Configuration,
    trial: &PlannedTrial,
    published: &Published<TrialRecord>,
) -> EventFile {
    let setup = &configuration.setup;
    let record = &published.result;
    let (began, at) = (published.began as f64, published.at as f64);
    let mut file = EventFile::new(began);
    file.session_start(began, &parameters(configuration, trial));
    let count = record.points.len().max(1) as f64;
    let mut last = 0;
    for (index, point) in record.points.iter().enumerate() {
        // Points have no recorded time; they are assumed equally far apart.
        let time = began + (at - began) * (index + 1) as f64 / count;
        let step = setup.twin_steps_at(point.epoch, point.step);
        last = step;
        let mut add = |tag: &str, value: Option<f64>| {
            if let Some(value) = value {
                file.scalar(time, step, tag, value);
            }
        };
        add("loss/train_running", point.train_loss);
        for (moment, measured) in [("before", &point.before), ("after", &point.after)] {
            for (subset, metrics) in subsets(measured) {
                add(
                    &format!("accuracy/{subset}_{moment}"),
                    metrics.map(|m| m.accuracy),
                );
                add(&format!("loss/{subset}_{moment}"), metrics.map(|m| m.loss));
            }
        }
        for (layer, alpha) in point.alphas.iter().enumerate() {
            add(&format!("interpolation/alpha_layer{layer}"), Some(*alpha));
        }
        add(
            "learning_rate",
            Some(setup.twin_learning_rate(step.saturating_sub(1))),
        );
    }
    for (tag, value) in [
        ("interpolation/alpha", record.alpha.get()),
        (
            "interpolation/effective_prior_share",
            record.effective_prior_share,
        ),
    ] {
        file.scalar(at, last, tag, value);
    }
    // One value per run, for comparisons between runs: the trial's result.
    for (subset, metrics) in subsets(&record.after) {
        if let Some(Metrics { accuracy, loss }) = metrics {
            file.scalar(at, last, &format!("result/{subset}_accuracy"), accuracy);
            file.scalar(at, last, &format!("result/{subset}_loss"), loss);
        }
    }
    file.session_end(at, record.status == TrialStatus::Done);
    file
}

fn prior_file(configuration: &Configuration, published: &Published<PriorRecord>) -> EventFile {
    let record = &published.result;
    let (began, at) = (published.began as f64, published.at as f64);
    let mut file = EventFile::new(began);
    let steps = configuration.setup.prior_steps();
    let epochs = u64::from(configuration.setup.prior_epochs()).max(1);
    let count = record.epochs.len().max(1) as f64;
    let mut last = 0;
    for (index, epoch) in record.epochs.iter().enumerate() {
        let time = began + (at - began) * (index + 1) as f64 / count;
        last = steps * u64::from(epoch.epoch) / epochs;
        let mut add = |tag: String, value: Option<f64>| {
            if let Some(value) = value {
                file.scalar(time, last, &tag, value);
            }
        };
        add("loss/train_running".to_owned(), epoch.train_loss);
        for (subset, metrics) in [("train", epoch.train), ("validation", epoch.validation)] {
            // Nothing comes between the end of its epoch and what follows.
            let accuracy = metrics.map(|m| m.accuracy);
            add(format!("accuracy/{subset}_after"), accuracy);
            add(format!("loss/{subset}_after"), metrics.map(|m| m.loss));
        }
    }
    for (subset, metrics) in [("validation", record.validation), ("test", record.test)] {
        if let Some(Metrics { accuracy, loss }) = metrics {
            file.scalar(at, last, &format!("result/{subset}_accuracy"), accuracy);
            file.scalar(at, last, &format!("result/{subset}_loss"), loss);
        }
    }
    file
}

fn subsets(measured: &Measurement) -> [(&'static str, Option<Metrics>); 3] {
    [
        ("train", measured.train),
        ("validation", measured.validation),
        ("test", measured.test),
    ]
}

/// α, seed, and every key of the configuration.
fn parameters(
    configuration: &Configuration,
    trial: &PlannedTrial,
) -> Vec<(String, HyperParameter)> {
    let config =
        serde_json::to_value(&configuration.config).expect("a configuration has only text keys");
    let mut parameters = vec![
        (
            "alpha".to_owned(),
            HyperParameter::Number(trial.alpha.get()),
        ),
        ("seed".to_owned(), HyperParameter::Number(trial.seed as f64)),
    ];
    for (key, value) in flat(&config) {
        let value = match value {
            // The trial's own is above.
            _ if key == "interpolation.alpha" => continue,
            Value::Null => continue,
            Value::Bool(truth) => HyperParameter::Truth(*truth),
            Value::Number(number) => HyperParameter::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => HyperParameter::Text(text.clone()),
            other => HyperParameter::Text(other.to_string()),
        };
        parameters.push((key, value));
    }
    parameters
}
