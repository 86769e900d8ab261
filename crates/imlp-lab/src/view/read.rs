//! From an experiment's folder to its view.

use std::collections::HashMap;
use std::path::Path;

use imlp_suggest::counted;
use imlp_train::{Every, InterpolationConfig, OptimizerState, TrialRecord, TrialStatus};
use serde::Deserialize;

use super::first_layer;
use super::points;
use super::{
    Accuracies, Answer, ConfigurationView, CurveView, ExperimentState, PriorView, TrialView, View,
};
use crate::analysis::evidence::{MeasuredOn, Moment};
use crate::analysis::folder::{Records, manifest};
use crate::comparison::names::short_names;
use crate::comparison::{Comparison, Origin, Side, compare_by_data};
use crate::curve::Curve;
use crate::description::{Description, Fact};
use crate::error::LabError;
use crate::files::list;
use crate::instructions::InstructionsUsed;
use crate::status::{ListedStatus, Status};
use crate::store::{ListedConfiguration, ListedTrial, Manifest, State, Store, now};
use crate::trunks;
use crate::variation::{Assignment, label};

impl View {
    /// The experiment in `store` as it stands.
    ///
    /// # Errors
    /// [`LabError::Unlisted`]; [`LabError::Io`]; a record with a value that is no fraction.
    pub fn read(store: &Store) -> Result<Self, LabError> {
        let manifest = manifest(store)?;
        let status = Status::of(store)?;
        let states: HashMap<&str, &ListedStatus> = status
            .trials
            .iter()
            .map(|trial| (trial.id.as_str(), trial))
            .collect();
        let listed = manifest.configurations.iter();
        let assignments: Vec<&[Assignment]> = listed.map(|c| &*c.assignments).collect();
        let names = match assignments.len() {
            1 => vec![String::new()],
            _ => short_names(&assignments),
        };
        let reader = Reader {
            store,
            manifest: &manifest,
            states,
        };
        let mut configurations = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            configurations.push(reader.configuration(index, name)?);
        }
        let Some(first) = manifest.configurations.first() else {
            return Err(LabError::Unlisted {
                path: store.root().to_owned(),
                reason: "without a configuration".to_owned(),
            });
        };
        let described = &first.description;
        let root = store.root();
        Ok(Self {
            title: described.as_ref().map_or_else(
                || "Accuracy against α".to_owned(),
                |description| description.title.clone(),
            ),
            name: name(root),
            state: state(&status),
            read_at: now(),
            comparison: comparison(&manifest, &configurations)?,
            facts: facts(&manifest, &configurations, &status),
            configurations,
            command: manifest.command.clone(),
            files: files(root)?,
        })
    }
}

/// The name of a folder.
fn name(root: &Path) -> String {
    let whole = std::path::absolute(root);
    let whole = whole.as_deref().unwrap_or(root);
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}

/// How the configurations differ that have a finished trial.
fn comparison(
    manifest: &Manifest,
    configurations: &[ConfigurationView],
) -> Result<Vec<String>, LabError> {
    let configurations = configurations.iter().zip(&manifest.configurations);
    let sides = configurations.filter_map(|(view, listed)| {
        let side = Side {
            name: &view.name,
            test: view.curve(MeasuredOn::Test, Moment::After)?,
            validation: view.curve(MeasuredOn::Validation, Moment::After),
        };
        let described = listed.description.as_ref();
        let origin = Origin {
            data: described.map_or("", |d| &d.data_checksum),
            start: described.map_or("", |d| &d.start),
        };
        Some((origin, side))
    });
    let Comparison {
        mut sentences,
        notes,
        ..
    } = compare_by_data(sides)?;
    sentences.extend(notes);
    Ok(sentences)
}

fn state(status: &Status) -> ExperimentState {
    let count = |is: fn(&State) -> bool| {
        let trials = status.trials.iter();
        trials.filter(|trial| is(&trial.state)).count()
    };
    ExperimentState {
        running: count(|state| matches!(state, State::Running(_))) > 0,
        trials: status.trials.len(),
        done: count(|state| matches!(state, State::Done)),
        diverged: count(|state| matches!(state, State::Diverged)),
        failed: count(|state| matches!(state, State::Failed(_) | State::Damaged(_))),
    }
}

