//! How far the training of a prior has come.

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::network::parameters::{HostParameters, ParameterSpec};
use crate::prior::epoch::PriorEpoch;
use crate::tensors::weights_file::WeightsFile;
use crate::training::progress::TrainingProgress;
use crate::training::run::RunProgress;

/// How far the training of a prior has come. Checkpoints hold it under these
/// names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) training: TrainingProgress,
    pub(super) records: Vec<PriorEpoch>,
    /// Parameters at each interpolation point so far; tensors of a checkpoint.
    #[serde(skip)]
    pub(super) kept: Vec<HostParameters>,
    /// How many there are.
    snapshots: usize,
    /// How many there were at the start of the epoch.
    snapshots_before: usize,
}

impl Progress {
    /// Keeps the parameters at an interpolation point.
    pub(super) fn keep(&mut self, snapshot: HostParameters) {
        self.kept.push(snapshot);
        self.snapshots = self.kept.len();
    }

    /// Ends an epoch; `finite` tells whether its snapshots are of use.
    pub(super) fn end_epoch(&mut self, finite: bool) {
        if !finite {
            self.kept.truncate(self.snapshots_before);
        }
        self.snapshots = self.kept.len();
        self.snapshots_before = self.snapshots;
    }
}

impl RunProgress for Progress {
    fn training(&mut self) -> &mut TrainingProgress {
        &mut self.training
    }

    fn write_tensors(&self, specs: &[ParameterSpec], file: &mut WeightsFile) {
        for (index, snapshot) in self.kept.iter().enumerate() {
            file.add(&prefix(index), specs, snapshot);
        }
    }

    fn read_tensors(
        &mut self,
        specs: &[ParameterSpec],
        file: &mut WeightsFile,
    ) -> Result<(), TrainError> {
        for index in 0..self.snapshots {
            let values = file.take(&prefix(index), specs);
            self.kept.push(values.map_err(TrainError::Checkpoint)?);
        }
        Ok(())
    }
}

/// What stands before the names of a snapshot's tensors in a file.
fn prefix(index: usize) -> String {
    format!("snapshot{index:05}.")
}
