//! What an experiment leaves for people and programs: `results.csv`,
//! `summary.json`, `curve.svg`, `curve.png`, `report.html`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use imlp_train::{
    Cost, Every, Measurement, Metrics, OptimizerState, PriorRecord, TrialRecord, bytes,
};
use serde::Serialize;

use crate::LabError;
use crate::curve::{Curve, CurvePoint, Level, Row};
use crate::executor::Results;
use crate::experiment::{Configuration, Execution, Experiment, PlannedTrial, Prediction};
use crate::figure::{render_svg, svg_to_png};
use crate::files::{create_folder, write_atomically, write_json};
use crate::identity::sha256_hex;
use crate::report::{Report, render_html};
use crate::rows::{self, Rows};
use crate::store::Published;
use crate::tensorboard;
use crate::text::thousands;
use crate::variation::Assignment;

/// What was written, and the curves in it.
#[derive(Clone, Debug)]
pub struct Written {
    /// Accuracy against α on the test set, one curve per configuration that has
    /// a finished trial, with what sets it apart.
    pub curves: Vec<(String, Curve)>,
    /// The files that a reader wants first.
    pub files: Vec<PathBuf>,
}

/// `summary.json`: the curve and everything needed to run it again.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    imlp_version: &'static str,
    burn_version: &'static str,
    command: &'a str,
    config: &'a imlp_train::TrialConfig,
    assignments: &'a [Assignment],
    sweep: &'a crate::SweepConfig,
    data_checksum: &'a str,
    networks: Cost,
    cost: &'a Prediction,
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

/// `summary.json` of an experiment with several configurations.
#[derive(Debug, Serialize)]
struct Overview<'a> {
    imlp_version: &'static str,
    burn_version: &'static str,
    command: &'a str,
    sweep: &'a crate::SweepConfig,
    cost: &'a Prediction,
    configurations: Vec<OverviewEntry<'a>>,
    note: &'static str,
}

#[derive(Debug, Serialize)]
struct OverviewEntry<'a> {
    assignments: &'a [Assignment],
    /// Its own files; none where no trial finished.
    folder: Option<String>,
    chosen_alpha: Option<f64>,
    test: Option<&'a Curve>,
}

/// Where the files of single configurations are, where there are several.
const CONFIGURATIONS: &str = "configurations";

/// What the files are made from.
struct Source<'a> {
    experiment: &'a Experiment,
    results: &'a Results,
    prediction: &'a Prediction,
    command: &'a str,
}

/// Writes all files of an experiment that has run: of a single configuration its
/// figure and report; of several a common table, and a folder for each.
///
/// # Errors
/// A file that cannot be written; a figure that cannot be drawn;
/// [`LabError::NothingFinished`].
pub fn write(
    experiment: &Experiment,
    results: &Results,
    execution: &Execution,
    command: &str,
) -> Result<Written, LabError> {
    for (trial, published) in &results.trials {
        let configuration = &experiment.configurations[trial.configuration];
        if let Some(published) = published {
            tensorboard::write(&execution.out, configuration, trial, published)?;
        }
    }
    let prediction = experiment.predict(execution.jobs);
    let source = Source {
        experiment,
        results,
        prediction: &prediction,
        command,
    };
    let all: Vec<usize> = (0..experiment.configurations.len()).collect();
    if let [only] = all[..] {
        let (curve, files) = source.write(only, &execution.out)?;
        return Ok(Written {
            curves: vec![(String::new(), curve)],
            files,
        });
    }
    let table = execution.out.join("results.csv");
    write_atomically(&table, &source.rows(&all).csv_bytes()?)?;
    let mut curves = Vec::new();
    let mut entries = Vec::new();
    for index in all {
        let configuration = &experiment.configurations[index];
        let name = format!("{CONFIGURATIONS}/{}", folder_name(&configuration.label()));
        let folder = execution.out.join(&name);
        create_folder(&folder)?;
        let written = match source.write(index, &folder) {
            Err(LabError::NothingFinished) => None,
            outcome => Some((name, outcome?.0)),
        };
        entries.push((configuration, written));
    }
    let summary = execution.out.join("summary.json");
    let overview = Overview {
        imlp_version: env!("CARGO_PKG_VERSION"),
        burn_version: imlp_train::BURN_VERSION,
        command,
        sweep: &experiment.sweep,
        cost: &prediction,
        configurations: entries
            .iter()
            .map(|(configuration, written)| OverviewEntry {
                assignments: &configuration.assignments,
                folder: written.as_ref().map(|(name, _)| name.clone()),
                chosen_alpha: written.as_ref().and_then(|(_, curve)| curve.chosen_alpha),
                test: written.as_ref().map(|(_, curve)| curve),
            })
            .collect(),
        note: NOTE,
    };
    write_json(&summary, &overview)?;
    for (configuration, written) in entries {
        if let Some((_, curve)) = written {
            curves.push((configuration.label(), curve));
        }
    }
    if curves.is_empty() {
        return Err(LabError::NothingFinished);
    }
    Ok(Written {
        curves,
        files: vec![table, summary, execution.out.join(CONFIGURATIONS)],
    })
}

