//! What a study measured, kept in one file: `records.jsonl.gz`, one JSON object per line.
//!
//! The first line describes the experiment; then come the runs that trained something, the
//! priors and the trials. The judgements and the page are made from this file alone, and a
//! later run takes from it what was measured before.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use imlp_linear::Alpha;
use imlp_train::{BURN_VERSION, PriorRecord, RESULTS_VERSION, TrialConfig, TrialRecord};
use serde::{Deserialize, Serialize};

use super::study::{Scale, Study};
use crate::analysis::evidence::{MeasuredOn, curve};
use crate::curve::Curve;
use crate::entry::is_there;
use crate::error::LabError;
use crate::executor::Results;
use crate::experiment::Experiment;
use crate::files::write_atomically;
use crate::identity::{Identity, PriorId, TrialId};
use crate::store::Store;
use crate::variation::Assignment;

/// The name of the file.
pub const RECORDS: &str = "records.jsonl.gz";

/// Longest file that is read, unpacked: ten thousand trials have about 200 MB.
const MAX_BYTES: u64 = 1 << 30;

/// What a study measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// The experiment.
    pub header: Header,
    /// The runs that trained something, the first first.
    pub runs: Vec<Run>,
    /// The trained priors.
    pub priors: Vec<KeptPrior>,
    /// The finished trials, in the experiment's order.
    pub trials: Vec<KeptTrial>,
}

/// The experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Name of the study.
    pub study: String,
    /// Its scale.
    pub scale: Scale,
    /// [`RESULTS_VERSION`].
    pub results_version: u32,
    /// [`BURN_VERSION`].
    pub burn_version: String,
    /// What trains the networks.
    pub backend: String,
    /// SHA-256 of the data set.
    pub data_checksum: String,
    /// Values of α.
    pub alphas: Vec<Alpha>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The configurations, each trained for every α and seed.
    pub configurations: Vec<KeptConfiguration>,
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptConfiguration {
    /// What sets it apart from the others.
    pub assignments: Vec<Assignment>,
    /// All of it, but for α.
    pub config: TrialConfig,
}

/// A run that trained something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it ended, seconds since 1970.
    pub at: u64,
    /// The command that trains the study, without where and how fast.
    pub command: String,
    /// Commit of the source, where the program knows it.
    pub commit: Option<String>,
    /// The processor.
    pub processor: String,
    /// Trials at a time.
    pub jobs: usize,
    /// Trials that it finished.
    pub trials: usize,
    /// Seconds that it took.
    pub seconds: f64,
}

/// A trained prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptPrior {
    /// Its name.
    pub id: PriorId,
    /// What was measured.
    pub record: PriorRecord,
}

/// A finished trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptTrial {
    /// Its name.
    pub id: TrialId,
    /// The prior toward which its twin was interpolated.
    pub prior: PriorId,
    /// Index of its configuration.
    pub configuration: usize,
    /// When it was finished, seconds since 1970.
    pub at: u64,
    /// What was measured.
    pub record: TrialRecord,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Study(Box<Header>),
    Run(Run),
    Prior(KeptPrior),
    Trial(Box<KeptTrial>),
}

impl Records {
    /// What `results` hold of `experiment`.
    pub fn of(
        study: &Study,
        scale: Scale,
        experiment: &Experiment,
        results: &Results,
        runs: Vec<Run>,
    ) -> Self {
        let setup = &experiment.configurations[0].setup;
        let configurations = experiment.configurations.iter();
        let mut priors: Vec<KeptPrior> = results
            .priors
            .iter()
            .map(|(id, record)| KeptPrior {
                id: id.clone(),
                record: record.clone(),
            })
            .collect();
        priors.sort_by(|a, b| (a.record.seed, a.id.as_str()).cmp(&(b.record.seed, b.id.as_str())));
        let trials = results.trials.iter().filter_map(|(trial, published)| {
            let published = published.as_ref()?;
            Some(KeptTrial {
                id: trial.id.clone(),
                prior: trial.prior.clone(),
                configuration: trial.configuration,
                at: published.at,
                record: published.result.clone(),
            })
        });
        Self {
            header: Header {
                study: study.name(),
                scale,
                results_version: RESULTS_VERSION,
                burn_version: BURN_VERSION.to_owned(),
                backend: setup.backend_name(),
                data_checksum: setup.data().dataset().checksum.clone(),
                alphas: experiment.alphas.clone(),
                seeds: experiment.seeds.clone(),
                configurations: configurations
                    .map(|configuration| KeptConfiguration {
                        assignments: configuration.assignments.clone(),
                        config: configuration.config.clone(),
                    })
                    .collect(),
            },
            runs,
            priors,
            trials: trials.collect(),
        }
    }

