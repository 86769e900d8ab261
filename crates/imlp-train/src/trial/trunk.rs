//! Trunks: what the trials of one seed compute alike.
//!
//! Until a trial is interpolated for the first time, its twin has the bits of the α = 0
//! trial of its seed. A trunk is the state of that trial after the last such step, before
//! anything is measured or interpolated there. Trials go on from it as from a checkpoint
//! that they had saved themselves: with the bits of trials from the start.

use imlp_linear::Alpha;

use super::{TrialRun, trunk_name};
use crate::error::TrainError;
use crate::interpolation::timing::Parting;
use crate::observer::Observer;
use crate::setup::Setup;
use crate::tensors::weights_file::WeightsFile;
use crate::training::checkpoint::Checkpoints;
use crate::training::hooks::RunHooks;
use crate::trial::record::TrialStatus;

/// What came of training a trunk.
#[derive(Clone, Debug)]
pub enum Trunk {
    /// The state from which trials go on.
    State(WeightsFile),
    /// The twin diverged before the trials part, and so does each of them.
    Diverged {
        /// Epoch, from 1.
        epoch: u32,
    },
}

/// Trains the trunk of the trials of `seed` that part at `parting` or later, from the last
/// of `checkpoints` if there is one.
///
/// # Errors
/// [`TrainError::Interrupted`], which leaves a checkpoint; [`TrainError::Checkpoint`].
pub fn make_trunk(
    setup: &Setup,
    parting: Parting,
    seed: u64,
    observer: &dyn Observer,
    checkpoints: &dyn Checkpoints,
) -> Result<Trunk, TrainError> {
    let hooks = RunHooks {
        observer,
        checkpoints,
    };
    let mut trial = TrialRun::new(setup, Alpha::ZERO, seed, None, hooks)?;
    trial.run.name = trunk_name(setup, seed);
    trial.resume()?;
    let pauses = || setup.twin_pauses(trial.progress.training);
    let last = pauses()
        .find(|pause| parting.is_at(*pause))
        .ok_or_else(|| {
            TrainError::Checkpoint("it lies behind the point where the trials part".to_owned())
        })?;
    let before = pauses().take_while(|pause| !parting.is_at(*pause));
    if let TrialStatus::Diverged { epoch } = trial.train(before)? {
        return Ok(Trunk::Diverged { epoch });
    }
    trial.run.train_segment(last, &mut trial.progress)?;
    Ok(Trunk::State(trial.run.checkpoint(&trial.progress)))
}
