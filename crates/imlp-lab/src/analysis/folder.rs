//! The analysis of an experiment's folder, finished or not, without its data or networks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imlp_train::{PriorRecord, TrialRecord};

use super::evidence::{Evidence, MeasuredOn, Moment, TrialEvidence, curve_at};
use super::{Analysis, with};
use crate::curve::Curve;
use crate::error::LabError;
use crate::files::{create_folder, write_json};
use crate::folder_name::configuration_folder;
use crate::store::{ListedConfiguration, ListedTrial, Manifest, Store};
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
    /// Test accuracy against α; `None` where no trial of it has finished.
    pub curve: Option<Curve>,
    /// What the curve shows.
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
        let trials = manifest.trials.iter().filter(|t| t.configuration == index);
        let records = Records::read(store, trials, &mut notes)?;
        let (curve, analysis) = records.analysis(configuration)?.unzip();
        configurations.push(Analysed {
            folder: match several {
                true => store.root().join(configuration_folder(&label)),
                false => store.root().to_owned(),
            },
            label,
            curve,
            analysis,
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
pub(crate) fn manifest(store: &Store) -> Result<Manifest, LabError> {
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
pub(crate) struct Records {
    /// Of its finished trials.
    pub(crate) trials: Vec<TrialRecord>,
    /// Of their priors, by seed.
    pub(crate) priors: BTreeMap<u64, PriorRecord>,
    /// Number of trials without a result.
    unfinished: usize,
}

impl Records {
    /// Reads the results of `trials`; one that cannot be read is left out, with a note.
    pub(crate) fn read<'a>(
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

    /// Accuracy against α; `None` without a finished trial that was measured so.
    pub(crate) fn curve(&self, on: MeasuredOn, at: Moment) -> Result<Option<Curve>, LabError> {
        if self.trials.is_empty() {
            return Ok(None);
        }
        let curve = curve_at(on, at, &self.trials, self.priors.values())?;
        let is_measured = on == MeasuredOn::Test || curve.points.iter().any(|p| p.seeds.n > 0);
        Ok(is_measured.then_some(curve))
    }

    /// The curve on the test set, with the α chosen on validation, and what it shows; `None`
    /// without a finished trial.
    pub(crate) fn analysis(
        &self,
        configuration: &ListedConfiguration,
    ) -> Result<Option<(Curve, Analysis)>, LabError> {
        let biases = biases(configuration);
        let description = configuration.description.as_ref();
        let Some(mut test) = self.curve(MeasuredOn::Test, Moment::After)? else {
            return Ok(None);
        };
        let validation = self.curve(MeasuredOn::Validation, Moment::After)?;
        if let Some(validation) = &validation {
            test = test.chosen_by(validation);
        }
        let trials: Vec<TrialEvidence> = self
            .trials
            .iter()
            .map(|t| TrialEvidence::of(t, self.priors.get(&t.seed), biases))
            .collect();
        let analysis = with(
            &test,
            &Evidence {
                validation: validation.as_ref(),
                trials: &trials,
                unfinished: self.unfinished,
                most_frequent_class: description.and_then(|d| d.most_frequent_class),
            },
        );
        Ok(Some((test, analysis)))
    }
}

/// Whether a configuration interpolates biases too.
fn biases(configuration: &ListedConfiguration) -> bool {
    let biases = configuration.config["interpolation"]["biases"].as_bool();
    biases.unwrap_or(true)
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
