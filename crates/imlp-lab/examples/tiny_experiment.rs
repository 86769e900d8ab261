//! A whole experiment through the library, in a few seconds.
//!
//! ```text
//! cargo run -p imlp-lab --example tiny_experiment
//! ```

use std::sync::atomic::AtomicBool;

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Steps, collect, local};
use imlp_lab::store::{Manifest, Store};
use imlp_lab::{Execution, Experiment, Plan, Policy, Recipe, results, table};
use imlp_train::Backend;

/// Ten percent of the built-in images, and a network of 784 → 98 → 10.
const RECIPE: &str = r#"
data.validation_fraction = 0.9

[prior]
kind = "custom"
layers = [
    { type = "conv2d", channels = 2, kernel = 4, stride = 4 },
    { type = "relu" },
    { type = "linear" },
]

[train]
epochs = 2

[sweep]
alphas = [0.1, 0.5] # and 0 and 1
seeds = 2
"#;

/// Prints each job that has ended.
struct Print;

impl Progress for Print {
    fn planned(&self, _jobs: usize, _steps: Steps, _kept: usize) {}
    fn started(&self, _worker: usize, _job: &JobLabel, _steps: u64) {}
    fn steps(&self, _worker: usize, _count: u64) {}
    fn ended(&self, _worker: usize, job: &JobLabel, _end: &JobEnd) {
        println!("finished: {job}");
    }
    fn finished_elsewhere(&self, _job: &JobLabel, _steps: u64) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan = Plan::new(&Recipe::parse(RECIPE)?)?;
    let experiment = Experiment::new(plan, Backend::Cpu)?;

    let folder = tempfile::tempdir()?;
    let execution = Execution {
        out: folder.path().to_owned(),
        jobs: 2,
        max_memory: 1 << 30,
        policy: Policy::default(),
        task: None,
        weights: None,
    };
    experiment.check_memory(&execution)?;
    let store = Store::create(&execution.out)?;
    store.note(&Manifest::of(
        &experiment,
        execution.policy,
        "tiny_experiment",
    )?)?;
    let stop = AtomicBool::new(false);
    let failed = local::run(
        &experiment,
        experiment.jobs(),
        &store,
        &execution,
        &Print,
        &stop,
    )?;
    assert!(failed.is_empty());

    let found = collect(&experiment, &store)?;
    let written = results::write(&experiment, &found, &execution, "tiny_experiment")?;
    let (_, curve) = &written.curves[0];
    println!("{}", table::terminal_table(curve)?);
    for file in &written.files {
        println!("{}", file.display());
    }
    Ok(())
}
