//! `imlp trial`: one trial, and one line of JSON for the program that asked.

use std::path::Path;

use imlp_lab::executor::{Results, collect, local};
use imlp_lab::files::refuse_file;
use imlp_lab::store::Store;
use imlp_lab::trial_table::{TrialRow, TrialTable};
use imlp_lab::{Execution, Experiment, LabError, Plan};

use crate::args::TrialArguments;
use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::print;
use crate::progress::Display;
use crate::sweep::ensure_data;

pub fn run(arguments: &TrialArguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let recipe = common.recipe(arguments.single.keys())?;
    if let Some(out) = &arguments.out {
        refuse_file(out)?;
    }
    let plan = Plan::new(&recipe)?;
    let alpha = plan.configurations()[0].config.interpolation.alpha;
    let plan = plan.single(alpha, arguments.single.seed)?;
    ensure_data(&plan)?;
    let experiment = Experiment::new(plan, common.device.backend())?;
    match &arguments.out {
        Some(out) => run_in(arguments, &experiment, out),
        None => {
            let folder = tempfile::tempdir().map_err(|error| {
                Failure::Message(format!(
                    "cannot make a temporary folder: {error}; give --out"
                ))
            })?;
            run_in(arguments, &experiment, folder.path())
        }
    }
}

/// Runs what is missing in the store `out`.
fn run_in(arguments: &TrialArguments, experiment: &Experiment, out: &Path) -> Result<(), Failure> {
    let execution = Execution {
        out: out.to_owned(),
        jobs: 1,
        max_memory: arguments.common.memory.limit(),
        policy: arguments.policy.policy(),
        task: None,
    };
    experiment.check_memory(&execution)?;
    let store = Store::create(out)?;
    let stop = stop_on_ctrl_c()?;
    let display = Display::new(!arguments.progress, execution.jobs);
    let outcome = local::run(
        experiment,
        experiment.share(),
        &store,
        &execution,
        &display,
        &stop,
    );
    display.close();
    let failed = outcome?;
    // Also of a trial that failed: whoever reads the line learns of it.
    print(&line(&collect(experiment, &store)?)?)?;
    match failed.first() {
        None => Ok(()),
        Some(failed) => Err(Failure::SomeFailed(format!(
            "{}: {}",
            failed.task, failed.reason
        ))),
    }
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
