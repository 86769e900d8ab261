//! The images of a trial: split, normalisation, batches.

use std::sync::Arc;

use imlp_data::{
    Dataset, ImageSet, Normalization, Split, stratified_sample, stratified_split, stratified_subset,
};
use imlp_linear::Shape;

use crate::config::EvaluationConfig;
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
    /// A fraction outside [0, 1), or one that leaves no image to train on; more training
    /// images than there are; images that were not moved as `config` says.
    pub fn new(
        dataset: Arc<Dataset>,
        config: &DataConfig,
        evaluation: &EvaluationConfig,
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

    /// The images of which the validation split is a part.
    fn validation_set(&self) -> &ImageSet {
        let own = self.dataset.validation.as_ref();
        own.unwrap_or(&self.dataset.train)
    }

    /// The images of `subset` by index, with the set that they index.
    pub(crate) fn subset(&self, subset: Subset) -> (&ImageSet, &[u32]) {
        match subset {
            Subset::Train => (&self.dataset.train, &self.train_evaluation),
            Subset::Validation => (self.validation_set(), &self.validation),
            Subset::ValidationSample => (self.validation_set(), &self.validation_sample),
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

#[cfg(test)]
mod tests {
    use imlp_data::ImageShape;

    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 1,
        height: 1,
        width: 2,
    };

    /// Images of three classes; the first pixel of image i of a part is i + `first`.
    fn set(images: u8, first: u8) -> ImageSet {
        let pixels = (0..images).flat_map(|i| [i + first, 7]);
        let labels = (0..images).map(|i| i % 3).collect();
        ImageSet::new(SHAPE, 3, pixels.collect(), labels).unwrap()
    }

    fn dataset(own: Option<ImageSet>) -> Arc<Dataset> {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let data = Dataset::with_validation("d", set(90, 0), own, set(9, 240), names);
        Arc::new(data.unwrap())
    }

    /// The first pixels of the images of `subset`.
    fn pixels(data: &TrainingData, subset: Subset) -> Vec<u8> {
        let (set, indices) = data.subset(subset);
        indices.iter().map(|&i| set.image(i as usize)[0]).collect()
    }

    #[test]
    fn fewer_training_images_have_fewer_validation_images_and_share_none() {
        let of = |train_images| {
            let config = DataConfig {
                train_images,
                validation_fraction: 0.2,
                ..DataConfig::default()
            };
            TrainingData::new(dataset(None), &config, &EvaluationConfig::default()).unwrap()
        };
        let (all, few, fewer) = (of(None), of(Some(30)), of(Some(15)));
        let lengths = |data: &TrainingData| (data.train_len(), data.validation_len());
        assert_eq!(lengths(&all), (72, 18));
        assert_eq!((lengths(&few), lengths(&fewer)), ((30, 6), (15, 3)));
        for (inner, outer) in [(&fewer, &few), (&few, &all)] {
            for subset in [Subset::Train, Subset::Validation] {
                let outer = pixels(outer, subset);
                assert!(pixels(inner, subset).iter().all(|p| outer.contains(p)));
            }
        }
        let training = pixels(&few, Subset::Train);
        assert_eq!(training.len(), 30);
        assert!(
            pixels(&few, Subset::Validation)
                .iter()
                .all(|p| !training.contains(p))
        );
        assert_eq!(few.steps(30), 1);
    }

    #[test]
    fn validation_images_of_its_own_are_used_as_they_are() {
        let config = DataConfig::default();
        let data = TrainingData::new(
            dataset(Some(set(12, 200))),
            &config,
            &EvaluationConfig::default(),
        )
        .unwrap();
        assert_eq!((data.train_len(), data.validation_len()), (90, 12));
        let expected: Vec<u8> = (200..212).collect();
        assert_eq!(pixels(&data, Subset::Validation), expected);
        let subset = DataConfig {
            train_images: Some(45),
            ..config.clone()
        };
        let data = TrainingData::new(
            dataset(Some(set(12, 200))),
            &subset,
            &EvaluationConfig::default(),
        )
        .unwrap();
        assert_eq!((data.train_len(), data.validation_len()), (45, 6));
        assert!(
            pixels(&data, Subset::Validation)
                .iter()
                .all(|p| expected.contains(p))
        );
        let fraction = DataConfig {
            validation_fraction: 0.2,
            ..config
        };
        let error = TrainingData::new(
            dataset(Some(set(12, 200))),
            &fraction,
            &EvaluationConfig::default(),
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("validation images of its own"),
            "{error}"
        );
    }

    #[test]
    fn images_that_were_not_moved_as_the_keys_say_are_refused() {
        let config = DataConfig {
            translate: 1,
            ..DataConfig::default()
        };
        let error =
            TrainingData::new(dataset(None), &config, &EvaluationConfig::default()).unwrap_err();
        assert!(error.to_string().contains("data.translate"), "{error}");
    }
}
