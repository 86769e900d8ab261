//! What a run needs to go on after an interruption as if there had been none.
//!
//! A checkpoint lies between two optimiser steps. Random numbers need no place in
//! it: images, their order and their changes follow from seed, epoch and index.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;
use crate::network::parameters::{HostParameters, ParameterSpec};
use crate::tensors::weights_file::{NamedTensor, WeightsFile};
use crate::version::RESULTS_VERSION;

/// Keeps the checkpoints of one run.
pub trait Checkpoints: Sync {
    /// The last one that was kept.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when there is one that cannot be read.
    fn load(&self) -> Result<Option<WeightsFile>, TrainError>;

    /// Whether to keep one now. Asked after every step; `epochs` are done.
    fn due(&self, epochs: u32) -> bool;

    /// Keeps `state` in place of the last one.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`].
    fn save(&self, state: &WeightsFile) -> Result<(), TrainError>;
}

/// Keeps nothing: an interrupted run starts anew.
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

/// A network and its optimiser between two steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelState {
    /// In PyTorch layout.
    pub parameters: HostParameters,
    /// The optimiser's moments of each parameter; empty where there are none (yet).
    pub first: HostParameters,
    pub second: HostParameters,
    /// Updates since the moments were empty.
    pub updates: Vec<i32>,
}

/// Key of the metadata that hold everything that is not a tensor.
const KEY: &str = "imlp-checkpoint";

/// What is not a tensor.
#[derive(serde::Serialize, serde::Deserialize)]
struct Rest<P> {
    results_version: u32,
    /// Which run: a file of another one in its place is found.
    run: String,
    step: u64,
    updates: Vec<i32>,
    progress: P,
}

/// A checkpoint of `run` as a file.
pub(crate) fn to_file<P: Serialize>(
    run: &str,
    specs: &[ParameterSpec],
    state: &ModelState,
    step: u64,
    progress: &P,
) -> WeightsFile {
    let mut file = WeightsFile::default();
    let groups = [
        (VALUE, &state.parameters),
        (FIRST, &state.first),
        (SECOND, &state.second),
    ];
    for (prefix, group) in groups {
        for (spec, values) in specs.iter().zip(group) {
            file.tensors.push(NamedTensor {
                name: format!("{prefix}{}", spec.name),
                shape: vec![values.len()],
                values: values.clone(),
            });
        }
    }
    let rest = Rest {
        results_version: RESULTS_VERSION,
        run: run.to_owned(),
        step,
        updates: state.updates.clone(),
        progress,
    };
    let rest = serde_json::to_string(&rest).expect("numbers and text keys");
    file.metadata.insert(KEY.to_owned(), rest);
    file
}

const VALUE: &str = "value.";
const FIRST: &str = "first.";
const SECOND: &str = "second.";

/// The state, the step and the progress in a file that [`to_file`] made for `run`.
///
/// # Errors
/// [`TrainError::Checkpoint`]: the file of another run or version.
pub(crate) fn from_file<P: DeserializeOwned>(
    run: &str,
    specs: &[ParameterSpec],
    file: &WeightsFile,
) -> Result<(ModelState, u64, P), TrainError> {
    let refuse = |reason: String| Err(TrainError::Checkpoint(reason));
    let Some(text) = file.metadata.get(KEY) else {
        return refuse(format!("it has no metadata `{KEY}`"));
    };
    let unreadable =
        |error| TrainError::Checkpoint(format!("its metadata cannot be read: {error}"));
    // Whose progress it is comes first: that of another kind of run has other keys.
    let rest: Rest<serde_json::Value> = serde_json::from_str(text).map_err(unreadable)?;
    if rest.results_version != RESULTS_VERSION {
        let (there, here) = (rest.results_version, RESULTS_VERSION);
        return refuse(format!(
            "it is of results version {there}, this program's is {here}"
        ));
    }
    if rest.run != run {
        return refuse(format!("it belongs to {}, not to {run}", rest.run));
    }
    let group = |prefix: &str, whole: bool| -> Result<HostParameters, TrainError> {
        specs
            .iter()
            .map(|spec| {
                let name = format!("{prefix}{}", spec.name);
                let tensor = file.tensors.iter().find(|tensor| tensor.name == name);
                match tensor.map(|tensor| tensor.values.clone()) {
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
        return refuse(format!("it has {} counts of updates", rest.updates.len()));
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
