//! α = 0 is the plain dense network, α = 1 is the prior.

mod common;

use common::{CNN, MIXER, bits, dense_equivalents, prior, setup, timeless, trial};
use imlp_linear::Alpha;
use imlp_train::TrialRecord;

const EPOCHS: &str = "train.epochs = 3\n";

/// The record without what the recipe alone decides.
fn course(record: &TrialRecord) -> TrialRecord {
    TrialRecord {
        alpha: Alpha::ZERO,
        budget: 0.0,
        interpolated_weights: 0,
        ..timeless(record)
    }
}

#[test]
fn alpha_zero_does_not_see_the_prior() {
    for recipe in [CNN, MIXER] {
        for extra in [
            "",
            "interpolation.every = 4\ntrain.optimizer = \"adamw\"",
            "interpolation.timing = \"test-time\"",
            "interpolation.schedule = \"linear\"\ninterpolation.to = 0.4",
            "interpolation.schedule = \"cosine\"\ninterpolation.to = 0.4",
        ] {
            let setup = setup(&format!("{recipe}{EPOCHS}{extra}"));
            let prior = prior(&setup, 3);
            let with = trial(&setup, 0.0, 3, Some(&prior));
            let without = trial(&setup, 0.0, 3, None);
            assert_eq!(bits(&with.parameters), bits(&without.parameters), "{extra}");
            assert_eq!(timeless(&with.record), timeless(&without.record));
            assert_eq!(with.record.effective_prior_share, 0.0);
            assert_eq!(with.record.budget, 0.0);
            assert_eq!(with.record.interpolated_weights, 0);
            assert_eq!(with.record.before, with.record.after);
        }
    }
}

#[test]
fn a_twin_released_before_the_first_epoch_is_a_plain_one() {
    let setup_plain = setup(&format!("{CNN}{EPOCHS}"));
    let plain = trial(&setup_plain, 0.0, 3, None);
    let released = setup(&format!(
        "{CNN}{EPOCHS}interpolation.schedule = \"release\"\ninterpolation.release_epochs = 0\n"
    ));
    let prior = prior(&released, 3);
    for prior in [None, Some(&prior)] {
        let trial = trial(&released, 0.7, 3, prior);
        assert_eq!(bits(&trial.parameters), bits(&plain.parameters));
        assert_eq!(trial.record.alpha.get(), 0.7);
        assert_eq!(course(&trial.record), course(&plain.record));
        // The budget is that of the allocation, at all of α.
        assert!((trial.record.budget - 3.0 * 0.7).abs() < 1e-12);
        assert_eq!(trial.record.effective_prior_share, 0.0);
    }
}

/// The same loop must not be insensitive to α.
#[test]
fn a_small_alpha_changes_the_twin() {
    let setup = setup(&format!("{CNN}{EPOCHS}"));
    let prior = prior(&setup, 3);
    let plain = trial(&setup, 0.0, 3, None);
    let interpolated = trial(&setup, 0.001, 3, Some(&prior));
    assert_ne!(bits(&interpolated.parameters), bits(&plain.parameters));
}

#[test]
fn alpha_one_ends_as_the_prior() {
    for recipe in [CNN, MIXER] {
        for extra in [
            "",
            "interpolation.timing = \"test-time\"",
            "prior.training = \"frozen\"\nprior.epochs = 2",
            "prior.training = \"untrained\"",
        ] {
            let setup = setup(&format!("{recipe}{EPOCHS}{extra}"));
            let prior = prior(&setup, 4);
            let trial = trial(&setup, 1.0, 4, Some(&prior));
            let last = prior.snapshots.last().unwrap();
            let dense = dense_equivalents(setup.prior(), last);
            assert_eq!(bits(&trial.parameters), bits(&dense), "{extra}");
            assert_eq!(trial.record.effective_prior_share, 1.0);
            for (after, of_prior) in [
                (trial.record.after.test, prior.record.test),
                (trial.record.after.validation, prior.record.validation),
            ] {
                let (after, of_prior) = (after.unwrap(), of_prior.unwrap());
                assert_eq!(after.accuracy, of_prior.accuracy, "{extra}");
                let error = (after.loss - of_prior.loss).abs();
                assert!(error < 1e-5 * of_prior.loss.max(1.0), "{extra}: {error}");
            }
        }
    }
}

/// A prior that learned must show through where its twin did not.
#[test]
fn alpha_one_brings_the_prior_s_accuracy_not_the_twin_s() {
    let setup = setup(&format!(
        "{CNN}train.epochs = 12\ntrain.learning_rate = 1e-30\nprior.learning_rate = 0.05\n"
    ));
    let prior = prior(&setup, 5);
    let learned = prior.record.test.unwrap().accuracy;
    assert!(learned > 0.8, "{learned}");
    let record = trial(&setup, 1.0, 5, Some(&prior)).record;
    let first = record.points[0].before.validation.unwrap().accuracy;
    assert!(first < 0.7, "{first}");
    assert_eq!(record.after.test.unwrap().accuracy, learned);
}
