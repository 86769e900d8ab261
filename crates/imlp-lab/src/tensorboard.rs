//! Event files for TensorBoard, one per trial and prior:
//! `OUT/tensorboard/alpha=0.1,seed=2/events.out.tfevents.…`, `OUT/tensorboard/prior,seed=2/…`.
//!
//! Events follow from the record so far. At each recorded point a file is brought up to date:
//! what it lacks is appended. At the end the whole record is compared with it, so that it holds
//! the events that follow from the record alone, however often the run was interrupted.

mod event_log;
mod events;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use imlp_train::{Measurement, Metrics, Point, PriorEpoch, PriorRecord, TrialRecord, TrialStatus};
use serde_json::Value;

use crate::error::LabError;
use crate::experiment::{Configuration, PlannedPrior, PlannedTrial};
use crate::files::{create_folder, list, remove_file};
use crate::folder_name::folder_name;
use crate::keys::flat;
use crate::store::Published;
use crate::text::alpha_text;
use events::{EventFile, HyperParameter};

/// Folder for `tensorboard --logdir`, inside the experiment's folder.
pub(crate) const FOLDER: &str = "tensorboard";

/// Prefix by which TensorBoard recognises event files.
const PREFIX: &str = "events.out.tfevents.";

/// The event file of one trial or prior.
pub struct Run<'a> {
    /// Folder of the runs.
    runs: PathBuf,
    /// Of the folder in it.
    name: String,
    /// Name of the job.
    id: &'a str,
    configuration: &'a Configuration,
    trial: Option<&'a PlannedTrial>,
}

impl<'a> Run<'a> {
    /// Of a trial: `alpha=0.1,seed=2,train.epochs=3`.
    pub fn of_trial(out: &Path, configuration: &'a Configuration, trial: &'a PlannedTrial) -> Self {
        let name = format!("alpha={},seed={}", alpha_text(trial.alpha), trial.seed);
        Self {
            runs: out.join(FOLDER),
            name: with_label(name, configuration),
            id: trial.id.as_str(),
            configuration,
            trial: Some(trial),
        }
    }

    /// Of a prior: `prior,seed=2,train.epochs=3`. Configurations that share it have one run,
    /// named after the first.
    pub fn of_prior(out: &Path, configuration: &'a Configuration, prior: &'a PlannedPrior) -> Self {
        Self {
            runs: out.join(FOLDER),
            name: with_label(format!("prior,seed={}", prior.seed), configuration),
            id: prior.id.as_str(),
            configuration,
            trial: None,
        }
    }