/// The files beside the report that a reader may want.
fn files(root: &Path) -> Result<Vec<String>, LabError> {
    let wanted = |name: &String| {
        let ends = [".csv", ".json", ".svg", ".png"];
        ends.iter().any(|end| name.ends_with(end))
    };
    let mut files: Vec<String> = list(root)?.into_iter().filter(wanted).collect();
    files.sort();
    Ok(files)
}

/// What holds for all trials. Each trial, trunk and prior counts once, however many
/// configurations share it.
fn facts(manifest: &Manifest, configurations: &[ConfigurationView], status: &Status) -> Vec<Fact> {
    let published = status.trials.iter().filter_map(|t| t.published.as_ref());
    let records: Vec<&TrialRecord> = published.map(|p| &p.result).collect();
    let mut priors = HashMap::new();
    for trial in &manifest.trials {
        let configuration = configurations.get(trial.configuration);
        let mut of_trial = configuration.iter().flat_map(|c| &c.priors);
        if let Some(prior) = of_trial.find(|prior| prior.seed == trial.seed) {
            priors.insert(&trial.prior, prior.train_seconds);
        }
    }
    let of_trials = records.iter().map(|record| record.train_seconds);
    let seconds = of_trials.chain(priors.into_values()).sum::<f64>()
        + trunks::seconds(records.iter().copied());
    let mut flops = HashMap::new();
    for trial in configurations.iter().flat_map(|c| &c.trials) {
        flops.extend(trial.flops.map(|of_trial| (&trial.id, of_trial)));
    }
    let flops: f64 = flops.into_values().sum();
    let mut facts = vec![Fact::new(
        "Seconds of training, priors included",
        format!("{seconds:.1}"),
    )];
    if flops > 0.0 {
        let value = format!("{flops:.3e}");
        facts.push(Fact::new("FLOPs of the trials, priors not included", value));
    }
    facts.extend(
        manifest
            .processor
            .as_deref()
            .map(|name| Fact::new("Processor", name)),
    );
    if !records.is_empty() {
        let instructions: InstructionsUsed = records.iter().copied().collect();
        let value = instructions.to_string();
        facts.push(Fact::new("Instruction set (trials)", value));
    }
    facts
}

/// Reads configurations.
struct Reader<'a> {
    store: &'a Store,
    manifest: &'a Manifest,
    states: HashMap<&'a str, &'a ListedStatus>,
}

