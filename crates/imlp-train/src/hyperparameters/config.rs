//! The keys `train.*` and their check.

use imlp_kernels::InstructionSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::hyperparameters::learning_rate::LearningRateSchedule;
use crate::hyperparameters::optimizer::{OptimizerKind, OptimizerRule};
use crate::hyperparameters::precision::Precision;

/// The keys `train.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// SGD with momentum or AdamW.
    pub optimizer: OptimizerKind,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Its schedule after the warm-up.
    pub learning_rate_schedule: LearningRateSchedule,
    /// Epochs of linear warm-up; fractions are allowed.
    pub warmup_epochs: f64,
    /// SGD's momentum μ in [0, 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// AdamW's β₁ in [0, 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// AdamW's β₂ in [0, 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// AdamW's ε, positive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Weight decay λ of every parameter, as in `torch.optim`.
    pub weight_decay: f64,
    /// Label smoothing ε in [0, 1).
    pub label_smoothing: f64,
    /// Numbers in which the twin's products are computed.
    pub precision: Precision,
    /// The instruction set of all products, so that every machine that has it gives the
    /// same bits; the fastest of each machine when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<InstructionSet>,
}

/// On CIFAR-10 nothing diverged with it at any α; `docs/exploratory-runs.md` has the
/// measurements.
const DEFAULT_LEARNING_RATE: f64 = 0.01;
const DEFAULT_MOMENTUM: f64 = 0.9;
const DEFAULT_BETA1: f64 = 0.9;
const DEFAULT_BETA2: f64 = 0.999;
const DEFAULT_EPSILON: f64 = 1e-8;

/// More epochs than anyone has time for; a bound on what a typing error costs.
pub(crate) const MAX_EPOCHS: u32 = 100_000;

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 256,
            optimizer: OptimizerKind::default(),
            learning_rate: DEFAULT_LEARNING_RATE,
            learning_rate_schedule: LearningRateSchedule::default(),
            warmup_epochs: 0.0,
            momentum: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            weight_decay: 0.0,
            label_smoothing: 0.0,
            precision: Precision::default(),
            instructions: None,
        }
    }
}

impl TrainConfig {
    pub(crate) fn resolved(mut self) -> Self {
        match self.optimizer {
            OptimizerKind::Sgd => {
                self.momentum.get_or_insert(DEFAULT_MOMENTUM);
            }
            OptimizerKind::Adamw => {
                self.beta1.get_or_insert(DEFAULT_BETA1);
                self.beta2.get_or_insert(DEFAULT_BETA2);
                self.epsilon.get_or_insert(DEFAULT_EPSILON);
            }
        }
        self
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the key and the value.
    pub(crate) fn check(&self) -> Result<OptimizerRule, TrainError> {
        if self.epochs > MAX_EPOCHS {
            return Err(TrainError::config(
                "train.epochs",
                self.epochs,
                format!("must be at most {MAX_EPOCHS}"),
            ));
        }
        if self.epochs == 0 {
            return Err(TrainError::config(
                "train.epochs",
                0,
                "train at least 1 epoch",
            ));
        }
        if self.batch_size == 0 {
            return Err(TrainError::config(
                "train.batch_size",
                0,
                "a step needs at least 1 image",
            ));
        }
        check_rate("train.learning_rate", self.learning_rate)?;
        if !(self.warmup_epochs >= 0.0 && self.warmup_epochs <= f64::from(self.epochs)) {
            return Err(TrainError::config(
                "train.warmup_epochs",
                self.warmup_epochs,
                format!("must lie between 0 and train.epochs = {}", self.epochs),
            ));
        }
        unit("train.label_smoothing", self.label_smoothing)?;
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return Err(TrainError::config(
                "train.weight_decay",
                self.weight_decay,
                "must be finite and at least 0",
            ));
        }
        self.optimizer_rule()
    }

    /// The optimiser with its own numbers checked.
    fn optimizer_rule(&self) -> Result<OptimizerRule, TrainError> {
        let belongs = |key, given: Option<f64>, optimizer: &str| {
            given.map_or(Ok(()), |value| {
                Err(TrainError::config(
                    key,
                    value,
                    format!("belongs to train.optimizer = \"{optimizer}\""),
                ))
            })
        };
        match self.optimizer {
            OptimizerKind::Sgd => {
                belongs("train.beta1", self.beta1, "adamw")?;
                belongs("train.beta2", self.beta2, "adamw")?;
                belongs("train.epsilon", self.epsilon, "adamw")?;
                Ok(OptimizerRule::Sgd {
                    momentum: unit("train.momentum", self.momentum.unwrap_or(DEFAULT_MOMENTUM))?,
                    weight_decay: self.weight_decay,
                })
            }
            OptimizerKind::Adamw => {
                belongs("train.momentum", self.momentum, "sgd")?;
                let epsilon = self.epsilon.unwrap_or(DEFAULT_EPSILON);
                if !(epsilon > 0.0 && epsilon.is_finite()) {
                    return Err(TrainError::config(
                        "train.epsilon",
                        epsilon,
                        "must be finite and above 0",
                    ));
                }
                Ok(OptimizerRule::AdamW {
                    beta1: unit("train.beta1", self.beta1.unwrap_or(DEFAULT_BETA1))?,
                    beta2: unit("train.beta2", self.beta2.unwrap_or(DEFAULT_BETA2))?,
                    epsilon,
                    weight_decay: self.weight_decay,
                })
            }
        }
    }
}

/// Refuses a value outside [0, 1).
fn unit(key: &'static str, value: f64) -> Result<f64, TrainError> {
    if (0.0..1.0).contains(&value) {
        Ok(value)
    } else {
        Err(TrainError::config(key, value, "must lie in [0, 1)"))
    }
}

/// Refuses a learning rate that is not a finite positive number.
pub(crate) fn check_rate(key: &'static str, rate: f64) -> Result<(), TrainError> {
    if rate > 0.0 && rate.is_finite() {
        Ok(())
    } else {
        Err(TrainError::config(key, rate, "must be finite and above 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_numbers_are_refused_by_key() {
        for (text, key) in [
            ("epochs = 0", "train.epochs"),
            ("batch_size = 0", "train.batch_size"),
            ("learning_rate = 0.0", "train.learning_rate"),
            ("learning_rate = nan", "train.learning_rate"),
            ("momentum = 1.0", "train.momentum"),
            ("weight_decay = -0.1", "train.weight_decay"),
            ("label_smoothing = 1.5", "train.label_smoothing"),
            ("warmup_epochs = 11", "train.warmup_epochs"),
            ("beta1 = 0.9", "train.beta1"),
            ("optimizer = \"adamw\"\nmomentum = 0.9", "train.momentum"),
            ("optimizer = \"adamw\"\nepsilon = 0.0", "train.epsilon"),
        ] {
            let config: TrainConfig = toml::from_str(text).unwrap();
            let message = config.check().unwrap_err().to_string();
            assert!(message.contains(key), "{text}: {message}");
        }
        assert!(toml::from_str::<TrainConfig>("epoch = 3").is_err());
    }
}
