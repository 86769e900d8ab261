//! Trials that share a trunk have the results of trials that share nothing, whatever
//! happens to the trunk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Steps, collect, local};
use imlp_lab::store::Store;
use imlp_lab::{CheckpointEvery, Execution, Experiment, LabError, Plan, Policy, Recipe};
use imlp_train::{Backend, WeightsFile};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A network of 784 → 98 → 10 for two epochs of five steps.
const TINY: &str = "prior.kind = \"custom\"\n\
    prior.layers = [{ type = \"conv2d\", channels = 2, kernel = 4, stride = 4 }, \
    { type = \"relu\" }, { type = \"linear\" }]\n\
    train.epochs = 2\nevaluation.train_images = 50\ndata.validation_fraction = 0.9\n";

fn experiment(rest: &str) -> Experiment {
    let plan = Plan::new(&Recipe::parse(&format!("{TINY}{rest}")).unwrap()).unwrap();
    Experiment::new(plan, Backend::Cpu).unwrap()
}

/// Counts what is done, and stops a run at some moment.
#[derive(Default)]
struct Watched {
    stop: AtomicBool,
    /// Stop once so many steps were told.
    stop_after: Option<u64>,
    /// Stop once a trunk is made.
    stop_at_trunk: bool,
    steps: AtomicU64,
    trunks: Mutex<Vec<(String, JobEnd)>>,
}

impl Progress for Watched {
    fn planned(&self, _: usize, _: Steps, _: usize) {}

    fn started(&self, _: usize, _: &JobLabel, _: u64) {}

    fn steps(&self, _: usize, count: u64) {
        let before = self.steps.fetch_add(count, Ordering::Relaxed);
        if self.stop_after.is_some_and(|stop| before + count >= stop) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn ended(&self, _: usize, job: &JobLabel, end: &JobEnd) {
        if matches!(job, JobLabel::Trunk { .. }) {
            let mut trunks = self.trunks.lock().unwrap();
            trunks.push((job.to_string(), end.clone()));
            if self.stop_at_trunk {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn finished_elsewhere(&self, _: &JobLabel, _: u64) {}
}

impl Watched {
    fn made(&self) -> usize {
        let trunks = self.trunks.lock().unwrap();
        trunks
            .iter()
            .filter(|(_, end)| *end == JobEnd::Done)
            .count()
    }
}

fn run(
    experiment: &Experiment,
    folder: &Path,
    jobs: usize,
    share: bool,
    progress: &Watched,
) -> Result<(), LabError> {
    let execution = Execution {
        out: folder.to_owned(),
        jobs,
        max_memory: u64::MAX,
        policy: Policy {
            // None but when a trial is interrupted.
            checkpoint_every: CheckpointEvery::Time(Duration::from_secs(600)),
            share,
            ..Policy::default()
        },
        task: None,
        weights: None,
    };
    let failed = local::run(
        experiment,
        experiment.jobs(),
        &Store::create(folder)?,
        &execution,
        progress,
        &progress.stop,
    )?;
    assert_eq!(failed, []);
    Ok(())
}

/// Every record by its trial's name: all but time and trunks. Also the number of trials
/// that went on from a trunk.
fn records(experiment: &Experiment, folder: &Path) -> (BTreeMap<String, Value>, usize) {
    let store = Store::existing(folder).unwrap();
    let mut shared = 0;
    let mut records = BTreeMap::new();
    for (trial, published) in collect(experiment, &store).unwrap().trials {
        let record = published.expect("a result").result;
        let mut value = serde_json::to_value(record).unwrap();
        let map = value.as_object_mut().unwrap();
        let trunk = map.remove("trunk").is_some();
        map.retain(|key, _| !key.contains("second"));
        if records.insert(trial.id.to_string(), value).is_none() {
            shared += usize::from(trunk);
        }
    }
    (records, shared)
}

/// The records of trials that shared nothing.
fn apart(experiment: &Experiment) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let progress = Watched::default();
    run(experiment, folder.path(), 2, false, &progress).unwrap();
    assert_eq!(progress.made(), 0);
    assert!(!folder.path().join("trunks").exists());
    let (records, shared) = records(experiment, folder.path());
    assert_eq!(shared, 0);
    records
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for trunk in std::fs::read_dir(folder.join("trunks"))
        .into_iter()
        .flatten()
    {
        let inside = std::fs::read_dir(trunk.unwrap().path()).unwrap();
        found.extend(inside.map(|entry| entry.unwrap().path()));
    }
    found
}

fn state(folder: &Path) -> PathBuf {
    let states = files(folder).into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("trunk-") && name.ends_with(".safetensors")
    });
    let states: Vec<PathBuf> = states.collect();
    assert_eq!(states.len(), 1, "{states:?}");
    states[0].clone()
}

const THREE: &str = "[sweep]\nalphas = [0, 0.5, 1]\nseeds = 1\n";

/// A folder with a trunk and no trial.
fn with_trunk(experiment: &Experiment) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let progress = Watched {
        stop_at_trunk: true,
        ..Watched::default()
    };
    let stopped = run(experiment, folder.path(), 1, true, &progress);
    assert!(matches!(stopped, Err(LabError::Interrupted)));
    assert_eq!(progress.made(), 1);
    folder
}

