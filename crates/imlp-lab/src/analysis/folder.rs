//! The analysis of an experiment's folder, finished or not, without its data or networks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imlp_train::{PriorRecord, TrialRecord};

use super::evidence::{Evidence, MeasuredOn, TrialEvidence, curve};
use super::{Analysis, with};
use crate::curve::Curve;
use crate::error::LabError;
use crate::files::{create_folder, write_json};
use crate::folder_name::configuration_folder;
use crate::store::{ListedTrial, Manifest, Store};
use crate::variation::label;

/// The file with an [`Analysis`].
pub const ANALYSIS: &str = "analysis.json";

/// One configuration of an experiment.
#[derive(Clone, Debug)]
pub struct Analysed {
    /// What sets it apart; empty where nothing varies.
    pub label: String,
    /// The folder of its results.
    pub folder: PathBuf,
    /// What it shows; `None` where no trial of it has finished.
    pub analysis: Option<Analysis>,
}

impl Analysed {
    /// Writes the analysis beside the results; gives the file, or `None` without an
    /// analysis.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn write(&self) -> Result<Option<PathBuf>, LabError> {
        let Some(analysis) = &self.analysis else {
            return Ok(None);
        };
        create_folder(&self.folder)?;
        write(&self.folder, analysis).map(Some)
    }
}

/// Writes `analysis` into a folder that exists; gives the file.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn write(folder: &Path, analysis: &Analysis) -> Result<PathBuf, LabError> {
    let path = folder.join(ANALYSIS);
    write_json(&path, analysis)?;
    Ok(path)
}

/// What the trials show that the last `imlp sweep` in `store` asked for.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its configurations.
    pub configurations: Vec<Analysed>,
    /// The files that are left out, and why.
    pub notes: Vec<String>,
}

/// Reads and analyses every configuration in `store`.
///
/// # Errors
/// [`LabError::Unlisted`]; [`LabError::NothingFinished`]; [`LabError::Io`].
pub fn analyse(store: &Store) -> Result<Found, LabError> {
    let manifest = manifest(store)?;
    let mut notes = Vec::new();
    let several = manifest.configurations.len() > 1;
    let mut configurations = Vec::new();
    for (index, configuration) in manifest.configurations.iter().enumerate() {
        let label = label(&configuration.assignments);
        let biases = configuration.config["interpolation"]["biases"].as_bool();
        let trials = manifest.trials.iter().filter(|t| t.configuration == index);
        let records = Records::read(store, trials, &mut notes)?;
        configurations.push(Analysed {
            folder: match several {
                true => store.root().join(configuration_folder(&label)),
                false => store.root().to_owned(),
            },
            label,
            analysis: records.analysis(biases.unwrap_or(true))?,
        });
    }
    if configurations.iter().all(|c| c.analysis.is_none()) {
        return Err(LabError::NothingFinished);
    }
    // Configurations may share trials.
    let mut told = std::collections::HashSet::new();
    notes.retain(|note| told.insert(note.clone()));
    Ok(Found {
        configurations,
        notes,
    })
}

/// Which trials belong together.
fn manifest(store: &Store) -> Result<Manifest, LabError> {
    let unlisted = |reason: String| LabError::Unlisted {
        path: store.root().to_owned(),
        reason,
    };
    match store.manifest() {
        Ok(Some(manifest)) => Ok(manifest),
        Ok(None) => Err(unlisted("missing".to_owned())),
        Err(LabError::Damaged { reason, .. }) => Err(unlisted(format!("damaged ({reason})"))),
        Err(other) => Err(other),
    }
}

/// The records of one configuration.
struct Records {
    trials: Vec<TrialRecord>,
    priors: BTreeMap<u64, PriorRecord>,
    unfinished: usize,
}

impl Records {
    /// Reads the results of `trials`; one that cannot be read is left out, with a note.
    fn read<'a>(
        store: &Store,
        trials: impl Iterator<Item = &'a ListedTrial>,
        notes: &mut Vec<String>,
    ) -> Result<Self, LabError> {
        let mut found = Self {
            trials: Vec::new(),
            priors: BTreeMap::new(),
            unfinished: 0,
        };
        for trial in trials {
            let read = store.trial(&trial.id, trial.alpha, trial.seed);
            match readable(read, notes)? {
                Some(published) => found.trials.push(published.result),
                None => found.unfinished += 1,
            }
            if !found.priors.contains_key(&trial.seed)
                && let Some(prior) = readable(store.prior_record(&trial.prior), notes)?
            {
                found.priors.insert(trial.seed, prior);
            }
        }
        Ok(found)
    }

    /// `None` without a finished trial.
    fn analysis(&self, biases: bool) -> Result<Option<Analysis>, LabError> {
        if self.trials.is_empty() {
            return Ok(None);
        }
        let curve =
            |on| -> Result<Curve, LabError> { Ok(curve(on, &self.trials, self.priors.values())?) };
        let mut test = curve(MeasuredOn::Test)?;
        let is_measured = self.trials.iter().any(|t| t.after.validation.is_some());
        let validation = is_measured
            .then(|| curve(MeasuredOn::Validation))
            .transpose()?;
        if let Some(validation) = &validation {
            test = test.chosen_by(validation);
        }
        let trials: Vec<TrialEvidence> = self
            .trials
            .iter()
            .map(|t| TrialEvidence::of(t, biases))
            .collect();
        Ok(Some(with(
            &test,
            &Evidence {
                validation: validation.as_ref(),
                trials: &trials,
                unfinished: self.unfinished,
            },
        )))
    }
}

/// A record, or none with a note where it is damaged or not here.
fn readable<T>(
    read: Result<Option<T>, LabError>,
    notes: &mut Vec<String>,
) -> Result<Option<T>, LabError> {
    match read {
        Err(LabError::Damaged { path, reason }) => {
            notes.push(format!(
                "{} is damaged ({reason}) and left out; the same `imlp sweep` makes it again",
                path.display()
            ));
            Ok(None)
        }
        Err(error @ LabError::NotFetched { .. }) => {
            notes.push(error.to_string());
            Ok(None)
        }
        other => other,
    }
}
