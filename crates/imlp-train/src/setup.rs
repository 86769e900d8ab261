//! What the trials of an experiment share: checked configuration, data and networks.

use std::sync::Arc;

use imlp_data::Dataset;
use imlp_suggest::counted;

use crate::backend::Backend;
use crate::config::TrialConfig;
use crate::error::TrainError;
use crate::hyperparameters::Hyperparameters;
use crate::hyperparameters::config::TrainConfig;
use crate::hyperparameters::precision::Precision;
use crate::interpolation::rule::InterpolationRule;
use crate::interpolation::timing::{Every, Parting, Pause, Segment, Timing, pauses, segments};
use crate::network::Network;
use crate::network::parameters::HostParameters;
use crate::network::prior_config::PriorTraining;
use crate::training::data::{Subset, TrainingData};
use crate::training::evaluation::{Metrics, evaluate};
use crate::training::progress::TrainingProgress;

/// A checked configuration with its data and its networks. Cheap to share
/// between threads: trials only read it.
#[derive(Debug)]
pub struct Setup {
    pub(crate) config: TrialConfig,
    pub(crate) data: Arc<TrainingData>,
    pub(crate) prior: Network,
    pub(crate) twin: Network,
    pub(crate) training: Hyperparameters,
    pub(crate) prior_training: Hyperparameters,
    pub(crate) backend: Backend,
}

impl Setup {
    /// Checks `config` against `dataset` and builds both networks.
    ///
    /// # Errors
    /// A key that cannot be used, by name; a network whose layers do not fit.
    pub fn new(
        config: TrialConfig,
        dataset: Arc<Dataset>,
        backend: Backend,
    ) -> Result<Self, TrainError> {
        config.check()?;
        let data = TrainingData::new(dataset, &config.data, &config.evaluation)?;
        Self::with_data(config, Arc::new(data), backend)
    }

