//! A checked experiment: which trials there are, and everything they share.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use imlp_data::{Cache, Dataset, Loading};
use imlp_linear::Alpha;
use imlp_train::{Backend, Cost, DataConfig, Setup, TrainingData, TrialConfig, bytes};
use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::identity::{Identity, JobId, PriorId, TrialId};
use crate::plan::{Plan, PlannedConfiguration, of_configuration};
use crate::sweep_config::SweepConfig;
use crate::trunks::{self, PlannedTrunk, Sharer, Sharing};
use crate::variation::{Assignment, label};

/// A checked experiment, ready to run.
#[derive(Debug)]
pub struct Experiment {
    /// The configurations, at least one.
    pub configurations: Vec<Configuration>,
    /// Which trials there are.
    pub sweep: SweepConfig,
    /// Values of α, increasing.
    pub alphas: Vec<Alpha>,
    /// Seeds.
    pub seeds: Vec<u64>,
    trials: Vec<PlannedTrial>,
    /// What trials share beside their priors.
    trunks: Vec<PlannedTrunk>,
}

/// One configuration, trained for every α and seed.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What sets it apart from the others; empty where there is only one.
    pub assignments: Vec<Assignment>,
    /// The trials' configuration; `interpolation.alpha` in it is not used.
    pub config: TrialConfig,
    /// Data and networks.
    pub setup: Arc<Setup>,
}

/// One trial of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTrial {
    /// Its name. Trials of two configurations that would give the same bits
    /// have one name and are trained once.
    pub id: TrialId,
    /// The prior toward which its twin is interpolated.
    pub prior: PriorId,
    /// Index of its configuration.
    pub configuration: usize,
    /// Interpolation weight.
    pub alpha: Alpha,
    /// Seed.
    pub seed: u64,
}

/// One prior of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedPrior {
    /// Its name.
    pub id: PriorId,
    /// Index of the first configuration that has it.
    pub configuration: usize,
    /// Seed.
    pub seed: u64,
}

/// One job of an experiment: a prior or a trunk to train, or a trial to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// A prior to train.
    Prior(PlannedPrior),
    /// A trunk to train.
    Trunk(PlannedTrunk),
    /// A trial to run.
    Trial(PlannedTrial),
}

impl Job {
    /// Its name.
    pub fn id(&self) -> JobId {
        match self {
            Self::Prior(prior) => JobId::Prior(prior.id.clone()),
            Self::Trunk(trunk) => JobId::Trunk(trunk.id.clone()),
            Self::Trial(trial) => JobId::Trial(trial.id.clone()),
        }
    }

    /// The prior that must be trained first; α = 0 needs none.
    pub fn depends_on(&self) -> Option<&PriorId> {
        match self {
            Self::Trial(trial) if !trial.alpha.is_zero() => Some(&trial.prior),
            Self::Trial(_) | Self::Prior(_) | Self::Trunk(_) => None,
        }
    }

    /// Index of its configuration.
    pub fn configuration(&self) -> usize {
        match self {
            Self::Prior(prior) => prior.configuration,
            Self::Trunk(trunk) => trunk.configuration,
            Self::Trial(trial) => trial.configuration,
        }
    }

    /// What decides its result.
    pub fn identity(&self, setup: &Setup) -> Identity {
        match self {
            Self::Prior(prior) => Identity::of_prior(setup, prior.seed),
            Self::Trunk(trunk) => Identity::of_trunk(setup, trunk.parting, trunk.seed),
            Self::Trial(trial) => Identity::of_trial(setup, trial.alpha, trial.seed),
        }
    }

    /// Its optimiser steps.
    pub fn steps(&self, setup: &Setup) -> u64 {
        match self {
            Self::Prior(_) => setup.prior_steps(),
            Self::Trunk(trunk) => setup.twin_steps_at(trunk.parting.epoch, trunk.parting.step),
            Self::Trial(_) => setup.twin_steps(),
        }
    }
}

/// How an experiment is run; no field changes a result.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Folder of the results.
    pub out: PathBuf,
    /// Trials at a time, each on one thread.
    pub jobs: usize,
    /// Limit on predicted memory, bytes.
    pub max_memory: u64,
    /// Attempts, time limits and checkpoints.
    pub policy: Policy,
    /// The scheduler's task in which this process runs, if any.
    pub task: Option<String>,
    /// Folder for the weights of every trial that this process runs, if they are
    /// kept.
    pub weights: Option<PathBuf>,
}

