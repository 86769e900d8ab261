//! Checkpoints: what a run needs to continue after an interruption with the same bits.
//!
//! A checkpoint lies between two optimiser steps. It holds no state of random numbers:
//! the order of the images and their augmentation follow from seed, epoch and index.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;
use crate::model::ModelState;
use crate::network::parameters::{HostParameters, ParameterSpec};
use crate::tensors::weights_file::{NamedTensor, WeightsFile};
use crate::version::RESULTS_VERSION;

/// Keeps the checkpoints of one run.
pub trait Checkpoints: Sync {
    /// The last checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when there is one that cannot be read.
    fn load(&self) -> Result<Option<WeightsFile>, TrainError>;

    /// The state that [`make_trunk`](crate::make_trunk) left, from which a trial without a
    /// checkpoint goes on; by default there is none.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when there is one that cannot be read.
    fn trunk(&self) -> Result<Option<WeightsFile>, TrainError> {
        Ok(None)
    }

    /// Whether to save a checkpoint now, after `epochs` whole epochs. Asked after every
    /// step.
    fn due(&self, epochs: u32) -> bool;

    /// Saves `state` in place of the last checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`].
    fn save(&self, state: &WeightsFile) -> Result<(), TrainError>;
}

/// Keeps nothing: an interrupted run starts again.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn load(&self) -> Result<Option<WeightsFile>, TrainError> {
        Ok(None)
    }

    fn due(&self, _epochs: u32) -> bool {
        false
    }

    fn save(&self, _state: &WeightsFile) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Metadata key of everything that is not a tensor.
const KEY: &str = "imlp-checkpoint";

/// What is not a tensor.
#[derive(serde::Serialize, serde::Deserialize)]
struct Rest<P> {
    results_version: u32,
    /// Name of the run; a checkpoint of another run is refused.
    run: String,
    /// What its products were computed with; early files do not say.
    #[serde(default)]
    instructions: Option<String>,
    step: u64,
    updates: Vec<i32>,
    progress: P,
}

/// The run that a checkpoint belongs to: the bits of its rest depend on both.
#[derive(Clone, Copy)]
pub(crate) struct RunIdentity<'a> {
    /// Its name.
    pub run: &'a str,
    /// What its products are computed with.
    pub instructions: &'a str,
}

/// A checkpoint of a run as a file.
pub(crate) fn to_file<P: Serialize>(
    identity: RunIdentity<'_>,
    specs: &[ParameterSpec],
    state: ModelState,
    step: u64,
    progress: &P,
) -> WeightsFile {
    let mut file = WeightsFile::default();
    let groups = [
        (VALUE, state.parameters),
        (FIRST, state.first),
        (SECOND, state.second),
    ];
    for (prefix, group) in groups {
        for (spec, values) in specs.iter().zip(group) {
            file.tensors.push(NamedTensor {
                name: format!("{prefix}{}", spec.name),
                shape: vec![values.len()],
                values,
            });
        }
    }
    let rest = Rest {
        results_version: RESULTS_VERSION,
        run: identity.run.to_owned(),
        instructions: Some(identity.instructions.to_owned()),
        step,
        updates: state.updates,
        progress,
    };
    let rest = serde_json::to_string(&rest).expect("numbers and text keys");
    file.metadata.insert(KEY.to_owned(), rest);
    file
}

const VALUE: &str = "value.";
const FIRST: &str = "first.";
const SECOND: &str = "second.";

/// The state, the step and the progress in a file that [`to_file`] made for the same run
/// and instructions. The tensors of the state are taken out of it: they are as large as
/// the network in training.
///
/// # Errors
/// [`TrainError::Checkpoint`]: the file of another run or version;
/// [`TrainError::OtherInstructions`].
pub(crate) fn from_file<P: DeserializeOwned>(
    identity: RunIdentity<'_>,
    specs: &[ParameterSpec],
    file: &mut WeightsFile,
) -> Result<(ModelState, u64, P), TrainError> {
    let refuse = |reason: String| Err(TrainError::Checkpoint(reason));
    let Some(text) = file.metadata.get(KEY) else {
        return refuse(format!("it has no metadata `{KEY}`"));
    };
    let unreadable =
        |error| TrainError::Checkpoint(format!("its metadata cannot be read: {error}"));
    // The run is checked before its progress is read: another kind of run has other
    // keys.
    let rest: Rest<serde_json::Value> = serde_json::from_str(text).map_err(unreadable)?;
    if rest.results_version != RESULTS_VERSION {
        let (there, here) = (rest.results_version, RESULTS_VERSION);
        return refuse(format!(
            "it is of results version {there}, this program's is {here}"
        ));
    }
    if rest.run != identity.run {
        let (there, here) = (rest.run, identity.run);
        return refuse(format!("it belongs to {there}, not to {here}"));
    }
    if rest.instructions.as_deref() != Some(identity.instructions) {
        return Err(TrainError::OtherInstructions {
            there: rest.instructions,
            here: identity.instructions.to_owned(),
        });
    }
    let mut group = |prefix: &str, whole: bool| -> Result<HostParameters, TrainError> {
        specs
            .iter()
            .map(|spec| {
                let name = format!("{prefix}{}", spec.name);
                let tensor = file.tensors.iter_mut().find(|tensor| tensor.name == name);
                match tensor.map(|tensor| std::mem::take(&mut tensor.values)) {
                    Some(values) if values.len() == spec.len() => Ok(values),
                    Some(values) if values.is_empty() && !whole => Ok(values),
                    Some(values) => Err(TrainError::Checkpoint(format!(
                        "tensor `{name}` has {} values, not {}",
                        values.len(),
                        spec.len()
                    ))),
                    None => Err(TrainError::Checkpoint(format!(
                        "tensor `{name}` is missing"
                    ))),
                }
            })
            .collect()
    };
    if rest.updates.len() != specs.len() {
        return refuse(format!(
            "it has {} update counts for {} parameters",
            rest.updates.len(),
            specs.len()
        ));
    }
    let state = ModelState {
        parameters: group(VALUE, true)?,
        first: group(FIRST, false)?,
        second: group(SECOND, false)?,
        updates: rest.updates,
    };
    let progress = serde_json::from_value(rest.progress).map_err(unreadable)?;
    Ok((state, rest.step, progress))
}
