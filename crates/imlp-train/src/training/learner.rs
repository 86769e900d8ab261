//! A network in training: its model, its learning rate, its stream of images.

use imlp_linear::Alpha;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Precision};
use crate::burn::optimizer::Rule;
use crate::error::TrainError;
use crate::hyperparameters::learning_rate::LearningRate;
use crate::interpolation::config::InterpolationRule;
use crate::interpolation::timing::Segment;
use crate::model::{Model, Toward};
use crate::network::Network;
use crate::network::parameters::{HostParameters, Initialization, ParameterSpec, Role, initialize};
use crate::observer::Observer;
use crate::seeds::{Stream, stream_seed};
use crate::tensors::weights_file::WeightsFile;
use crate::training::checkpoint::{Checkpoints, from_file, to_file};
use crate::training::data::{Subset, TrainingData};
use crate::training::evaluation::{Measurement, evaluate};

/// How a learner trains; the same for every trial of an experiment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Training {
    pub rule: Rule,
    pub rate: LearningRate,
    pub batch_size: usize,
    pub label_smoothing: f64,
    pub initialization: Initialization,
    pub precision: Precision,
}

/// How far the training of a segment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentProgress {
    /// Steps.
    pub done: usize,
    /// Sum over the images of the mean loss of their batch.
    pub loss: f64,
    /// Images.
    pub images: usize,
    /// Whether a loss was not finite; the rest of the segment is skipped, for
    /// nothing that follows from such weights is finite.
    pub diverged: bool,
}

/// Why training pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The segment has ended.
    Ended,
    /// A checkpoint is due.
    CheckpointDue,
    /// The caller asks to stop.
    Interrupted,
}

/// Who watches a run, and keeps it.
#[derive(Clone, Copy)]
pub(crate) struct Company<'a> {
    pub observer: &'a dyn Observer,
    pub checkpoints: &'a dyn Checkpoints,
}

/// A network in training.
pub(crate) struct Learner<'a> {
    specs: Vec<ParameterSpec>,
    model: Box<dyn Model + 'a>,
    training: Training,
    stream: u64,
    step: u64,
    /// One batch, `[images, features]`, and its labels.
    images: Vec<f32>,
    labels: Vec<u8>,
}

impl<'a> Learner<'a> {
    /// A freshly initialised network; the same for the same seed and stream.
    pub fn new(
        network: &'a Network,
        training: Training,
        seed: u64,
        stream: Stream,
        backend: &Backend,
    ) -> Self {
        let specs = network.parameter_specs();
        let start = initialize(&specs, training.initialization, seed, stream);
        Self {
            model: backend.model(network, training, start),
            specs,
            training,
            stream: stream_seed(seed, stream),
            step: 0,
            images: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Trains on one segment of `epoch`, whose image order is `order`, from where
    /// `progress` stands until something is to be done between two steps.
    pub fn train(
        &mut self,
        data: &TrainingData,
        order: &[u32],
        epoch: u32,
        segment: Segment,
        progress: &mut SegmentProgress,
        company: Company<'_>,
    ) -> Pause {
        let steps = segment.end - segment.start;
        let batches = order.chunks(self.training.batch_size);
        for indices in batches
            .skip(segment.start + progress.done)
            .take(steps - progress.done)
        {
            if company.observer.cancelled() {
                return Pause::Interrupted;
            }
            let (images, labels) = (&mut self.images, &mut self.labels);
            data.training_batch(indices, self.stream, epoch, images, labels);
            let rate = self.training.rate.at(self.step);
            let loss = self.model.step(&self.images, &self.labels, rate);
            if !loss.is_finite() {
                progress.diverged = true;
                let skipped = steps - progress.done;
                self.step += skipped as u64;
                progress.done = steps;
                company.observer.steps(skipped as u64);
                break;
            }
            self.step += 1;
            progress.done += 1;
            progress.loss += loss * indices.len() as f64;
            progress.images += indices.len();
            company.observer.steps(1);
            if progress.done < steps && company.checkpoints.due(epoch - 1) {
                return Pause::CheckpointDue;
            }
        }
        Pause::Ended
    }

    /// A checkpoint of `run`, which has come as far as `progress`.
    pub fn checkpoint<P: Serialize>(&self, run: &str, progress: &P) -> WeightsFile {
        to_file(run, &self.specs, &self.model.state(), self.step, progress)
    }

    /// Goes on from a checkpoint of `run`; gives its progress.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`]: the file of another run.
    pub fn resume<P: DeserializeOwned>(
        &mut self,
        run: &str,
        file: &WeightsFile,
    ) -> Result<P, TrainError> {
        let (state, step, progress) = from_file(run, &self.specs, file)?;
        self.model.restore(state);
        self.step = step;
        Ok(progress)
    }

    /// The order in which this learner sees the images of `epoch`.
    pub fn order(&self, data: &TrainingData, epoch: u32) -> Vec<u32> {
        data.order(self.stream, epoch)
    }

    /// The interpolation rule on this learner as the dense twin:
    /// `W_i ← (1−α_i)·W_i + α_i·W_P,i` for every linear layer i, biases
    /// likewise if the rule says so, and the normalisations with the α of the
    /// linear layer that follows them. `snapshot` holds the parameters of
    /// `prior`.
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
        let find = |linear: usize, role: Role| {
            prior_specs
                .iter()
                .position(|s| s.linear == linear && s.role == role)
                .map(|i| snapshot[i].as_slice())
        };
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
            let toward = match spec.role {
                Role::Weight => Toward::Weight(map, parameters),
                Role::Bias => Toward::Bias(map, parameters),
                Role::Scale | Role::Shift => {
                    let of_prior = prior_specs
                        .iter()
                        .position(|s| s.name == spec.name)
                        .expect("the twin keeps the prior's normalisations");
                    Toward::Values(&snapshot[of_prior])
                }
            };
            self.model.pull(index, alpha, toward)?;
            self.model
                .after_interpolation(index, alpha, rule.optimizer_state());
        }
        Ok(())
    }

    /// Accuracy and loss on every subset that has images, the test set only
    /// `with_test`. `None` when a parameter or a logit is not finite.
    pub fn measure(&mut self, data: &TrainingData, with_test: bool) -> Option<Measurement> {
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
            validation: on(Subset::Validation)?,
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

    /// What the parameters are.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }
}