/// Attempts, time limits and checkpoints of a trial, and whether it shares a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Attempts that may end without a result or an error before a trial is given
    /// up.
    pub max_attempts: u32,
    /// Time limit of an attempt.
    pub time_limit: Option<Duration>,
    /// Time without a heartbeat after which a worker's jobs are taken over.
    pub stale_after: Duration,
    /// How often an attempt saves a checkpoint.
    pub checkpoint_every: CheckpointEvery,
    /// Whether trials share trunks.
    pub share: bool,
}

/// How often an attempt saves a checkpoint, besides one when it is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckpointEvery {
    /// Time between two checkpoints.
    Time(Duration),
    /// Epochs between two checkpoints, at least 1.
    Epochs(u32),
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            time_limit: None,
            // Longer than the caches of a shared file system or an overloaded machine
            // delay a heartbeat.
            stale_after: Duration::from_secs(60),
            // Loses little work, and costs no measurable time.
            checkpoint_every: CheckpointEvery::Time(Duration::from_secs(5 * 60)),
            share: true,
        }
    }
}

/// What an experiment will cost, for people to read before it starts.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// Trials.
    pub trials: usize,
    /// Priors to train.
    pub priors: usize,
    /// FLOPs of the whole experiment, forward and backward, priors included.
    pub total_flops: f64,
    /// Predicted peak memory, bytes.
    pub peak_bytes: u64,
}

/// Operations of an experiment, forward and backward.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flops {
    /// Of all twins.
    pub twins: f64,
    /// Of all priors.
    pub priors: f64,
    /// How many twins.
    pub trials: usize,
    /// How many priors.
    pub trained_priors: usize,
}

impl Configuration {
    /// `train.learning_rate=0.1, prior.kind=mixer`; empty where nothing varies.
    pub fn label(&self) -> String {
        label(&self.assignments)
    }

    /// What its networks cost.
    pub fn cost(&self) -> Cost {
        Cost::of(&self.setup)
    }

    /// FLOPs of one twin, forward and backward.
    pub fn twin_flops(&self) -> f64 {
        self.flops(self.cost().twin.flops_per_image, self.config.train.epochs)
    }

    /// FLOPs of one prior, forward and backward.
    pub fn prior_flops(&self) -> f64 {
        self.flops(self.cost().prior.flops_per_image, self.setup.prior_epochs())
    }

    fn flops(&self, per_image: u64, epochs: u32) -> f64 {
        per_image as f64 * self.setup.data().train_len() as f64 * f64::from(epochs)
    }
}

impl Experiment {
    /// Loads the data and builds the networks of every configuration.
    ///
    /// # Errors
    /// Anything that would stop a trial later, by name; two configurations that
    /// are the same.
    pub fn new(plan: Plan, backend: Backend) -> Result<Self, LabError> {
        Self::loading(plan, backend, &Loading::default())
    }

    /// As [`new`](Self::new), with a limit on the memory of the data, and progress.
    ///
    /// # Errors
    /// As [`new`](Self::new); data that need more memory.
    pub fn loading(plan: Plan, backend: Backend, loading: &Loading<'_>) -> Result<Self, LabError> {
        let Plan {
            configurations,
            sweep,
            alphas,
            seeds,
        } = plan;
        let mut images = Images {
            cache: Cache::of_user()?,
            loading,
            datasets: Vec::new(),
            splits: Vec::new(),
        };
        let configurations = configurations
            .into_iter()
            .map(|planned| {
                let inside = of_configuration(&planned.assignments);
                configuration(planned, &mut images, &backend).map_err(inside)
            })
            .collect::<Result<Vec<_>, _>>()?;
        refuse_duplicates(&configurations)?;
        let trials = trials(&configurations, &seeds, &alphas);
        Ok(Self {
            trunks: trunks(&configurations, &trials)?,
            trials,
            configurations,
            sweep,
            alphas,
            seeds,
        })
    }

    /// Every trial: by configuration, seed and α.
    pub fn trials(&self) -> &[PlannedTrial] {
        &self.trials
    }

    /// The trunks that trials share.
    pub fn trunks(&self) -> &[PlannedTrunk] {
        &self.trunks
    }

    /// Every prior, then every trunk, then every trial, each once.
    pub fn jobs(&self) -> Vec<Job> {
        let (mut known, mut known_priors) = (HashSet::new(), HashSet::new());
        let (mut priors, mut trials) = (Vec::new(), Vec::new());
        for trial in self.trials() {
            if known_priors.insert(&trial.prior) {
                priors.push(Job::Prior(PlannedPrior {
                    id: trial.prior.clone(),
                    configuration: trial.configuration,
                    seed: trial.seed,
                }));
            }
            if known.insert(&trial.id) {
                trials.push(Job::Trial(trial.clone()));
            }
        }
        priors.extend(self.trunks.iter().cloned().map(Job::Trunk));
        priors.append(&mut trials);
        priors
    }

