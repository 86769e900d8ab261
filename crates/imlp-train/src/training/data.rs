//! The images of a trial: split, normalisation, batches.

use std::sync::Arc;

use imlp_data::{
    Dataset, ImageSet, Normalization, Split, stratified_sample, stratified_split, stratified_subset,
};
use imlp_linear::Shape;

use crate::data_config::DataConfig;
use crate::error::TrainError;
use crate::seeds::{RandomStream, stream_seed};

/// A data set, split and normalised; all trials share its bytes, and setups that split
/// it alike share the split.
#[derive(Debug)]
pub struct TrainingData {
    dataset: Arc<Dataset>,
    /// How it was made.
    config: DataConfig,
    train_images: usize,
    normalization: Normalization,
    train: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
    /// The training images on which accuracy is measured.
    train_evaluation: Vec<u32>,
}

/// A set of images to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The sample of training images.
    Train,
    /// The validation split.
    Validation,
    /// The test set.
    Test,
}

impl TrainingData {
    /// Splits `dataset` and measures its channel statistics on the training
    /// part.
    ///
    /// # Errors
    /// A fraction outside [0, 1), or one that leaves no image to train on; more training
    /// images than there are; images that were not moved as `config` says.
    pub fn new(
        dataset: Arc<Dataset>,
        config: &DataConfig,
        train_images: usize,
    ) -> Result<Self, TrainError> {
        let moved = dataset.translation.map_or(0, |(pixels, _)| pixels);
        let seed = dataset.translation.map(|(_, seed)| seed);
        if moved != config.translate || seed.is_some_and(|seed| seed != config.split_seed) {
            return Err(TrainError::config(
                "data.translate",
                config.translate,
                format!("but the images were loaded with {moved}; load them with DataConfig::load"),
            ));
        }
        let split = split(&dataset, config)?;
        let normalization = Normalization::of(&dataset.train, &split.train)?;
        let mut train_evaluation = imlp_data::epoch_order(
            &split.train,
            stream_seed(config.split_seed, RandomStream::TrainEvaluation),
            0,
        );
        train_evaluation.truncate(train_images);
        Ok(Self {
            normalization,
            config: config.clone(),
            train_images,
            test: (0..dataset.test.len() as u32).collect(),
            train: split.train,
            validation: split.validation,
            train_evaluation,
            dataset,
        })
    }

    /// Whether [`new`](Self::new) would make the same of these keys and this data set.
    pub fn is_for(&self, config: &DataConfig, train_images: usize) -> bool {
        self.config == *config && self.train_images == train_images
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
            Subset::Validation => {
                let own = self.dataset.validation.as_ref();
                (own.unwrap_or(&self.dataset.train), &self.validation)
            }
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

/// The training images, and the validation images, which index the data set's own where it
/// has some.
fn split(dataset: &Dataset, config: &DataConfig) -> Result<Split, TrainError> {
    let (labels, classes) = (dataset.train.labels(), dataset.train.classes());
    let (fraction, seed) = (config.validation_fraction, config.split_seed);
    let Some(own) = &dataset.validation else {
        return Ok(match config.train_images {
            None => stratified_split(labels, classes, fraction, seed)?,
            Some(n) => stratified_subset(labels, classes, fraction, seed, n)?,
        });
    };
    if fraction != DataConfig::default().validation_fraction {
        return Err(TrainError::config(
            "data.validation_fraction",
            fraction,
            "is not used: the data set has validation images of its own; leave the key out",
        ));
    }
    let Some(n) = config.train_images else {
        return Ok(Split {
            train: (0..labels.len() as u32).collect(),
            validation: (0..own.len() as u32).collect(),
        });
    };
    let train = stratified_subset(labels, classes, 0.0, seed, n)?.train;
    // As large beside them as all are beside all.
    let share = (n as f64 * own.len() as f64 / labels.len() as f64).round() as usize;
    Ok(Split {
        train,
        validation: stratified_sample(own.labels(), classes, seed, share)?,
    })
}

/// How images are augmented, and what the random choices follow from.
struct Augment {
    augmentation: imlp_data::Augmentation,
    seed: u64,
    epoch: u32,
}
