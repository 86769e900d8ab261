//! The images of a trial: split, normalisation, batches.

use std::sync::Arc;

use imlp_data::{Dataset, ImageSet, Normalization};
use imlp_linear::Shape;

use crate::config::{DataConfig, EvaluationConfig};
use crate::error::TrainError;
use crate::seeds::{RandomStream, stream_seed};

/// A data set, split and normalised; all trials share its bytes, and setups that split
/// it alike share the split.
#[derive(Debug)]
pub struct TrainingData {
    dataset: Arc<Dataset>,
    /// How it was made.
    config: DataConfig,
    samples: Samples,
    normalization: Normalization,
    train: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
    /// The training images on which accuracy is measured.
    train_evaluation: Vec<u32>,
    /// The validation images on which it is measured while a network trains.
    validation_sample: Vec<u32>,
}

/// How many images are measured while a network trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Samples {
    train: usize,
    /// `None` for all.
    validation: Option<usize>,
}

impl Samples {
    fn of(evaluation: &EvaluationConfig) -> Self {
        Self {
            train: evaluation.train_images,
            validation: evaluation.validation_images,
        }
    }
}

/// A set of images to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The sample of training images.
    Train,
    /// The validation split.
    Validation,
    /// The part of it that is measured while a network trains.
    ValidationSample,
    /// The test set.
    Test,
}

impl TrainingData {
    /// Splits `dataset` and measures its channel statistics on the training
    /// part.
    ///
    /// # Errors
    /// A fraction outside [0, 1), or one that leaves no image to train on.
    pub fn new(
        dataset: Arc<Dataset>,
        config: &DataConfig,
        evaluation: &EvaluationConfig,
    ) -> Result<Self, TrainError> {
        let split = imlp_data::stratified_split(
            dataset.train.labels(),
            dataset.train.classes(),
            config.validation_fraction,
            config.split_seed,
        )?;
        let normalization = Normalization::of(&dataset.train, &split.train)?;
        let seed = stream_seed(config.split_seed, RandomStream::Evaluation);
        let sample = |images: &[u32], count: usize| {
            let mut sample = imlp_data::epoch_order(images, seed, 0);
            sample.truncate(count);
            sample
        };
        let samples = Samples::of(evaluation);
        let train_evaluation = sample(&split.train, samples.train);
        let validation_sample = match samples.validation {
            Some(count) if count < split.validation.len() => sample(&split.validation, count),
            // In their own order, in which the losses are added.
            _ => split.validation.clone(),
        };
        Ok(Self {
            normalization,
            config: config.clone(),
            samples,
            test: (0..dataset.test.len() as u32).collect(),
            train: split.train,
            validation: split.validation,
            train_evaluation,
            validation_sample,
            dataset,
        })
    }

    /// Whether [`new`](Self::new) would make the same of these keys and this data set.
    pub fn is_for(&self, config: &DataConfig, evaluation: &EvaluationConfig) -> bool {
        self.config == *config && self.samples == Samples::of(evaluation)
    }

    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Channel statistics of the training part.
    pub fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        let shape = self.dataset.train.shape();
        Shape::image(shape.channels, shape.height, shape.width)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.dataset.train.classes()
    }

    /// Number of training images.
    pub fn train_len(&self) -> usize {
        self.train.len()
    }

    /// Number of validation images.
    pub fn validation_len(&self) -> usize {
        self.validation.len()
    }

    /// Steps of one epoch.
    pub fn steps(&self, batch_size: usize) -> usize {
        self.train.len().div_ceil(batch_size)
    }

    /// The order in which `epoch` visits the training images.
    pub(crate) fn order(&self, seed: u64, epoch: u32) -> Vec<u32> {
        imlp_data::epoch_order(&self.train, seed, epoch)
    }

    /// Writes normalised, augmented training images, `[images, features]`, and
    /// their labels.
    pub(crate) fn training_batch(
        &self,
        indices: &[u32],
        seed: u64,
        epoch: u32,
        images: &mut Vec<f32>,
        labels: &mut Vec<u8>,
    ) {
        let augment = Augment {
            augmentation: self.config.augmentation,
            seed,
            epoch,
        };
        self.fill(&self.dataset.train, indices, augment, images, labels);
    }

    /// The images of `subset` by index, with the set that they index.
    pub(crate) fn subset(&self, subset: Subset) -> (&ImageSet, &[u32]) {
        match subset {
            Subset::Train => (&self.dataset.train, &self.train_evaluation),
            Subset::Validation => (&self.dataset.train, &self.validation),
            Subset::ValidationSample => (&self.dataset.train, &self.validation_sample),
            Subset::Test => (&self.dataset.test, &self.test),
        }
    }

    /// Writes normalised images without augmentation, `[images, features]`, and their
    /// labels.
    pub(crate) fn evaluation_batch(
        &self,
        set: &ImageSet,
        indices: &[u32],
        images: &mut Vec<f32>,
        labels: &mut Vec<u8>,
    ) {
        let augment = Augment {
            augmentation: imlp_data::Augmentation::None,
            seed: 0,
            epoch: 0,
        };
        self.fill(set, indices, augment, images, labels);
    }

    fn fill(
        &self,
        set: &ImageSet,
        indices: &[u32],
        augment: Augment,
        images: &mut Vec<f32>,
        labels: &mut Vec<u8>,
    ) {
        images.resize(indices.len() * set.shape().len(), 0.0);
        labels.resize(indices.len(), 0);
        imlp_data::fill_batch(
            set,
            indices,
            &self.normalization,
            augment.augmentation,
            augment.seed,
            augment.epoch,
            images,
            labels,
        )
        .expect("the buffers fit the images and the indices come from the set");
    }
}

/// How images are augmented, and what the random choices follow from.
struct Augment {
    augmentation: imlp_data::Augmentation,
    seed: u64,
    epoch: u32,
}