    /// The jobs with these names, and the priors and trunks of the trials among them.
    pub fn jobs_named(&self, names: &[String]) -> Vec<Job> {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        let listed = |name: &str| names.contains(name);
        let mut jobs = self.jobs();
        let mut priors = HashSet::new();
        for job in &jobs {
            if let Job::Trial(trial) = job
                && listed(trial.id.as_str())
            {
                priors.insert(trial.prior.clone());
            }
        }
        jobs.retain(|job| match job {
            Job::Prior(prior) => listed(prior.id.as_str()) || priors.contains(&prior.id),
            Job::Trunk(trunk) => {
                let mut trials = trunk.trials.iter();
                listed(trunk.id.as_str()) || trials.any(|trial| listed(trial.as_str()))
            }
            Job::Trial(trial) => listed(trial.id.as_str()),
        });
        jobs
    }

    /// What trunks save, if every trial is still to run.
    pub fn sharing(&self) -> Sharing {
        let mut total = Sharing::default();
        for trunk in &self.trunks {
            let configuration = &self.configurations[trunk.configuration];
            let cost = configuration.cost();
            let images = configuration.setup.images_before(trunk.parting) as f64;
            let repeats = (trunk.trials.len() - 1) as f64;
            total.trunks += 1;
            total.flops_saved += repeats * images * cost.twin.flops_per_image as f64;
            total.disk_bytes = total.disk_bytes.saturating_add(cost.trunk_bytes);
        }
        total
    }

    /// Predicts operations and memory with `jobs` trials at a time. Trials and
    /// priors that configurations share are counted once.
    pub fn predict(&self, jobs: usize) -> Prediction {
        let Flops {
            twins,
            priors,
            trials,
            trained_priors,
        } = self.total_flops();
        Prediction {
            trials,
            priors: trained_priors,
            total_flops: twins + priors,
            peak_bytes: self.peak_bytes(jobs, trained_priors),
        }
    }

    /// Counts operations, each trial and prior once.
    pub fn total_flops(&self) -> Flops {
        let (mut trials, mut priors) = (HashSet::new(), HashSet::new());
        let mut total = Flops::default();
        let flops: Vec<(f64, f64)> = self
            .configurations
            .iter()
            .map(|c| (c.twin_flops(), c.prior_flops()))
            .collect();
        for trial in self.trials() {
            let (twin, prior) = flops[trial.configuration];
            if trials.insert(&trial.id) {
                total.twins += twin;
            }
            if priors.insert(&trial.prior) {
                total.priors += prior;
            }
        }
        (total.trials, total.trained_priors) = (trials.len(), priors.len());
        total
    }

    fn peak_bytes(&self, jobs: usize, priors: usize) -> u64 {
        let mut datasets = HashMap::new();
        let mut work = 0;
        for configuration in &self.configurations {
            let cost = configuration.cost();
            let dataset = configuration.setup.data().dataset();
            datasets.insert(&dataset.checksum, cost.data_bytes);
            // Each worker may hold a prior while it prepares the next one.
            let peak = cost.peak_bytes(jobs, priors.min(2 * jobs));
            work = work.max(peak.saturating_sub(cost.data_bytes));
        }
        datasets.into_values().fold(work, u64::saturating_add)
    }

    /// Refuses an experiment that needs more memory than allowed.
    ///
    /// # Errors
    /// [`LabError::Memory`] with both numbers.
    pub fn check_memory(&self, execution: &Execution) -> Result<(), LabError> {
        let needed = self.predict(execution.jobs).peak_bytes;
        if needed > execution.max_memory {
            return Err(LabError::Memory {
                needed: bytes(needed),
                limit: bytes(execution.max_memory),
                jobs: execution.jobs,
            });
        }
        Ok(())
    }
}

/// What configurations share: each data set and each split of one is in memory once.
struct Images<'a> {
    cache: Cache,
    loading: &'a Loading<'a>,
    /// With the keys that they come from.
    datasets: Vec<(DataConfig, Arc<Dataset>)>,
    splits: Vec<Arc<TrainingData>>,
}

