//! The folder of an experiment: where each job lies, and how it is read.

use std::path::{Path, PathBuf};

use imlp_linear::Alpha;
use imlp_train::TrialRecord;

use super::result::{self, Published, RESULT};
use super::state::State;
use super::worker::{Availability, Claim, IDENTITY, Worker};
use crate::error::LabError;
use crate::experiment::Policy;
pub(super) use crate::files::EXPERIMENT as MANIFEST;
use crate::files::{create_folder, list, read_json, refuse_file};
use crate::identity::{Identity, JobId, PriorId, TrialId, TrunkId, is_job_name};

/// The folder of an experiment.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Creates the folder `root` unless it exists.
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

    /// Opens an existing folder.
    ///
    /// # Errors
    /// [`LabError::NoStore`]: a folder that holds no experiment.
    pub fn existing(root: &Path) -> Result<Self, LabError> {
        let folder = |name| root.join(name).is_dir();
        let has_manifest = root.join(MANIFEST).is_file();
        if folder("trials") && (folder("priors") || has_manifest) {
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

    /// Registers this process as a worker, which may be the `task` of a scheduler.
    ///
    /// # Errors
    /// [`LabError::Io`]: a folder that may not be written to.
    pub fn join(&self, policy: Policy, task: Option<String>) -> Result<Worker, LabError> {
        Worker::join(&self.root.join("workers"), policy, task)
    }

    /// The folder of a job.
    pub fn folder(&self, job: &JobId) -> PathBuf {
        match job {
            JobId::Prior(id) => self.prior_folder(id),
            JobId::Trunk(id) => self.trunk_folder(id),
            JobId::Trial(id) => self.trial_folder(id),
        }
    }

    /// The folder of a trial.
    pub fn trial_folder(&self, id: &TrialId) -> PathBuf {
        self.root.join("trials").join(id.as_str())
    }

    /// The folder of a prior.
    pub fn prior_folder(&self, id: &PriorId) -> PathBuf {
        self.root.join("priors").join(id.as_str())
    }

    /// The folder of a trunk.
    pub fn trunk_folder(&self, id: &TrunkId) -> PathBuf {
        self.root.join("trunks").join(id.as_str())
    }

    /// Whether `worker` can take a job.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn poll(&self, worker: &Worker, job: &JobId) -> Result<Availability, LabError> {
        worker.poll(&self.folder(job))
    }

    /// Tries to take a job, whose result `identity` decides.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Damaged`] when the folder belongs to another
    /// job.
    pub fn claim(
        &self,
        worker: &Worker,
        job: &JobId,
        identity: &Identity,
    ) -> Result<Claim, LabError> {
        worker.claim(&self.folder(job), identity)
    }

    /// Names of all trials that any worker has begun.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trials(&self) -> Result<Vec<String>, LabError> {
        folders(&self.root.join("trials"))
    }

    /// Names of all priors that any worker has begun.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn priors(&self) -> Result<Vec<String>, LabError> {
        folders(&self.root.join("priors"))
    }

    /// Names of all trunks that any worker has begun and that were not removed.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trunks(&self) -> Result<Vec<String>, LabError> {
        folders(&self.root.join("trunks"))
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
        let folder = self.trial_folder(id);
        match result::read::<TrialRecord>(&folder)? {
            Some(Published { result: r, .. }) if r.alpha != alpha || r.seed != seed => {
                Err(LabError::Damaged {
                    path: folder.join(RESULT),
                    reason: format!("it holds the trial α = {}, seed {}", r.alpha, r.seed),
                })
            }
            other => Ok(other),
        }
    }

    /// The state of the trial with this name, and its record if it is finished.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trial_by_name(
        &self,
        name: &str,
    ) -> Result<(State, Option<Published<TrialRecord>>), LabError> {
        State::of_trial(&self.root.join("trials").join(name))
    }

    /// What decides the result of the trial with this name; none where the file is
    /// missing or damaged.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn trial_identity(&self, name: &str) -> Result<Option<Identity>, LabError> {
        let path = self.root.join("trials").join(name).join(IDENTITY);
        match read_json(&path) {
            Err(LabError::Damaged { .. } | LabError::NotFetched { .. }) => Ok(None),
            other => other,
        }
    }

    /// Why the trial with this name failed, if it is in `state` and `at_most` attempts may
    /// end without a result.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn why_trial_failed(
        &self,
        name: &str,
        state: &State,
        at_most: Option<u32>,
    ) -> Result<Option<String>, LabError> {
        state.why_failed(&self.root.join("trials").join(name), at_most)
    }

    /// As [`why_trial_failed`](Self::why_trial_failed), of a prior.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn why_prior_failed(
        &self,
        name: &str,
        state: &State,
        at_most: Option<u32>,
    ) -> Result<Option<String>, LabError> {
        state.why_failed(&self.root.join("priors").join(name), at_most)
    }

    /// The state of the prior with this name.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn prior_state(&self, name: &str) -> Result<State, LabError> {
        State::of_prior(&self.root.join("priors").join(name))
    }
}

/// Names of the folders of jobs in `folder`, without whatever else is there.
fn folders(folder: &Path) -> Result<Vec<String>, LabError> {
    let mut names = list(folder)?;
    names.retain(|name| is_job_name(name) && folder.join(name).is_dir());
    Ok(names)
}
