//! Trained priors in the store: a record, and parameters at every interpolation.

use imlp_train::{Network, PriorRecord, PriorTrajectory, Setup, TrainError, WeightsFile};
use serde::{Deserialize, Serialize};

use super::folder::Store;
use super::lease::Lease;
use super::result::{self, Published, RESULT, set_aside};
use crate::error::LabError;
use crate::files::sha256_of;
use crate::identity::PriorId;
use crate::tensor_files;

/// What is published of a prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredPrior {
    record: PriorRecord,
    /// Name of the file with its snapshots.
    snapshots: String,
    /// SHA-256 of that file.
    snapshots_sha256: String,
    /// Snapshots in it.
    count: usize,
    /// Whether it holds the parameters at the end of training beside them.
    #[serde(default)]
    end: bool,
}

impl StoredPrior {
    /// A prior of which only the record was kept.
    pub(super) fn without_snapshots(record: PriorRecord) -> Self {
        Self {
            record,
            snapshots: "not-kept.safetensors".to_owned(),
            snapshots_sha256: String::new(),
            count: 0,
            end: false,
        }
    }
}

impl Store {
    /// The record of a trained prior, if it is there.
    ///
    /// # Errors
    /// [`LabError::Damaged`].
    pub fn prior_record(&self, id: &PriorId) -> Result<Option<PriorRecord>, LabError> {
        Ok(self.published_prior(id)?.map(|published| published.result))
    }

    /// As [`prior_record`](Self::prior_record), with its origin.
    ///
    /// # Errors
    /// [`LabError::Damaged`].
    pub fn published_prior(
        &self,
        id: &PriorId,
    ) -> Result<Option<Published<PriorRecord>>, LabError> {
        let published: Option<Published<StoredPrior>> = result::read(&self.prior_folder(id))?;
        Ok(published.map(|published| published.map(|stored| stored.record)))
    }

    fn stored_prior(&self, id: &PriorId) -> Result<Option<StoredPrior>, LabError> {
        let published: Option<Published<StoredPrior>> = result::read(&self.prior_folder(id))?;
        Ok(published.map(|published| published.result))
    }

    /// A trained prior with its snapshots. A damaged one is set aside and counts as
    /// missing, so that it is trained again.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn prior(&self, id: &PriorId, setup: &Setup) -> Result<Option<PriorTrajectory>, LabError> {
        let outcome = self
            .stored_prior(id)
            .and_then(|stored| stored.map(|s| self.trajectory(id, s, setup)).transpose());
        match outcome {
            Err(error @ LabError::Damaged { .. }) => {
                set_aside(&self.prior_folder(id).join(RESULT), &error)?;
                Ok(None)
            }
            other => other,
        }
    }

    fn trajectory(
        &self,
        id: &PriorId,
        stored: StoredPrior,
        setup: &Setup,
    ) -> Result<PriorTrajectory, LabError> {
        let StoredPrior {
            record,
            snapshots: name,
            snapshots_sha256,
            count,
            end: has_end,
        } = stored;
        let path = self.prior_folder(id).join(name);
        let damaged = |reason: String| LabError::Damaged {
            path: path.clone(),
            reason,
        };
        let sha256 = sha256_of(&path)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
        if sha256 != snapshots_sha256 {
            return Err(damaged("its checksum does not fit".to_owned()));
        }
        let complete = record.diverged_epoch.is_some() || count == setup.snapshots();
        if !complete {
            let needed = setup.snapshots();
            return Err(damaged(format!("it holds {count} snapshots of {needed}")));
        }
        if record.diverged_epoch.is_none() && setup.prior_ends_apart() && !has_end {
            return Err(damaged("it lacks the parameters at the end".to_owned()));
        }
        let mut file = WeightsFile::read(&path).map_err(|error| match error {
            TrainError::Weights { reason, .. } => damaged(reason),
            other => LabError::Train(other),
        })?;
        let specs = setup.prior().parameter_specs();
        let mut take = |prefix: &str| file.take(prefix, &specs).map_err(&damaged);
        let snapshots = (0..count).map(|i| take(&prefix(i)));
        Ok(PriorTrajectory {
            snapshots: snapshots.collect::<Result<_, _>>()?,
            end: has_end.then(|| take(END)).transpose()?,
            record,
        })
    }

    /// Publishes a trained prior: first its snapshots, under a name that only this
    /// attempt uses, then the record that names them. False when another attempt has
    /// published.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn publish_prior(
        &self,
        lease: Lease,
        prior: &PriorTrajectory,
        network: &Network,
    ) -> Result<bool, LabError> {
        let specs = network.parameter_specs();
        let mut file = WeightsFile::default();
        for (i, snapshot) in prior.snapshots.iter().enumerate() {
            file.add(&prefix(i), &specs, snapshot);
        }
        if let Some(end) = &prior.end {
            file.add(END, &specs, end);
        }
        let name = format!("snapshots-{:04}.safetensors", lease.attempt());
        let path = lease.folder().join(&name);
        let snapshots_sha256 = tensor_files::sha256_of(&file)?;
        lease.unless_superseded(|| tensor_files::write(&path, &file))?;
        let published = lease.publish(StoredPrior {
            record: prior.record.clone(),
            snapshots_sha256,
            snapshots: name,
            count: prior.snapshots.len(),
            end: prior.end.is_some(),
        })?;
        Ok(published.is_some())
    }
}

/// What stands before the names of the tensors at the end of training.
const END: &str = "end.";

fn prefix(index: usize) -> String {
    format!("snapshot{index:05}.")
}
