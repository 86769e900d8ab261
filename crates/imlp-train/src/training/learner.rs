//! A network in training: its model, its learning rate and its stream of images.

use imlp_linear::Alpha;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::Backend;
use crate::error::TrainError;
use crate::hyperparameters::Hyperparameters;
use crate::interpolation::rule::InterpolationRule;
use crate::interpolation::timing::Pause;
use crate::model::{InterpolationTarget, Model};
use crate::network::Network;
use crate::network::initialization::initialize;
use crate::network::parameters::{HostParameters, ParameterSpec, Role, parameter};
use crate::seeds::{RandomStream, stream_seed};
use crate::tensors::weights_file::WeightsFile;
use crate::training::checkpoint::{RunIdentity, from_file, to_file};
use crate::training::data::{Subset, TrainingData};
use crate::training::evaluation::{Measurement, evaluate};
use crate::training::hooks::RunHooks;
use crate::training::progress::SegmentProgress;

/// Why training stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The pause is reached.
    AtPause,
    /// A checkpoint is due.
    CheckpointDue,
    /// The caller asks to stop.
    Cancelled,
}

/// A network in training.
pub(crate) struct Learner<'a> {
    specs: Vec<ParameterSpec>,
    model: Box<dyn Model + 'a>,
    /// What its products are computed with.
    instructions: String,
    training: Hyperparameters,
    stream: u64,
    step: u64,
    /// The epoch whose image order is in `order`; 0 for none.
    epoch: u32,
    order: Vec<u32>,
    /// One batch, `[images, features]`, and its labels.
    images: Vec<f32>,
    labels: Vec<u8>,
}

impl<'a> Learner<'a> {
    /// A freshly initialised network; the same for the same seed and stream.
    pub fn new(
        network: &'a Network,
        training: Hyperparameters,
        seed: u64,
        stream: RandomStream,
        backend: &Backend,
    ) -> Self {
        let specs = network.parameter_specs();
        let start = initialize(&specs, training.initialization, seed, stream);
        Self {
            model: backend.model(network, training, start),
            instructions: backend.instructions(network, training),
            specs,
            training,
            stream: stream_seed(seed, stream),
            step: 0,
            epoch: 0,
            order: Vec::new(),
            images: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Trains from `progress` up to `pause`; stops earlier when a checkpoint is due or
    /// the caller asks to stop.
    pub fn train(
        &mut self,
        data: &TrainingData,
        pause: Pause,
        progress: &mut SegmentProgress,
        hooks: RunHooks<'_>,
    ) -> Stop {
        if self.epoch != pause.epoch {
            self.epoch = pause.epoch;
            self.order = data.order(self.stream, pause.epoch);
        }
        let steps = pause.segment.end - pause.segment.start;
        let batches = self.order.chunks(self.training.batch_size);
        for indices in batches
            .skip(pause.segment.start + progress.done)
            .take(steps - progress.done)
        {
            if hooks.observer.cancelled() {
                return Stop::Cancelled;
            }
            let (images, labels) = (&mut self.images, &mut self.labels);
            data.training_batch(indices, self.stream, pause.epoch, images, labels);
            let rate = self.training.rate.at(self.step);
            let loss = self.model.step(&self.images, &self.labels, rate);
            if !loss.is_finite() {
                progress.diverged = true;
                let skipped = steps - progress.done;
                self.step += skipped as u64;
                progress.done = steps;
                hooks.observer.steps(skipped as u64);
                break;
            }
            self.step += 1;
            progress.done += 1;
            progress.loss += loss * indices.len() as f64;
            progress.images += indices.len();
            hooks.observer.steps(1);
            if progress.done < steps && hooks.checkpoints.due(pause.epoch - 1) {
                return Stop::CheckpointDue;
            }
        }
        Stop::AtPause
    }

    /// A checkpoint of the run with this identity, at `progress`.
    pub fn checkpoint<P: Serialize>(&self, identity: RunIdentity<'_>, progress: &P) -> WeightsFile {
        to_file(
            identity,
            &self.specs,
            self.model.state(),
            self.step,
            progress,
        )
    }

    /// Continues from a checkpoint of the run with this identity, whose state is taken out
    /// of `file`; returns its progress.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`]: the file of another run;
    /// [`TrainError::OtherInstructions`].
    pub fn resume<P: DeserializeOwned>(
        &mut self,
        identity: RunIdentity<'_>,
        file: &mut WeightsFile,
    ) -> Result<P, TrainError> {
        let (state, step, progress) = from_file(identity, &self.specs, file)?;
        self.model.restore(state);
        self.step = step;
        Ok(progress)
    }

    /// Interpolates this learner, the dense twin, toward `prior`, whose parameters are
    /// `snapshot`: `W_i ← (1−α_i)·W_i + α_i·W_P,i` for every linear layer i, biases
    /// likewise if the rule includes them, and normalisations with the α of the linear
    /// layer that follows them.
    ///
    /// # Errors
    /// The snapshot does not fit the prior's maps.
    pub fn interpolate(
        &mut self,
        prior: &Network,
        snapshot: &HostParameters,
        alphas: &[Alpha],
        rule: &InterpolationRule,
    ) -> Result<(), TrainError> {
        let prior_specs = prior.parameter_specs();
        let maps = prior.linear_layers();
        let find = |linear, role| parameter(&prior_specs, snapshot, linear, role);
        for (index, spec) in self.specs.iter().enumerate() {
            let alpha = alphas[spec.linear];
            let bias_like = matches!(spec.role, Role::Bias | Role::Shift);
            if alpha.is_zero() || (bias_like && !rule.biases()) {
                continue;
            }
            let map = maps[spec.linear].map.as_ref();
            let parameters = imlp_linear::Parameters {
                weight: find(spec.linear, Role::Weight).unwrap_or(&[]),
                bias: find(spec.linear, Role::Bias),
            };
            let target = match spec.role {
                Role::Weight => InterpolationTarget::Weight(map, parameters),
                Role::Bias => InterpolationTarget::Bias(map, parameters),
                Role::Scale | Role::Shift => {
                    let of_prior = prior_specs
                        .iter()
                        .position(|s| s.name == spec.name)
                        .expect("the twin keeps the prior's normalisations");
                    InterpolationTarget::Values(&snapshot[of_prior])
                }
            };
            self.model.interpolate(index, alpha, target)?;
            self.model
                .change_optimizer_state(index, rule.optimizer_state().change(alpha));
        }
        Ok(())
    }

    /// Accuracy and loss on the sample of training images, on `validation` (all of the
    /// split, or its sample) and, `with_test`, on the test set, as far as they have
    /// images. `None` when a parameter or a logit is not finite.
    pub fn measure(
        &mut self,
        data: &TrainingData,
        validation: Subset,
        with_test: bool,
    ) -> Option<Measurement> {
        if !self.is_finite() {
            return None;
        }
        let mut on = |subset: Subset| {
            if data.subset(subset).1.is_empty() {
                return Some(None);
            }
            evaluate(self.model.as_mut(), data, subset).map(Some)
        };
        Some(Measurement {
            train: on(Subset::Train)?,
            validation: on(validation)?,
            test: if with_test { on(Subset::Test)? } else { None },
        })
    }

    /// Whether every parameter is finite.
    pub fn is_finite(&self) -> bool {
        self.model.is_finite()
    }

    /// The parameters on the host.
    pub fn snapshot(&self) -> HostParameters {
        self.model.parameters()
    }

    /// What its products are computed with.
    pub fn instructions(&self) -> &str {
        &self.instructions
    }

    /// What the parameters are.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }
}
