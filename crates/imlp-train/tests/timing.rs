//! When the twin is interpolated, and what is measured then.

mod common;

use common::{CNN, dense_equivalents, prior, setup, timeless, trial};
use imlp_train::{Measurement, Point};

/// 81 training images in batches of 16: 6 steps, the last of one image.
const STEPS: usize = 6;
const LAST_BATCH: f64 = 1.0;

fn where_points_fall(points: &[Point]) -> Vec<(u32, usize, bool)> {
    let at = |p: &Point| (p.epoch, p.step, !p.alphas.is_empty());
    points.iter().map(at).collect()
}

#[test]
fn steps_between_interpolations_are_counted_over_the_run() {
    let setup = setup(&format!("{CNN}train.epochs = 3\ninterpolation.every = 4\n"));
    let prior = prior(&setup, 1);
    let record = trial(&setup, 0.3, 1, Some(&prior)).record;
    // Steps 4, 8, 12, 16 of 18.
    let expected = [
        (1, 4, true),
        (1, 6, false),
        (2, 2, true),
        (2, 6, true),
        (3, 4, true),
        (3, 6, false),
    ];
    assert_eq!(where_points_fall(&record.points), expected);
    assert_eq!(prior.snapshots.len(), 4);
    assert_eq!(setup.snapshots(), 4);
    for point in &record.points {
        assert_eq!(
            point.alphas.len(),
            if point.alphas.is_empty() { 0 } else { 3 }
        );
        assert!(point.alphas.iter().all(|a| *a == 0.3));
        assert_eq!(point.before == point.after, point.alphas.is_empty());
        assert!(point.before.validation.is_some());
    }
    assert_eq!(setup.twin_steps(), 18);
}

#[test]
fn the_number_of_snapshots_is_that_of_the_interpolations() {
    for (every, epochs, expected) in [
        ("\"epoch\"", 3, 3),
        ("1", 2, 12),
        ("6", 2, 2),
        ("7", 2, 1),
        ("5", 2, 2),
    ] {
        let setup = setup(&format!(
            "{CNN}train.epochs = {epochs}\ninterpolation.every = {every}\n"
        ));
        let prior = prior(&setup, 1);
        assert_eq!(setup.snapshots(), expected, "{every}");
        assert_eq!(prior.snapshots.len(), expected, "{every}");
        let record = trial(&setup, 0.3, 1, Some(&prior)).record;
        let interpolated = record.points.iter().filter(|p| !p.alphas.is_empty());
        assert_eq!(interpolated.count(), expected, "{every}");
        let share = 1.0 - 0.7f64.powi(expected as i32);
        assert!((record.effective_prior_share - share).abs() < 1e-12);
        assert_eq!(record.epochs, epochs);
        let last = record.points.last().unwrap();
        assert_eq!((last.epoch, last.step), (epochs, STEPS));
    }
}

#[test]
fn measuring_less_changes_nothing_else() {
    let recipe = format!("{CNN}train.epochs = 3\ninterpolation.every = 4\n");
    let often = setup(&recipe);
    let seldom = setup(&format!("{recipe}evaluation.within_epoch = false\n"));
    let prior = prior(&often, 1);
    for value in [0.0, 0.3] {
        let dense = trial(&often, value, 1, Some(&prior));
        let sparse = trial(&seldom, value, 1, Some(&prior));
        assert_eq!(dense.parameters, sparse.parameters);
        let (dense, sparse) = (timeless(&dense.record), timeless(&sparse.record));
        let expected = [(1, 6, false), (2, 6, true), (3, 6, false)];
        assert_eq!(where_points_fall(&sparse.points), expected);
        let ends = dense.points.iter().filter(|p| p.step == STEPS);
        for (end, point) in ends.zip(&sparse.points) {
            assert_eq!((end.before, end.after), (point.before, point.after));
        }
        assert_eq!(dense.layer_prior_shares, sparse.layer_prior_shares);
        assert_eq!((dense.before, dense.after), (sparse.before, sparse.after));
    }
}

