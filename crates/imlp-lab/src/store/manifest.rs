//! `experiment.json`: what the last command asked for. Results do not depend on it.
//! `imlp status` reads from it which trials are still to come, and it keeps the
//! figures of one experiment from overwriting those of another.

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::folder::Store;
use crate::error::LabError;
use crate::experiment::Experiment;
use crate::files::{read_json, write_json};
use crate::identity::{PriorId, TrialId};
use crate::keys::flat;
use crate::variation::Assignment;

/// What the last command asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The command line.
    pub command: String,
    /// The configurations.
    pub configurations: Vec<ListedConfiguration>,
    /// Every trial.
    pub trials: Vec<ListedTrial>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedConfiguration {
    /// What sets it apart from the others.
    pub assignments: Vec<Assignment>,
    /// All of it, but for α.
    pub config: Value,
}

/// A trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedTrial {
    /// Its name.
    pub id: TrialId,
    /// The prior toward which its twin is interpolated.
    pub prior: PriorId,
    /// Index of its configuration.
    pub configuration: usize,
    /// Interpolation weight.
    pub alpha: Alpha,
    /// Seed.
    pub seed: u64,
}

const NAME: &str = "experiment.json";

impl Manifest {
    /// What `command` asks for.
    pub fn of(experiment: &Experiment, command: &str) -> Self {
        let configurations = experiment.configurations.iter();
        let trials = experiment.trials().iter().cloned();
        Self {
            command: command.to_owned(),
            configurations: configurations
                .map(|configuration| ListedConfiguration {
                    assignments: configuration.assignments.clone(),
                    config: serde_json::to_value(&configuration.config)
                        .expect("a configuration has only text keys"),
                })
                .collect(),
            trials: trials
                .map(|trial| ListedTrial {
                    id: trial.id,
                    prior: trial.prior,
                    configuration: trial.configuration,
                    alpha: trial.alpha,
                    seed: trial.seed,
                })
                .collect(),
        }
    }

    fn holds(&self, configuration: &ListedConfiguration) -> bool {
        let mut there = self.configurations.iter();
        there.any(|c| c.config == configuration.config)
    }

    /// Whether every configuration of `self` is one of `other`.
    fn is_part_of(&self, other: &Self) -> bool {
        self.configurations.iter().all(|c| other.holds(c))
    }
}

impl Store {
    /// What the last command asked for, if there was one.
    ///
    /// # Errors
    /// [`LabError::Damaged`], [`LabError::Io`].
    pub fn manifest(&self) -> Result<Option<Manifest>, LabError> {
        read_json(&self.root().join(NAME))
    }

    /// Writes what the present command asks for. It may add configurations to those
    /// of the last command, or leave some out.
    ///
    /// # Errors
    /// [`LabError::OtherExperiment`] when it does both: the figures of one experiment
    /// would overwrite those of the other.
    pub fn note(&self, now: &Manifest) -> Result<(), LabError> {
        if let Some(there) = self.manifest()?
            && !there.is_part_of(now)
            && !now.is_part_of(&there)
        {
            return Err(LabError::OtherExperiment {
                path: self.root().to_owned(),
                differences: differences(&there, now),
            });
        }
        write_json(&self.root().join(NAME), now)
    }
}

/// The keys in which the first configuration that only `there` has differs from the
/// first that only `now` has.
fn differences(there: &Manifest, now: &Manifest) -> Vec<String> {
    let alone = |of: &Manifest, beside: &Manifest| {
        let mut all = of.configurations.iter();
        let config = all.find(|c| !beside.holds(c)).map(|c| c.config.clone());
        flat(&config.unwrap_or_default())
            .into_iter()
            .map(|(key, value)| (key, value.to_string()))
            .collect::<Vec<_>>()
    };
    let (there, now) = (alone(there, now), alone(now, there));
    let find = |list: &[(String, String)], key: &str| {
        list.iter()
            .find(|(k, _)| k == key)
            .map_or("not set".to_owned(), |(_, v)| v.clone())
    };
    let mut keys: Vec<&String> = there.iter().chain(&now).map(|(k, _)| k).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| find(&there, key) != find(&now, key))
        .map(|key| {
            let (there, now) = (find(&there, key), find(&now, key));
            format!("  {key}: there {there}, now {now}")
        })
        .collect()
}
