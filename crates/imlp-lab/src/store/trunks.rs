//! Trunks in the store: the state from which several trials go on.
//!
//! As a checkpoint, the state is named by its SHA-256; a result names the file, so that
//! of several attempts exactly one publishes. Both are removed once no trial waits for
//! them.

use std::path::{Path, PathBuf};

use imlp_train::WeightsFile;
use serde::{Deserialize, Serialize};

use super::attempt::Ending;
use super::checkpoint_file;
use super::folder::Store;
use super::lease::Lease;
use super::result::{self, Published, RESULT, set_aside};
use super::state::State;
use super::trunk_file::{self, is_state};
use super::worker::{Availability, Worker};
use crate::entry::is_there;
use crate::error::LabError;
use crate::identity::{JobId, TrialId, TrunkId};
use crate::tensor_files;

/// What is published of a trunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredTrunk {
    /// Name of the file with its state.
    state: String,
    /// The trials that share it.
    trials: Vec<TrialId>,
}

impl Store {
    /// The file with the state of a trunk, if it is there. One that is missing although it
    /// was published is made again.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::NotFetched`].
    pub fn trunk_file(&self, id: &TrunkId) -> Result<Option<PathBuf>, LabError> {
        let folder = self.trunk_folder(id);
        match published_state(&folder) {
            Err(error @ LabError::Damaged { .. }) => {
                set_aside(&folder.join(RESULT), &error)?;
                Ok(None)
            }
            other => other,
        }
    }

    /// Publishes a trunk that `trials` share: first its state, under a name that only this
    /// attempt uses, then the result that names it. False when another attempt has
    /// published.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn publish_trunk(
        &self,
        lease: Lease,
        trials: &[TrialId],
        state: &WeightsFile,
    ) -> Result<bool, LabError> {
        let sha256 = tensor_files::sha256_of(state)?;
        let name = trunk_file::name(lease.attempt(), &sha256);
        let path = lease.folder().join(&name);
        if let Err(error) = lease.unless_superseded(|| tensor_files::write(&path, state)) {
            // A full disk, say: others need not wait for it.
            if let Err(error) = lease.end(Ending::Failed, Some(error.to_string())) {
                tracing::warn!("{error}");
            }
            return Err(error);
        }
        let published = lease.publish(StoredTrunk {
            state: name,
            trials: trials.to_vec(),
        })?;
        Ok(published.is_some())
    }

    /// The state of every trunk that any worker has begun, and the bytes of its file.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub(crate) fn trunk_states(&self) -> Result<Vec<(State, u64)>, LabError> {
        let names = self.trunks()?.into_iter();
        let folders = names.map(|name| self.root().join("trunks").join(name));
        folders
            .map(|folder| {
                let file = published_state(&folder).ok().flatten();
                let about = file.and_then(|file| std::fs::metadata(file).ok());
                let bytes = about.map_or(0, |about| about.len());
                Ok((State::of_prior(&folder)?, bytes))
            })
            .collect()
    }

    /// Whether a trial has neither a result nor failed.
    pub fn is_unfinished(&self, worker: &Worker, trial: &TrialId) -> bool {
        let state = self.poll(worker, &JobId::Trial(trial.clone()));
        matches!(state, Ok(Availability::Free(_) | Availability::Busy))
    }

    /// Whether a trial that starts or goes on would go on from its trunk: it has no
    /// checkpoint of its own.
    pub fn waits_for_trunk(&self, worker: &Worker, trial: &TrialId) -> bool {
        let checkpoints = checkpoint_file::files(&self.trial_folder(trial));
        checkpoints.is_ok_and(|files| files.is_empty()) && self.is_unfinished(worker, trial)
    }
}

/// The file with the state of the trunk in `folder`.
fn published_state(folder: &Path) -> Result<Option<PathBuf>, LabError> {
    let Some(Published { result, .. }) = result::read::<StoredTrunk>(folder)? else {
        return Ok(None);
    };
    let path = folder.join(&result.state);
    let there = is_state(&result.state) && is_there(&path).map_err(LabError::io("read", &path))?;
    if !there {
        return Err(LabError::Damaged {
            path,
            reason: "it is missing".to_owned(),
        });
    }
    Ok(Some(path))
}

/// The trials that share the trunk in `folder`; none of a trunk that is not there whole.
pub(super) fn sharers(folder: &Path) -> Vec<TrialId> {
    let stored = result::read::<StoredTrunk>(folder).ok().flatten();
    stored.map_or(Vec::new(), |published| published.result.trials)
}
