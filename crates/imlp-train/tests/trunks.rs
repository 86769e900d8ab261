//! Trials that go on from a trunk have the bits of trials from the start.

mod common;

use std::collections::BTreeMap;

use common::interruption::{Kept, StopAfter};
use common::{CNN, MIXER, alpha, bits, prior, setup, setup_by, timeless, trial};
use imlp_train::{
    Backend, Checkpoints, Device, Observer, Parting, Setup, TrainError, Trial, TrialStatus, Trunk,
    TrunkShare, Unobserved, WeightsFile, continue_trial, make_trunk,
};

/// The checkpoints of a trial that shares a trunk.
struct Sharing<'a> {
    trunk: &'a [u8],
    own: Kept,
}

impl Checkpoints for Sharing<'_> {
    fn load(&self) -> Result<Option<WeightsFile>, TrainError> {
        self.own.load()
    }

    fn trunk(&self) -> Result<Option<WeightsFile>, TrainError> {
        Ok(Some(file(self.trunk)))
    }

    fn due(&self, epochs: u32) -> bool {
        self.own.due(epochs)
    }

    fn save(&self, state: &WeightsFile) -> Result<(), TrainError> {
        self.own.save(state)
    }
}

/// A trunk as the bytes of its file.
fn trunk(setup: &Setup, parting: Parting, seed: u64) -> Vec<u8> {
    match make_trunk(setup, parting, seed, &Unobserved, &Kept::default()).unwrap() {
        Trunk::State(state) => state.to_bytes().unwrap(),
        Trunk::Diverged { epoch } => panic!("diverged in epoch {epoch}"),
    }
}

/// A file of these bytes.
fn file(bytes: &[u8]) -> WeightsFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    WeightsFile::read(file.path()).unwrap()
}

/// The bits of its tensors by name.
fn tensors(bytes: &[u8]) -> BTreeMap<String, Vec<u32>> {
    let tensors = file(bytes).tensors.into_iter();
    let bits = |values: Vec<f32>| values.iter().map(|v| v.to_bits()).collect();
    tensors
        .map(|tensor| (tensor.name, bits(tensor.values)))
        .collect()
}

fn sharing(trunk: &[u8]) -> Sharing<'_> {
    Sharing {
        trunk,
        own: Kept::default(),
    }
}

/// `shared` is `apart`, which shared nothing, but for what the trunk did.
fn same(shared: &Trial, apart: &Trial, case: &str) {
    assert_eq!(bits(&shared.parameters), bits(&apart.parameters), "{case}");
    assert!(shared.record.trunk.is_some() && apart.record.trunk.is_none());
    let mut record = timeless(&shared.record);
    record.trunk = None;
    assert_eq!(record, timeless(&apart.record), "{case}");
}

