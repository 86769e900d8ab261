//! A data set in memory.

use crate::checksum;
use crate::error::DataError;
use crate::image_set::ImageSet;

/// A data set in memory: its training set, its test set and what identifies them.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name under which it was loaded.
    pub name: String,
    /// The official training images.
    pub train: ImageSet,
    /// The validation images of a set that has its own; otherwise they are split off
    /// [`train`](Self::train).
    pub validation: Option<ImageSet>,
    /// The official test images.
    pub test: ImageSet,
    /// One name for each class, in the order of the label numbers.
    pub class_names: Vec<String>,
    /// SHA-256 (64 hexadecimal digits) over sizes, pixels and labels of all sets, as decoded.
    pub checksum: String,
    /// By how many pixels at most, and with which seed, the images were moved, if they were.
    pub translation: Option<(u32, u64)>,
    /// What a person should know about how it was read, one line each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Puts two sets of one shape together and computes the checksum.
    ///
    /// # Errors
    /// [`DataError::Argument`] when the sets differ in shape or number of classes, or when
    /// `class_names` has another length than the number of classes.
    pub fn new(
        name: impl Into<String>,
        train: ImageSet,
        test: ImageSet,
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        Self::with_validation(name, train, None, test, class_names)
    }

    /// As [`new`](Self::new), with validation images of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_validation(
        name: impl Into<String>,
        train: ImageSet,
        validation: Option<ImageSet>,
        test: ImageSet,
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        for (what, set) in [("validation", validation.as_ref()), ("test", Some(&test))] {
            let Some(set) = set else { continue };
            if train.shape() != set.shape() {
                let expected = format!("that of the training images, {}", train.shape());
                return Err(DataError::argument(
                    format!("the shape of the {what} images"),
                    expected,
                    set.shape(),
                ));
            }
            if train.classes() != set.classes() || train.classes() != class_names.len() {
                return Err(DataError::argument(
                    format!("the number of classes of training set, {what} set and names"),
                    "the same",
                    format!(
                        "{}, {}, {}",
                        train.classes(),
                        set.classes(),
                        class_names.len()
                    ),
                ));
            }
        }
        let mut data = Self {
            name: name.into(),
            train,
            validation,
            test,
            class_names,
            checksum: String::new(),
            translation: None,
            notes: Vec::new(),
        };
        data.update_checksum();
        Ok(data)
    }

    /// Every set: training, test, and validation where there is one.
    pub fn sets(&self) -> impl Iterator<Item = &ImageSet> {
        [&self.train, &self.test]
            .into_iter()
            .chain(&self.validation)
    }

    pub(crate) fn update_checksum(&mut self) {
        self.checksum = checksum::sha256_of_sets(self.sets());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cifar;
    use crate::shape::ImageShape;

    #[test]
    fn checksums_tell_pixels_labels_and_sets_apart() {
        let shape = cifar::SHAPE;
        let set = |pixel: u8, label: u8| {
            ImageSet::new(shape, 2, vec![pixel; shape.len()], vec![label]).unwrap()
        };
        let data = |train, test| {
            Dataset::new("d", train, test, vec!["a".into(), "b".into()])
                .unwrap()
                .checksum
        };
        let sums = [
            data(set(0, 0), set(1, 0)),
            data(set(1, 0), set(0, 0)),
            data(set(0, 1), set(1, 0)),
            data(set(0, 0), set(1, 1)),
        ];
        let distinct: std::collections::HashSet<_> = sums.iter().collect();
        assert_eq!(distinct.len(), sums.len());
        assert_eq!(sums[0].len(), 64);
    }

    #[test]
    fn sets_that_do_not_belong_together_are_refused() {
        let set = |side: usize, classes| {
            let shape = ImageShape {
                channels: 1,
                height: side,
                width: side,
            };
            ImageSet::new(shape, classes, vec![0; shape.len()], vec![0]).unwrap()
        };
        let names = |n: usize| vec![String::new(); n];
        assert!(Dataset::new("d", set(1, 2), set(1, 2), names(2)).is_ok());
        assert!(Dataset::new("d", set(1, 2), set(2, 2), names(2)).is_err());
        assert!(Dataset::new("d", set(1, 2), set(1, 3), names(2)).is_err());
        assert!(Dataset::new("d", set(1, 2), set(1, 2), names(3)).is_err());
    }
}
