//! The folder of an experiment, safe to share: any number of processes, on any
//! hosts that see it, may work on it at once.
//!
//! ```text
//! experiment.json          what was asked for last: configurations and trials
//! trials/ID/               one folder per trial, named by what decides its result
//!   identity.json          what that is
//!   attempt-0001.json      who worked on it when, and how that ended
//!   checkpoint-….safetensors     where an attempt goes on that follows one that was cut short
//!   result.json            its result, under a checksum; written once
//! priors/ID/               likewise, one folder per trained prior
//!   snapshots-0001.safetensors   its parameters at every interpolation
//! workers/NAME.beat        a number that a worker counts up while it lives
//! batch/                   what was handed over to a scheduler (see
//!                          `executor/batch.rs`)
//! ```
//!
//! There are no locks, which shared file systems do not keep. Everything rests
//! on two operations that they do: a file appears whole, by renaming; and of
//! several that want to make one file, exactly one succeeds (see
//! `store/attempt.rs`, `store/heartbeat.rs` and `store/lease.rs`).

mod attempt;
mod checkpoint;
mod heartbeat;
mod lease;
mod manifest;
mod priors;
mod process;
mod sealed;
mod state;
mod upkeep;

pub(crate) use attempt::now;
pub use attempt::{Attempt, Ended, Ending};
pub use checkpoint::LeaseCheckpoints;
pub use lease::{Claim, Lease, Published, Standing, Worker};
pub use manifest::{ListedConfiguration, ListedTrial, Manifest};
pub use process::Process;
pub use state::State;
pub use upkeep::Leftover;

use std::path::{Path, PathBuf};

use imlp_linear::Alpha;
use imlp_train::TrialRecord;

use crate::LabError;
use crate::experiment::Policy;
use crate::files::{create_folder, list, read_json, refuse_file};
use crate::identity::{Identity, PriorId, TrialId};
use lease::{IDENTITY, RESULT};

/// The folder of an experiment.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Makes the folder `root` unless it is there.
    ///
    /// # Errors
    /// A path that is a file, or that may not be written to.
    pub fn create(root: &Path) -> Result<Self, LabError> {
        refuse_file(root)?;
        for folder in ["trials", "priors", "workers"] {
            create_folder(&root.join(folder))?;
        }
        Ok(Self::at(root))
    }

    /// A folder that was made before.
    ///
    /// # Errors
    /// [`LabError::NoStore`]: a folder that holds no experiment.
    pub fn existing(root: &Path) -> Result<Self, LabError> {
        if root.join("trials").is_dir() {
            Ok(Self::at(root))
        } else {
            Err(LabError::NoStore(root.to_owned()))
        }
    }

    fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Announces this process as a worker, which runs as `task` of a scheduler
    /// if it does.
    ///
    /// # Errors
    /// [`LabError::Io`]: a folder that may not be written to.
    pub fn join(&self, policy: Policy, task: Option<String>) -> Result<Worker, LabError> {
        Worker::join(&self.root.join("workers"), policy, task)
    }

    /// The folder of a trial.
    pub fn trial_folder(&self, id: &TrialId) -> PathBuf {
        self.root.join("trials").join(id.as_str())
    }

    /// The folder of a prior.
    pub fn prior_folder(&self, id: &PriorId) -> PathBuf {
        self.root.join("priors").join(id.as_str())
    }

    /// Names of all trials that were begun.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trials(&self) -> Result<Vec<String>, LabError> {
        folders(&self.root.join("trials"))
    }

    /// Names of all priors that were begun.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn priors(&self) -> Result<Vec<String>, LabError> {
        folders(&self.root.join("priors"))
    }

    /// How it stands with a trial, for `worker`.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn look_at_trial(&self, worker: &Worker, id: &TrialId) -> Result<Standing, LabError> {
        worker.look(&self.trial_folder(id))
    }

    /// How it stands with a prior, for `worker`.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn look_at_prior(&self, worker: &Worker, id: &PriorId) -> Result<Standing, LabError> {
        worker.look(&self.prior_folder(id))
    }

    /// Asks for a trial.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Damaged`] when the folder is of another
    /// trial.
    pub fn claim_trial(
        &self,
        worker: &Worker,
        id: &TrialId,
        identity: &Identity,
    ) -> Result<Claim, LabError> {
        worker.claim(&self.trial_folder(id), identity)
    }

    /// Asks for a prior.
    ///
    /// # Errors
    /// As [`claim_trial`](Self::claim_trial).
    pub fn claim_prior(
        &self,
        worker: &Worker,
        id: &PriorId,
        identity: &Identity,
    ) -> Result<Claim, LabError> {
        worker.claim(&self.prior_folder(id), identity)
    }

    /// A finished trial, if it is there.
    ///
    /// # Errors
    /// [`LabError::Damaged`]: a file that is not whole, or of another trial.
    pub fn trial(
        &self,
        id: &TrialId,
        alpha: Alpha,
        seed: u64,
    ) -> Result<Option<Published<TrialRecord>>, LabError> {
        let path = self.trial_folder(id).join(RESULT);
        let published: Option<Published<TrialRecord>> = sealed::read(&path)?;
        match published {
            Some(Published { result: r, .. }) if r.alpha != alpha || r.seed != seed => {
                Err(LabError::Damaged {
                    path,
                    reason: format!("it holds the trial α = {}, seed {}", r.alpha, r.seed),
                })
            }
            other => Ok(other),
        }
    }

    /// How it stands with the trial of a folder, and its record if it is
    /// finished.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trial_by_name(
        &self,
        name: &str,
    ) -> Result<(State, Option<Published<TrialRecord>>), LabError> {
        State::of_trial(&self.root.join("trials").join(name))
    }

    /// What the trial of a folder is; none where that is not known.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trial_identity(&self, name: &str) -> Result<Option<Identity>, LabError> {
        let path = self.root.join("trials").join(name).join(IDENTITY);
        match read_json(&path) {
            Err(LabError::Damaged { .. }) => Ok(None),
            other => other,
        }
    }

    /// How it stands with the prior of a folder.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn prior_state(&self, name: &str) -> Result<State, LabError> {
        State::of_prior(&self.root.join("priors").join(name))
    }
}

/// Names of the folders in `folder`; what a killed process left half-written
/// there is none.
fn folders(folder: &Path) -> Result<Vec<String>, LabError> {
    let mut names = list(folder)?;
    names.retain(|name| folder.join(name).is_dir());
    Ok(names)
}