/// Recipes of epochs of six steps, with an α and the parting of its trial.
const CASES: [(&str, &str, f64, (u32, usize)); 13] = [
    (CNN, "train.epochs = 3\n", 0.3, (1, 6)),
    (CNN, "train.epochs = 2\n", 1.0, (1, 6)),
    (
        CNN,
        "train.epochs = 2\ninterpolation.every = 4\n",
        0.3,
        (1, 4),
    ),
    (
        CNN,
        "train.epochs = 3\ninterpolation.every = 8\n",
        0.3,
        (2, 2),
    ),
    (
        CNN,
        "train.epochs = 3\ninterpolation.timing = \"test-time\"\nevaluation.test = \"always\"\n",
        0.3,
        (3, 6),
    ),
    (
        MIXER,
        "train.epochs = 2\ninterpolation.timing = \"test-time\"\ntrain.optimizer = \"adamw\"\n",
        0.7,
        (2, 6),
    ),
    (
        CNN,
        "train.epochs = 3\nprior.training = \"frozen\"\ninterpolation.optimizer_state = \"keep\"\n",
        0.3,
        (1, 6),
    ),
    (
        MIXER,
        "train.epochs = 2\nprior.training = \"untrained\"\ntrain.optimizer = \"adamw\"\n\
         interpolation.optimizer_state = \"scale\"\ninterpolation.every = 4\n",
        0.3,
        (1, 4),
    ),
    // α = 0 in the first epochs.
    (
        CNN,
        "train.epochs = 4\ninterpolation.schedule = \"linear\"\ninterpolation.from = 0.0\n\
         interpolation.to = 1.0\ninterpolation.every = 4\nevaluation.within_epoch = false\n",
        0.5,
        (2, 2),
    ),
    (
        CNN,
        "train.epochs = 3\ninterpolation.schedule = \"release\"\n\
         interpolation.release_epochs = 1\ntrain.momentum = 0.0\n",
        0.5,
        (1, 6),
    ),
    (
        CNN,
        "train.epochs = 4\ninterpolation.schedule = \"step\"\ninterpolation.step_epochs = 2\n\
         interpolation.decay = 0.0\ndata.augmentation = \"crop-flip\"\n",
        0.5,
        (1, 6),
    ),
    (
        CNN,
        "train.epochs = 2\ninterpolation.allocation = { layers = { head = 0.5 } }\n\
         train.warmup_epochs = 1\ntrain.learning_rate_schedule = \"cosine\"\n",
        0.5,
        (1, 6),
    ),
    (
        CNN,
        "train.epochs = 3\ntrain.precision = \"bf16-emulated\"\ninterpolation.every = 5\n",
        0.25,
        (1, 5),
    ),
];

#[test]
fn a_trial_from_a_trunk_is_the_trial_from_the_start() {
    for (network, rest, value, (epoch, step)) in CASES {
        let setup = setup(&format!("{network}{rest}"));
        let parting = Parting { epoch, step };
        assert_eq!(
            setup.parting(alpha(value)).unwrap(),
            Some(parting),
            "{rest}"
        );
        assert_eq!(setup.parting(alpha(0.0)).unwrap(), None);
        let prior = prior(&setup, 3);
        let bytes = trunk(&setup, parting, 3);
        for value in [0.0, value] {
            let apart = trial(&setup, value, 3, Some(&prior));
            let watch = StopAfter::new(u64::MAX);
            let shared = continue_trial(
                &setup,
                alpha(value),
                3,
                Some(&prior),
                &watch,
                &sharing(&bytes),
            )
            .unwrap();
            same(&shared, &apart, rest);
            assert_eq!(watch.done.into_inner(), setup.twin_steps());
            let TrunkShare { steps, images, .. } = shared.record.trunk.unwrap();
            assert_eq!(steps, u64::from(epoch - 1) * 6 + step as u64);
            // The last of six batches has 1 of 81 images.
            let last = if step == 6 { 81 } else { 16 * step };
            assert_eq!(images, 81 * (epoch as usize - 1) + last);
        }
    }
}

#[test]
fn what_follows_a_trunk_by_burn_is_the_same_too() {
    let flex = Backend::Burn(Device::flex());
    let setup = setup_by(
        flex,
        &format!("{CNN}train.epochs = 2\ninterpolation.every = 4\n"),
    );
    let parting = setup.parting(alpha(0.3)).unwrap().unwrap();
    let (prior, bytes) = (prior(&setup, 5), trunk(&setup, parting, 5));
    let apart = trial(&setup, 0.3, 5, Some(&prior));
    let shared = continue_trial(
        &setup,
        alpha(0.3),
        5,
        Some(&prior),
        &Unobserved,
        &sharing(&bytes),
    );
    same(&shared.unwrap(), &apart, "burn");
}