/// Recipes with the trunks that their trials share and the trials that go on from one.
const CASES: [(&str, usize, usize); 6] = [
    (
        "interpolation.timing = \"test-time\"\n[sweep]\nalphas = [0, 0.3, 0.6, 1]\nseeds = 2\n",
        2,
        8,
    ),
    (
        "[sweep]\nalphas = [0.5, 1]\nends = false\nseeds = 2\n",
        2,
        4,
    ),
    // 600 images in an epoch: trunks of 4 of its 5 steps; the α = 0 trial of each interval
    // is another one.
    (
        "[sweep]\nalphas = [0, 0.5]\nseeds = 1\nends = false\n\
         [sweep.grid]\n\"interpolation.every\" = [4, \"epoch\"]\n",
        2,
        4,
    ),
    // The first epoch: `linear` parts in the second, and α = 0 goes along with it.
    (
        "[sweep]\nalphas = [0, 0.4, 0.8]\nseeds = 1\nends = false\n[[sweep.list]]\n\
         interpolation.schedule = \"linear\"\ninterpolation.from = 0\ninterpolation.to = 1\n\
         [[sweep.list]]\ninterpolation.schedule = \"release\"\ninterpolation.release_epochs = 1\n\
         [[sweep.list]]\ninterpolation.allocation = \"first\"\n",
        2,
        7,
    ),
    // Other priors, other optimiser's states: the twin starts alike.
    (
        "train.optimizer = \"adamw\"\n[sweep]\nalphas = [0.5]\nseeds = 1\nends = false\n\
         [sweep.grid]\n\"prior.training\" = [\"co-trained\", \"frozen\", \"untrained\"]\n\
         \"interpolation.optimizer_state\" = [\"keep\", \"scale\", \"reset\"]\n",
        1,
        9,
    ),
    // Nobody to share with.
    (
        "[sweep]\nalphas = [0.5]\nseeds = 2\nends = false\n\
         [sweep.grid]\n\"train.learning_rate\" = [0.01, 0.02]\n",
        0,
        0,
    ),
];

#[test]
fn sharing_changes_no_result() {
    for (at, (rest, trunks, sharers)) in CASES.into_iter().enumerate() {
        let experiment = experiment(rest);
        assert_eq!(experiment.trunks().len(), trunks, "{rest}");
        let apart = apart(&experiment);
        let folder = tempfile::tempdir().unwrap();
        let progress = Watched::default();
        run(
            &experiment,
            folder.path(),
            1 + 2 * (at % 2),
            true,
            &progress,
        )
        .unwrap();
        let (records, shared) = records(&experiment, folder.path());
        assert_eq!(records, apart, "{rest}");
        assert_eq!((progress.made(), shared), (trunks, sharers), "{rest}");
        assert_eq!(files(folder.path()), [] as [PathBuf; 0], "they are freed");
    }
}

