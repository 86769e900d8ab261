//! Results that come from elsewhere: records that were kept without their folder.

use std::path::Path;

use imlp_train::{PriorRecord, TrialRecord};
use serde::Serialize;

use super::folder::Store;
use super::priors::StoredPrior;
use super::process::Process;
use super::result::{Published, RESULT};
use super::sealed;
use super::worker::IDENTITY;
use crate::error::LabError;
use crate::files::{create_folder, write_new_json};
use crate::identity::{Identity, JobId};

impl Store {
    /// Puts the trial that `identity` decides into the store, as published `at` (seconds since
    /// 1970); false if it has a result.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn restore_trial(
        &self,
        identity: &Identity,
        at: u64,
        record: &TrialRecord,
    ) -> Result<bool, LabError> {
        let id = JobId::Trial(identity.trial_id());
        restore(&self.folder(&id), identity, at, record)
    }

    /// As [`restore_trial`](Self::restore_trial), of a prior, without its snapshots: whoever
    /// needs them trains it again.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn restore_prior(
        &self,
        identity: &Identity,
        at: u64,
        record: &PriorRecord,
    ) -> Result<bool, LabError> {
        let id = JobId::Prior(identity.prior_id());
        let prior = StoredPrior::without_snapshots(record.clone());
        restore(&self.folder(&id), identity, at, prior)
    }
}

fn restore(
    folder: &Path,
    identity: &Identity,
    at: u64,
    result: impl Serialize,
) -> Result<bool, LabError> {
    create_folder(folder)?;
    write_new_json(&folder.join(IDENTITY), identity)?;
    let published = Published {
        job: Some(super::result::job(folder)),
        attempt: 1,
        process: Process::this(),
        began: at,
        at,
        result,
    };
    sealed::write_new(&folder.join(RESULT), &published)
}
