//! Taking validation images out of a training set.

use crate::error::DataError;
use crate::random::{Purpose, Stream};

/// A training set divided in two; both lists are sorted and together hold every image once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<u32>,
    /// Images to choose settings on.
    pub validation: Vec<u32>,
}

/// Chooses the same fraction of every class for validation, at random.
///
/// Of a class with n images, `round(validation_fraction · n)` go to validation, but at least one
/// stays for training. The choice depends on the labels, the fraction and the seed alone. With the
/// same seed, a larger fraction takes the images of a smaller one and more.
///
/// # Errors
/// [`DataError::Argument`] when the fraction is not in `0 ≤ f < 1`, a label is not below `classes`,
/// or there are more than 2³² images.
///
/// ```
/// let labels = [0, 1, 0, 1, 0, 1, 0, 1];
/// let split = imlp_data::stratified_split(&labels, 2, 0.25, 1)?;
/// assert_eq!((split.train.len(), split.validation.len()), (6, 2));
/// # Ok::<(), imlp_data::DataError>(())
/// ```
pub fn stratified_split(
    labels: &[u8],
    classes: usize,
    validation_fraction: f64,
    seed: u64,
) -> Result<Split, DataError> {
    if !(0.0..1.0).contains(&validation_fraction) {
        return Err(DataError::argument(
            "the validation fraction",
            "at least 0 and below 1",
            validation_fraction,
        ));
    }
    let images = u32::try_from(labels.len())
        .map_err(|_| DataError::argument("the number of images", "below 2^32", labels.len()))?;
    let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (i, &label) in (0..images).zip(labels) {
        match by_class.get_mut(usize::from(label)) {
            Some(class) => class.push(i),
            None => {
                let what = format!("the label of image {i}");
                return Err(DataError::argument(what, format!("below {classes}"), label));
            }
        }
    }
    let mut split = Split {
        train: Vec::new(),
        validation: Vec::new(),
    };
    for (class, mut images) in by_class.into_iter().enumerate() {
        let wanted = (validation_fraction * images.len() as f64).round() as usize;
        let taken = wanted.min(images.len().saturating_sub(1));
        Stream::new(Purpose::Split, seed, [class as u64, 0]).shuffle(&mut images);
        split.validation.extend(&images[..taken]);
        split.train.extend(&images[taken..]);
    }
    split.train.sort_unstable();
    split.validation.sort_unstable();
    Ok(split)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_class_gives_its_fraction_and_every_image_is_in_one_part(
            labels in prop::collection::vec(0u8..5, 0..300), fraction in 0.0..0.999, seed: u64,
        ) {
            let split = stratified_split(&labels, 5, fraction, seed).unwrap();
            prop_assert!(split.train.is_sorted() && split.validation.is_sorted());
            let mut all = [split.train.clone(), split.validation.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());
            for class in 0..5 {
                let count = |part: &[u32]| {
                    part.iter().filter(|&&i| labels[i as usize] == class).count()
                };
                let (train, validation) = (count(&split.train), count(&split.validation));
                let n = train + validation;
                prop_assert!(n == 0 || train >= 1);
                if n > 1 && train > 1 {
                    prop_assert!((validation as f64 - fraction * n as f64).abs() <= 0.5 + 1e-9);
                }
            }
            prop_assert_eq!(&split, &stratified_split(&labels, 5, fraction, seed).unwrap());
        }

        #[test]
        fn a_larger_fraction_takes_more_of_the_same_images(
            labels in prop::collection::vec(0u8..3, 1..200),
            a in 0.0..0.999, b in 0.0..0.999, seed: u64,
        ) {
            let split = |fraction| stratified_split(&labels, 3, fraction, seed).unwrap();
            let (small, large) = (split(f64::min(a, b)), split(f64::max(a, b)));
            for image in small.validation {
                prop_assert!(large.validation.binary_search(&image).is_ok());
            }
        }
    }

    #[test]
    fn zero_takes_nothing() {
        let split = stratified_split(&[0, 1, 1], 2, 0.0, 3).unwrap();
        assert_eq!(
            split,
            Split {
                train: vec![0, 1, 2],
                validation: vec![]
            }
        );
        assert!(stratified_split(&[], 0, 0.5, 3).unwrap().train.is_empty());
    }

    #[test]
    fn bad_fractions_and_labels_are_refused_with_their_values() {
        let error = |fraction, classes| {
            stratified_split(&[0, 1], classes, fraction, 0)
                .unwrap_err()
                .to_string()
        };
        assert!(error(1.0, 2).contains("fraction is 1, but must be at least 0 and below 1"));
        assert!(error(-0.1, 2).contains("is -0.1"));
        assert!(error(f64::NAN, 2).contains("is NaN"));
        assert!(error(0.5, 1).contains("the label of image 1 is 1, but must be below 1"));
    }

    #[test]
    fn seeds_differ() {
        let labels = vec![0; 100];
        let split = |seed| stratified_split(&labels, 1, 0.5, seed).unwrap();
        assert_ne!(split(0), split(1));
    }
}