    /// As [`new`](Self::new), of images that other setups share.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// If `data` was made for [other keys](TrainingData::is_for).
    pub fn with_data(
        config: TrialConfig,
        data: Arc<TrainingData>,
        backend: Backend,
    ) -> Result<Self, TrainError> {
        assert!(data.is_for(&config.data, &config.evaluation));
        config.check()?;
        backend.check(config.train.precision, config.train.instructions)?;
        let prior = config.prior.network(data.shape(), data.classes())?;
        let twin = prior.dense_twin()?;
        if let Some(pinned) = config.train.instructions
            && !backend.has_engine_for(&prior)
        {
            return Err(TrainError::config(
                "train.instructions",
                pinned,
                "this prior has a layer that only Burn trains, which chooses its instructions \
                 itself; leave the key out",
            ));
        }
        let steps = data.steps(config.train.batch_size);
        let initialization = config.twin.initialization;
        let epochs = config.train.epochs;
        let training = Hyperparameters::new(&config.train, initialization, epochs, steps)?;
        let prior_config = TrainConfig {
            learning_rate: config
                .prior
                .learning_rate
                .unwrap_or(config.train.learning_rate),
            precision: Precision::F32,
            ..config.train.clone()
        };
        let prior_epochs = config.prior.epochs.unwrap_or(epochs);
        let prior_training =
            Hyperparameters::new(&prior_config, initialization, prior_epochs, steps)?;
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
                    "a run has {}, so it never happens",
                    counted(setup.twin_steps(), "step")
                ),
            ));
        }
        Ok(setup)
    }

    /// The backend's name, which is part of a trial's identity.
    pub fn backend_name(&self) -> String {
        self.backend.name()
    }

    /// What computes the products of the dense twin: see [`TrialRecord::instructions`].
    ///
    /// [`TrialRecord::instructions`]: crate::TrialRecord::instructions
    pub fn twin_instructions(&self) -> String {
        self.backend.instructions(&self.twin, self.training)
    }

    /// What computes the products of the prior, likewise.
    pub fn prior_instructions(&self) -> String {
        self.backend.instructions(&self.prior, self.prior_training)
    }

    /// Whether a trial with α = 1 ends as the prior.
    ///
    /// # Errors
    /// Interpolation keys that do not fit the twin.
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

    /// Where a trial with `alpha` parts from the one with α = 0; none if it never does.
    ///
    /// # Errors
    /// Interpolation keys that do not fit the twin.
    pub fn parting(&self, alpha: imlp_linear::Alpha) -> Result<Option<Parting>, TrainError> {
        Ok(self.parting_under(&self.rule(alpha)?))
    }

    /// Where a trial under `rule` parts from the one with α = 0; none if it never does.
    pub(crate) fn parting_under(&self, rule: &InterpolationRule) -> Option<Parting> {
        let changes = |epoch: &u32| rule.alphas(*epoch).iter().any(|alpha| !alpha.is_zero());
        (1..=self.config.train.epochs)
            .filter(changes)
            .flat_map(|epoch| {
                let segments = self.segments(epoch).into_iter();
                let interpolated = segments.filter(|segment| segment.interpolate);
                interpolated.map(move |segment| Parting {
                    epoch,
                    step: segment.end,
                })
            })
            .next()
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

    /// Optimiser steps of the twin after the first `step` steps of `epoch` (from 1).
    pub fn twin_steps_at(&self, epoch: u32, step: usize) -> u64 {
        self.steps_of(epoch.saturating_sub(1)) + step as u64
    }

    /// Training images that a twin goes through before `parting`.
    pub fn images_before(&self, parting: Parting) -> u64 {
        let epoch = self.data.train_len();
        let begun = (parting.step * self.config.train.batch_size).min(epoch);
        u64::from(parting.epoch.saturating_sub(1)) * epoch as u64 + begun as u64
    }

    /// The pauses of a twin in training, from `progress` on.
    pub(crate) fn twin_pauses(&self, progress: TrainingProgress) -> impl Iterator<Item = Pause> {
        let start = (progress.epochs, progress.segments);
        pauses(start, self.config.train.epochs, |epoch| {
            self.segments(epoch)
        })
    }

    /// The pauses of a prior in training, from `progress` on: the interpolation points
    /// of its twins if it is co-trained, else the ends of epochs.
    pub(crate) fn prior_pauses(&self, progress: TrainingProgress) -> impl Iterator<Item = Pause> {
        let start = (progress.epochs, progress.segments);
        pauses(start, self.prior_epochs(), |epoch| {
            match self.config.prior.training {
                PriorTraining::CoTrained => self.segments(epoch),
                PriorTraining::Frozen | PriorTraining::Untrained => vec![Segment {
                    start: 0,
                    end: self.data.steps(self.config.train.batch_size),
                    interpolate: false,
                }],
            }
        })
    }

    /// Optimiser steps that are done at `progress`.
    pub(crate) fn steps_before(&self, progress: &TrainingProgress) -> u64 {
        let of_epoch = self.segments(progress.epochs + 1);
        let segment = of_epoch.get(progress.segments);
        let before = segment.map_or(0, |segment| segment.start);
        self.steps_of(progress.epochs) + (before + progress.within.done) as u64
    }

    /// Measures `parameters` of `network` on a subset of the images, in f32; `None` for
    /// an empty subset or logits that are not finite.
    pub fn evaluate(
        &self,
        network: &Network,
        parameters: &HostParameters,
        subset: Subset,
    ) -> Option<Metrics> {
        let training = Hyperparameters {
            precision: Precision::F32,
            ..self.training
        };
        let mut model = self.backend.model(network, training, parameters.clone());
        evaluate(model.as_mut(), &self.data, subset)
    }

    fn steps_of(&self, epochs: u32) -> u64 {
        u64::from(epochs) * self.data.steps(self.config.train.batch_size) as u64
    }

    /// Whether a co-trained prior goes on after its last snapshot, because the last step
    /// of the run is not followed by an interpolation.
    pub fn prior_ends_apart(&self) -> bool {
        let co_trained = self.config.prior.training == PriorTraining::CoTrained;
        let last = self.segments(self.config.train.epochs);
        co_trained && last.last().is_some_and(|segment| !segment.interpolate)
    }

    /// Snapshots of the prior that its trajectory holds, without the parameters
    /// [at the end](Self::prior_ends_apart).
    pub fn snapshots(&self) -> usize {
        match self.config.prior.training {
            PriorTraining::CoTrained => self.interpolations() as usize,
            PriorTraining::Frozen | PriorTraining::Untrained => 1,
        }
    }
}
