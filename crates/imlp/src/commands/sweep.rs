//! `imlp sweep`.

mod best;

use std::path::PathBuf;

use imlp_lab::comparison::terminal_text;
use imlp_lab::executor::{Failed, collect};
use imlp_lab::files::refuse_file;
use imlp_lab::store::{Manifest, Store};
use imlp_lab::text::{COLUMNS, wrapped};
use imlp_lab::{Execution, Experiment, LabError, Plan, Recipe, report, results, table};

use crate::args::{ExecutorName, SweepArguments};
use crate::browser;
use crate::command_line::command_line;
use crate::executor;
use crate::exit;
use crate::failure::Failure;
use crate::output::{say, tell};
use crate::prepare::{Announce, MissingData, prepare};
use crate::processor::processor;
use crate::slurm::{self, Submission};
use crate::terminal;
use best::how_to_train;

pub fn run(arguments: &SweepArguments) -> Result<(), Failure> {
    let asked_jobs = arguments.swept.asked_jobs();
    executor::refuse_mixture(arguments.executor, &arguments.slurm, asked_jobs)?;
    let (common, output) = (&arguments.common, &arguments.output);
    let recipe = common.recipe(arguments.swept.keys()?)?;
    if let Some(out) = &output.out {
        refuse_file(out)?;
    }
    let plan = Plan::new(&recipe)?;
    if !output.quiet && sets_alpha(&plan) {
        tell("note: a sweep sets α itself; interpolation.alpha is not used");
    }
    let execution = Execution {
        out: output.out.clone().unwrap_or_else(|| default_out(&plan)),
        jobs: executor::trials_at_a_time(arguments.executor, &arguments.slurm, asked_jobs),
        max_memory: common.memory.limit(),
        policy: arguments.policy(),
        task: None,
        weights: None,
    };
    if arguments.executor == ExecutorName::Slurm {
        slurm::refuse_paths(&execution.out)?;
    }
    let announce = Announce::unless(output.quiet);
    let fetch = MissingData::Fetch;
    let (experiment, execution) = prepare(plan, common.device, execution, fetch, announce)?;
    let store = Store::create(&execution.out)?;
    let manifest = Manifest::of(&experiment, execution.policy, &command_line())?.on(processor());
    store.note(&manifest)?;
    if arguments.open {
        browser::open(&report::write(&store, true)?);
    }
    let submission = Submission {
        slurm: &arguments.slurm,
        device: common.device,
        memory: &common.memory,
        policy: execution.policy,
        quiet: output.quiet,
    };
    let executor = arguments.executor;
    let ended = executor::run(
        executor,
        &submission,
        &recipe,
        &experiment,
        &store,
        &execution,
    )?;
    let Some(failed) = ended else {
        // The jobs continue without this process.
        return Ok(());
    };
    store.check(&manifest)?;
    write_results(arguments, &recipe, &experiment, &store, &execution, &failed)?;
    exit::report(&failed)
}

/// Writes the results of the finished trials, and prints their table.
fn write_results(
    arguments: &SweepArguments,
    recipe: &Recipe,
    experiment: &Experiment,
    store: &Store,
    execution: &Execution,
    failed: &[Failed],
) -> Result<(), Failure> {
    let found = collect(experiment, store)?;
    match results::write(experiment, &found, execution, &command_line()) {
        Ok(written) => {
            for ((label, curve), analysis) in written.curves.iter().zip(&written.analyses) {
                if !label.is_empty() {
                    say(format_args!("\n{label}"))?;
                }
                if let Some(chart) = terminal::chart(curve) {
                    say(format_args!("{chart}\n"))?;
                }
                say(table::terminal_table(curve).map_err(LabError::from)?)?;
                let diagnosis = format!("diagnosis: {}", analysis.sentence());
                say(format_args!("{}\n", wrapped(&diagnosis, COLUMNS, "")))?;
                let all = &experiment.configurations;
                let own = all.iter().find(|c| c.label() == *label).unwrap_or(&all[0]);
                let (common, out) = (&arguments.common, &execution.out);
                if let Some(how) = how_to_train(common, recipe, experiment, own, curve, out) {
                    say(format_args!("{how}\n"))?;
                }
            }
            if let Some(comparison) = &written.comparison {
                say("\ncomparison of the configurations")?;
                say(terminal_text(comparison))?;
            }
            for note in &written.notes {
                say(wrapped(&format!("note: {note}"), COLUMNS, ""))?;
            }
            say("wrote")?;
            for file in &written.files {
                say(format_args!("  {}", file.display()))?;
            }
            Ok(())
        }
        // The failures, which are reported next, are the reason.
        Err(LabError::NothingFinished) if !failed.is_empty() => Ok(()),
        Err(other) => Err(other.into()),
    }
}

fn sets_alpha(plan: &Plan) -> bool {
    let mut configurations = plan.configurations().iter();
    configurations.any(|c| !c.config.interpolation.alpha.is_zero())
}

fn default_out(plan: &Plan) -> PathBuf {
    let config = &plan.configurations()[0].config;
    PathBuf::from("imlp-out").join(format!("{}-{}", config.data.name, config.prior.kind.name()))
}
