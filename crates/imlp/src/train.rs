//! `imlp train`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::executor::{Progress, Task, TaskEnd};
use imlp_lab::files::{create_folder, refuse_file, write_atomically, write_json};
use imlp_lab::text::alpha_text;
use imlp_lab::{Execution, Experiment, LabError, Plan, Policy};
use imlp_train::{
    HostParameters, Metrics, Observer, ParameterSpec, TrialConfig, TrialStatus, WeightsFile,
    run_trial, train_prior,
};
use serde::{Deserialize, Serialize};

use crate::args::TrainArguments;
use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::progress::Display;
use crate::sweep::{announcement, ensure_data};

/// Key of a weights file's metadata that holds an [`Origin`] as JSON. One key:
/// the order of several is not fixed, and equal trials write equal files.
pub const ORIGIN_KEY: &str = "imlp";

/// What saved weights belong to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Origin {
    /// Which network.
    pub network: Which,
    /// The trial's configuration.
    pub config: TrialConfig,
    /// Checksum of the data set.
    pub data_checksum: String,
}

/// One of a trial's two networks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The dense twin.
    Twin,
    /// The structured prior.
    Prior,
}

pub fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let (common, output) = (&arguments.common, &arguments.output);
    let recipe = common.recipe(arguments.single.keys())?;
    let plan = Plan::new(&recipe)?;
    let config = plan.configurations()[0].config.clone();
    let alpha = config.interpolation.alpha;
    let seed = arguments.single.seed;
    let plan = plan.single(alpha, seed)?;
    let out = output.out.clone().unwrap_or_else(|| {
        PathBuf::from("imlp-out").join(format!(
            "train-{}-alpha={},seed={seed}",
            config.data.name,
            alpha_text(alpha)
        ))
    });
    refuse_existing(&out)?;
    ensure_data(&plan)?;
    let experiment = Experiment::new(plan, common.device.backend())?;
    let execution = Execution {
        out,
        jobs: 1,
        max_memory: common.memory.limit(),
        policy: Policy::default(),
        task: None,
    };
    if !output.quiet {
        let prediction = experiment.predict(execution.jobs);
        for line in announcement(&experiment, &prediction, execution.jobs) {
            eprintln!("{line}");
        }
    }
    experiment.check_memory(&execution)?;
    create_folder(&execution.out)?;

    let stop = stop_on_ctrl_c()?;
    let display = Display::new(output.quiet, 1);
    let setup = &experiment.configurations[0].setup;
    let observer = Watched {
        display: &display,
        stop: &stop,
    };
    let prior_task = Task::Prior {
        configuration: String::new(),
        seed,
    };
    let trial_task = Task::Trial {
        configuration: String::new(),
        alpha,
        seed,
    };
    display.planned(2, setup.prior_steps() + setup.twin_steps(), 0);
    display.started(0, &prior_task, setup.prior_steps());
    let prior = train_prior(setup, seed, &observer)?;
    display.ended(0, &prior_task, &TaskEnd::Done);
    display.started(0, &trial_task, setup.twin_steps());
    let trial = run_trial(setup, alpha, seed, Some(&prior), &observer)?;
    display.ended(0, &trial_task, &TaskEnd::Done);
    display.close();

    let checksum = &setup.data().dataset().checksum;
    let mut files = Vec::new();
    let mut save = |name: &str, bytes: &[u8]| -> Result<(), LabError> {
        let path = execution.out.join(name);
        write_atomically(&path, bytes)?;
        files.push(path);
        Ok(())
    };
    save(
        "twin.safetensors",
        &weights(
            Which::Twin,
            (&config, checksum),
            &trial.specs,
            &trial.parameters,
        )?,
    )?;
    if let Some(parameters) = prior.snapshots.last() {
        let specs = setup.prior().parameter_specs();
        save(
            "prior.safetensors",
            &weights(Which::Prior, (&config, checksum), &specs, parameters)?,
        )?;
    }
    let prior_record = execution.out.join("prior.json");
    write_json(&prior_record, &prior.record)?;
    // Last: a folder with a record holds everything else.
    let record = execution.out.join("record.json");
    write_json(&record, &trial.record)?;
    files.extend([prior_record, record]);

    match trial.record.status {
        TrialStatus::Done => {}
        TrialStatus::Diverged { epoch } => say(format_args!("the twin diverged in epoch {epoch}"))?,
        TrialStatus::PriorDiverged { epoch } => {
            say(format_args!("the prior diverged in epoch {epoch}"))?
        }
    }
    say(format_args!("α = {alpha}, seed {seed}"))?;
    for (name, before, after, prior) in [
        (
            "validation",
            trial.record.before.validation,
            trial.record.after.validation,
            prior.record.validation,
        ),
        (
            "test",
            trial.record.before.test,
            trial.record.after.test,
            prior.record.test,
        ),
    ] {
        say(format_args!(
            "{name:<11} twin {} (before the last interpolation {}), prior {}",
            percent(after),
            percent(before),
            percent(prior)
        ))?;
    }
    say("wrote")?;
    for file in files {
        say(format_args!("  {}", file.display()))?;
    }
    Ok(())
}

fn refuse_existing(out: &Path) -> Result<(), Failure> {
    refuse_file(out)?;
    if out.join("record.json").exists() {
        return Err(Failure::Message(format!(
            "{} already holds a trial; give another --out or delete the folder",
            out.display()
        )));
    }
    Ok(())
}

fn weights(
    network: Which,
    (config, checksum): (&TrialConfig, &str),
    specs: &[ParameterSpec],
    parameters: &HostParameters,
) -> Result<Vec<u8>, Failure> {
    let mut file = WeightsFile::default();
    file.add("", specs, parameters);
    let origin = Origin {
        network,
        config: config.clone(),
        data_checksum: checksum.to_owned(),
    };
    let origin = serde_json::to_string(&origin).expect("a configuration has only text keys");
    file.metadata.insert(ORIGIN_KEY.to_owned(), origin);
    file.to_bytes().map_err(Failure::Message)
}

/// `59.31 %`, or a dash for what was not measured.
pub fn percent(metrics: Option<Metrics>) -> String {
    metrics.map_or("–".to_owned(), |m| format!("{:.2} %", 100.0 * m.accuracy))
}

struct Watched<'a> {
    display: &'a Display,
    stop: &'a AtomicBool,
}

impl Observer for Watched<'_> {
    fn steps(&self, count: u64) {
        self.display.steps(0, count);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
