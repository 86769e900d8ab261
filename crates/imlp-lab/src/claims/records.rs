//! What a study measured, kept in one file: `records.jsonl.gz`, one JSON object per line.
//!
//! The first line describes the experiment; then come the runs that trained something, the
//! priors and the trials. The judgements and the page are made from this file alone, and a
//! later run takes from it what was measured before.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use imlp_linear::Alpha;
use imlp_train::{BURN_VERSION, PriorRecord, RESULTS_VERSION, TrialConfig, TrialRecord};
use serde::{Deserialize, Serialize};

use super::study::{Scale, Study};
use crate::analysis::evidence::{MeasuredOn, curve};
use crate::curve::Curve;
use crate::entry::found;
use crate::error::LabError;
use crate::executor::Results;
use crate::experiment::Experiment;
use crate::files::write_atomically;
use crate::identity::{Identity, PriorId, TrialId};
use crate::store::Store;
use crate::trunks;
use crate::variation::Assignment;

/// The name of the file.
pub const RECORDS: &str = "records.jsonl.gz";

/// Longest file that is read, unpacked: ten thousand trials have about 200 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The folder of a study's files in the folder of all results.
pub fn folder(results: &Path, study: &Study, scale: Scale) -> PathBuf {
    let variation = study.variation.map(|v| format!("-{v}")).unwrap_or_default();
    let name = format!("{}-{}{variation}", scale.name(), study.reading.name());
    results.join(study.claim.name()).join(name)
}

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
    /// Seconds that it took, where it trained them itself, and now.
    pub seconds: Option<f64>,
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
    /// What `kept` and `results` hold of `experiment`. Of a trial or prior that both have, the
    /// kept one stays: what is recorded is never lost or changed. `run` is added to the kept
    /// ones.
    pub fn of(
        study: &Study,
        scale: Scale,
        experiment: &Experiment,
        results: &Results,
        kept: Option<Self>,
        run: Option<Run>,
    ) -> Self {
        let setup = &experiment.configurations[0].setup;
        let configurations = experiment.configurations.iter();
        let (mut runs, kept_priors, kept) = match kept {
            Some(kept) => (kept.runs, kept.priors, kept.trials),
            None => Default::default(),
        };
        runs.extend(run);
        let measured = results.priors.iter().map(|(id, record)| KeptPrior {
            id: id.clone(),
            record: record.clone(),
        });
        let mut known = HashSet::new();
        let mut priors: Vec<KeptPrior> = kept_priors
            .into_iter()
            .chain(measured)
            .filter(|prior| known.insert(prior.id.clone()))
            .collect();
        priors.sort_by(|a, b| (a.record.seed, a.id.as_str()).cmp(&(b.record.seed, b.id.as_str())));
        let kept: HashMap<&TrialId, &KeptTrial> =
            kept.iter().map(|trial| (&trial.id, trial)).collect();
        let trials = results.trials.iter().filter_map(|(trial, published)| {
            // A record that was changed by hand is that of another trial.
            let kept = kept
                .get(&trial.id)
                .filter(|kept| (kept.record.alpha, kept.record.seed) == (trial.alpha, trial.seed));
            let (at, record) = match kept {
                Some(kept) => (kept.at, &kept.record),
                None => published.as_ref().map(|p| (p.at, &p.result))?,
            };
            Some(KeptTrial {
                id: trial.id.clone(),
                prior: trial.prior.clone(),
                configuration: trial.configuration,
                at,
                record: record.clone(),
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

    /// Reads the file of `study` at `scale` in the folder of all results; none where there is
    /// none.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::NotFetched`]; [`LabError::DamagedRecords`].
    pub fn read(results: &Path, study: &Study, scale: Scale) -> Result<Option<Self>, LabError> {
        let path = folder(results, study, scale).join(RECORDS);
        let Some(file) = found(&path, imlp_input::open(&path))? else {
            return Ok(None);
        };
        let damaged = |reason: String| LabError::DamagedRecords {
            path: path.clone(),
            reason,
        };
        let records = Self::parse(file).map_err(damaged)?;
        records.check(study, scale).map_err(damaged)?;
        Ok(Some(records))
    }

    fn parse(file: File) -> Result<Self, String> {
        let mut text = String::new();
        MultiGzDecoder::new(file)
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
        if text.len() as u64 > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes, unpacked"));
        }
        let mut lines = text.lines().enumerate().map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))
        });
        let Some(Line::Study(header)) = lines.next().transpose()? else {
            return Err("its first line describes no study".to_owned());
        };
        let mut records = Self {
            header: *header,
            runs: Vec::new(),
            priors: Vec::new(),
            trials: Vec::new(),
        };
        for line in lines {
            match line? {
                Line::Study(_) => return Err("it describes two studies".to_owned()),
                Line::Run(run) => records.runs.push(run),
                Line::Prior(prior) => records.priors.push(prior),
                Line::Trial(trial) => records.trials.push(*trial),
            }
        }
        Ok(records)
    }

    /// Refuses what no run of the program writes.
    fn check(&self, study: &Study, scale: Scale) -> Result<(), String> {
        let header = &self.header;
        if (header.study.as_str(), header.scale) != (study.name().as_str(), scale) {
            return Err(format!(
                "it is of the study {}, scale {}",
                header.study,
                header.scale.name()
            ));
        }
        if header.results_version > RESULTS_VERSION {
            return Err(format!(
                "a later imlp wrote it (results of version {}, here up to {RESULTS_VERSION})",
                header.results_version
            ));
        }
        let mut places = HashSet::new();
        for KeptTrial {
            configuration,
            record,
            ..
        } in &self.trials
        {
            let (alpha, seed) = (record.alpha, record.seed);
            if *configuration >= header.configurations.len() {
                return Err(format!("there is no configuration {configuration}"));
            }
            if !header.alphas.contains(&alpha) || !header.seeds.contains(&seed) {
                return Err(format!(
                    "it plans no trial of α = {} and seed {seed}",
                    alpha.get()
                ));
            }
            if !places.insert((*configuration, alpha.get().to_bits(), seed)) {
                return Err(format!(
                    "it has two trials of α = {} and seed {seed}",
                    alpha.get()
                ));
            }
        }
        for configuration in 0..header.configurations.len() {
            for on in [MeasuredOn::Test, MeasuredOn::Validation] {
                self.curve(configuration, on).map_err(|e| e.to_string())?;
            }
        }
        Ok(())
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

    /// Puts what `experiment` asks for into `store`, and returns those trials. A prior is put
    /// there only if no trial is left that would need its snapshots, which are not kept.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn restore(
        &self,
        experiment: &Experiment,
        store: &Store,
    ) -> Result<HashSet<TrialId>, LabError> {
        let trials: HashMap<&TrialId, &KeptTrial> =
            self.trials.iter().map(|trial| (&trial.id, trial)).collect();
        let priors: HashMap<&PriorId, &KeptPrior> =
            self.priors.iter().map(|prior| (&prior.id, prior)).collect();
        let mut restored = HashSet::new();
        let mut needed: HashMap<&PriorId, bool> = HashMap::new();
        for planned in experiment.trials() {
            let setup = &experiment.configurations[planned.configuration].setup;
            let mut is_there = store
                .trial(&planned.id, planned.alpha, planned.seed)?
                .is_some();
            // A record that was changed by hand is that of another trial.
            let kept = trials.get(&planned.id).filter(|kept| {
                (kept.record.alpha, kept.record.seed) == (planned.alpha, planned.seed)
            });
            if let (false, Some(kept)) = (is_there, kept) {
                let identity = Identity::of_trial(setup, planned.alpha, planned.seed);
                if store.restore_trial(&identity, kept.at, &kept.record)? {
                    restored.insert(planned.id.clone());
                }
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

    /// The part of them that belongs to `seeds`.
    pub fn of_seeds(&self, seeds: &[u64]) -> Self {
        let mut part = self.clone();
        part.header.seeds.retain(|seed| seeds.contains(seed));
        part.priors
            .retain(|prior| seeds.contains(&prior.record.seed));
        part.trials
            .retain(|trial| seeds.contains(&trial.record.seed));
        part
    }

    /// Trials that the experiment asks for.
    pub fn planned(&self) -> usize {
        let header = &self.header;
        header.alphas.len() * header.seeds.len() * header.configurations.len()
    }

    /// Seconds of training, each trial, trunk and prior once.
    pub fn seconds_of_training(&self) -> f64 {
        let trials: HashMap<&TrialId, f64> = self
            .trials
            .iter()
            .map(|trial| (&trial.id, trial.record.train_seconds))
            .collect();
        let priors = self.priors.iter().map(|prior| prior.record.train_seconds);
        let trunks = trunks::seconds(self.trials.iter().map(|trial| &trial.record));
        trials.into_values().sum::<f64>() + trunks + priors.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::judge::tests::records;
    use crate::claims::study::Reading;

    fn study() -> Study {
        Study::of_name(&format!("v-curve-{}", Reading::Frozen.name())).unwrap()
    }

    /// What reading says of `records`, written where those of [`study`] lie.
    fn read(records: &Records) -> Result<Option<Records>, LabError> {
        let results = tempfile::tempdir().unwrap();
        let folder = folder(results.path(), &study(), Scale::Cpu);
        std::fs::create_dir_all(&folder).unwrap();
        records.write(&folder).unwrap();
        Records::read(results.path(), &study(), Scale::Cpu)
    }

    #[test]
    fn what_is_written_is_read() {
        let records = records(&study(), |_, alpha| alpha);
        assert_eq!(read(&records).unwrap(), Some(records));
    }

    #[test]
    fn records_that_no_run_writes_are_refused_and_left() {
        let good = records(&study(), |_, alpha| alpha);
        let refused = |change: fn(&mut Records), part: &str| {
            let mut changed = good.clone();
            change(&mut changed);
            let said = read(&changed).expect_err(part).to_string();
            for part in [part, "is left as it is", "move it away"] {
                assert!(said.contains(part), "{said}");
            }
            assert!(!said.contains("delete"), "{said}");
        };
        refused(
            |r| r.header.results_version = RESULTS_VERSION + 1,
            "a later imlp",
        );
        refused(|r| r.header.scale = Scale::Full, "scale full");
        refused(|r| r.header.study = "mixer-frozen".to_owned(), "mixer");
        refused(|r| r.trials.push(r.trials[3].clone()), "two trials");
        refused(|r| r.trials[2].configuration = 7, "no configuration 7");
        refused(
            |r| r.trials[2].record.seed = 7,
            "plans no trial of α = 0.03 and seed 7",
        );
        refused(
            |r| r.trials[2].record.alpha = Alpha::new(0.77).unwrap(),
            "α = 0.77",
        );
        refused(
            |r| {
                let after = &mut r.trials[2].record.after;
                after.test.as_mut().unwrap().accuracy = 1.5;
            },
            "1.5",
        );
    }

    /// As `cat a.gz b.gz` makes them; `zcat` reads all of it.
    #[test]
    fn a_file_of_several_parts_is_read_whole() {
        let mut records = records(&study(), |_, alpha| alpha);
        let second = records.trials.split_off(20);
        let results = tempfile::tempdir().unwrap();
        let folder = folder(results.path(), &study(), Scale::Cpu);
        std::fs::create_dir_all(&folder).unwrap();
        let mut packed = records.bytes();
        let mut part = GzEncoder::new(Vec::new(), Compression::fast());
        for trial in &second {
            let line = Line::Trial(Box::new(trial.clone()));
            serde_json::to_writer(&mut part, &line).unwrap();
            part.write_all(b"\n").unwrap();
        }
        packed.extend(part.finish().unwrap());
        std::fs::write(folder.join(RECORDS), packed).unwrap();
        let read = Records::read(results.path(), &study(), Scale::Cpu);
        records.trials.extend(second);
        assert_eq!(read.unwrap(), Some(records));
    }
}
