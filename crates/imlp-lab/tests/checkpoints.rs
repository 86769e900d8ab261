//! A trial that was interrupted goes on from its checkpoint, and a file that is
//! not its checkpoint does no harm.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Steps, collect, local};
use imlp_lab::store::Store;
use imlp_lab::{CheckpointEvery, Execution, Experiment, LabError, Plan, Policy, Recipe};
use imlp_linear::Alpha;
use imlp_train::{Backend, WeightsFile};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A network of 784 → 98 → 10 for two epochs of five steps.
const TINY: &str = "prior.kind = \"custom\"\n\
    prior.layers = [{ type = \"conv2d\", channels = 2, kernel = 4, stride = 4 }, \
    { type = \"relu\" }, { type = \"linear\" }]\n\
    train.epochs = 2\nevaluation.train_images = 50\ndata.validation_fraction = 0.9\n";

fn experiment(alpha: f64) -> Experiment {
    let plan = Plan::new(&Recipe::parse(TINY).unwrap()).unwrap();
    let plan = plan.single(Alpha::new(alpha).unwrap(), 0).unwrap();
    Experiment::new(plan, Backend::Cpu).unwrap()
}

/// Stops a run once that many steps of a trial are done, and remembers the
/// first number of steps that a trial told.
struct Watched {
    stop_after: u64,
    stop: AtomicBool,
    steps: AtomicU64,
    first: AtomicU64,
    in_trial: AtomicBool,
}

impl Watched {
    fn new(stop_after: u64) -> Self {
        Self {
            stop_after,
            stop: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            first: AtomicU64::new(0),
            in_trial: AtomicBool::new(false),
        }
    }
}

impl Progress for Watched {
    fn planned(&self, _: usize, _: Steps, _: usize) {}

    fn started(&self, _: usize, job: &JobLabel, _: u64) {
        let trial = matches!(job, JobLabel::Trial { .. });
        self.in_trial.store(trial, Ordering::Relaxed);
    }

    fn steps(&self, _: usize, count: u64) {
        if !self.in_trial.load(Ordering::Relaxed) {
            return;
        }
        let before = self.steps.fetch_add(count, Ordering::Relaxed);
        if before == 0 {
            self.first.store(count, Ordering::Relaxed);
        }
        if before + count >= self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn ended(&self, _: usize, _: &JobLabel, _: &JobEnd) {}

    fn finished_elsewhere(&self, _: &JobLabel, _: u64) {}
}

const NEVER: u64 = u64::MAX;

fn run(alpha: f64, folder: &Path, progress: &Watched) -> Result<Value, LabError> {
    let experiment = experiment(alpha);
    let store = Store::create(folder)?;
    let execution = Execution {
        out: folder.to_owned(),
        jobs: 1,
        max_memory: u64::MAX,
        policy: Policy {
            checkpoint_every: CheckpointEvery::Time(Duration::from_nanos(1)),
            ..Policy::default()
        },
        task: None,
        weights: None,
    };
    let failed = local::run(
        &experiment,
        experiment.jobs(),
        &store,
        &execution,
        progress,
        &progress.stop,
    )?;
    assert_eq!(failed, []);
    let results = collect(&experiment, &store)?;
    let record = &results.trials[0].1.as_ref().unwrap().result;
    let mut value = serde_json::to_value(record).unwrap();
    // Everything but time.
    let map = value.as_object_mut().unwrap();
    map.retain(|key, _| !key.contains("second"));
    Ok(value)
}

fn undisturbed(alpha: f64) -> Value {
    let folder = tempfile::tempdir().unwrap();
    run(alpha, folder.path(), &Watched::new(NEVER)).unwrap()
}

/// Leaves a trial that was interrupted; gives its checkpoint.
fn interrupted(alpha: f64, folder: &Path) -> PathBuf {
    let stopped = run(alpha, folder, &Watched::new(3));
    assert!(matches!(stopped, Err(LabError::Interrupted)));
    let files = checkpoints(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for kind in ["trials", "priors"] {
        for work in std::fs::read_dir(folder.join(kind)).unwrap() {
            let inside = std::fs::read_dir(work.unwrap().path()).unwrap();
            files.extend(inside.map(|entry| entry.unwrap().path()).filter(|path| {
                let name = path.file_name().unwrap().to_string_lossy();
                name.starts_with("checkpoint-") && name.ends_with(".safetensors")
            }));
        }
    }
    files
}

#[test]
fn an_interrupted_trial_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    interrupted(0.5, folder.path());
    let progress = Watched::new(NEVER);
    let result = run(0.5, folder.path(), &progress).unwrap();
    assert_eq!(result, undisturbed(0.5));
    assert!(progress.first.load(Ordering::Relaxed) >= 3, "it began anew");
    assert_eq!(checkpoints(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_checkpoint_that_was_cut_short_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = interrupted(0.5, folder.path());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let progress = Watched::new(NEVER);
    let result = run(0.5, folder.path(), &progress).unwrap();
    assert_eq!(result, undisturbed(0.5));
    assert_eq!(progress.first.load(Ordering::Relaxed), 1, "it began anew");
    is_aside(&path);
}

#[test]
fn the_checkpoint_of_another_trial_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = interrupted(0.5, folder.path());
    let other = tempfile::tempdir().unwrap();
    let foreign = interrupted(0.25, other.path());
    let inside = path.with_file_name(foreign.file_name().unwrap());
    std::fs::remove_file(&path).unwrap();
    std::fs::copy(&foreign, &inside).unwrap();
    let result = run(0.5, folder.path(), &Watched::new(NEVER)).unwrap();
    assert_eq!(result, undisturbed(0.5));
    is_aside(&inside);
}

#[test]
fn the_checkpoint_of_another_instruction_set_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = interrupted(0.5, folder.path());
    let mut file = WeightsFile::read(&path).unwrap();
    let metadata = file.metadata.get_mut("imlp-checkpoint").unwrap();
    let mut rest: Value = serde_json::from_str(metadata).unwrap();
    assert!(rest["instructions"].is_string());
    rest["instructions"] = "of another machine".into();
    *metadata = rest.to_string();
    let bytes = file.to_bytes().unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let start = name.rsplit_once('-').unwrap().0;
    let foreign = format!(
        "{start}-{}.safetensors",
        hex::encode(Sha256::digest(&bytes))
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::write(path.with_file_name(foreign), bytes).unwrap();
    let progress = Watched::new(NEVER);
    let result = run(0.5, folder.path(), &progress).unwrap();
    assert_eq!(result, undisturbed(0.5));
    assert_eq!(
        progress.first.load(Ordering::Relaxed),
        1,
        "it started again"
    );
    assert_eq!(checkpoints(folder.path()), [] as [PathBuf; 0]);
}

fn is_aside(path: &Path) {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let aside = names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(&format!("{stem}.damaged-")));
    assert_eq!(aside.count(), 1);
    assert!(!path.exists());
}
