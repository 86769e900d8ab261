//! A checked experiment: which trials there are, and everything they share.

use std::path::PathBuf;
use std::sync::Arc;

use imlp_data::{Cache, LoadOptions};
use imlp_linear::Alpha;
use imlp_train::{Backend, Cost, Setup, TrialConfig, bytes};
use serde::Serialize;

use crate::{LabError, Recipe, SweepConfig};

/// One trial of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialId {
    /// Interpolation weight.
    pub alpha: Alpha,
    /// Seed.
    pub seed: u64,
}

/// A checked experiment, ready to run.
#[derive(Debug)]
pub struct Experiment {
    /// The trials' configuration; `interpolation.alpha` in it is not used.
    pub config: TrialConfig,
    /// Which trials there are.
    pub sweep: SweepConfig,
    /// Values of α, increasing.
    pub alphas: Vec<Alpha>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Data and networks.
    pub setup: Setup,
}

/// How an experiment is carried out; none of it changes a result.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Folder of the results.
    pub out: PathBuf,
    /// Trials at a time, each on one thread.
    pub jobs: usize,
    /// Limit on predicted memory, bytes.
    pub max_memory: u64,
}

/// What an experiment will cost, for people to read before it starts.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// Per network.
    #[serde(flatten)]
    pub cost: Cost,
    /// Trials.
    pub trials: usize,
    /// Priors to train.
    pub priors: usize,
    /// FLOPs of the whole experiment, forward and backward, priors included.
    pub total_flops: f64,
    /// Predicted peak memory, bytes.
    pub peak_bytes: u64,
}

/// The tables of a recipe, read and checked as far as they can be without data.
#[derive(Clone, Debug)]
pub struct Plan {
    config: TrialConfig,
    sweep: SweepConfig,
    alphas: Vec<Alpha>,
    seeds: Vec<u64>,
}

impl Plan {
    /// Reads every key.
    ///
    /// # Errors
    /// An unknown key, or a value that cannot be used, by name.
    pub fn new(recipe: &Recipe) -> Result<Self, LabError> {
        let (config, sweep) = recipe.config()?;
        config.check()?;
        let config = config.resolved();
        let alphas = sweep
            .alphas()?
            .into_iter()
            .map(|a| Alpha::new(a).map_err(|e| imlp_train::TrainError::from(e).into()))
            .collect::<Result<Vec<_>, LabError>>()?;
        let seeds = sweep.seeds()?;
        Ok(Self {
            config,
            sweep,
            alphas,
            seeds,
        })
    }

    /// The trials' configuration.
    pub fn config(&self) -> &TrialConfig {
        &self.config
    }

    /// The trials of one value of α and one seed instead of a sweep.
    pub fn single(mut self, alpha: Alpha, seed: u64) -> Self {
        (self.alphas, self.seeds) = (vec![alpha], vec![seed]);
        self
    }
}

impl Experiment {
    /// Loads the data and builds the networks.
    ///
    /// # Errors
    /// Anything that would stop a trial later, by name.
    pub fn new(plan: Plan, backend: Backend) -> Result<Self, LabError> {
        let Plan {
            mut config,
            sweep,
            alphas,
            seeds,
        } = plan;
        // The sweep sets α; two spellings of one experiment are one experiment.
        config.interpolation.alpha = Alpha::ZERO;
        let options = LoadOptions {
            labels: config.data.labels,
        };
        let dataset = Cache::of_user()?.load(&config.data.name, &options)?;
        let setup = Setup::new(config.clone(), Arc::new(dataset), backend)?;
        Ok(Self {
            config,
            sweep,
            alphas,
            seeds,
            setup,
        })
    }

    /// Every trial, in the order in which they are run: seed by seed, so that
    /// a prior can be let go when its trials are done.
    pub fn trials(&self) -> Vec<TrialId> {
        self.seeds
            .iter()
            .flat_map(|&seed| {
                self.alphas
                    .iter()
                    .map(move |&alpha| TrialId { alpha, seed })
            })
            .collect()
    }

    /// Predicts operations and memory with `jobs` trials at a time.
    pub fn predict(&self, jobs: usize) -> Prediction {
        let cost = Cost::of(&self.setup);
        let images = self.setup.data().train_len() as f64;
        let epochs = f64::from(self.config.train.epochs);
        let prior_epochs = f64::from(self.setup.prior_epochs());
        let trials = self.alphas.len() * self.seeds.len();
        let twin_flops = cost.twin.flops_per_image as f64 * images * epochs;
        let prior_flops = cost.prior.flops_per_image as f64 * images * prior_epochs;
        Prediction {
            trials,
            priors: self.seeds.len(),
            total_flops: twin_flops * trials as f64 + prior_flops * self.seeds.len() as f64,
            // Each worker may hold a prior while it prepares the next one.
            peak_bytes: cost.peak_bytes(jobs, self.seeds.len().min(2 * jobs)),
            cost,
        }
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