/// The training loss of a point is the mean over the images since the point
/// before, also where points in between are left out.
#[test]
fn the_training_loss_covers_every_image_since_the_last_point() {
    let recipe = format!("{CNN}train.epochs = 2\n");
    let by = |extra: &str| {
        let setup = setup(&format!("{recipe}{extra}"));
        let record = trial(&setup, 0.0, 1, None).record;
        let losses = record.points.iter().map(|p| p.train_loss.unwrap());
        losses.collect::<Vec<f64>>()
    };
    let epochs = by("");
    let steps = by("interpolation.every = 1\n");
    let seldom = by("interpolation.every = 4\nevaluation.within_epoch = false\n");
    for epoch in 0..2 {
        let batches = &steps[epoch * STEPS..(epoch + 1) * STEPS];
        let full: f64 = batches[..STEPS - 1].iter().map(|loss| 16.0 * loss).sum();
        let mean = (full + LAST_BATCH * batches[STEPS - 1]) / 81.0;
        assert!((epochs[epoch] - mean).abs() < 1e-9, "{epochs:?}");
        assert!((seldom[epoch] - mean).abs() < 1e-9, "{seldom:?} {mean}");
    }
}

#[test]
fn at_test_time_both_train_apart_and_meet_once() {
    let recipe = format!("{CNN}train.epochs = 3\n");
    let during = setup(&recipe);
    let after = setup(&format!("{recipe}interpolation.timing = \"test-time\"\n"));
    let prior_during = prior(&during, 1);
    let prior_after = prior(&after, 1);
    assert_eq!(after.snapshots(), 1);
    assert_eq!(prior_after.snapshots, prior_during.snapshots[2..]);

    let plain = trial(&during, 0.0, 1, None);
    let a = 0.3f32;
    let interpolated = trial(&after, 0.3, 1, Some(&prior_after));
    let expected = [(1, 6, false), (2, 6, false), (3, 6, true)];
    assert_eq!(where_points_fall(&interpolated.record.points), expected);
    for (point, of_plain) in interpolated.record.points.iter().zip(&plain.record.points) {
        assert_eq!(point.before, of_plain.after);
        assert_eq!(point.train_loss, of_plain.train_loss);
    }
    assert_eq!(interpolated.record.before, plain.record.after);
    assert_ne!(interpolated.record.after, plain.record.after);
    assert!((interpolated.record.effective_prior_share - 0.3).abs() < 1e-12);

    let target = dense_equivalents(after.prior(), &prior_after.snapshots[0]);
    let pairs = plain
        .parameters
        .iter()
        .flatten()
        .zip(target.iter().flatten());
    for (got, (w, p)) in interpolated.parameters.iter().flatten().zip(pairs) {
        let want = (1.0 - a) * w + a * p;
        let tolerance = 4.0 * f32::EPSILON * (w.abs() + p.abs());
        assert!((got - want).abs() <= tolerance, "{got} {want}");
    }
}

#[test]
fn the_test_set_is_read_at_the_end_alone() {
    for extra in [
        "",
        "interpolation.every = 4\n",
        "interpolation.timing = \"test-time\"\n",
    ] {
        let recipe = format!("{CNN}train.epochs = 3\n{extra}");
        let setup_end = setup(&recipe);
        let prior = prior(&setup_end, 1);
        let record = trial(&setup_end, 0.3, 1, Some(&prior)).record;
        let (last, others) = record.points.split_last().unwrap();
        for point in others {
            assert_eq!(
                (point.before.test, point.after.test),
                (None, None),
                "{extra}"
            );
            assert!(point.before.validation.is_some() && point.before.train.is_some());
        }
        assert!(last.before.test.is_some() && last.after.test.is_some());
        assert_eq!((record.before, record.after), (last.before, last.after));
        assert!(prior.record.test.is_some());

        let always = setup(&format!("{recipe}evaluation.test = \"always\"\n"));
        let watched = trial(&always, 0.3, 1, Some(&prior)).record;
        assert_eq!(watched.points.len(), record.points.len());
        for point in &watched.points {
            assert!(point.before.test.is_some() && point.after.test.is_some());
        }
        assert_eq!(watched.after, record.after);
    }
}

#[test]
fn an_empty_subset_has_no_measurement() {
    let setup = setup(&format!(
        "{CNN}train.epochs = 2\ndata.validation_fraction = 0.0\nevaluation.train_images = 0\n"
    ));
    assert_eq!(setup.data().train_len(), 90);
    let prior = prior(&setup, 1);
    assert_eq!(prior.record.validation, None);
    let record = trial(&setup, 0.3, 1, Some(&prior)).record;
    assert_eq!(record.points[0].before, Measurement::default());
    for moment in [record.before, record.after] {
        assert_eq!((moment.train, moment.validation), (None, None));
        assert!(moment.test.is_some());
    }
}
