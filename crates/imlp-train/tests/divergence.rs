//! Networks that leave the finite numbers: what is flagged, what is restored,
//! and that no number of theirs is reported.

mod common;

use common::{CNN, alpha, bits, dense_equivalents, prior, setup, trial};
use imlp_train::{Measurement, PriorTraining, Trial, TrialStatus};

const EPOCHS: u32 = 3;

/// A twin that diverges in its first epoch beside a prior that does not.
fn wild_twin(extra: &str) -> String {
    format!(
        "{CNN}train.epochs = {EPOCHS}\ntrain.learning_rate = 1e30\nprior.learning_rate = 0.02\n{extra}\n"
    )
}

fn wild_prior(extra: &str) -> String {
    format!(
        "{CNN}train.epochs = {EPOCHS}\ntrain.learning_rate = 0.02\nprior.learning_rate = 1e30\n{extra}\n"
    )
}

#[track_caller]
fn assert_has_no_result(trial: &Trial) {
    assert_eq!(trial.record.before, Measurement::default());
    assert_eq!(trial.record.after, Measurement::default());
}

#[test]
fn a_pull_does_not_hide_a_diverged_twin() {
    for state in ["keep", "scale", "reset"] {
        let setup = setup(&wild_twin(&format!(
            "interpolation.optimizer_state = \"{state}\""
        )));
        let prior = prior(&setup, 2);
        assert_eq!(prior.record.diverged_epoch, None);
        for value in [0.0, 0.5, 0.999] {
            let trial = trial(&setup, value, 2, Some(&prior));
            assert_eq!(
                trial.record.status,
                TrialStatus::Diverged { epoch: 1 },
                "{value}"
            );
            assert_has_no_result(&trial);
            assert_eq!(trial.record.epochs, 1);
            assert_eq!(trial.record.restored_epochs, 0);
            let last = trial.record.points.last().unwrap();
            assert_eq!((last.epoch, last.train_loss), (1, None));
            assert_eq!((last.before, last.after), Default::default());
        }
    }
}

#[test]
fn an_assignment_restores_a_diverged_twin() {
    for state in ["keep", "scale", "reset"] {
        for optimizer in ["sgd", "adamw"] {
            let setup = setup(&wild_twin(&format!(
                "interpolation.optimizer_state = \"{state}\"\ntrain.optimizer = \"{optimizer}\""
            )));
            let prior = prior(&setup, 2);
            assert_eq!(prior.record.diverged_epoch, None);
            let trial = trial(&setup, 1.0, 2, Some(&prior));
            let record = &trial.record;
            assert_eq!(record.status, TrialStatus::Done, "{state}");
            assert_eq!(record.restored_epochs, EPOCHS, "{state}");
            assert_eq!(record.epochs, EPOCHS);
            assert_eq!(record.before, Measurement::default());
            let (after, of_prior) = (record.after.test.unwrap(), prior.record.test.unwrap());
            assert_eq!(after.accuracy, of_prior.accuracy);
            let dense = dense_equivalents(setup.prior(), prior.snapshots.last().unwrap());
            assert_eq!(bits(&trial.parameters), bits(&dense));
            for point in &record.points {
                assert_eq!(point.before, Measurement::default());
                assert!(point.after.validation.is_some());
                assert_eq!(point.train_loss, None);
            }
        }
    }
}

#[test]
fn an_assignment_of_some_parameters_restores_nothing() {
    for extra in [
        "interpolation.biases = false",
        "interpolation.allocation = \"first\"",
    ] {
        let setup = setup(&wild_twin(extra));
        let prior = prior(&setup, 2);
        let trial = trial(&setup, 1.0, 2, Some(&prior));
        assert_eq!(
            trial.record.status,
            TrialStatus::Diverged { epoch: 1 },
            "{extra}"
        );
        assert_has_no_result(&trial);
    }
}

#[test]
fn the_epoch_of_the_divergence_is_recorded() {
    let quiet = "interpolation.schedule = \"release\"\ninterpolation.release_epochs = 2";
    let setup = setup(&wild_twin(quiet));
    let prior = prior(&setup, 2);
    let trial = trial(&setup, 1.0, 2, Some(&prior));
    assert_eq!(trial.record.status, TrialStatus::Diverged { epoch: 3 });
    assert_eq!(trial.record.restored_epochs, 2);
    assert_has_no_result(&trial);
}

#[test]
fn a_diverged_prior_pulls_nothing() {
    for training in ["co-trained", "frozen"] {
        let setup = setup(&wild_prior(&format!("prior.training = \"{training}\"")));
        let prior = prior(&setup, 2);
        assert_eq!(prior.record.diverged_epoch, Some(1), "{training}");
        assert_eq!((prior.record.test, prior.record.validation), (None, None));
        for snapshot in &prior.snapshots {
            assert!(
                snapshot.iter().flatten().all(|v| v.is_finite()),
                "{training}"
            );
        }
        for value in [0.3, 1.0] {
            let trial = trial(&setup, value, 2, Some(&prior));
            let status = TrialStatus::PriorDiverged { epoch: 1 };
            assert_eq!(trial.record.status, status, "{training} {value}");
            assert_has_no_result(&trial);
        }
        let plain = trial(&setup, 0.0, 2, Some(&prior));
        assert_eq!(plain.record.status, TrialStatus::Done);
        assert!(plain.record.after.test.is_some());
    }
}

/// The one good epoch must not be taken for a frozen prior.
#[test]
fn a_prior_that_diverges_in_its_second_epoch_ends_the_trial_there() {
    let setup = setup(&format!("{CNN}train.epochs = {EPOCHS}\n"));
    assert_eq!(setup.config().prior.training, PriorTraining::CoTrained);
    let whole = prior(&setup, 2);
    let mut cut = whole.clone();
    cut.snapshots.truncate(1);
    cut.record.diverged_epoch = Some(2);
    let ended = trial(&setup, 0.5, 2, Some(&cut));
    assert_eq!(ended.record.status, TrialStatus::PriorDiverged { epoch: 2 });
    assert_has_no_result(&ended);
    let first = |trial: &Trial| trial.record.points[0].clone();
    assert_eq!(first(&ended), first(&trial(&setup, 0.5, 2, Some(&whole))));
    assert_eq!(ended.record.alpha, alpha(0.5));
}
