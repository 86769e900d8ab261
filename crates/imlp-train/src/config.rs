//! The configuration of one trial: the tables of a recipe except `[sweep]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data_config::DataConfig;
use crate::error::TrainError;
use crate::hyperparameters::config::MAX_EPOCHS;
use crate::hyperparameters::config::TrainConfig;
use crate::hyperparameters::config::check_rate;
use crate::interpolation::config::InterpolationConfig;
use crate::network::initialization::Initialization;
use crate::network::prior_config::PriorConfig;

/// Everything that decides a trial's result, but for its seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrialConfig {
    /// Data set, split, augmentation.
    pub data: DataConfig,
    /// The structured prior.
    pub prior: PriorConfig,
    /// The dense twin.
    pub twin: TwinConfig,
    /// The interpolation rule.
    pub interpolation: InterpolationConfig,
    /// Optimiser and budget of both networks.
    pub train: TrainConfig,
    /// What is measured when.
    pub evaluation: EvaluationConfig,
}

impl TrialConfig {
    /// The same configuration with every default written out, but for
    /// `prior.epochs` and `prior.learning_rate`, which follow `train.*`.
    pub fn resolved(mut self) -> Self {
        self.data = self.data.resolved();
        self.prior = self.prior.resolved();
        self.interpolation = self.interpolation.resolved();
        self.train = self.train.resolved();
        self
    }

    /// Checks what can be checked without the data.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the key and the value.
    pub fn check(&self) -> Result<(), TrainError> {
        self.train.check()?;
        self.interpolation.check_keys()?;
        self.data.check()?;
        if self.evaluation.every == 0 {
            return Err(TrainError::config(
                "evaluation.every",
                0,
                "must be at least 1 epoch; the last epoch is always measured",
            ));
        }
        if let Some(rate) = self.prior.learning_rate {
            check_rate("prior.learning_rate", rate)?;
        }
        if let Some(epochs) = self.prior.epochs
            && (epochs > MAX_EPOCHS || self.train.warmup_epochs > f64::from(epochs))
        {
            return Err(TrainError::config(
                "prior.epochs",
                epochs,
                format!("must lie between train.warmup_epochs and {MAX_EPOCHS}"),
            ));
        }
        self.prior.check_keys()
    }
}

/// The keys `twin.*`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TwinConfig {
    /// Distribution of the initial weights, of twin and prior.
    pub initialization: Initialization,
}

/// When the test set is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestReading {
    /// Once, at the end: nothing is chosen by looking at it.
    #[default]
    End,
    /// At every measurement (for looking at a trial, not for choosing).
    Always,
}

/// The keys `evaluation.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// Training images on which training accuracy is measured (a random
    /// subset, without augmentation); 0 for none.
    pub train_images: usize,
    /// When the test set is read.
    pub test: TestReading,
    /// Whether interpolations inside an epoch (`interpolation.every` steps)
    /// are measured too, not only the end of the epoch.
    pub within_epoch: bool,
    /// Validation images that are measured while a network trains (a random
    /// subset); 0 for none, all without it. At the end all are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<usize>,
    /// Epochs from one measurement to the next; the last is always measured.
    #[serde(skip_serializing_if = "is_one")]
    #[schemars(range(min = 1))]
    pub every: u32,
}

/// Keys of later versions are written, and so part of a trial's name, only where they
/// are used: names of earlier trials stay.
fn is_one(every: &u32) -> bool {
    *every == 1
}

impl EvaluationConfig {
    /// Whether the networks are measured in `epoch` (from 1), which is not their last.
    pub(crate) fn measures(&self, epoch: u32) -> bool {
        epoch.is_multiple_of(self.every)
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            train_images: 1000,
            test: TestReading::End,
            within_epoch: true,
            validation_images: None,
            every: 1,
        }
    }
}