/// A label as the name of a folder: one that every file system takes, and
/// another one for another label.
pub(crate) fn folder_name(label: &str) -> String {
    /// Shorter than any file system's limit, with room for the hash.
    const LONGEST: usize = 100;
    let plain = |c: char| c.is_ascii_alphanumeric() || "=.,_-+".contains(c);
    let name: String = label
        .replace(", ", ",")
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(LONGEST)
        .collect();
    if name == label.replace(", ", ",") {
        name
    } else {
        format!("{name}-{}", &sha256_hex(label.as_bytes())[..8])
    }
}

impl Source<'_> {
    /// Writes the files of one configuration into `out`.
    fn write(&self, index: usize, out: &Path) -> Result<(Curve, Vec<PathBuf>), LabError> {
        let Self {
            experiment,
            results,
            ..
        } = self;
        let configuration = &experiment.configurations[index];
        let config = &configuration.config;
        let title = format!(
            "Accuracy against α: {} toward {}",
            config.data.name,
            config.prior.kind.name()
        );
        let mut subtitle = format!(
            "dense twin with {} parameters, {} epochs, {} seed(s), {} prior",
            thousands(configuration.cost().twin.parameters),
            config.train.epochs,
            experiment.seeds.len(),
            config.prior.training.name(),
        );
        if !configuration.assignments.is_empty() {
            subtitle = format!("{}; {subtitle}", configuration.label());
        }
        let test = self.curve(METRIC, index, |m| m.test, |p| p.test)?;
        let mut test = test.titled(&title, &subtitle);
        let validation = (configuration.setup.data().validation_len() > 0)
            .then(|| {
                let metric = "Validation accuracy";
                self.curve(metric, index, |m| m.validation, |p| p.validation)
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
        let files: Vec<PathBuf> = names.iter().map(|name| out.join(name)).collect();

        write_atomically(&files[0], &self.rows(&[index]).csv_bytes()?)?;
        let summary = Summary {
            imlp_version: env!("CARGO_PKG_VERSION"),
            burn_version: imlp_train::BURN_VERSION,
            command: self.command,
            config,
            assignments: &configuration.assignments,
            sweep: &experiment.sweep,
            data_checksum: &configuration.setup.data().dataset().checksum,
            networks: configuration.cost(),
            cost: self.prediction,
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
            command: self.command.to_owned(),
            config_toml: config_toml(configuration, &experiment.sweep)?,
            facts: self.facts(configuration),
            curve: &test,
            svg: &svg,
            files: names.iter().map(|&n| n.to_owned()).collect(),
            ends_as_prior: configuration.setup.ends_as_prior()?,
            notes: self.notes(index, &test),
        })?;
        write_atomically(&files[4], html.as_bytes())?;
        Ok((test, files))
    }

    /// The trials of one configuration.
    fn trials(
        &self,
        configuration: usize,
    ) -> impl Iterator<Item = &(PlannedTrial, Option<Published<TrialRecord>>)> {
        let trials = self.results.trials.iter();
        trials.filter(move |(trial, _)| trial.configuration == configuration)
    }

    /// The table of some configurations.
    fn rows(&self, configurations: &[usize]) -> Rows {
        let trials = self.results.trials.iter();
        let sources: Vec<rows::Source<'_>> = trials
            .filter(|(trial, _)| configurations.contains(&trial.configuration))
            .map(|(trial, published)| rows::Source {
                id: trial.id.as_str(),
                alpha: trial.alpha.get(),
                seed: trial.seed,
                assignments: &self.experiment.configurations[trial.configuration].assignments,
                state: "failed",
                record: published.as_ref().map(|published| &published.result),
                prior: self.results.priors.get(&trial.prior),
            })
            .collect();
        Rows::of(&sources)
    }

    fn curve(
        &self,
        metric: &str,
        configuration: usize,
        of_trial: impl Fn(&Measurement) -> Option<Metrics>,
        of_prior: impl Fn(&PriorRecord) -> Option<Metrics>,
    ) -> Result<Curve, LabError> {
        let finished = self
            .trials(configuration)
            .filter_map(|(trial, record)| Some((trial, &record.as_ref()?.result)));
        let rows: Vec<Row> = finished
            .map(|(trial, record)| Row {
                alpha: trial.alpha.get(),
                seed: trial.seed,
                value: accuracy(of_trial(&record.after)),
            })
            .collect();
        if rows.is_empty() {
            return Err(LabError::NothingFinished);
        }
        let mut priors = BTreeMap::new();
        for (trial, _) in self.trials(configuration) {
            if let Some(prior) = self.results.priors.get(&trial.prior) {
                priors.insert(trial.seed, accuracy(of_prior(prior)));
            }
        }
        let priors: Vec<(u64, Option<f64>)> = priors.into_iter().collect();
        Ok(Curve::from_rows(metric, &rows, &priors)?)
    }

    fn facts(&self, configuration: &Configuration) -> Vec<(String, String)> {
        let data = configuration.setup.data();
        let cost = configuration.cost();
        let fact = |name: &str, value: String| (name.to_owned(), value);
        vec![
            fact(
                "Data",
                format!(
                    "{}: {} training, {} validation, {} test images",
                    configuration.config.data.name,
                    data.train_len(),
                    data.validation_len(),
                    data.dataset().test.len()
                ),
            ),
            fact("Data checksum (SHA-256)", data.dataset().checksum.clone()),
            fact("Prior", configuration.config.prior.kind.name().to_owned()),
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
                format!("{:.3e}", self.prediction.total_flops),
            ),
            fact("Predicted peak memory", bytes(self.prediction.peak_bytes)),
            fact(
                "Seconds of training, summed over trials",
                format!("{:.1}", seconds_of_training(self.results)),
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

    fn notes(&self, index: usize, curve: &Curve) -> Vec<String> {
        let mut notes = vec![NOTE.to_owned()];
        let interpolation = &self.experiment.configurations[index].config.interpolation;
        if matches!(interpolation.every, Every::Steps(_))
            && interpolation.optimizer_state == OptimizerState::Reset
        {
            notes.push(
                "the optimiser's state is reset after every interpolation, for every α above 0 and \
                 not for α = 0: with interpolations within an epoch, a difference from α = 0 is also \
                 the effect of that reset; interpolation.optimizer_state = \"scale\" goes over into \
                 the plain MLP as α goes to 0"
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
        let failed = self.trials(index).filter(|(_, record)| record.is_none());
        let failed = failed.count();
        if failed > 0 {
            notes.push(format!(
                "{failed} trial(s) failed and are missing here: imlp status tells why"
            ));
        }
        if curve.prior.as_ref().is_some_and(|p: &Level| p.n == 0) {
            notes.push("the prior diverged for every seed; lower prior.learning_rate".to_owned());
        }
        notes
    }
}

fn accuracy(metrics: Option<Metrics>) -> Option<f64> {
    metrics.map(|m| m.accuracy)
}

fn config_toml(
    configuration: &Configuration,
    sweep: &crate::SweepConfig,
) -> Result<String, LabError> {
    #[derive(Serialize)]
    struct Recipe<'a> {
        #[serde(flatten)]
        trial: &'a imlp_train::TrialConfig,
        sweep: &'a crate::SweepConfig,
    }
    toml::to_string(&Recipe {
        trial: &configuration.config,
        sweep,
    })
    .map_err(|e| LabError::Toml {
        origin: "the configuration".to_owned(),
        reason: e.to_string(),
    })
}

fn seconds_of_training(results: &Results) -> f64 {
    // Configurations may share a trial.
    let mut trials = HashMap::new();
    for (trial, published) in &results.trials {
        if let Some(published) = published {
            trials.insert(&trial.id, published.result.train_seconds);
        }
    }
    let trials: f64 = trials.into_values().sum();
    let priors: f64 = results.priors.values().map(|p| p.train_seconds).sum();
    trials + priors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_by_what_sets_a_configuration_apart() {
        assert_eq!(
            folder_name("train.epochs=3, prior.kind=mixer"),
            "train.epochs=3,prior.kind=mixer"
        );
        let long = |tail: &str| folder_name(&format!("prior.layers={}{tail}", "x".repeat(300)));
        assert!(long("a").len() < 128);
        assert_ne!(long("a"), long("b"));
        let list = folder_name("interpolation.allocation=[1.0, 0.5]");
        assert!(!list.contains(['[', ' ', '/']), "{list}");
    }
}
