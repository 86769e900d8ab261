//! A run: one network in training from pause to pause, with its checkpoints.

use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;
use crate::interpolation::timing::Pause;
use crate::network::parameters::ParameterSpec;
use crate::tensors::weights_file::WeightsFile;
use crate::training::checkpoint::RunIdentity;
use crate::training::data::TrainingData;
use crate::training::hooks::RunHooks;
use crate::training::learner::{Learner, Stop};
use crate::training::progress::{SegmentProgress, TrainingProgress};

/// What a checkpoint holds of a run beside its network and its optimiser.
pub(crate) trait RunProgress: Default + Serialize + DeserializeOwned {
    /// How far the training has come.
    fn training(&mut self) -> &mut TrainingProgress;

    /// Adds tensors to a checkpoint; by default there are none.
    fn write_tensors(&self, _specs: &[ParameterSpec], _file: &mut WeightsFile) {}

    /// Takes these tensors back.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`]: a tensor that is missing or has another shape.
    fn read_tensors(
        &mut self,
        _specs: &[ParameterSpec],
        _file: &mut WeightsFile,
    ) -> Result<(), TrainError> {
        Ok(())
    }
}

/// A network in training, kept in checkpoints on the way.
pub(crate) struct TrainingRun<'a> {
    /// What it is, in words. A checkpoint of another run is refused.
    pub name: String,
    /// What its bits depend on beside its name: the instruction sets that compute its
    /// products, and those of the prior that it is interpolated toward.
    pub instructions: String,
    pub learner: Learner<'a>,
    pub data: &'a TrainingData,
    pub hooks: RunHooks<'a>,
}

impl TrainingRun<'_> {
    /// Continues from the last checkpoint; `None` without one.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`]: one that cannot be read, or of another run.
    pub fn resume<P: RunProgress>(&mut self) -> Result<Option<P>, TrainError> {
        let Some(mut file) = self.hooks.checkpoints.load()? else {
            return Ok(None);
        };
        let identity = RunIdentity {
            run: &self.name,
            instructions: &self.instructions,
        };
        let mut progress: P = self.learner.resume(identity, &mut file)?;
        progress.read_tensors(self.learner.specs(), &mut file)?;
        self.hooks.observer.resumed(progress.training().epochs + 1);
        Ok(Some(progress))
    }

    /// Trains up to `pause`; saves a checkpoint whenever one is due, and when the
    /// caller asks to stop.
    ///
    /// # Errors
    /// [`TrainError::Interrupted`]; [`TrainError::Checkpoint`].
    pub fn train_to<P: RunProgress>(
        &mut self,
        pause: Pause,
        progress: &mut P,
    ) -> Result<SegmentProgress, TrainError> {
        self.train_segment(pause, progress)?;
        let training = progress.training();
        let trained = std::mem::take(&mut training.within);
        training.loss.add(trained);
        Ok(trained)
    }

    /// Does the steps up to `pause`, whose segment stays the current one: as
    /// [`train_to`](Self::train_to) leaves it if it stops before it returns.
    ///
    /// # Errors
    /// As [`train_to`](Self::train_to).
    pub fn train_segment<P: RunProgress>(
        &mut self,
        pause: Pause,
        progress: &mut P,
    ) -> Result<(), TrainError> {
        loop {
            let started = Instant::now();
            let training = progress.training();
            let stop = self
                .learner
                .train(self.data, pause, &mut training.within, self.hooks);
            training.train_seconds += started.elapsed().as_secs_f64();
            if stop == Stop::AtPause {
                return Ok(());
            }
            self.save(progress)?;
            if stop == Stop::Cancelled {
                return Err(TrainError::Interrupted);
            }
        }
    }

    /// Saves a checkpoint if one is due after `epochs` whole epochs.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`].
    pub fn save_if_due(&self, epochs: u32, progress: &impl RunProgress) -> Result<(), TrainError> {
        if self.hooks.checkpoints.due(epochs) {
            self.save(progress)?;
        }
        Ok(())
    }

    fn save(&self, progress: &impl RunProgress) -> Result<(), TrainError> {
        self.hooks.checkpoints.save(&self.checkpoint(progress))
    }

    /// A checkpoint at `progress`.
    pub fn checkpoint(&self, progress: &impl RunProgress) -> WeightsFile {
        let identity = RunIdentity {
            run: &self.name,
            instructions: &self.instructions,
        };
        let mut file = self.learner.checkpoint(identity, progress);
        progress.write_tensors(self.learner.specs(), &mut file);
        file
    }
}
