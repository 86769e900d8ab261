//! Splitting a training set into training and validation images.

use crate::error::DataError;
use crate::random::{KeyedRng, Purpose};

/// A partition of a training set; both lists are sorted and together hold every image once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<u32>,
    /// Images to select hyper-parameters on.
    pub validation: Vec<u32>,
}

/// Draws the same fraction of every class for validation, at random.
///
/// Of a class with n images, `round(validation_fraction · n)` go to validation, but at least one
/// stays for training. The choice depends on the labels, the fraction and the seed alone. With the
/// same seed, a larger fraction takes all images that a smaller one takes.
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
    drawn(labels, classes, validation_fraction, seed).map(|drawn| {
        let all = |part: fn(&Drawn) -> &Vec<u32>| sorted(drawn.iter().flat_map(part));
        Split {
            train: all(|class| &class.train),
            validation: all(|class| &class.validation),
        }
    })
}

/// `images` of the training images of [`stratified_split`], and `validation_fraction · images` of
/// its validation images: none is in both.
///
/// Each class has its share, rounded by Sainte-Laguë's method, and at least one training image.
/// With the same fraction and seed, a larger number takes all images that a smaller one takes.
///
/// # Errors
/// As [`stratified_split`]; [`DataError::Argument`] when the training images of the split are fewer
/// than `images`, or the classes with any image more.
///
/// ```
/// let labels: Vec<u8> = (0..100).map(|i| i % 2).collect();
/// let split = imlp_data::stratified_subset(&labels, 2, 0.2, 1, 10)?;
/// assert_eq!((split.train.len(), split.validation.len()), (10, 2));
/// # Ok::<(), imlp_data::DataError>(())
/// ```
pub fn stratified_subset(
    labels: &[u8],
    classes: usize,
    validation_fraction: f64,
    seed: u64,
    images: usize,
) -> Result<Split, DataError> {
    let drawn = drawn(labels, classes, validation_fraction, seed)?;
    let sizes = |part: fn(&Drawn) -> &Vec<u32>| -> Vec<usize> {
        drawn.iter().map(|class| part(class).len()).collect()
    };
    let (train, validation) = (sizes(|c| &c.train), sizes(|c| &c.validation));
    let least = train.iter().filter(|&&n| n > 0).count();
    let most = train.iter().sum();
    if !(least.max(1)..=most).contains(&images) {
        return Err(DataError::argument(
            "data.train_images",
            format!(
                "from {} (one of each class) to {most} (all that validation_fraction = \
                 {validation_fraction} leaves)",
                least.max(1)
            ),
            images,
        ));
    }
    let validating = (validation_fraction * images as f64).round() as usize;
    let train = allotted(&train, images, 1);
    let validation = allotted(&validation, validating.min(validation.iter().sum()), 0);
    let first = |part: fn(&Drawn) -> &Vec<u32>, counts: &[usize]| {
        let classes = drawn.iter().zip(counts);
        sorted(classes.flat_map(|(class, &count)| &part(class)[..count]))
    };
    Ok(Split {
        train: first(|c| &c.train, &train),
        validation: first(|c| &c.validation, &validation),
    })
}

/// `images` of the images with these labels (all of them, if there are fewer), each class in
/// proportion; sorted.
///
/// # Errors
/// [`DataError::Argument`] as [`stratified_split`].
pub fn stratified_sample(
    labels: &[u8],
    classes: usize,
    seed: u64,
    images: usize,
) -> Result<Vec<u32>, DataError> {
    let drawn = drawn(labels, classes, 0.0, seed)?;
    let sizes: Vec<usize> = drawn.iter().map(|class| class.train.len()).collect();
    let counts = allotted(&sizes, images.min(labels.len()), 0);
    let classes = drawn.iter().zip(counts);
    Ok(sorted(
        classes.flat_map(|(class, count)| &class.train[..count]),
    ))
}

/// Divides `seats` among classes in proportion to their sizes, by Sainte-Laguë's method: each goes
/// to the class with the largest size / (2 · seats it has + 1), so that more seats take none
/// away. Every class that has an image first gets `least`. `seats` is at most the sum of the
/// sizes, and then no class gets more than its size.
fn allotted(sizes: &[usize], seats: usize, least: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = sizes.iter().map(|&size| size.min(least)).collect();
    let given: usize = counts.iter().sum();
    for _ in given..seats {
        // a / (2m + 1) > b / (2n + 1), in whole numbers; of equals the first.
        let larger = |&a: &usize, &b: &usize| {
            let left = sizes[a] as u128 * (2 * counts[b] as u128 + 1);
            let right = sizes[b] as u128 * (2 * counts[a] as u128 + 1);
            left.cmp(&right).then(b.cmp(&a))
        };
        let open = (0..sizes.len()).filter(|&class| counts[class] < sizes[class]);
        let Some(class) = open.max_by(larger) else {
            break;
        };
        counts[class] += 1;
    }
    counts
}

