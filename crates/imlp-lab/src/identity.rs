//! What decides the result of a trial or a prior, and the name that follows from it.
//!
//! The name is a hash of the configuration in canonical form, without the keys that this
//! result does not depend on: recipes that ask for the same trial share one name, and it
//! is trained once. Only keys that are known not to matter are left out; a key that is new
//! to this file counts. The instruction set of the products decides bits too, and belongs
//! to the name only when it is pinned (`train.instructions`): otherwise the result records
//! it, and a name stands for the same experiment on whatever machine runs it.

use imlp_linear::Alpha;
use imlp_train::{
    EvaluationConfig, InterpolationConfig, Parting, PriorTraining, Setup, TrainConfig, TrialConfig,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names a trial by what decides its result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

/// Names a trained prior by what decides its trajectory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriorId(String);

/// Names a trunk by what decides its bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrunkId(String);

/// The name as text.
macro_rules! id {
    ($Id:ident) => {
        impl $Id {
            /// The name of a folder.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $Id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
id!(TrialId);
id!(PriorId);
id!(TrunkId);

/// Names a job: training a prior or a trunk, or running a trial.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JobId {
    /// A prior.
    Prior(PriorId),
    /// A trunk.
    Trunk(TrunkId),
    /// A trial.
    Trial(TrialId),
}

impl JobId {
    /// The name of a folder.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Prior(id) => id.as_str(),
            Self::Trunk(id) => id.as_str(),
            Self::Trial(id) => id.as_str(),
        }
    }
}

/// What decides a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// [`imlp_train::RESULTS_VERSION`].
    pub results_version: u32,
    /// [`imlp_train::BURN_VERSION`].
    pub burn_version: String,
    /// The backend's name.
    pub backend: String,
    /// SHA-256 of the data set.
    pub data_checksum: String,
    /// The canonical configuration, α included.
    pub config: Value,
    /// Seed.
    pub seed: u64,
    /// Of a trunk: where its trials part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parting: Option<Parting>,
}

impl Identity {
    /// What decides the trial of `alpha` and `seed`.
    pub fn of_trial(setup: &Setup, alpha: Alpha, seed: u64) -> Self {
        Self::new(setup, of_trial(setup.config().clone(), alpha), seed)
    }

    /// What decides the prior of `seed`.
    pub fn of_prior(setup: &Setup, seed: u64) -> Self {
        Self::new(setup, of_prior(setup.config().clone()), seed)
    }

    /// What decides the trunk of the trials of `seed` that part at `parting`: it is the
    /// beginning of their α = 0 trial.
    pub fn of_trunk(setup: &Setup, parting: Parting, seed: u64) -> Self {
        Self {
            parting: Some(parting),
            ..Self::of_trial(setup, Alpha::ZERO, seed)
        }
    }

    fn new(setup: &Setup, mut config: TrialConfig, seed: u64) -> Self {
        // Where the images lie decides nothing: the checksum below tells what they are.
        config.data = config.data.without_origin();
        Self {
            results_version: imlp_train::RESULTS_VERSION,
            burn_version: imlp_train::BURN_VERSION.to_owned(),
            backend: setup.backend_name(),
            data_checksum: setup.data().dataset().checksum.clone(),
            config: serde_json::to_value(config).expect("a configuration has only text keys"),
            seed,
            parting: None,
        }
    }

    /// The trial's name.
    pub fn trial_id(&self) -> TrialId {
        TrialId(self.hash())
    }

    /// The name of the prior toward which this trial's twin is interpolated; none at α = 0,
    /// which is the same trial whatever the prior.
    pub fn prior_of_trial(&self) -> Option<PriorId> {
        let config: TrialConfig = serde_json::from_value(self.config.clone()).ok()?;
        if config.interpolation.alpha.is_zero() {
            return None;
        }
        let config = serde_json::to_value(of_prior(config)).ok()?;
        let prior = Self {
            config,
            ..self.clone()
        };
        Some(prior.prior_id())
    }

    /// The prior's name.
    pub fn prior_id(&self) -> PriorId {
        PriorId(self.hash())
    }

    /// The trunk's name.
    pub fn trunk_id(&self) -> TrunkId {
        TrunkId(self.hash())
    }

    fn hash(&self) -> String {
        let value = serde_json::to_value(self).expect("an identity has only text keys");
        let mut hash = sha256_hex(canonical_json(&value).as_bytes());
        hash.truncate(DIGITS);
        hash
    }
}

