//! How a network trains: the keys `train.*`, and what they become once checked.

use imlp_kernels::InstructionSet;

use crate::error::TrainError;
use crate::hyperparameters::config::TrainConfig;
use crate::hyperparameters::learning_rate::LearningRate;
use crate::hyperparameters::optimizer::OptimizerRule;
use crate::hyperparameters::precision::Precision;
use crate::network::initialization::Initialization;

pub(crate) mod config;
pub(crate) mod learning_rate;
pub(crate) mod optimizer;
pub(crate) mod precision;

/// How one network trains; the same for every trial of an experiment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hyperparameters {
    pub rule: OptimizerRule,
    pub rate: LearningRate,
    pub batch_size: usize,
    pub label_smoothing: f64,
    pub initialization: Initialization,
    pub precision: Precision,
    /// The instruction set that all products are pinned to.
    pub instructions: Option<InstructionSet>,
}

impl Hyperparameters {
    /// Checks `train` for a run of `epochs` epochs of `steps` steps.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the key and the value.
    pub fn new(
        train: &TrainConfig,
        initialization: Initialization,
        epochs: u32,
        steps: usize,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            rule: train.check()?,
            rate: LearningRate {
                peak: train.learning_rate,
                schedule: train.learning_rate_schedule,
                warmup: train.warmup_epochs * steps as f64,
                total: f64::from(epochs) * steps as f64,
            },
            batch_size: train.batch_size,
            label_smoothing: train.label_smoothing,
            initialization,
            precision: train.precision,
            instructions: train.instructions,
        })
    }
}