#[test]
fn processes_that_share_a_folder_make_a_trunk_once() {
    let experiment = experiment(CASES[0].0);
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (Watched::default(), Watched::default());
    std::thread::scope(|scope| {
        for progress in [&a, &b] {
            scope.spawn(|| run(&experiment, folder.path(), 2, true, progress).unwrap());
        }
    });
    let (records, shared) = records(&experiment, folder.path());
    assert_eq!(records, apart(&experiment));
    assert_eq!((a.made() + b.made(), shared), (2, 8));
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_run_that_is_stopped_anywhere_goes_on_to_the_same_results() {
    let experiment = experiment(&format!("interpolation.timing = \"test-time\"\n{THREE}"));
    let apart = apart(&experiment);
    // 10 steps of the trunk and of the prior, and 10 that each trial takes over.
    for stop in [1, 7, 10, 14, 19, 21, 31, 40] {
        let folder = tempfile::tempdir().unwrap();
        let progress = Watched {
            stop_after: Some(stop),
            ..Watched::default()
        };
        // At the end of the last job there is nothing to stop.
        let _ = run(&experiment, folder.path(), 1, true, &progress);
        let progress = Watched::default();
        run(&experiment, folder.path(), 1, true, &progress).unwrap();
        let (records, _) = records(&experiment, folder.path());
        assert_eq!(records, apart, "stopped after {stop} steps");
        assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_damaged_trunk_is_made_again() {
    let experiment = experiment(THREE);
    let apart = apart(&experiment);
    let cut = |path: &Path| {
        let whole = std::fs::read(path).unwrap();
        std::fs::write(path, &whole[..whole.len() - 1]).unwrap();
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let clear = |path: &Path| std::fs::write(path.with_file_name("result.json"), "{").unwrap();
    // A file is checked when a trial reads it: that trial starts from the beginning.
    let damages: [fn(&Path); 3] = [cut, remove, clear];
    for (damage, sharers) in damages.into_iter().zip([2, 3, 3]) {
        let folder = with_trunk(&experiment);
        damage(&state(folder.path()));
        let progress = Watched::default();
        run(&experiment, folder.path(), 1, true, &progress).unwrap();
        let (records, shared) = records(&experiment, folder.path());
        assert_eq!(records, apart);
        assert_eq!((progress.made(), shared), (1, sharers));
    }
}

/// A trunk whose metadata `change` has changed, as a whole file.
fn changed(folder: &Path, change: impl Fn(&mut Value)) {
    let path = state(folder);
    let mut file = WeightsFile::read(&path).unwrap();
    let metadata = file.metadata.get_mut("imlp-checkpoint").unwrap();
    let mut rest: Value = serde_json::from_str(metadata).unwrap();
    change(&mut rest);
    *metadata = rest.to_string();
    let bytes = file.to_bytes().unwrap();
    let name = format!(
        "trunk-0001-{}.safetensors",
        hex::encode(Sha256::digest(&bytes))
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::write(path.with_file_name(&name), bytes).unwrap();
    let result = path.with_file_name("result.json");
    let mut sealed: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
    sealed["content"]["result"]["state"] = name.into();
    // Its keys are sorted.
    let sum = Sha256::digest(sealed["content"].to_string());
    sealed["sha256"] = hex::encode(sum).into();
    std::fs::write(&result, sealed.to_string()).unwrap();
}

#[test]
fn a_trunk_of_another_instruction_set_is_not_continued() {
    let experiment = experiment(THREE);
    let folder = with_trunk(&experiment);
    changed(folder.path(), |rest| {
        assert!(rest["instructions"].is_string());
        rest["instructions"] = "of another machine".into();
    });
    let progress = Watched::default();
    run(&experiment, folder.path(), 1, true, &progress).unwrap();
    let (records, shared) = records(&experiment, folder.path());
    assert_eq!(records, apart(&experiment));
    assert_eq!((progress.made(), shared), (0, 0));
}

#[test]
fn a_trunk_of_another_seed_is_set_aside() {
    let experiment = experiment(THREE);
    let folder = with_trunk(&experiment);
    changed(folder.path(), |rest| {
        let run = rest["run"].as_str().unwrap().replace("seed 0", "seed 7");
        rest["run"] = run.into();
    });
    let progress = Watched::default();
    run(&experiment, folder.path(), 1, true, &progress).unwrap();
    let (records, shared) = records(&experiment, folder.path());
    assert_eq!(records, apart(&experiment));
    assert_eq!((progress.made(), shared), (1, 2));
}

#[test]
fn trials_do_without_a_trunk_that_cannot_be_had() {
    let experiment = experiment(THREE);
    let folder = tempfile::tempdir().unwrap();
    // No folder can be made there.
    std::fs::write(folder.path().join("trunks"), "").unwrap();
    run(&experiment, folder.path(), 2, true, &Watched::default()).unwrap();
    let (records, shared) = records(&experiment, folder.path());
    assert_eq!(records, apart(&experiment));
    assert_eq!(shared, 0);

    // A twin that diverges before its trials part has no trunk.
    let experiment = self::experiment(&format!(
        "train.learning_rate = 1e30\nprior.learning_rate = 0.01\n\
         interpolation.timing = \"test-time\"\n{THREE}"
    ));
    let folder = tempfile::tempdir().unwrap();
    let progress = Watched::default();
    run(&experiment, folder.path(), 1, true, &progress).unwrap();
    let (records, shared) = self::records(&experiment, folder.path());
    assert_eq!(records, apart(&experiment));
    assert_eq!((progress.made(), shared), (0, 0));
    assert!(records.values().all(|record| record["state"] == "diverged"));
}

#[test]
fn a_trunk_is_not_made_for_one_trial() {
    let folder = tempfile::tempdir().unwrap();
    let two = experiment("[sweep]\nalphas = [0, 0.5]\nseeds = 1\nends = false\n");
    run(&two, folder.path(), 1, true, &Watched::default()).unwrap();
    let three = experiment(THREE);
    let progress = Watched::default();
    run(&three, folder.path(), 1, true, &progress).unwrap();
    assert_eq!(progress.trunks.lock().unwrap().len(), 0);
    let (records, shared) = records(&three, folder.path());
    assert_eq!(records, apart(&three));
    assert_eq!(shared, 2);
    // One step is not worth a file.
    assert_eq!(
        experiment(&format!("interpolation.every = 1\n{THREE}"))
            .trunks()
            .len(),
        0
    );
}

#[test]
fn a_trunk_that_nobody_needs_is_a_leftover() {
    let experiment = experiment(THREE);
    let folder = with_trunk(&experiment);
    let store = Store::existing(folder.path()).unwrap();
    assert_eq!(store.leftovers(false).unwrap(), []);
    run(&experiment, folder.path(), 1, false, &Watched::default()).unwrap();
    let leftovers = store.leftovers(false).unwrap();
    assert_eq!(leftovers.len(), 1);
    assert!(leftovers[0].path.starts_with(folder.path().join("trunks")));
    assert!(leftovers[0].bytes > 100_000);
    assert!(store.remove(&leftovers[0]).unwrap());
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);

    // As is one of trials that the experiment no longer has.
    let folder = with_trunk(&experiment);
    let store = Store::existing(folder.path()).unwrap();
    let other = self::experiment("[sweep]\nalphas = [0.25]\nseeds = 1\nends = false\n");
    let manifest = imlp_lab::store::Manifest::of(&other, Policy::default(), "").unwrap();
    store.note(&manifest).unwrap();
    let leftovers = store.leftovers(true).unwrap();
    let is_trunk = |path: &Path| path.starts_with(folder.path().join("trunks"));
    assert_eq!(leftovers.iter().filter(|l| is_trunk(&l.path)).count(), 1);
}
