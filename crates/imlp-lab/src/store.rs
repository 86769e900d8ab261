//! The folder of an experiment.
//!
//! ```text
//! experiment.json                 what the results belong to
//! trials/alpha=0.01,seed=0.json   the record of a finished trial
//! priors/seed=0.json              the record of a trained prior
//! priors/seed=0.safetensors       its parameters at every interpolation
//! ```
//!
//! Every file appears by an atomic rename, so a run that is killed at any
//! moment leaves finished trials whole and unfinished ones absent.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use imlp_linear::Alpha;
use imlp_train::{
    Network, PriorRecord, PriorTrajectory, Setup, TrainError, TrialRecord, WeightsFile,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LabError;
use crate::experiment::{Experiment, TrialId};
use crate::files::{create_folder, refuse_file, remove_unfinished, write_atomically, write_json};

/// The folder of one experiment, held by this process alone.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    _lock: File,
}

/// What decides the results of an experiment's trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Identity {
    imlp_version: String,
    burn_version: String,
    /// [`imlp_train::RESULTS_VERSION`].
    results_version: u32,
    device: String,
    data_checksum: String,
    config: Value,
}

impl Store {
    /// Opens or makes the folder `root` for `experiment`.
    ///
    /// # Errors
    /// A path that is a file, a folder in use, a folder with results of another
    /// configuration (the differing keys are named).
    pub fn open(root: &Path, experiment: &Experiment) -> Result<Self, LabError> {
        refuse_file(root)?;
        let folders = [root.to_owned(), root.join("trials"), root.join("priors")];
        for folder in &folders {
            create_folder(folder)?;
        }
        let lock_path = root.join(".lock");
        let lock = File::create(&lock_path).map_err(LabError::io("make", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LabError::Locked(root.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(LabError::io("lock", &lock_path)(source));
            }
        }
        for folder in &folders {
            remove_unfinished(folder)?;
        }
        let store = Self {
            root: root.to_owned(),
            _lock: lock,
        };
        store.check_identity(experiment)?;
        Ok(store)
    }

    fn check_identity(&self, experiment: &Experiment) -> Result<(), LabError> {
        let now = Identity {
            imlp_version: env!("CARGO_PKG_VERSION").to_owned(),
            burn_version: imlp_train::BURN_VERSION.to_owned(),
            results_version: imlp_train::RESULTS_VERSION,
            device: experiment.setup.backend_name(),
            data_checksum: experiment.setup.data().dataset().checksum.clone(),
            config: serde_json::to_value(&experiment.config)
                .expect("a configuration has only text keys"),
        };
        let path = self.root.join("experiment.json");
        let unidentified = |reason: String| LabError::Unidentified {
            path: self.root.clone(),
            reason,
        };
        let there = read_json::<Identity>(&path).map_err(|error| match error {
            LabError::Damaged { reason, .. } => {
                unidentified(format!("experiment.json is damaged ({reason})"))
            }
            other => other,
        })?;
        match there {
            None if self.has_results()? => {
                Err(unidentified("experiment.json is missing".to_owned()))
            }
            None => write_json(&path, &now),
            Some(there) if there == now => Ok(()),
            Some(there) => {
                let flatten = |identity: &Identity| {
                    let mut keys = Vec::new();
                    let value = serde_json::to_value(identity).expect("text keys");
                    flatten(&value, String::new(), &mut keys);
                    keys
                };
                Err(LabError::OtherExperiment {
                    path: self.root.clone(),
                    differences: differences(&flatten(&there), &flatten(&now)),
                })
            }
        }
    }

    fn has_results(&self) -> Result<bool, LabError> {
        for folder in ["trials", "priors"] {
            let folder = self.root.join(folder);
            let mut entries = std::fs::read_dir(&folder).map_err(LabError::io("list", &folder))?;
            if entries.next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn trial_path(&self, id: TrialId) -> PathBuf {
        let seed = id.seed;
        let alpha = alpha_text(id.alpha);
        self.root
            .join("trials")
            .join(format!("alpha={alpha},seed={seed}.json"))
    }

    fn prior_path(&self, seed: u64, ending: &str) -> PathBuf {
        self.root
            .join("priors")
            .join(format!("seed={seed}.{ending}"))
    }

    /// The record of a finished trial, if it is there.
    ///
    /// # Errors
    /// [`LabError::Damaged`].
    pub fn trial(&self, id: TrialId) -> Result<Option<TrialRecord>, LabError> {
        let path = self.trial_path(id);
        let record: Option<TrialRecord> = read_json(&path)?;
        match record {
            Some(r) if r.alpha != id.alpha || r.seed != id.seed => Err(LabError::Damaged {
                path,
                reason: format!("it holds the trial α = {}, seed {}", r.alpha, r.seed),
            }),
            other => Ok(other),
        }
    }

    /// Keeps the record of a finished trial.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn put_trial(&self, record: &TrialRecord) -> Result<(), LabError> {
        let id = TrialId {
            alpha: record.alpha,
            seed: record.seed,
        };
        write_json(&self.trial_path(id), record)
    }

    /// The record of a trained prior, if it is there.
    ///
    /// # Errors
    /// [`LabError::Damaged`].
    pub fn prior_record(&self, seed: u64) -> Result<Option<PriorRecord>, LabError> {
        let path = self.prior_path(seed, "json");
        match read_json::<PriorRecord>(&path)? {
            Some(record) if record.seed != seed => Err(LabError::Damaged {
                path,
                reason: format!("it holds the prior of seed {}", record.seed),
            }),
            other => Ok(other),
        }
    }

    /// A trained prior with its snapshots, if both are there.
    ///
    /// # Errors
    /// [`LabError::Damaged`].
    pub fn prior(&self, seed: u64, setup: &Setup) -> Result<Option<PriorTrajectory>, LabError> {
        let Some(record) = self.prior_record(seed)? else {
            return Ok(None);
        };
        let path = self.prior_path(seed, "safetensors");
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |reason: String| LabError::Damaged {
            path: path.clone(),
            reason,
        };
        let file = WeightsFile::read(&path).map_err(|error| match error {
            TrainError::Weights { reason, .. } => damaged(reason),
            other => LabError::Train(other),
        })?;
        let count: usize = file
            .metadata
            .get("snapshots")
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| damaged("it does not say how many snapshots it holds".to_owned()))?;
        let complete = record.diverged_epoch.is_some() || count == setup.snapshots();
        if !complete {
            return Err(damaged(format!(
                "it holds {count} snapshots of {}",
                setup.snapshots()
            )));
        }
        let specs = setup.prior().parameter_specs();
        let snapshots = (0..count)
            .map(|i| {
                file.parameters(&snapshot_prefix(i), &specs)
                    .map_err(damaged)
            })
            .collect::<Result<_, _>>()?;
        Ok(Some(PriorTrajectory { record, snapshots }))
    }

    /// Keeps a trained prior: its snapshots first, its record last, so that a
    /// record without snapshots cannot be.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn put_prior(&self, prior: &PriorTrajectory, network: &Network) -> Result<(), LabError> {
        let specs = network.parameter_specs();
        let mut file = WeightsFile::default();
        for (i, snapshot) in prior.snapshots.iter().enumerate() {
            file.add(&snapshot_prefix(i), &specs, snapshot);
        }
        file.metadata
            .insert("snapshots".to_owned(), prior.snapshots.len().to_string());
        let seed = prior.record.seed;
        let path = self.prior_path(seed, "safetensors");
        let bytes = file.to_bytes().map_err(|reason| LabError::Damaged {
            path: path.clone(),
            reason,
        })?;
        write_atomically(&path, &bytes)?;
        write_json(&self.prior_path(seed, "json"), &prior.record)
    }
}

