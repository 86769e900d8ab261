//! `imlp train`: one trial, in a store, with its weights.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Results, Steps, collect, local};
use imlp_lab::files::refuse_file;
use imlp_lab::store::Store;
use imlp_lab::text::alpha_text;
use imlp_lab::trial_table::{TrialRow, TrialTable};
use imlp_lab::weights::{NetworkName, are_saved, save_prior, save_twin};
use imlp_lab::{Execution, Experiment, Job, LabError, Plan, PlannedTrial};
use imlp_train::{Observer, Point, PriorRecord, Standing, TrialRecord, TrialStatus, run_trial};
use tempfile::TempDir;

use crate::args::TrainArguments;
use crate::failure::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::{percent, print, say, tell};
use crate::prepare::{Announce, MissingData, one_trial, prepare};
use crate::progress::Display;

pub fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let recipe = common.recipe(arguments.single.keys())?;
    let plan = one_trial(&recipe, None, arguments.single.seed)?;
    let folder = Folder::of(arguments, &plan)?;
    let quiet = arguments.output.quiet || arguments.json;
    let execution = Execution {
        out: folder.path().to_owned(),
        jobs: 1,
        max_memory: common.memory.limit(),
        policy: arguments.policy.policy(),
        task: None,
        weights: arguments.keeps_weights().then(|| folder.path().to_owned()),
    };
    let announce = Announce::unless(quiet);
    let fetch = MissingData::Fetch;
    let (experiment, execution) = prepare(plan, common.device, execution, fetch, announce)?;
    let store = Store::create(&execution.out)?;
    let trial = &experiment.trials()[0];
    if let Some(folder) = &execution.weights {
        // Before anything is trained: weights of another trial are refused.
        for network in [NetworkName::Twin, NetworkName::Prior] {
            are_saved(folder, network, trial)?;
        }
    }
    let stop = stop_on_ctrl_c()?;
    let display = Display::new(quiet, execution.jobs);
    let jobs = experiment.jobs();
    let outcome = local::run(&experiment, jobs, &store, &execution, &display, &stop);
    display.close();
    let failed = outcome?;
    let results = collect(&experiment, &store)?;
    let (record, prior) = records(&results);
    let mut files = vec![store.trial_folder(&trial.id).join("result.json")];
    if let (Some(folder), Some(record)) = (&execution.weights, record) {
        let again = Again {
            experiment: &experiment,
            trial,
            store: &store,
            stop: &stop,
            quiet,
        };
        files.extend(again.save_weights(folder, record)?);
    }
    if arguments.json {
        // Also of a trial that failed, for the program that reads the line.
        print(&line(&results)?)?;
    } else if let (Some(record), Some(prior)) = (record, prior) {
        summarise(trial, record, prior)?;
        say("files")?;
        for file in files {
            say(format_args!("  {}", file.display()))?;
        }
    }
    match failed.first() {
        None => Ok(()),
        Some(failed) => Err(Failure::SomeFailed(format!(
            "{}: {}",
            failed.job, failed.reason
        ))),
    }
}

/// The folder of the store, which is removed at the end if it is temporary.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn of(arguments: &TrainArguments, plan: &Plan) -> Result<Self, Failure> {
        if let Some(out) = &arguments.output.out {
            refuse_file(out)?;
            return Ok(Self::Kept(out.clone()));
        }
        if arguments.json {
            if arguments.keeps_weights() {
                return Err(Failure::Message(
                    "--json --weights needs a folder for the weights; give --out".to_owned(),
                ));
            }
            let folder = tempfile::tempdir().map_err(|error| {
                Failure::Message(format!(
                    "cannot create a temporary folder: {error}; give --out"
                ))
            })?;
            return Ok(Self::Temporary(folder));
        }
        let config = &plan.configurations()[0].config;
        Ok(Self::Kept(PathBuf::from("imlp-out").join(format!(
            "train-{}-alpha={},seed={}",
            config.data.name,
            alpha_text(config.interpolation.alpha),
            arguments.single.seed
        ))))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// The records of the only trial and its prior, if they are finished.
fn records(results: &Results) -> (Option<&TrialRecord>, Option<&PriorRecord>) {
    let (trial, published) = &results.trials[0];
    (
        published.as_ref().map(|published| &published.result),
        results.priors.get(&trial.prior),
    )
}

/// Weights of a trial that has a result.
struct Again<'a> {
    experiment: &'a Experiment,
    trial: &'a PlannedTrial,
    store: &'a Store,
    stop: &'a AtomicBool,
    quiet: bool,
}

