//! The same seed gives the same bits, whatever else runs; another seed does
//! not; trials of one seed differ only by α.

mod common;

use common::{CNN, MIXER, bits, fashion, prior, setup, setup_on, timeless, trial};

const EPOCHS: &str = "train.epochs = 2\n";

#[test]
fn the_same_seed_gives_the_same_bits() {
    for recipe in [CNN, MIXER] {
        let recipe = format!("{recipe}{EPOCHS}data.augmentation = \"crop-flip\"\n");
        let run = |seed| {
            let setup = setup(&recipe);
            let prior = prior(&setup, seed);
            let trial = trial(&setup, 0.4, seed, Some(&prior));
            let snapshots: Vec<_> = prior.snapshots.iter().map(bits).collect();
            (snapshots, bits(&trial.parameters), timeless(&trial.record))
        };
        let (first, again, other) = (run(11), run(11), run(12));
        assert_eq!(first, again);
        assert_ne!(first.0, other.0);
        assert_ne!(first.1, other.1);
    }
}

/// Sweeps run many trials at a time, each on one thread.
#[test]
fn other_trials_change_no_bit() {
    let setup = setup_on(
        fashion(192, 50),
        "train.epochs = 2\ntrain.batch_size = 96\nprior.channels = [4, 8]\n",
    );
    let run = |seed| {
        let prior = prior(&setup, seed);
        let trial = trial(&setup, 0.4, seed, Some(&prior));
        (bits(&trial.parameters), timeless(&trial.record))
    };
    let alone = run(13);
    let (beside, other) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| run(13));
        let other = scope.spawn(|| run(14));
        (beside.join().unwrap(), other.join().unwrap())
    });
    assert!(alone == beside, "beside another trial");
    assert!(alone.0 != other.0, "another seed");
}

/// Common random numbers: until the first interpolation, α plays no part.
#[test]
fn every_alpha_starts_from_the_same_twin_and_the_same_images() {
    for extra in ["", "interpolation.every = 4\n"] {
        let setup = setup(&format!("{CNN}{EPOCHS}{extra}"));
        let prior = prior(&setup, 15);
        let first = |value| trial(&setup, value, 15, Some(&prior)).record.points[0].clone();
        let plain = first(0.0);
        assert!(plain.before.train.is_some() && plain.before.validation.is_some());
        for value in [0.3, 1.0] {
            let interpolated = first(value);
            assert_eq!(interpolated.before, plain.before);
            assert_eq!(interpolated.train_loss, plain.train_loss);
            assert_ne!(interpolated.after, plain.after);
        }
        let other = trial(&setup, 0.0, 16, None).record.points[0].clone();
        assert_ne!(other.before, plain.before);
    }
}

/// The prior's stream does not depend on what is done with it.
#[test]
fn the_prior_s_trajectory_depends_on_its_own_keys_alone() {
    let last = |extra: &str| {
        let setup = setup(&format!("{CNN}{EPOCHS}{extra}"));
        bits(prior(&setup, 17).snapshots.last().unwrap())
    };
    let reference = last("");
    for extra in [
        "interpolation.alpha = 0.5",
        "interpolation.allocation = \"first\"",
        "interpolation.every = 4",
        "interpolation.every = 5\ninterpolation.schedule = \"cosine\"",
        "interpolation.timing = \"test-time\"",
        "prior.training = \"frozen\"",
        "evaluation.train_images = 0",
    ] {
        // Every 5 steps of 12 ends at step 10; every 4 and epochs end at 12.
        let ends_early = extra.contains("= 5\n");
        assert_eq!(last(extra) == reference, !ends_early, "{extra}");
    }
    assert_ne!(last("prior.learning_rate = 0.011"), reference);
}
