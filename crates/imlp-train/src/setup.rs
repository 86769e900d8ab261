//! From a configuration to everything that the trials of an experiment share.

use std::sync::Arc;

use imlp_data::Dataset;

use crate::backend::{Backend, Precision};
use crate::config::{TrainConfig, TrialConfig};
use crate::error::TrainError;
use crate::hyperparameters::learning_rate::LearningRate;
use crate::interpolation::config::InterpolationRule;
use crate::interpolation::timing::{Every, Segment, Timing, segments};
use crate::network::Network;
use crate::network::prior_config::PriorTraining;
use crate::training::data::TrainingData;
use crate::training::learner::{SegmentProgress, Training};

/// A checked configuration with its data and its networks. Cheap to share
/// between threads: trials only read it.
#[derive(Debug)]
pub struct Setup {
    pub(crate) config: TrialConfig,
    pub(crate) data: TrainingData,
    pub(crate) prior: Network,
    pub(crate) twin: Network,
    pub(crate) training: Training,
    pub(crate) prior_training: Training,
    pub(crate) backend: Backend,
}

impl Setup {
    /// Checks `config` against `dataset` and builds both networks.
    ///
    /// # Errors
    /// Any key that cannot be used, by name; a network that cannot be.
    pub fn new(
        config: TrialConfig,
        dataset: Arc<Dataset>,
        backend: Backend,
    ) -> Result<Self, TrainError> {
        config.check()?;
        backend.check(config.train.precision)?;
        let data = TrainingData::new(dataset, &config.data, config.evaluation.train_images)?;
        let prior = config.prior.network(data.shape(), data.classes())?;
        let twin = prior.dense_twin()?;
        let steps = data.steps(config.train.batch_size);
        let training = training(&config, &config.train, config.train.epochs, steps)?;
        let prior_config = TrainConfig {
            learning_rate: config
                .prior
                .learning_rate
                .unwrap_or(config.train.learning_rate),
            precision: Precision::F32,
            ..config.train.clone()
        };
        let prior_epochs = config.prior.epochs.unwrap_or(config.train.epochs);
        let prior_training = self::training(&config, &prior_config, prior_epochs, steps)?;
        if prior.parameter_specs().is_empty() && config.prior.training != PriorTraining::Untrained {
            return Err(TrainError::key(
                "prior.training",
                "this prior has no parameters to train; set it to \"untrained\"",
            ));
        }
        // The rule is rebuilt for each α; this checks all its keys but α.
        config
            .interpolation
            .check(&prior.linear_names(), config.train.epochs)?;
        let setup = Self {
            config,
            data,
            prior,
            twin,
            training,
            prior_training,
            backend,
        };
        if setup.interpolations() == 0 {
            return Err(TrainError::config(
                "interpolation.every",
                match setup.config.interpolation.every {
                    Every::Epoch => 1,
                    Every::Steps(k) => k,
                },
                format!(
                    "a run has {} steps, so it never happens",
                    setup.twin_steps()
                ),
            ));
        }
        Ok(setup)
    }

    /// The backend's name, as part of what results belong to.
    pub fn backend_name(&self) -> String {
        self.backend.name()
    }

    /// Whether a trial with α = 1 ends as the prior.
    ///
    /// # Errors
    /// As building the rule.
    pub fn ends_as_prior(&self) -> Result<bool, TrainError> {
        let rule = self.rule(imlp_linear::Alpha::ONE)?;
        let last = self.config.train.epochs;
        let interpolated = self.segments(last).last().is_some_and(|s| s.interpolate);
        Ok(interpolated && rule.biases() && rule.alphas(last).iter().all(|a| a.is_one()))
    }

    /// Interpolations of one trial.
    fn interpolations(&self) -> u64 {
        let interpolation = &self.config.interpolation;
        match (interpolation.timing, interpolation.every) {
            (Timing::TestTime, _) => 1,
            (Timing::TrainingTime, Every::Epoch) => u64::from(self.config.train.epochs),
            (Timing::TrainingTime, Every::Steps(k)) => self.twin_steps() / u64::from(k),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &TrialConfig {
        &self.config
    }

    /// The images.
    pub fn data(&self) -> &TrainingData {
        &self.data
    }

    /// The prior.
    pub fn prior(&self) -> &Network {
        &self.prior
    }

    /// The dense twin.
    pub fn twin(&self) -> &Network {
        &self.twin
    }

    /// The interpolation rule for a trial with `alpha`.
    pub(crate) fn rule(&self, alpha: imlp_linear::Alpha) -> Result<InterpolationRule, TrainError> {
        let mut config = self.config.interpolation.clone();
        config.alpha = alpha;
        config.check(&self.twin.linear_names(), self.config.train.epochs)
    }

    /// The segments of `epoch`: the same for every α.
    pub(crate) fn segments(&self, epoch: u32) -> Vec<Segment> {
        segments(
            self.config.interpolation.timing,
            self.config.interpolation.every,
            epoch,
            self.config.train.epochs,
            self.data.steps(self.config.train.batch_size),
        )
    }

    /// Epochs that the prior is trained for.
    pub fn prior_epochs(&self) -> u32 {
        match self.config.prior.training {
            PriorTraining::CoTrained => self.config.train.epochs,
            PriorTraining::Frozen => self.config.prior.epochs.unwrap_or(self.config.train.epochs),
            PriorTraining::Untrained => 0,
        }
    }

    /// Optimiser steps of the prior.
    pub fn prior_steps(&self) -> u64 {
        self.steps_of(self.prior_epochs())
    }

    /// Optimiser steps of one twin.
    pub fn twin_steps(&self) -> u64 {
        self.steps_of(self.config.train.epochs)
    }

    /// Learning rate of the twin's optimiser step `step` (from 0).
    pub fn twin_learning_rate(&self, step: u64) -> f64 {
        self.training.rate.at(step)
    }

    /// Optimiser steps of the twin when the `step` first ones of `epoch` (from 1)
    /// are done.
    pub fn twin_steps_at(&self, epoch: u32, step: usize) -> u64 {
        self.steps_of(epoch.saturating_sub(1)) + step as u64
    }

    /// Optimiser steps before that epoch, segment and step.
    pub(crate) fn steps_before(
        &self,
        epochs: u32,
        segments: usize,
        within: SegmentProgress,
    ) -> u64 {
        let of_epoch = self.segments(epochs + 1);
        let before = of_epoch.get(segments).map_or(0, |segment| segment.start);
        self.steps_of(epochs) + (before + within.done) as u64
    }

    fn steps_of(&self, epochs: u32) -> u64 {
        u64::from(epochs) * self.data.steps(self.config.train.batch_size) as u64
    }

    /// Snapshots of the prior that its trajectory holds.
    pub fn snapshots(&self) -> usize {
        match self.config.prior.training {
            PriorTraining::CoTrained => self.interpolations() as usize,
            PriorTraining::Frozen | PriorTraining::Untrained => 1,
        }
    }
}

fn training(
    config: &TrialConfig,
    train: &TrainConfig,
    epochs: u32,
    steps: usize,
) -> Result<Training, TrainError> {
    Ok(Training {
        rule: train.check()?,
        rate: LearningRate {
            peak: train.learning_rate,
            schedule: train.learning_rate_schedule,
            warmup: train.warmup_epochs * steps as f64,
            total: f64::from(epochs) * steps as f64,
        },
        batch_size: train.batch_size,
        label_smoothing: train.label_smoothing,
        initialization: config.twin.initialization,
        precision: train.precision,
    })
}
