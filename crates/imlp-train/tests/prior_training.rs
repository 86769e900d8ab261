//! Co-trained, frozen and untrained priors.

mod common;

use common::{CNN, MIXER, bits, prior, setup};
use imlp_train::{Role, Subset};

#[test]
fn a_frozen_prior_is_a_co_trained_one_after_its_own_epochs() {
    for recipe in [CNN, MIXER] {
        let co_trained = prior(&setup(&format!("{recipe}train.epochs = 5\n")), 2);
        for epochs in [1, 3, 5] {
            let frozen = setup(&format!(
                "{recipe}train.epochs = 2\nprior.training = \"frozen\"\nprior.epochs = {epochs}\n"
            ));
            let trajectory = prior(&frozen, 2);
            assert_eq!(frozen.prior_epochs() as usize, epochs);
            assert_eq!(frozen.prior_steps() as usize, 6 * epochs);
            assert_eq!((frozen.snapshots(), trajectory.snapshots.len()), (1, 1));
            assert_eq!(
                bits(&trajectory.snapshots[0]),
                bits(&co_trained.snapshots[epochs - 1])
            );
            assert_eq!(trajectory.record.epochs, co_trained.record.epochs[..epochs]);
        }
    }
}

#[test]
fn a_frozen_prior_trains_for_the_twin_s_epochs_by_default() {
    let setup = setup(&format!(
        "{CNN}train.epochs = 4\nprior.training = \"frozen\"\n"
    ));
    assert_eq!(setup.prior_epochs(), 4);
    assert_eq!(prior(&setup, 2).record.epochs.len(), 4);
}

#[test]
fn the_frozen_prior_s_learning_rate_ends_with_its_own_epochs() {
    let recipe = format!("{CNN}train.learning_rate_schedule = \"cosine\"\n");
    let co_trained = prior(&setup(&format!("{recipe}train.epochs = 3\n")), 2);
    let frozen = setup(&format!(
        "{recipe}train.epochs = 7\nprior.training = \"frozen\"\nprior.epochs = 3\n"
    ));
    let frozen = prior(&frozen, 2);
    assert_eq!(bits(&frozen.snapshots[0]), bits(&co_trained.snapshots[2]));
}

#[test]
fn an_untrained_prior_is_its_initial_weights() {
    for recipe in [CNN, MIXER] {
        let untrained = setup(&format!(
            "{recipe}train.epochs = 2\nprior.training = \"untrained\"\n"
        ));
        let trajectory = prior(&untrained, 2);
        let record = &trajectory.record;
        assert!(record.epochs.is_empty());
        assert_eq!(record.diverged_epoch, None);
        assert_eq!((untrained.prior_epochs(), untrained.prior_steps()), (0, 0));
        assert_eq!((untrained.snapshots(), trajectory.snapshots.len()), (1, 1));

        // What training starts from: no weight moves at this rate.
        let still = prior(
            &setup(&format!(
                "{recipe}train.epochs = 1\ntrain.learning_rate = 1e-30\n"
            )),
            2,
        );
        let specs = untrained.prior().parameter_specs();
        for (i, spec) in specs.iter().enumerate() {
            let start = match spec.role {
                Role::Weight => still.snapshots[0][i].clone(),
                Role::Scale => vec![1.0; spec.len()],
                Role::Bias | Role::Shift => vec![0.0; spec.len()],
            };
            assert_eq!(trajectory.snapshots[0][i], start, "{}", spec.name);
        }
        let by_hand = untrained.evaluate(untrained.prior(), &trajectory.snapshots[0], Subset::Test);
        assert_eq!(record.test, by_hand);
        assert!(record.test.is_some() && record.validation.is_some());
    }
}

#[test]
fn the_prior_has_its_own_learning_rate() {
    let last = |extra: &str| {
        let setup = setup(&format!("{CNN}train.epochs = 2\n{extra}"));
        bits(prior(&setup, 2).snapshots.last().unwrap())
    };
    assert_eq!(
        last("train.learning_rate = 0.07\nprior.learning_rate = 0.02\n"),
        last("train.learning_rate = 0.02\n")
    );
}
