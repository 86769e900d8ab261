//! A run that was interrupted and goes on has the bits of one that was not.

mod common;

use std::sync::atomic::Ordering;

use common::interruption::{Kept, StopAfter};
use common::{CNN, MIXER, alpha, bits, setup_by, timeless};
use imlp_train::{
    Backend, Checkpoints, Device, NoCheckpoints, Observer, PriorTrajectory, Setup, TrainError,
    Trial, Unobserved, continue_prior, continue_trial, run_trial, train_prior,
};

fn backends() -> [Backend; 2] {
    [Backend::Cpu, Backend::Burn(Device::flex())]
}

/// Epochs of six steps; interpolations inside an epoch too.
const RECIPES: [(&str, &str); 5] = [
    (CNN, "train.epochs = 3\n"),
    (
        CNN,
        "train.epochs = 2\ninterpolation.every = 4\ntrain.optimizer = \"adamw\"\n",
    ),
    (
        MIXER,
        "train.epochs = 2\ndata.augmentation = \"crop-flip\"\n",
    ),
    (
        CNN,
        "train.epochs = 2\ntrain.momentum = 0.0\nprior.training = \"frozen\"\n",
    ),
    (
        CNN,
        "train.epochs = 3\nevaluation.every = 2\nevaluation.validation_images = 9\n\
         data.validation_fraction = 0.2\n",
    ),
];

fn same_trial(a: &Trial, b: &Trial) {
    assert_eq!(bits(&a.parameters), bits(&b.parameters));
    assert_eq!(timeless(&a.record), timeless(&b.record));
}

fn same_prior(a: &PriorTrajectory, b: &PriorTrajectory) {
    let of = |prior: &PriorTrajectory| prior.snapshots.iter().map(bits).collect::<Vec<_>>();
    assert_eq!(of(a), of(b));
    assert_eq!(a.record.epochs, b.record.epochs);
    assert_eq!(a.record.test, b.record.test);
}

fn interrupted<T>(outcome: Result<T, TrainError>) {
    match outcome {
        Err(TrainError::Interrupted) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not interrupted"),
    }
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    for backend in backends() {
        for (network, rest) in RECIPES {
            let setup = setup_by(backend.clone(), &format!("{network}{rest}"));
            let prior = train_prior(&setup, 3, &Unobserved).unwrap();
            let trial = run_trial(&setup, alpha(0.3), 3, Some(&prior), &Unobserved).unwrap();
            let total = setup.twin_steps();
            for stop in [0, 1, 5, 6, 7, total - 1] {
                let kept = Kept::default();
                interrupted(continue_prior(&setup, 3, &StopAfter::new(stop), &kept));
                let watch = StopAfter::new(u64::MAX);
                same_prior(&continue_prior(&setup, 3, &watch, &kept).unwrap(), &prior);
                // What was done before counts as done.
                assert_eq!(watch.done.into_inner(), setup.prior_steps());

                let kept = Kept::default();
                let go = |observer: &dyn Observer| {
                    continue_trial(&setup, alpha(0.3), 3, Some(&prior), observer, &kept)
                };
                interrupted(go(&StopAfter::new(stop)));
                let watch = StopAfter::new(u64::MAX);
                same_trial(&go(&watch).unwrap(), &trial);
                assert_eq!(watch.done.into_inner(), total);
            }
        }
    }
}

/// As after kill −9: nobody said goodbye, and the last checkpoint is some steps
/// old.
#[test]
fn a_lost_run_goes_on_from_its_last_checkpoint() {
    for backend in backends() {
        for (network, rest) in RECIPES {
            let setup = setup_by(backend.clone(), &format!("{network}{rest}"));
            let prior = train_prior(&setup, 4, &Unobserved).unwrap();
            let go = |setup: &Setup, checkpoints: &dyn Checkpoints| {
                continue_trial(setup, alpha(0.3), 4, Some(&prior), &Unobserved, checkpoints)
            };
            let trial = go(&setup, &NoCheckpoints).unwrap();
            for every in 1..=7 {
                let kept = Kept {
                    every,
                    ..Kept::default()
                };
                same_trial(&go(&setup, &kept).unwrap(), &trial);
                assert!(kept.saved.load(Ordering::Relaxed) > 0);
                same_trial(&go(&setup, &kept).unwrap(), &trial);

                let kept = Kept {
                    every,
                    ..Kept::default()
                };
                let whole = |kept: &Kept| continue_prior(&setup, 4, &Unobserved, kept).unwrap();
                same_prior(&whole(&kept), &prior);
                same_prior(&whole(&kept), &prior);
            }
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let setup = setup_by(Backend::Cpu, CNN);
    let prior = train_prior(&setup, 3, &Unobserved).unwrap();
    let kept = Kept::default();
    let go = |value, seed, observer: &dyn Observer| {
        continue_trial(&setup, alpha(value), seed, Some(&prior), observer, &kept)
    };
    interrupted(go(0.3, 3, &StopAfter::new(2)));
    for (value, seed) in [(0.4, 3), (0.3, 4)] {
        let message = go(value, seed, &Unobserved).unwrap_err().to_string();
        assert!(
            message.contains("belongs to the trial α = 0.3, seed 3"),
            "{message}"
        );
    }
    let message = continue_prior(&setup, 3, &Unobserved, &kept)
        .unwrap_err()
        .to_string();
    assert!(message.contains("the prior of seed 3"), "{message}");
}