    /// Reads the file in `folder`; none where there is none.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Damaged`].
    pub fn read(folder: &Path) -> Result<Option<Self>, LabError> {
        let path = folder.join(RECORDS);
        if !is_there(&path).map_err(LabError::io("read", &path))? {
            return Ok(None);
        }
        let damaged = |reason: String| LabError::Damaged {
            path: path.clone(),
            reason,
        };
        let file = imlp_input::open(&path).map_err(LabError::io("read", &path))?;
        let mut text = String::new();
        GzDecoder::new(file)
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| damaged(error.to_string()))?;
        let mut lines = text.lines().enumerate().map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| damaged(format!("line {}: {error}", number + 1)))
        });
        let Some(Line::Study(header)) = lines.next().transpose()? else {
            return Err(damaged("its first line describes no study".to_owned()));
        };
        let mut records = Self {
            header: *header,
            runs: Vec::new(),
            priors: Vec::new(),
            trials: Vec::new(),
        };
        for line in lines {
            match line? {
                Line::Study(_) => return Err(damaged("it describes two studies".to_owned())),
                Line::Run(run) => records.runs.push(run),
                Line::Prior(prior) => records.priors.push(prior),
                Line::Trial(trial)
                    if trial.configuration >= records.header.configurations.len() =>
                {
                    let reason = format!("there is no configuration {}", trial.configuration);
                    return Err(damaged(reason));
                }
                Line::Trial(trial) => records.trials.push(*trial),
            }
        }
        Ok(Some(records))
    }

    /// Writes the file into `folder`.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn write(&self, folder: &Path) -> Result<(), LabError> {
        write_atomically(&folder.join(RECORDS), &self.bytes())
    }

    /// The content of the file, the same bytes for the same records.
    fn bytes(&self) -> Vec<u8> {
        let header = Line::Study(Box::new(self.header.clone()));
        let runs = self.runs.iter().cloned().map(Line::Run);
        let priors = self.priors.iter().cloned().map(Line::Prior);
        let trials = self
            .trials
            .iter()
            .cloned()
            .map(|trial| Line::Trial(Box::new(trial)));
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        for line in std::iter::once(header)
            .chain(runs)
            .chain(priors)
            .chain(trials)
        {
            let mut text = serde_json::to_vec(&line).expect("records have only text keys");
            text.push(b'\n');
            packed.write_all(&text).expect("memory takes every byte");
        }
        packed.finish().expect("memory takes every byte")
    }

    /// Puts what `experiment` asks for into `store`; the number of trials. A prior is put
    /// there only if no trial is left that would need its snapshots, which are not kept.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn restore(&self, experiment: &Experiment, store: &Store) -> Result<usize, LabError> {
        let trials: HashMap<&TrialId, &KeptTrial> =
            self.trials.iter().map(|trial| (&trial.id, trial)).collect();
        let priors: HashMap<&PriorId, &KeptPrior> =
            self.priors.iter().map(|prior| (&prior.id, prior)).collect();
        let mut restored = 0;
        let mut needed: HashMap<&PriorId, bool> = HashMap::new();
        for planned in experiment.trials() {
            let setup = &experiment.configurations[planned.configuration].setup;
            let mut is_there = store
                .trial(&planned.id, planned.alpha, planned.seed)?
                .is_some();
            if let (false, Some(kept)) = (is_there, trials.get(&planned.id)) {
                let identity = Identity::of_trial(setup, planned.alpha, planned.seed);
                restored += usize::from(store.restore_trial(&identity, kept.at, &kept.record)?);
                is_there = true;
            }
            let needs = !is_there && !planned.alpha.is_zero();
            *needed.entry(&planned.prior).or_default() |= needs;
        }
        for planned in experiment.trials() {
            let kept = priors.get(&planned.prior);
            if let (Some(false), Some(kept)) = (needed.get(&planned.prior), kept) {
                let setup = &experiment.configurations[planned.configuration].setup;
                let identity = Identity::of_prior(setup, planned.seed);
                store.restore_prior(&identity, 0, &kept.record)?;
            }
        }
        Ok(restored)
    }

    /// Trials that `experiment` does not ask for: of another recipe, data set or version.
    pub fn strangers(&self, experiment: &Experiment) -> usize {
        let planned: HashSet<&TrialId> =
            experiment.trials().iter().map(|trial| &trial.id).collect();
        let strangers = self
            .trials
            .iter()
            .filter(|trial| !planned.contains(&trial.id));
        strangers.count()
    }

    /// Accuracy against α of one configuration; none where no trial has finished.
    ///
    /// # Errors
    /// A value that is not a fraction.
    pub fn curve(&self, configuration: usize, on: MeasuredOn) -> Result<Option<Curve>, LabError> {
        let trials = self.trials.iter();
        let trials: Vec<&KeptTrial> = trials
            .filter(|trial| trial.configuration == configuration)
            .collect();
        if trials.is_empty() {
            return Ok(None);
        }
        let toward: HashSet<&PriorId> = trials.iter().map(|trial| &trial.prior).collect();
        let priors = self
            .priors
            .iter()
            .filter(|prior| toward.contains(&prior.id));
        let records = trials.iter().map(|trial| &trial.record);
        Ok(Some(curve(on, records, priors.map(|prior| &prior.record))?))
    }

    /// Trials that the experiment asks for.
    pub fn planned(&self) -> usize {
        let header = &self.header;
        header.alphas.len() * header.seeds.len() * header.configurations.len()
    }

    /// Seconds of training, each trial and prior once.
    pub fn seconds_of_training(&self) -> f64 {
        let trials: HashMap<&TrialId, f64> = self
            .trials
            .iter()
            .map(|trial| (&trial.id, trial.record.train_seconds))
            .collect();
        let priors = self.priors.iter().map(|prior| prior.record.train_seconds);
        trials.into_values().sum::<f64>() + priors.sum::<f64>()
    }
}