/// Hexadecimal digits of a name. 64 bits: among a million trials a pair of one name has
/// odds of 1 in 40 million, and the store refuses it.
const DIGITS: usize = 16;

/// Whether a trial or prior can have that name.
pub(crate) fn is_job_name(name: &str) -> bool {
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    name.len() == DIGITS && name.bytes().all(is_digit)
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// JSON with the keys of every object sorted, without spaces.
pub(crate) fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let members: Vec<String> = keys
                .into_iter()
                .map(|key| {
                    let name = Value::String(key.clone());
                    format!("{name}:{}", canonical_json(&map[key.as_str()]))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical_json).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// The configuration on which a trial with `alpha` depends.
fn of_trial(config: TrialConfig, alpha: Alpha) -> TrialConfig {
    let mut config = with_prior_written_out(config.resolved());
    config.interpolation.alpha = alpha;
    if alpha.is_zero() {
        // Nothing is interpolated: only when it would have been is recorded, and
        // the prior is never looked at. The twin is built from its layers.
        config.interpolation = only_timing(&config.interpolation);
        config.prior.training = PriorTraining::default();
        (config.prior.epochs, config.prior.learning_rate) = (None, None);
    }
    config
}

/// The configuration on which a prior's trajectory and its record depend: not on
/// α, its schedule and allocation, nor on what becomes of the twin's optimiser.
fn of_prior(config: TrialConfig) -> TrialConfig {
    let mut config = with_prior_written_out(config.resolved());
    config.interpolation = match config.prior.training {
        // Its snapshots are taken where the twin is interpolated.
        PriorTraining::CoTrained => only_timing(&config.interpolation),
        PriorTraining::Frozen | PriorTraining::Untrained => InterpolationConfig::default(),
    };
    config.evaluation = EvaluationConfig {
        train_images: config.evaluation.train_images,
        validation_images: config.evaluation.validation_images,
        every: config.evaluation.every,
        ..EvaluationConfig::default()
    };
    match config.prior.training {
        PriorTraining::CoTrained => {}
        // It has epochs of its own.
        PriorTraining::Frozen => config.train.epochs = 1,
        // Nothing trains it, but it is evaluated.
        PriorTraining::Untrained => {
            config.evaluation = EvaluationConfig {
                train_images: config.evaluation.train_images,
                ..EvaluationConfig::default()
            };
            config.train = TrainConfig {
                instructions: config.train.instructions,
                ..TrainConfig::default()
            };
        }
    }
    if config.prior.training != PriorTraining::Untrained {
        // It has a learning rate of its own.
        config.train.learning_rate = 1.0;
    }
    config.resolved()
}

fn only_timing(interpolation: &InterpolationConfig) -> InterpolationConfig {
    InterpolationConfig {
        timing: interpolation.timing,
        every: interpolation.every,
        ..InterpolationConfig::default()
    }
}

/// Keys of the prior that follow the twin's, written out where they are used
/// and left out where they are not.
fn with_prior_written_out(mut config: TrialConfig) -> TrialConfig {
    let train = &config.train;
    let prior = &mut config.prior;
    match prior.training {
        PriorTraining::Frozen => {
            prior.epochs.get_or_insert(train.epochs);
            prior.learning_rate.get_or_insert(train.learning_rate);
        }
        PriorTraining::CoTrained => {
            prior.learning_rate.get_or_insert(train.learning_rate);
        }
        PriorTraining::Untrained => prior.learning_rate = None,
    }
    config
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use imlp_data::{Cache, Dataset, LoadOptions};
    use imlp_train::{Backend, Unobserved, run_trial, train_prior};
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Plan;
    use crate::recipe::Recipe;

    /// A network of 784 → 98 → 10 for one epoch.
    const TINY: &str = "prior.kind = \"custom\"\n\
        prior.layers = [{ type = \"conv2d\", channels = 2, kernel = 4, stride = 4 }, \
        { type = \"relu\" }, { type = \"linear\" }]\n\
        train.epochs = 1\nevaluation.train_images = 50\ndata.validation_fraction = 0.9\n";

    fn dataset() -> Arc<Dataset> {
        let cache = Cache::at("unused: the data are built in");
        let options = LoadOptions::default();
        Arc::new(cache.load("fashion-mini", &options).unwrap())
    }

    fn setup(dataset: &Arc<Dataset>, sets: &[&str]) -> Setup {
        let mut recipe = Recipe::parse(TINY).unwrap();
        for set in sets {
            recipe.set_text(set).unwrap();
        }
        let plan = Plan::new(&recipe).unwrap();
        let config = plan.configurations()[0].config.clone();
        Setup::new(config, Arc::clone(dataset), Backend::Cpu).unwrap()
    }

    /// What two results share when they are one result: everything but time.
    fn without_seconds(record: impl Serialize) -> Value {
        let mut value = serde_json::to_value(record).unwrap();
        let map = value.as_object_mut().unwrap();
        map.retain(|key, _| !key.contains("second"));
        value
    }

    /// Keys that change neither an α = 0 trial nor, but for the last two, the
    /// prior.
    const IRRELEVANT_AT_ZERO: [&str; 6] = [
        "interpolation.allocation=first",
        "interpolation.schedule=cosine",
        "interpolation.biases=false",
        "interpolation.optimizer_state=keep",
        "prior.learning_rate=0.5",
        "prior.training=untrained",
    ];

    #[test]
    fn one_name_means_the_same_bits() {
        let data = dataset();
        let plain = setup(&data, &[]);
        let of = |setup: &Setup| {
            let prior = train_prior(setup, 3, &Unobserved).unwrap();
            let zero = run_trial(setup, Alpha::ZERO, 3, None, &Unobserved).unwrap();
            (prior, zero)
        };
        let (prior, zero) = of(&plain);
        let changed = setup(&data, &IRRELEVANT_AT_ZERO[..4]);
        let (prior_changed, zero_changed) = of(&changed);
        assert_eq!(
            Identity::of_trial(&plain, Alpha::ZERO, 3),
            Identity::of_trial(&changed, Alpha::ZERO, 3)
        );
        assert_eq!(
            without_seconds(&zero.record),
            without_seconds(&zero_changed.record)
        );
        assert_eq!(
            Identity::of_prior(&plain, 3),
            Identity::of_prior(&changed, 3)
        );
        assert_eq!(prior.snapshots, prior_changed.snapshots);

        // A frozen prior has its own epochs and rate; the twin's do not matter.
        let frozen = |epochs: &str| {
            let sets = [
                "prior.training=frozen",
                "prior.epochs=1",
                "prior.learning_rate=0.02",
                "train.learning_rate=0.1",
                epochs,
            ];
            setup(&data, &sets)
        };
        let (one, two) = (frozen("train.epochs=1"), frozen("train.epochs=2"));
        assert_eq!(Identity::of_prior(&one, 0), Identity::of_prior(&two, 0));
        let trained = |setup| train_prior(setup, 0, &Unobserved).unwrap();
        let (one, two) = (trained(&one), trained(&two));
        assert_eq!(one.snapshots, two.snapshots);
        assert_eq!(without_seconds(&one.record), without_seconds(&two.record));
    }

    #[test]
    fn a_trial_s_identity_names_its_prior() {
        let data = dataset();
        let half = Alpha::new(0.5).unwrap();
        let frozen = ["prior.training=frozen", "prior.epochs=2"];
        for sets in [
            &[][..],
            &["prior.learning_rate=0.5", "interpolation.schedule=cosine"],
            &["interpolation.every=2", "interpolation.allocation=first"],
            &["interpolation.timing=test-time", "evaluation.every=3"],
            &frozen,
            &["prior.training=frozen", "train.epochs=3"],
            &["prior.training=untrained", "train.optimizer=adamw"],
        ] {
            let setup = setup(&data, sets);
            let trial = Identity::of_trial(&setup, half, 3);
            let prior = Identity::of_prior(&setup, 3).prior_id();
            assert_eq!(trial.prior_of_trial(), Some(prior), "{sets:?}");
            let zero = Identity::of_trial(&setup, Alpha::ZERO, 3);
            assert_eq!(zero.prior_of_trial(), None);
        }
    }

    #[test]
    fn a_trunk_is_named_by_its_trial_without_interpolation_and_where_it_ends() {
        let data = dataset();
        let plain = setup(&data, &[]);
        let at = |epoch, step| Parting { epoch, step };
        let name = |setup: &Setup, parting, seed| {
            let trunk = Identity::of_trunk(setup, parting, seed);
            trunk.trunk_id().to_string()
        };
        let trunk = name(&plain, at(1, 5), 3);
        for set in IRRELEVANT_AT_ZERO {
            assert_eq!(name(&setup(&data, &[set]), at(1, 5), 3), trunk, "{set}");
        }
        for set in [
            "train.epochs=2",
            "train.batch_size=64",
            "twin.initialization=kaiming-uniform",
            "interpolation.every=2",
            "data.split_seed=1",
        ] {
            assert_ne!(name(&setup(&data, &[set]), at(1, 5), 3), trunk, "{set}");
        }
        assert_ne!(name(&plain, at(1, 4), 3), trunk);
        assert_ne!(name(&plain, at(2, 5), 3), trunk);
        assert_ne!(name(&plain, at(1, 5), 4), trunk);
        // The names of trials are those from before there were trunks.
        let trial = Identity::of_trial(&plain, Alpha::ZERO, 3);
        let value = serde_json::to_value(&trial).unwrap();
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 6, "{keys:?}");
        assert_ne!(trial.trial_id().to_string(), trunk);
    }

    #[test]
    fn what_matters_changes_the_name() {
        let data = dataset();
        let plain = setup(&data, &[]);
        let half = Alpha::new(0.5).unwrap();
        let trial = Identity::of_trial(&plain, half, 0).trial_id();
        for set in IRRELEVANT_AT_ZERO {
            let changed = setup(&data, &[set]);
            assert_ne!(
                Identity::of_trial(&changed, half, 0).trial_id(),
                trial,
                "{set}"
            );
            assert_eq!(
                Identity::of_trial(&changed, Alpha::ZERO, 0),
                Identity::of_trial(&plain, Alpha::ZERO, 0),
                "{set}"
            );
        }
        let prior = Identity::of_prior(&plain, 0).prior_id();
        for set in [
            "interpolation.every=2",
            "interpolation.timing=test-time",
            "train.epochs=2",
            "train.momentum=0.8",
            "prior.learning_rate=0.5",
            "evaluation.train_images=49",
            "evaluation.validation_images=49",
            "evaluation.every=2",
            "twin.initialization=kaiming-uniform",
            "data.split_seed=1",
        ] {
            let changed = setup(&data, &[set]);
            assert_ne!(Identity::of_prior(&changed, 0).prior_id(), prior, "{set}");
        }
        assert_ne!(Identity::of_prior(&plain, 1).prior_id(), prior);
        let one = Identity::of_trial(&plain, half, 1).trial_id();
        assert_ne!(one, trial);
    }

    /// A key of a later version is not in the names of trials that leave it out.
    #[test]
    fn keys_of_later_versions_leave_the_names_of_earlier_trials() {
        let data = dataset();
        let half = Alpha::new(0.5).unwrap();
        let plain = Identity::of_trial(&setup(&data, &[]), half, 0);
        let spelled = setup(&data, &["evaluation.every=1"]);
        assert_eq!(Identity::of_trial(&spelled, half, 0), plain);
        assert_eq!(
            canonical_json(&plain.config["evaluation"]),
            r#"{"test":"end","train_images":50,"within_epoch":true}"#
        );
        // With the same versions as when these names were given.
        let of_then = |identity: Identity| Identity {
            results_version: 6,
            burn_version: "0.22.1".to_owned(),
            ..identity
        };
        assert_eq!(of_then(plain).trial_id().as_str(), "99e80195a1d890e1");
        let prior = Identity::of_prior(&setup(&data, &[]), 0);
        assert_eq!(of_then(prior).prior_id().as_str(), "2692bb3ffdc8bb7c");
        let untrained = |set: &str| {
            let setup = setup(&data, &["prior.training=untrained", set]);
            Identity::of_prior(&setup, 0)
        };
        // It has no epochs to measure.
        assert_eq!(
            untrained("evaluation.every=2"),
            untrained("evaluation.every=1")
        );
    }

    #[test]
    fn a_pinned_instruction_set_belongs_to_the_name() {
        let data = dataset();
        let half = Alpha::new(0.5).unwrap();
        for training in ["co-trained", "frozen", "untrained"] {
            let training = format!("prior.training={training}");
            let names = |sets: &[&str]| {
                let setup = setup(&data, &[&[training.as_str()], sets].concat());
                let trial = Identity::of_trial(&setup, half, 0).trial_id().to_string();
                let zero = Identity::of_trial(&setup, Alpha::ZERO, 0).trial_id();
                let prior = Identity::of_prior(&setup, 0).prior_id().to_string();
                [trial, zero.to_string(), prior]
            };
            let free = names(&[]);
            for set in ["avx2", "avx512", "amx"] {
                let plan = Recipe::parse(TINY).and_then(|mut recipe| {
                    recipe.set_text(&format!("train.instructions={set}"))?;
                    Plan::new(&recipe)
                });
                let config = plan.unwrap().configurations()[0].config.clone();
                // Only what this machine has can be set up.
                if Setup::new(config, Arc::clone(&data), Backend::Cpu).is_ok() {
                    let pinned = names(&[&format!("train.instructions={set}")]);
                    for (free, pinned) in free.iter().zip(&pinned) {
                        assert_ne!(free, pinned, "{set}, {training}");
                    }
                }
            }
        }
    }

    /// Names that trials had before some keys existed: at their defaults, those change none.
    #[test]
    fn a_trial_keeps_its_name_when_keys_are_added() {
        let data = dataset();
        let plain = setup(&data, &["train.instructions=avx2"]);
        let half = Alpha::new(0.5).unwrap();
        let mut trial = Identity::of_trial(&plain, half, 3);
        let mut prior = Identity::of_prior(&plain, 3);
        for identity in [&mut trial, &mut prior] {
            (identity.results_version, identity.burn_version) = (0, String::new());
            identity.backend = "cpu".to_owned();
        }
        assert_eq!(trial.trial_id().as_str(), "e385c0498e7955ef");
        assert_eq!(prior.prior_id().as_str(), "d38f1e1dff3e85cf");
    }

    #[test]
    fn the_images_decide_the_name_and_their_folder_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, offset: usize| {
            let header = |magic: u32, sizes: &[u32]| -> Vec<u8> {
                let words = [&[magic], sizes].concat();
                words.iter().flat_map(|word| word.to_be_bytes()).collect()
            };
            let dir = folder.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            for (part, n) in [("train", 40), ("t10k", 6)] {
                let pixels = (0..n * 784).map(|i| (i * 31 + offset) as u8);
                let mut images = header(0x803, &[n as u32, 28, 28]);
                images.extend(pixels);
                std::fs::write(dir.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
                let mut labels = header(0x801, &[n as u32]);
                labels.extend((0..n).map(|i| (i % 10) as u8));
                std::fs::write(dir.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
            }
            dir
        };
        let cache = Cache::at(folder.path().join("cache"));
        let id = |path: &std::path::Path, sets: &[&str]| {
            let path = format!("data.path={}", path.display());
            let fraction = "data.validation_fraction=0.1";
            let mut recipe = Recipe::parse(TINY).unwrap();
            for set in [&[path.as_str(), fraction], sets].concat() {
                recipe.set_text(set).unwrap();
            }
            let config = Plan::new(&recipe).unwrap().configurations()[0]
                .config
                .clone();
            let data = config.data.load(&cache, &Default::default()).unwrap();
            let setup = Setup::new(config, Arc::new(data), Backend::Cpu).unwrap();
            Identity::of_trial(&setup, Alpha::ZERO, 0).trial_id()
        };
        let (one, same, other) = (write("one", 3), write("same", 3), write("other", 4));
        let name = id(&one, &[]);
        assert_eq!(name, id(&same, &[]));
        assert_ne!(name, id(&other, &[]));
        for set in [
            "data.translate=2",
            "data.train_images=20",
            "data.split_seed=1",
        ] {
            assert_ne!(name, id(&one, &[set]), "{set}");
        }
    }

    #[test]
    fn spelling_a_default_out_changes_nothing() {
        let data = dataset();
        let half = Alpha::new(0.5).unwrap();
        let short = setup(&data, &[]);
        let long = setup(
            &data,
            &[
                "prior.learning_rate=0.01",
                "train.learning_rate=0.01",
                "train.momentum=0.9",
                "interpolation.schedule=constant",
            ],
        );
        assert_eq!(
            Identity::of_trial(&short, half, 0),
            Identity::of_trial(&long, half, 0)
        );
    }

    proptest! {
        #[test]
        fn canonical_json_is_the_same_value(text in "\\PC{0,20}", number: f64, nested: bool) {
            let mut value = serde_json::json!({ "b": [number, text], "a": nested, "é\"": null });
            if nested {
                value["c"] = value.clone();
            }
            let back: Value = serde_json::from_str(&canonical_json(&value)).unwrap();
            prop_assert_eq!(back, value);
        }
    }
}