    /// Adds what a trial, which began then, has recorded so far.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn follow_trial(&self, began: u64, points: &[Point]) -> Result<(), LabError> {
        let now = now();
        let (path, mut file) = self.begin(began)?;
        self.add_points(&mut file, points, |_| now);
        event_log::append(&path, &file)
    }

    /// Adds what a prior, which began then, has recorded so far.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn follow_prior(&self, began: u64, epochs: &[PriorEpoch]) -> Result<(), LabError> {
        let now = now();
        let (path, mut file) = self.begin(began)?;
        self.add_epochs(&mut file, epochs, |_| now);
        event_log::append(&path, &file)
    }

    /// Makes the file of a finished trial whole.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn finish_trial(&self, published: &Published<TrialRecord>) -> Result<(), LabError> {
        let record = &published.result;
        let at = published.at as f64;
        let (path, mut file) = self.begin(published.began)?;
        let began = file.began();
        let last = self.add_points(
            &mut file,
            &record.points,
            evenly(began, at, record.points.len()),
        );
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
            add_result(&mut file, at, last, subset, metrics);
        }
        file.session_end(at, record.status == TrialStatus::Done);
        event_log::complete(&path, &file)
    }

    /// Makes the file of a finished prior whole.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn finish_prior(&self, published: &Published<PriorRecord>) -> Result<(), LabError> {
        let record = &published.result;
        let at = published.at as f64;
        let (path, mut file) = self.begin(published.began)?;
        let began = file.began();
        let last = self.add_epochs(
            &mut file,
            &record.epochs,
            evenly(began, at, record.epochs.len()),
        );
        add_result(&mut file, at, last, "validation", record.validation);
        add_result(&mut file, at, last, "test", record.test);
        event_log::complete(&path, &file)
    }

    /// The run's file, and the first event that it has or, of a run that began then, will have.
    fn begin(&self, began: u64) -> Result<(PathBuf, EventFile), LabError> {
        let path = self.path(began)?;
        let began = event_log::began(&path)?.unwrap_or(began as f64);
        Ok((path, EventFile::new(began)))
    }

    /// The run's file, or the name that it will have. Files of the same run beside it, of
    /// earlier versions, are removed.
    fn path(&self, began: u64) -> Result<PathBuf, LabError> {
        let is_of = |name: &String| name.ends_with(self.id);
        // What a crash leaves of a file that was being written is nobody's.
        let event_files = |folder: &Path| -> Result<Vec<String>, LabError> {
            let mut there = list(folder)?;
            there.retain(|name| name.starts_with(PREFIX));
            Ok(there)
        };
        let mut folder = self.runs.join(&self.name);
        let mut there = event_files(&folder)?;
        if !there.is_empty() && !there.iter().any(is_of) {
            // The folder belongs to a job of another command, with another configuration.
            folder = self.runs.join(format!("{},{}", self.name, self.id));
            there = event_files(&folder)?;
        }
        create_folder(&folder)?;
        let mut own: Vec<String> = there.into_iter().filter(is_of).collect();
        own.sort();
        let newest = own.pop();
        for other in own {
            remove_file(&folder.join(other))?;
        }
        Ok(folder.join(newest.unwrap_or_else(|| format!("{PREFIX}{began}.{}", self.id))))
    }

    /// Adds the start of the session and the points of a trial, each at its time; returns the
    /// step of the last one.
    fn add_points(
        &self,
        file: &mut EventFile,
        points: &[Point],
        time: impl Fn(usize) -> f64,
    ) -> u64 {
        let setup = &self.configuration.setup;
        if let Some(trial) = self.trial {
            file.session_start(&parameters(self.configuration, trial));
        }
        let mut last = 0;
        for (index, point) in points.iter().enumerate() {
            let time = time(index);
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
        last
    }

    /// Adds the epochs of a prior, each at its time; returns the step of the last one. Their
    /// tags are those of a trial after the interpolation, so that both share a chart.
    fn add_epochs(
        &self,
        file: &mut EventFile,
        epochs: &[PriorEpoch],
        time: impl Fn(usize) -> f64,
    ) -> u64 {
        let setup = &self.configuration.setup;
        let per_epoch = setup.prior_steps() / u64::from(setup.prior_epochs().max(1));
        let mut last = 0;
        for (index, epoch) in epochs.iter().enumerate() {
            last = u64::from(epoch.epoch) * per_epoch;
            if let Some(loss) = epoch.train_loss {
                file.scalar(time(index), last, "loss/train_running", loss);
            }
            for (subset, metrics) in [("train", epoch.train), ("validation", epoch.validation)] {
                let Some(Metrics { accuracy, loss }) = metrics else {
                    continue;
                };
                for (quantity, value) in [("accuracy", accuracy), ("loss", loss)] {
                    let tag = format!("{quantity}/{subset}_after");
                    file.scalar(time(index), last, &tag, value);
                }
            }
        }
        last
    }
}

/// The name with what sets the configuration apart.
fn with_label(mut name: String, configuration: &Configuration) -> String {
    let label = configuration.label();
    if !label.is_empty() {
        name.push(',');
        name.push_str(&folder_name(&label));
    }
    name
}

/// Times of `count` points, which records do not hold: equally far apart.
fn evenly(began: f64, at: f64, count: usize) -> impl Fn(usize) -> f64 {
    let count = count.max(1) as f64;
    move |index| began + (at - began) * (index + 1) as f64 / count
}

fn add_result(file: &mut EventFile, time: f64, step: u64, subset: &str, metrics: Option<Metrics>) {
    if let Some(Metrics { accuracy, loss }) = metrics {
        file.scalar(time, step, &format!("result/{subset}_accuracy"), accuracy);
        file.scalar(time, step, &format!("result/{subset}_loss"), loss);
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
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