impl Images<'_> {
    /// The images of `config`, loaded and split unless they are here.
    fn of(&mut self, config: &TrialConfig) -> Result<Arc<TrainingData>, LabError> {
        let evaluation = &config.evaluation;
        let mut splits = self.splits.iter();
        if let Some(split) = splits.find(|split| split.is_for(&config.data, evaluation)) {
            return Ok(Arc::clone(split));
        }
        let source = config.data.source();
        let known = self.datasets.iter().find(|(of, _)| *of == source);
        let dataset = match known {
            Some((_, dataset)) => Arc::clone(dataset),
            None => {
                let mut loaded = Arc::new(source.load(&self.cache, self.loading)?);
                // Other keys may give the same images.
                let alike = |(_, known): &&(DataConfig, Arc<Dataset>)| {
                    (&known.checksum, known.translation) == (&loaded.checksum, loaded.translation)
                        && known.notes == loaded.notes
                };
                if let Some((_, known)) = self.datasets.iter().find(alike) {
                    loaded = Arc::clone(known);
                }
                self.datasets.push((source, Arc::clone(&loaded)));
                loaded
            }
        };
        let split = Arc::new(TrainingData::new(dataset, &config.data, evaluation)?);
        self.splits.push(Arc::clone(&split));
        Ok(split)
    }
}

fn configuration(
    planned: PlannedConfiguration,
    images: &mut Images<'_>,
    backend: &Backend,
) -> Result<Configuration, LabError> {
    let PlannedConfiguration {
        assignments,
        mut config,
    } = planned;
    // The sweep sets α; two spellings of one experiment are one experiment.
    config.interpolation.alpha = Alpha::ZERO;
    let setup = Setup::with_data(config.clone(), images.of(&config)?, backend.clone())?;
    Ok(Configuration {
        assignments,
        config,
        setup: Arc::new(setup),
    })
}

/// Refuses two configurations whose results would be the same.
fn refuse_duplicates(configurations: &[Configuration]) -> Result<(), LabError> {
    let mut seen = HashMap::new();
    for configuration in configurations {
        let id = Identity::of_trial(&configuration.setup, Alpha::ONE, 0).trial_id();
        if let Some(first) = seen.insert(id, configuration) {
            return Err(LabError::Key {
                key: "sweep".to_owned(),
                reason: format!(
                    "the configurations {} and {} are the same; remove one",
                    first.label(),
                    configuration.label()
                ),
            });
        }
    }
    Ok(())
}

/// Every trial: by configuration, seed and α.
fn trials(configurations: &[Configuration], seeds: &[u64], alphas: &[Alpha]) -> Vec<PlannedTrial> {
    let mut trials = Vec::with_capacity(configurations.len() * seeds.len() * alphas.len());
    for (index, configuration) in configurations.iter().enumerate() {
        for &seed in seeds {
            let prior = Identity::of_prior(&configuration.setup, seed).prior_id();
            for &alpha in alphas {
                let identity = Identity::of_trial(&configuration.setup, alpha, seed);
                trials.push(PlannedTrial {
                    id: identity.trial_id(),
                    prior: prior.clone(),
                    configuration: index,
                    alpha,
                    seed,
                });
            }
        }
    }
    trials
}

/// The trunks that `trials` share.
fn trunks(
    configurations: &[Configuration],
    trials: &[PlannedTrial],
) -> Result<Vec<PlannedTrunk>, LabError> {
    let mut known = HashSet::new();
    let trials = trials.iter().filter(|trial| known.insert(&trial.id));
    Ok(trunks::plan(trials.map(|trial| Sharer {
        setup: &configurations[trial.configuration].setup,
        configuration: trial.configuration,
        trial: &trial.id,
        alpha: trial.alpha,
        seed: trial.seed,
    }))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn configurations_share_images_that_they_split_alike() {
        let recipe = Recipe::parse(
            "[sweep.grid]\n\"data.split_seed\" = [1, 2]\n\"train.learning_rate\" = [0.1, 0.2]",
        )
        .unwrap();
        let plan = Plan::new(&recipe).unwrap();
        let experiment = Experiment::new(plan, Backend::Cpu).unwrap();
        let [a, b, c, d] = &experiment.configurations[..] else {
            panic!("2 × 2 configurations");
        };
        let same =
            |a: &Configuration, b: &Configuration| std::ptr::eq(a.setup.data(), b.setup.data());
        assert!(same(a, b) && same(c, d) && !same(a, c));
        let data = |c: &Configuration| std::ptr::from_ref(c.setup.data().dataset());
        assert_eq!(data(a), data(c));
    }
}
