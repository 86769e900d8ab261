//! `experiment.json`: what the last command asked for. Results do not depend on it.
//! `imlp status` reads from it which trials are still to come, and it keeps the
//! figures of one experiment from overwriting those of another.

use std::path::PathBuf;

use imlp_linear::Alpha;
use imlp_train::DataConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::despite_sweeping::despite_sweeping;
use super::folder::{MANIFEST, Store};
use super::job_file::is_number;
use super::result::set_aside;
use crate::description::Description;
use crate::error::LabError;
use crate::experiment::{Configuration, Experiment, Policy};
use crate::files::{read_json, write_json, write_new_json};
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
    /// Attempts that may end without a result before a job is given up; none in a file
    /// from before it was written down.
    #[serde(default)]
    pub max_attempts: Option<u32>,
    /// The processor of the machine that was asked, as it names itself; none in a file of an
    /// early version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedConfiguration {
    /// What sets it apart from the others.
    pub assignments: Vec<Assignment>,
    /// All of it, but for α.
    pub config: Value,
    /// What it is, in words; none in a file of an early version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

impl ListedConfiguration {
    /// Whether both ask for the same trials: with the same keys on the same images, wherever
    /// these lie.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.description, &other.description) {
            (Some(a), Some(b)) => a.data_checksum == b.data_checksum && self.keys() == other.keys(),
            _ => self.config == other.config,
        }
    }

    /// Its keys without those that decide bits only through the images.
    fn keys(&self) -> Value {
        let mut config = self.config.clone();
        if let Ok(data) = serde_json::from_value::<DataConfig>(config["data"].clone()) {
            config["data"] = json!(data.without_origin());
        }
        config
    }
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

/// Whether a file of that name is one that was set aside as damaged.
pub(super) fn is_set_aside(name: &str) -> bool {
    let since = name.strip_prefix("experiment.damaged-");
    since.is_some_and(is_number)
}

impl Manifest {
    /// What `command` asks for, under `policy`.
    ///
    /// # Errors
    /// As [`Description::of`].
    pub fn of(experiment: &Experiment, policy: Policy, command: &str) -> Result<Self, LabError> {
        let configurations = experiment.configurations.iter().enumerate();
        let trials = experiment.trials().iter().cloned();
        let listed = |(index, configuration): (usize, &Configuration)| {
            Ok(ListedConfiguration {
                assignments: configuration.assignments.clone(),
                config: serde_json::to_value(&configuration.config)
                    .expect("a configuration has only text keys"),
                description: Some(Description::of(experiment, index)?),
            })
        };
        Ok(Self {
            command: command.to_owned(),
            configurations: configurations
                .map(listed)
                .collect::<Result<_, LabError>>()?,
            trials: trials
                .map(|trial| ListedTrial {
                    id: trial.id,
                    prior: trial.prior,
                    configuration: trial.configuration,
                    alpha: trial.alpha,
                    seed: trial.seed,
                })
                .collect(),
            max_attempts: Some(policy.max_attempts),
            processor: None,
        })
    }

    /// The same, asked on a machine with this processor.
    pub fn on(mut self, processor: String) -> Self {
        self.processor = Some(processor);
        self
    }

    fn holds(&self, configuration: &ListedConfiguration) -> bool {
        let mut there = self.configurations.iter();
        there.any(|c| c.is_same(configuration))
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
        read_json(&self.root().join(MANIFEST))
    }

    /// Writes what the present command asks for. It may add configurations to those
    /// of the last command, or leave some out. A damaged file is set aside if every trial
    /// in the folder is one of `now`.
    ///
    /// # Errors
    /// [`LabError::OtherExperiment`] when it does both: the figures of one experiment
    /// would overwrite those of the other. [`LabError::DamagedBeside`],
    /// [`LabError::NotFetched`], [`LabError::Io`].
    pub fn note(&self, now: &Manifest) -> Result<(), LabError> {
        let path = self.root().join(MANIFEST);
        despite_sweeping(|| {
            loop {
                match self.manifest() {
                    // Of several that find none, one writes; the others find that.
                    Ok(None) => {
                        if write_new_json(&path, now)? {
                            break;
                        }
                    }
                    Ok(Some(there)) => {
                        self.refuse_other(&there, now)?;
                        write_json(&path, now)?;
                        break;
                    }
                    Err(LabError::Damaged { path, reason }) => {
                        let error = self.of_other_trials(now, path, reason)?;
                        set_aside(&self.root().join(MANIFEST), &error)?;
                    }
                    Err(other) => return Err(other),
                }
            }
            self.check(now)
        })
    }

    /// Whether the folder still belongs to an experiment with which `now` agrees:
    /// another command may have begun after [`note`](Self::note).
    ///
    /// # Errors
    /// As [`note`](Self::note).
    pub fn check(&self, now: &Manifest) -> Result<(), LabError> {
        match self.manifest()? {
            Some(there) => self.refuse_other(&there, now),
            None => Ok(()),
        }
    }

    fn refuse_other(&self, there: &Manifest, now: &Manifest) -> Result<(), LabError> {
        if there.is_part_of(now) || now.is_part_of(there) {
            return Ok(());
        }
        Err(LabError::OtherExperiment {
            path: self.root().to_owned(),
            differences: differences(there, now),
        })
    }

    /// The error of a damaged file at `path`; refuses to go on if there are trials that
    /// are none of `now`.
    fn of_other_trials(
        &self,
        now: &Manifest,
        path: PathBuf,
        reason: String,
    ) -> Result<LabError, LabError> {
        let is_listed = |name: &String| now.trials.iter().any(|t| t.id.as_str() == name);
        match self.trials()?.iter().find(|name| !is_listed(name)) {
            None => Ok(LabError::Damaged { path, reason }),
            Some(other) => Err(LabError::DamagedBeside {
                path,
                reason,
                other: other.clone(),
            }),
        }
    }
}

/// How a difference of the data names them.
const IMAGES: &str = "images and labels (SHA-256)";

/// The keys in which the first configuration that only `there` has differs from the
/// first that only `now` has.
fn differences(there: &Manifest, now: &Manifest) -> Vec<String> {
    let alone = |of: &Manifest, beside: &Manifest| {
        let mut all = of.configurations.iter();
        let Some(configuration) = all.find(|c| !beside.holds(c)) else {
            return Vec::new();
        };
        let keys = flat(&configuration.config).into_iter();
        let description = configuration.description.as_ref();
        let images = description.map(|d| (IMAGES.to_owned(), d.data_checksum.clone()));
        keys.map(|(key, value)| (key, value.to_string()))
            .chain(images)
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