impl Reader<'_> {
    /// The configuration of that index, which has that name among the others.
    fn configuration(&self, index: usize, name: String) -> Result<ConfigurationView, LabError> {
        let listed = &self.manifest.configurations[index];
        let planned = || {
            let trials = self.manifest.trials.iter();
            trials.filter(move |trial| trial.configuration == index)
        };
        let mut notes = Vec::new();
        let records = Records::read(self.store, planned(), &mut notes)?;
        let described = listed.description.as_ref();
        let analysed = records.analysis(listed)?;
        let answer = match &analysed {
            Some((test, analysis)) => Some(Answer::of(test, analysis)?),
            None => None,
        };
        let trials: Vec<TrialView> = planned()
            .map(|trial| self.trial(trial, described))
            .collect();
        notes.extend(self.notes(listed, &records, &trials));
        let test = analysed.map(|(test, _)| test);
        Ok(ConfigurationView {
            label: label(&listed.assignments),
            name,
            answer,
            notes,
            ends_as_prior: described.is_some_and(|d| d.ends_as_prior),
            subtitle: described.map_or(String::new(), |d| d.subtitle.clone()),
            curves: curves(&records, test.as_ref(), described)?,
            layers: described.map_or(Vec::new(), |d| d.layers.clone()),
            trials,
            priors: records.priors.values().map(PriorView::from).collect(),
            first_layer: first_layer::of(self.store, planned())?,
            cost: described.map(|d| d.cost),
            facts: described.map_or(Vec::new(), |d| d.facts.clone()),
            config_toml: described.map_or(String::new(), |d| d.recipe.clone()),
        })
    }

    fn trial(&self, trial: &ListedTrial, described: Option<&Description>) -> TrialView {
        let status = self.states.get(trial.id.as_str());
        let record = status.and_then(|s| s.published.as_ref());
        let record = record.map(|published| &published.result);
        let reason = match (status.map(|s| &s.state), record.map(|r| r.status)) {
            (
                Some(State::Failed(reason) | State::Damaged(reason) | State::NotFetched(reason)),
                _,
            ) => Some(reason.clone()),
            (_, Some(TrialStatus::Diverged { epoch })) => {
                Some(format!("the twin was not finite after epoch {epoch}"))
            }
            (_, Some(TrialStatus::PriorDiverged { epoch })) => {
                Some(format!("the prior diverged in epoch {epoch}"))
            }
            _ if status.is_some_and(|s| s.waits_for_failed_prior) => {
                Some("its prior failed".to_owned())
            }
            _ => None,
        };
        TrialView {
            id: trial.id.as_str().to_owned(),
            alpha: trial.alpha.get(),
            seed: trial.seed,
            state: status.map_or("pending", |s| s.word()).to_owned(),
            reason,
            before: record.map_or_else(Accuracies::default, |r| Accuracies::from(&r.before)),
            after: record.map_or_else(Accuracies::default, |r| Accuracies::from(&r.after)),
            prior_share: record.map(|r| r.effective_prior_share),
            epochs: record.map(|r| r.epochs),
            train_seconds: record.map(|r| r.train_seconds),
            images_per_second: record.map(|r| r.images_per_second),
            flops: record.zip(described).map(|(record, described)| {
                let images = described.cost.epoch_images as f64 * f64::from(record.epochs);
                images * described.cost.twin_flops as f64
            }),
            record: record.map(|_| format!("trials/{}/result.json", trial.id.as_str())),
            points: record.map_or(Vec::new(), points::of_trial),
        }
    }

    /// What a reader must know to judge the numbers.
    fn notes(
        &self,
        listed: &ListedConfiguration,
        records: &Records,
        trials: &[TrialView],
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if listed.description.is_none() {
            notes.push(
                "this folder was written by an early version of imlp: what the networks are is \
                 not in it; the same command adds it"
                    .to_owned(),
            );
        }
        if resets_within_epochs(listed) {
            notes.push(
                "the optimiser's state is reset after every interpolation, for every α above 0 \
                 and not for α = 0: with interpolations within an epoch, a difference from α = 0 \
                 is also the effect of that reset; interpolation.optimizer_state = \"scale\" goes \
                 over into the plain MLP as α goes to 0"
                    .to_owned(),
            );
        }
        let of_trials: InstructionsUsed = records.trials.iter().collect();
        let of_priors: InstructionsUsed = records.priors.values().collect();
        notes.extend(InstructionsUsed::notes(&of_trials, &of_priors));
        let in_state = |states: &[&str]| {
            let trials = trials.iter();
            trials
                .filter(|t| states.contains(&t.state.as_str()))
                .count()
        };
        for (states, words) in [
            (&["diverged"][..], "diverged: counted, never averaged"),
            (&["failed", "damaged"][..], "failed: missing here"),
        ] {
            let count = in_state(states);
            if count > 0 {
                notes.push(format!("{} {words}", counted(count, "trial")));
            }
        }
        let prior_diverged = records.priors.values().all(|p| p.diverged_epoch.is_some());
        if !records.priors.is_empty() && prior_diverged {
            notes.push("the prior diverged for every seed; lower prior.learning_rate".to_owned());
        }
        notes
    }
}

/// Whether α > 0 resets the optimiser's state more often than α = 0 does.
fn resets_within_epochs(listed: &ListedConfiguration) -> bool {
    let interpolation = InterpolationConfig::deserialize(&listed.config["interpolation"]);
    interpolation.is_ok_and(|config| {
        matches!(config.every, Every::Steps(_)) && config.optimizer_state == OptimizerState::Reset
    })
}

/// Every curve that was measured.
fn curves(
    records: &Records,
    test: Option<&Curve>,
    described: Option<&Description>,
) -> Result<Vec<CurveView>, LabError> {
    let Some(test) = test else {
        return Ok(Vec::new());
    };
    let (title, subtitle) = described.map_or((test.metric.clone(), String::new()), |d| {
        (d.title.clone(), d.subtitle.clone())
    });
    let mut curves = Vec::new();
    for on in [MeasuredOn::Test, MeasuredOn::Validation] {
        for at in [Moment::After, Moment::Before] {
            let Some(mut curve) = records.curve(on, at)? else {
                continue;
            };
            curve.chosen_alpha = test.chosen_alpha;
            let curve = curve.titled(title.clone(), subtitle.clone());
            curves.push(CurveView { on, at, curve });
        }
    }
    Ok(curves)
}