/// The images of one class in the order in which they are drawn.
struct Drawn {
    validation: Vec<u32>,
    train: Vec<u32>,
}

fn sorted<'a>(images: impl Iterator<Item = &'a u32>) -> Vec<u32> {
    let mut images: Vec<u32> = images.copied().collect();
    images.sort_unstable();
    images
}

fn drawn(
    labels: &[u8],
    classes: usize,
    validation_fraction: f64,
    seed: u64,
) -> Result<Vec<Drawn>, DataError> {
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
    let draw = |(class, mut images): (usize, Vec<u32>)| {
        let wanted = (validation_fraction * images.len() as f64).round() as usize;
        let taken = wanted.min(images.len().saturating_sub(1));
        KeyedRng::new(Purpose::Split, seed, [class as u64, 0]).shuffle(&mut images);
        let train = images.split_off(taken);
        Drawn {
            validation: images,
            train,
        }
    };
    Ok(by_class.into_iter().enumerate().map(draw).collect())
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

    proptest! {
        #[test]
        fn a_subset_has_the_asked_size_is_nested_and_keeps_shares(
            labels in prop::collection::vec(0u8..4, 1..400), fraction in 0.0..0.6,
            a in 0.0..1.0, b in 0.0..1.0, seed: u64,
        ) {
            let whole = stratified_split(&labels, 4, fraction, seed).unwrap();
            let present = (0..4).filter(|class| labels.contains(class)).count();
            let size = |part: f64| present + (part * (whole.train.len() - present) as f64) as usize;
            let subset = |n| stratified_subset(&labels, 4, fraction, seed, n).unwrap();
            let (small, large) = (size(f64::min(a, b)), size(f64::max(a, b)));
            let (few, many) = (subset(small), subset(large));
            let within = |inner: &[u32], outer: &[u32]| {
                inner.iter().all(|i| outer.binary_search(i).is_ok())
            };
            for (n, split) in [(small, &few), (large, &many)] {
                prop_assert_eq!(split.train.len(), n);
                let wanted = (fraction * n as f64).round() as usize;
                prop_assert_eq!(split.validation.len(), wanted.min(whole.validation.len()));
                prop_assert!(within(&split.train, &whole.train));
                prop_assert!(within(&split.validation, &whole.validation));
            }
            prop_assert!(within(&few.train, &many.train));
            prop_assert!(within(&few.validation, &many.validation));
            prop_assert_eq!(&subset(whole.train.len()).train, &whole.train);
            for class in 0..4 {
                let of = |part: &[u32]| {
                    part.iter().filter(|&&i| labels[i as usize] == class).count()
                };
                prop_assert!(of(&few.train) >= 1 || !labels.contains(&class));
            }
        }
    }

    #[test]
    fn seats_are_divided_by_sainte_lague() {
        // Quotients of 53, 24, 23: 53, 24, 23, 17.7, 10.6, 8, 7.7, 7.6 …
        assert_eq!(allotted(&[53, 24, 23], 6, 0), [3, 2, 1]);
        assert_eq!(allotted(&[53, 24, 23], 7, 0), [3, 2, 2]);
        assert_eq!(allotted(&[53, 24, 23], 8, 0), [4, 2, 2]);
        assert_eq!(allotted(&[5000; 10], 1000, 1), [100; 10]);
        assert_eq!(allotted(&[97, 1, 2], 3, 1), [1, 1, 1]);
        assert_eq!(allotted(&[2, 0, 3], 5, 1), [2, 0, 3]);
        let label = |i: usize| (i % 10) as u8;
        let labels: Vec<u8> = (0..1000).map(label).collect();
        let split = stratified_subset(&labels, 10, 0.1, 7, 100).unwrap();
        for (part, each) in [(split.train, 10), (split.validation, 1)] {
            for class in 0..10 {
                let count = part.iter().filter(|&&i| label(i as usize) == class).count();
                assert_eq!(count, each);
            }
        }
    }

    #[test]
    fn a_subset_that_cannot_be_drawn_is_refused_with_the_limits() {
        let labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
        let error = |n| {
            let subset = stratified_subset(&labels, 3, 0.3, 0, n);
            subset.unwrap_err().to_string()
        };
        let limits = "must be from 3 (one of each class) to 7 (all that validation_fraction = 0.3";
        for n in [0, 2, 8] {
            assert!(error(n).contains(limits), "{}", error(n));
            assert!(error(n).contains(&format!("data.train_images is {n},")));
        }
        assert!(stratified_subset(&labels, 3, 0.3, 0, 7).is_ok());
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