/// A trunk that is interrupted anywhere, and a trial that is interrupted anywhere behind
/// it, go on to the same bits.
#[test]
fn trunks_and_their_trials_survive_interruptions() {
    let recipe = format!("{CNN}train.epochs = 3\ninterpolation.every = 8\n");
    let setup = setup(&recipe);
    let parting = Parting { epoch: 2, step: 2 };
    let (prior, whole) = (prior(&setup, 3), trunk(&setup, parting, 3));
    let apart = trial(&setup, 0.3, 3, Some(&prior));
    for stop in 0..8 {
        let kept = Kept {
            every: 3,
            ..Kept::default()
        };
        let stopped = make_trunk(&setup, parting, 3, &StopAfter::new(stop), &kept);
        assert!(matches!(stopped, Err(TrainError::Interrupted)));
        let resumed = make_trunk(&setup, parting, 3, &Unobserved, &kept).unwrap();
        let Trunk::State(resumed) = resumed else {
            panic!("diverged")
        };
        let resumed = tensors(&resumed.to_bytes().unwrap());
        assert!(resumed == tensors(&whole), "stopped after {stop} steps");
    }
    for stop in 9..18 {
        let checkpoints = sharing(&whole);
        let go = |observer: &dyn Observer| {
            continue_trial(&setup, alpha(0.3), 3, Some(&prior), observer, &checkpoints)
        };
        let stopped = go(&StopAfter::new(stop));
        assert!(matches!(stopped, Err(TrainError::Interrupted)), "{stop}");
        same(&go(&StopAfter::new(u64::MAX)).unwrap(), &apart, "resumed");
    }
}

#[test]
fn a_trunk_that_does_not_fit_is_refused() {
    let recipe = format!("{CNN}train.epochs = 2\n");
    let setup = setup(&recipe);
    let prior = prior(&setup, 3);
    let go = |bytes: &[u8], seed| {
        continue_trial(
            &setup,
            alpha(0.3),
            seed,
            Some(&prior),
            &Unobserved,
            &sharing(bytes),
        )
    };
    let right = trunk(&setup, Parting { epoch: 1, step: 6 }, 3);
    go(&right, 3).unwrap();
    let message = go(&right, 4).unwrap_err().to_string();
    assert!(message.contains("the trunk of seed 3"), "{message}");
    // It misses the interpolation after epoch 1.
    let late = trunk(&setup, Parting { epoch: 2, step: 6 }, 3);
    let message = go(&late, 3).unwrap_err().to_string();
    assert!(message.contains("behind"), "{message}");
    let mut other = file(&right);
    let rest = other.metadata.get_mut("imlp-checkpoint").unwrap();
    let mut value: serde_json::Value = serde_json::from_str(rest).unwrap();
    value["instructions"] = "of another machine".into();
    *rest = value.to_string();
    let outcome = go(&other.to_bytes().unwrap(), 3);
    assert!(matches!(outcome, Err(TrainError::OtherInstructions { .. })));
}

#[test]
fn a_twin_that_diverges_does_so_with_a_trunk_and_without() {
    let recipe = format!(
        "{CNN}train.epochs = 3\ntrain.learning_rate = 1e30\n\
         interpolation.timing = \"test-time\"\n"
    );
    let setup = setup(&recipe);
    let prior = prior(&setup, 3);
    let apart = trial(&setup, 0.3, 3, Some(&prior));
    assert_eq!(apart.record.status, TrialStatus::Diverged { epoch: 1 });
    let last = setup.parting(alpha(0.3)).unwrap().unwrap();
    let made = make_trunk(&setup, last, 3, &Unobserved, &Kept::default()).unwrap();
    assert!(matches!(made, Trunk::Diverged { epoch: 1 }));

    // In the epoch that ends where the trials part, an assignment may restore the twin.
    let setup = common::setup(&format!(
        "{CNN}train.epochs = 2\ntrain.learning_rate = 1e30\nprior.learning_rate = 0.01\n"
    ));
    let prior = common::prior(&setup, 3);
    let bytes = trunk(&setup, Parting { epoch: 1, step: 6 }, 3);
    for value in [0.0, 0.3, 1.0] {
        let apart = trial(&setup, value, 3, Some(&prior));
        let shared = continue_trial(
            &setup,
            alpha(value),
            3,
            Some(&prior),
            &Unobserved,
            &sharing(&bytes),
        );
        same(&shared.unwrap(), &apart, "diverging");
        let done = apart.record.status == TrialStatus::Done;
        assert_eq!(done, value == 1.0);
    }
}
