//! A network in training: its model, its learning rate, its stream of images.

use imlp_linear::Alpha;

use crate::data::{Subset, TrainingData};
use crate::evaluate::{Measurement, evaluate};
use crate::interpolation::InterpolationRule;
use crate::learning_rate::LearningRate;
use crate::model::{Model, Toward};
use crate::network::Network;
use crate::optimizer::Rule;
use crate::parameters::{HostParameters, Initialization, ParameterSpec, Role, initialize};
use crate::seeds::{Stream, stream_seed};
use crate::timing::Segment;
use crate::{Backend, Observer, TrainError};

/// How a learner trains; the same for every trial of an experiment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Training {
    pub rule: Rule,
    pub rate: LearningRate,
    pub batch_size: usize,
    pub label_smoothing: f64,
    pub initialization: Initialization,
    pub precision: crate::Precision,
}

/// The result of one segment of steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentLoss {
    /// Sum over the images of the mean loss of their batch.
    pub sum: f64,
    /// Images.
    pub images: usize,
    /// Whether a loss was not finite; the rest of the segment is skipped, for
    /// nothing that follows from such weights is finite.
    pub diverged: bool,
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

    /// Trains on one segment of `epoch`, whose image order is `order`.
    ///
    /// # Errors
    /// [`TrainError::Interrupted`].
    pub fn train(
        &mut self,
        data: &TrainingData,
        order: &[u32],
        epoch: u32,
        segment: Segment,
        observer: &dyn Observer,
    ) -> Result<SegmentLoss, TrainError> {
        let mut loss = SegmentLoss {
            sum: 0.0,
            images: 0,
            diverged: false,
        };
        let batches = order.chunks(self.training.batch_size);
        let end = segment.end - segment.start;
        for (done, indices) in batches.skip(segment.start).take(end).enumerate() {
            if observer.cancelled() {
                return Err(TrainError::Interrupted);
            }
            let (images, labels) = (&mut self.images, &mut self.labels);
            data.training_batch(indices, self.stream, epoch, images, labels);
            let rate = self.training.rate.at(self.step);
            let batch_loss = self.model.step(&self.images, &self.labels, rate);
            self.step += 1;
            if !batch_loss.is_finite() {
                loss.diverged = true;
                let skipped = end - done;
                self.step += skipped as u64 - 1;
                observer.steps(skipped as u64);
                break;
            }
            loss.sum += batch_loss * indices.len() as f64;
            loss.images += indices.len();
            observer.steps(1);
        }
        Ok(loss)
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
