//! The trials of a store as one table, without the data or the networks.

mod parquet;

use std::io::Write;

use imlp_train::{PriorRecord, TrialRecord};
use serde_json::Value;

use crate::error::LabError;
use crate::identity::{Identity, PriorId};
use crate::store::{Manifest, Store};
use crate::trial_table::{TrialRow, TrialTable};
use crate::variation::Assignment;

/// The form of an exported table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// Writes `table` to `out`.
///
/// # Errors
/// [`LabError::Table`].
pub fn write(
    table: &TrialTable,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<(), LabError> {
    let written = match format {
        Format::Csv => table.csv(out),
        Format::JsonLines => table.json_lines(out),
        Format::Parquet => return parquet::write(table, out).map_err(LabError::Table),
    };
    written.map_err(|error| LabError::Table(error.to_string()))
}

/// The content of a row, owned.
struct Exported {
    id: String,
    alpha: f64,
    seed: u64,
    assignments: Vec<Assignment>,
    state: &'static str,
    record: Option<TrialRecord>,
    prior: Option<PriorRecord>,
}

/// The table of the trials of the last command, finished or not. If the store has
/// no manifest, of all its trials, with a column for each key in which they
/// differ.
///
/// # Errors
/// [`LabError::Io`], [`LabError::Damaged`].
pub fn table(store: &Store) -> Result<TrialTable, LabError> {
    Ok(TrialTable::new(&rows(&exported_trials(store)?)))
}

/// The table of the epochs of the trials that [`table`] lists: see
/// [`TrialTable::of_epochs`].
///
/// # Errors
/// As [`table`].
pub fn epoch_table(store: &Store) -> Result<TrialTable, LabError> {
    Ok(TrialTable::of_epochs(&rows(&exported_trials(store)?)))
}

fn exported_trials(store: &Store) -> Result<Vec<Exported>, LabError> {
    match store.manifest()? {
        Some(manifest) => listed(store, &manifest),
        None => begun(store),
    }
}

fn rows(trials: &[Exported]) -> Vec<TrialRow<'_>> {
    let trials = trials.iter();
    trials
        .map(|trial| TrialRow {
            id: &trial.id,
            alpha: trial.alpha,
            seed: trial.seed,
            assignments: &trial.assignments,
            state: trial.state,
            record: trial.record.as_ref(),
            prior: trial.prior.as_ref(),
        })
        .collect()
}

fn listed(store: &Store, manifest: &Manifest) -> Result<Vec<Exported>, LabError> {
    let trials = manifest.trials.iter();
    trials
        .map(|trial| {
            let configuration = manifest.configurations.get(trial.configuration);
            let assignments = configuration.map(|c| c.assignments.clone());
            exported(
                store,
                trial.id.as_str(),
                (trial.alpha.get(), trial.seed),
                assignments.unwrap_or_default(),
                Some(&trial.prior),
            )
        })
        .collect()
}

fn begun(store: &Store) -> Result<Vec<Exported>, LabError> {
    let mut identities: Vec<(String, Identity)> = Vec::new();
    for name in store.trials()? {
        if let Some(identity) = store.trial_identity(&name)? {
            identities.push((name, identity));
        }
    }
    let flat: Vec<Vec<Assignment>> = identities
        .iter()
        .map(|(_, identity)| flatten(&identity.config))
        .collect();
    let differs = |assignment: &Assignment| {
        assignment.key != "interpolation.alpha"
            && flat.iter().any(|other| !other.contains(assignment))
    };
    identities
        .iter()
        .zip(&flat)
        .map(|((name, identity), all)| {
            let alpha = identity.config["interpolation"]["alpha"].as_f64();
            let assignments = all.iter().filter(|a| differs(a)).cloned().collect();
            let point = (alpha.unwrap_or(f64::NAN), identity.seed);
            let prior = identity.prior_of_trial();
            exported(store, name, point, assignments, prior.as_ref())
        })
        .collect()
}

fn exported(
    store: &Store,
    id: &str,
    (alpha, seed): (f64, u64),
    assignments: Vec<Assignment>,
    prior: Option<&PriorId>,
) -> Result<Exported, LabError> {
    let (state, published) = store.trial_by_name(id)?;
    let prior = prior.map(|prior| store.prior_record(prior)).transpose()?;
    Ok(Exported {
        id: id.to_owned(),
        alpha,
        seed,
        assignments,
        state: state.word(),
        record: published.map(|published| published.result),
        prior: prior.flatten(),
    })
}

/// The keys `table.key` of a configuration.
fn flatten(config: &Value) -> Vec<Assignment> {
    let mut keys = Vec::new();
    for (table, value) in config.as_object().into_iter().flatten() {
        for (key, value) in value.as_object().into_iter().flatten() {
            if let Ok(value) = toml::Value::try_from(value) {
                keys.push(Assignment {
                    key: format!("{table}.{key}"),
                    value,
                });
            }
        }
    }
    keys
}
