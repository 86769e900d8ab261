//! The record of a submission, `submission.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::experiment::Policy;
use crate::files::{list, read_json, write_json};
use crate::recipe::Recipe;
use crate::store::Store;

/// The folder of submissions in that of an experiment.
pub(super) const FOLDER: &str = "batch";
const RECORD: &str = "submission.json";
pub(super) const RECIPE: &str = "recipe.toml";
/// Longest number of a job that is read.
const MAX_JOB_BYTES: u64 = 1000;

/// A submission, written before anything is submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The scheduler's name.
    pub scheduler: String,
    /// The command line.
    pub command: String,
    /// How the tasks run their jobs.
    #[serde(default)]
    pub worker: WorkerSettings,
    /// Its arrays, in the order in which they are submitted.
    pub arrays: Vec<Array>,
    /// Its folder.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// How the tasks of a submission run their jobs; none of it changes a result but the
/// device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerSettings {
    /// Name of the device.
    pub device: String,
    /// Limit on predicted memory, bytes; none for a share of the node's memory.
    pub max_memory: Option<u64>,
    /// Attempts, time limits and checkpoints.
    pub policy: Policy,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            device: "cpu".to_owned(),
            max_memory: None,
            policy: Policy::default(),
        }
    }
}

/// An array job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Array {
    /// The stem of its files' names: `priors-0`, `trials-0`, `trials-1`, ….
    pub label: String,
    /// Its name at the scheduler, which no other job has.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<ArrayTask>,
}

/// A task of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayTask {
    /// Its index.
    pub index: u32,
    /// Names of its priors or trials.
    pub work: Vec<String>,
}

impl Array {
    /// The task of that index.
    pub fn task(&self, index: u32) -> Option<&ArrayTask> {
        self.tasks.iter().find(|task| task.index == index)
    }
}

impl Submission {
    /// All submissions in the folder of an experiment, oldest first, without those
    /// that were cut short before anything was submitted.
    ///
    /// # Errors
    /// [`LabError::Damaged`], [`LabError::Io`].
    pub fn all(store: &Store) -> Result<Vec<Self>, LabError> {
        let root = store.root().join(FOLDER);
        let mut submissions = Vec::new();
        for name in list(&root)? {
            submissions.extend(Self::read(&root.join(name))?);
        }
        Ok(submissions)
    }

    /// The submission in `folder`; none if it has no record.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn read(folder: &Path) -> Result<Option<Self>, LabError> {
        let submission: Option<Self> = read_json(&folder.join(RECORD))?;
        Ok(submission.map(|submission| Self {
            folder: folder.to_owned(),
            ..submission
        }))
    }

    /// Writes the record.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub(super) fn write(&self) -> Result<(), LabError> {
        write_json(&self.folder.join(RECORD), self)
    }

    /// The store of the experiment.
    ///
    /// # Errors
    /// [`LabError::NoStore`].
    pub fn store(&self) -> Result<Store, LabError> {
        let root = self.folder.ancestors().nth(2).unwrap_or(Path::new("."));
        Store::existing(root)
    }

    /// The recipe as it was submitted.
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub fn recipe(&self) -> Result<Recipe, LabError> {
        Recipe::read(&self.folder.join(RECIPE))
    }

    /// The task with this index in the array with this label.
    pub fn task(&self, label: &str, index: u32) -> Option<&ArrayTask> {
        let mut arrays = self.arrays.iter();
        arrays.find(|array| array.label == label)?.task(index)
    }

    /// The scheduler's number of an array; none if the submission was cut short before
    /// the number was written.
    pub fn job(&self, array: &Array) -> Option<String> {
        let noted = imlp_input::read_text(&self.job_file(array), MAX_JOB_BYTES).ok()?;
        Some(noted.trim().to_owned()).filter(|job| !job.is_empty())
    }

    pub(super) fn job_file(&self, array: &Array) -> PathBuf {
        self.folder.join(format!("{}.job", array.label))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_workers_settings_come_back_and_older_records_have_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let submission = Submission {
            scheduler: "slurm".to_owned(),
            command: "imlp sweep".to_owned(),
            worker: WorkerSettings {
                device: "flex".to_owned(),
                max_memory: Some(1 << 30),
                policy: Policy {
                    max_attempts: 7,
                    time_limit: Some(Duration::from_nanos(1)),
                    ..Policy::default()
                },
            },
            arrays: Vec::new(),
            folder: folder.path().to_owned(),
        };
        submission.write().unwrap();
        let read = || Submission::read(folder.path()).unwrap().unwrap();
        assert_eq!(read(), submission);

        let old = r#"{ "scheduler": "slurm", "command": "imlp sweep", "arrays": [] }"#;
        std::fs::write(folder.path().join(RECORD), old).unwrap();
        assert_eq!(read().worker, WorkerSettings::default());
    }
}