impl Again<'_> {
    /// Writes the weights that `folder` lacks; returns the files that it then has. The
    /// twin's lack where the trial was finished without them: it is trained again.
    fn save_weights(&self, folder: &Path, record: &TrialRecord) -> Result<Vec<PathBuf>, Failure> {
        let configuration = &self.experiment.configurations[self.trial.configuration];
        let (setup, trial) = (&configuration.setup, self.trial);
        let prior = self.store.prior(&trial.prior, setup)?;
        if !are_saved(folder, NetworkName::Twin, trial)? {
            let here = setup.twin_instructions();
            if let Some(there) = record.instructions.as_ref().filter(|there| **there != here) {
                return Err(Failure::Message(format!(
                    "the trial is finished, but its weights were not kept: {there} computed it, \
                     and this machine would use {here}, which gives other bits. Run it in another \
                     --out, with --instructions if this machine has {there}"
                )));
            }
            if !self.quiet {
                tell("the trial is finished, but its weights were not kept: training it again");
            }
            let again = self.observe(|observer| {
                run_trial(setup, trial.alpha, trial.seed, prior.as_ref(), observer)
            })?;
            if !same_numbers(&again.record.points, &record.points) {
                return Err(Failure::Message(format!(
                    "training again gave other numbers than the result in {}, which another kind \
                     of processor computed; no weights were kept. Give another --out",
                    self.store.root().display()
                )));
            }
            save_twin(folder, configuration, trial, &again)?;
        }
        let mut files = vec![NetworkName::Twin.path(folder)];
        if let Some(prior) = prior {
            files.extend(save_prior(folder, configuration, trial, &prior)?);
        }
        Ok(files)
    }

    /// Shows the progress of `train`, which trains the twin.
    fn observe<T>(
        &self,
        train: impl FnOnce(&dyn Observer) -> Result<T, imlp_train::TrainError>,
    ) -> Result<T, Failure> {
        let job = Job::Trial(self.trial.clone());
        let label = JobLabel::new(self.experiment, &job);
        let configuration = &self.experiment.configurations[self.trial.configuration];
        let steps = job.steps(&configuration.setup);
        let display = Display::new(self.quiet, 1);
        let planned = Steps {
            prior: 0,
            twin: steps,
        };
        display.planned(1, planned, 0);
        display.started(0, &label, steps);
        let watched = Watched {
            display: &display,
            stop: self.stop,
        };
        let trained = display.answering(self.stop, || train(&watched));
        if trained.is_ok() {
            display.ended(0, &label, &JobEnd::Done);
        }
        display.close();
        Ok(trained?)
    }
}

/// Whether two runs of a trial measured the same; results of early versions lack the prior's
/// share and the learning rate, which follow from the configuration.
fn same_numbers(a: &[Point], b: &[Point]) -> bool {
    let numbers = |points: &[Point]| -> Vec<Point> {
        let points = points.iter().map(|point| Point {
            prior_share_before: None,
            prior_share_after: None,
            learning_rate: None,
            ..point.clone()
        });
        points.collect()
    };
    numbers(a) == numbers(b)
}

/// Tells what came of the trial.
fn summarise(
    trial: &PlannedTrial,
    record: &TrialRecord,
    prior: &PriorRecord,
) -> Result<(), Failure> {
    match record.status {
        TrialStatus::Done => {}
        TrialStatus::Diverged { epoch } => say(format_args!("the twin diverged in epoch {epoch}"))?,
        TrialStatus::PriorDiverged { epoch } => {
            say(format_args!("the prior diverged in epoch {epoch}"))?
        }
    }
    say(format_args!("α = {}, seed {}", trial.alpha, trial.seed))?;
    let (before, after) = (&record.before, &record.after);
    for (name, before, after, prior) in [
        (
            "validation",
            before.validation,
            after.validation,
            prior.validation,
        ),
        ("test", before.test, after.test, prior.test),
    ] {
        say(format_args!(
            "{name:<11} twin {} (before the last interpolation {}), prior {}",
            percent(after),
            percent(before),
            percent(prior)
        ))?;
    }
    Ok(())
}

/// The trial's row as one line of JSON.
fn line(results: &Results) -> Result<Vec<u8>, Failure> {
    let rows: Vec<TrialRow<'_>> = results
        .trials
        .iter()
        .map(|(trial, published)| TrialRow {
            id: trial.id.as_str(),
            alpha: trial.alpha.get(),
            seed: trial.seed,
            assignments: &[],
            state: "failed",
            record: published.as_ref().map(|published| &published.result),
            prior: results.priors.get(&trial.prior),
        })
        .collect();
    let mut line = Vec::new();
    TrialTable::new(&rows)
        .json_lines(&mut line)
        .map_err(|error| LabError::Table(error.to_string()))?;
    Ok(line)
}

struct Watched<'a> {
    display: &'a Display,
    stop: &'a AtomicBool,
}

impl Observer for Watched<'_> {
    fn steps(&self, count: u64) {
        self.display.steps(0, count);
    }

    fn resumed(&self, epoch: u32) {
        self.display.resumed(0, epoch);
    }

    fn epoch_ended(&self, standing: Standing) {
        self.display.epoch_ended(0, standing);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
