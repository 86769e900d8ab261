//! The weights of one trial's two networks, as SafeTensors files that name what they
//! belong to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use imlp_train::{
    HostParameters, ParameterSpec, PriorTrajectory, Setup, TensorFile, Trial, TrialConfig,
    WeightsFile,
};
use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::experiment::{Configuration, PlannedTrial};
use crate::identity::TrialId;
use crate::tensor_files;

/// Key of the metadata that holds an [`Origin`] as JSON. One key, because the order of
/// several is not fixed, and equal trials write equal files.
const ORIGIN_KEY: &str = "imlp";

/// What saved weights belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// Which network.
    pub network: NetworkName,
    /// The trial's configuration.
    pub config: TrialConfig,
    /// Checksum of the data set.
    pub data_checksum: String,
    /// The trial; none in files of older versions.
    #[serde(default)]
    pub trial: Option<TrialId>,
}

/// One of a trial's two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkName {
    /// The dense twin.
    Twin,
    /// The structured prior.
    Prior,
}

impl NetworkName {
    /// The file of this network's weights in `folder`.
    pub fn path(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Self::Twin => "twin.safetensors",
            Self::Prior => "prior.safetensors",
        })
    }
}

impl Origin {
    /// What the weights in a file with this metadata belong to.
    ///
    /// # Errors
    /// Why that is not known, as text.
    pub fn read(metadata: &HashMap<String, String>) -> Result<Self, String> {
        let origin = metadata.get(ORIGIN_KEY).ok_or_else(|| {
            format!(
                "has no metadata `{ORIGIN_KEY}`, so it is not known which network it belongs to; \
                 only files that `imlp train` wrote can be measured"
            )
        })?;
        serde_json::from_str(origin).map_err(|e| format!("its metadata cannot be read: {e}"))
    }
}

/// Whether `folder` holds weights of the network `name` of this trial. A file that
/// cannot be read holds none.
///
/// # Errors
/// [`LabError::OtherWeights`]: a file with the weights of another trial.
pub fn are_saved(folder: &Path, name: NetworkName, trial: &PlannedTrial) -> Result<bool, LabError> {
    let path = name.path(folder);
    let Ok(file) = TensorFile::open(&path) else {
        return Ok(false);
    };
    match Origin::read(file.metadata()) {
        Ok(origin) if origin.trial.as_ref() == Some(&trial.id) => Ok(true),
        _ => Err(LabError::OtherWeights(path)),
    }
}

/// Writes the twin's weights into `folder`; returns the file.
///
/// # Errors
/// [`LabError::Io`].
pub fn save_twin(
    folder: &Path,
    configuration: &Configuration,
    planned: &PlannedTrial,
    trial: &Trial,
) -> Result<PathBuf, LabError> {
    let (specs, parameters) = (&trial.specs, &trial.parameters);
    save(
        folder,
        NetworkName::Twin,
        configuration,
        planned,
        (specs, parameters),
    )
}

/// Writes the prior's weights at the end of its training into `folder`; returns the
/// file, or none if the prior diverged.
///
/// # Errors
/// [`LabError::Io`].
pub fn save_prior(
    folder: &Path,
    configuration: &Configuration,
    planned: &PlannedTrial,
    prior: &PriorTrajectory,
) -> Result<Option<PathBuf>, LabError> {
    let setup: &Setup = &configuration.setup;
    let specs = setup.prior().parameter_specs();
    let end = prior.at_the_end();
    end.map(|parameters| {
        save(
            folder,
            NetworkName::Prior,
            configuration,
            planned,
            (&specs, parameters),
        )
    })
    .transpose()
}

fn save(
    folder: &Path,
    network: NetworkName,
    configuration: &Configuration,
    planned: &PlannedTrial,
    (specs, parameters): (&[ParameterSpec], &HostParameters),
) -> Result<PathBuf, LabError> {
    let mut file = WeightsFile::default();
    file.add("", specs, parameters);
    let mut config = configuration.config.clone();
    config.interpolation.alpha = planned.alpha;
    let origin = Origin {
        network,
        config,
        data_checksum: configuration.setup.data().dataset().checksum.clone(),
        trial: Some(planned.id.clone()),
    };
    let origin = serde_json::to_string(&origin).expect("a configuration has only text keys");
    file.metadata.insert(ORIGIN_KEY.to_owned(), origin);
    let path = network.path(folder);
    tensor_files::write(&path, &file)?;
    Ok(path)
}