/// α in a file name: a number that no file system finds too long.
pub fn alpha_text(alpha: Alpha) -> String {
    /// Below it a plain decimal is longer than the power of ten.
    const SMALL: f64 = 1e-4;
    let value = alpha.get();
    if value > 0.0 && value < SMALL {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

fn snapshot_prefix(index: usize) -> String {
    format!("snapshot{index:05}.")
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, LabError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LabError::io("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| LabError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// Dotted keys and values of a JSON tree.
fn flatten(value: &Value, at: String, keys: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let at = match at.as_str() {
                    "" | "config" => key.clone(),
                    at => format!("{at}.{key}"),
                };
                flatten(value, at, keys);
            }
        }
        other => keys.push((at, other.to_string())),
    }
}

fn differences(there: &[(String, String)], now: &[(String, String)]) -> Vec<String> {
    let find = |list: &[(String, String)], key: &str| {
        list.iter()
            .find(|(k, _)| k == key)
            .map_or("not set".to_owned(), |(_, v)| v.clone())
    };
    let mut keys: Vec<&String> = there.iter().chain(now).map(|(k, _)| k).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| find(there, key) != find(now, key))
        .map(|key| {
            format!(
                "  {key}: there {}, now {}",
                find(there, key),
                find(now, key)
            )
        })
        .collect()
}
