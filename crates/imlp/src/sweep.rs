//! `imlp sweep`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use imlp_lab::executor::{Failed, collect, local};
use imlp_lab::files::refuse_file;
use imlp_lab::store::{Manifest, Store};
use imlp_lab::text::{shell_word, thousands};
use imlp_lab::{Execution, Experiment, LabError, Plan, Prediction, results, table};
use imlp_train::bytes;

use crate::args::{ExecutorName, SweepArguments};
use crate::data;
use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::progress::Display;
use crate::slurm;

pub fn run(arguments: &SweepArguments) -> Result<(), Failure> {
    refuse_mixture(arguments)?;
    let (common, output) = (&arguments.common, &arguments.output);
    let recipe = common.recipe(arguments.swept.keys()?)?;
    if let Some(out) = &output.out {
        refuse_file(out)?;
    }
    let plan = Plan::new(&recipe)?;
    if !output.quiet && sets_alpha(&plan) {
        eprintln!("note: a sweep sets α itself; interpolation.alpha is not used");
    }
    ensure_data(&plan)?;
    let experiment = Experiment::new(plan, common.device.backend())?;
    let execution = Execution {
        out: output
            .out
            .clone()
            .unwrap_or_else(|| default_out(&experiment)),
        jobs: match arguments.executor {
            ExecutorName::Local => arguments.swept.jobs(experiment.trials().len()),
            ExecutorName::Slurm => arguments.slurm.side_by_side() as usize,
        },
        max_memory: common.memory.limit(),
        policy: arguments.policy.policy(),
        task: None,
    };
    if !output.quiet {
        let prediction = experiment.predict(execution.jobs);
        for line in announcement(&experiment, &prediction, execution.jobs) {
            eprintln!("{line}");
        }
    }
    experiment.check_memory(&execution)?;
    let store = Store::create(&execution.out)?;
    store.note(&Manifest::of(&experiment, &command_line()))?;
    let failed = match arguments.executor {
        ExecutorName::Local => {
            let stop = stop_on_ctrl_c()?;
            let display = Display::new(output.quiet, execution.jobs);
            let share = experiment.share();
            let outcome = local::run(&experiment, share, &store, &execution, &display, &stop);
            display.close();
            outcome?
        }
        ExecutorName::Slurm => match slurm::run(arguments, &recipe, &experiment, &store)? {
            Some(failed) => failed,
            // It goes on without this process.
            None => return Ok(()),
        },
    };
    write_results(&experiment, &store, &execution, &failed)?;
    report(&failed)
}

/// Refuses options of one executor that are given with another.
fn refuse_mixture(arguments: &SweepArguments) -> Result<(), Failure> {
    let refuse = |option: &str, reason: &str| Err(Failure::Message(format!("{option} {reason}")));
    match (arguments.executor, arguments.slurm.given()) {
        (ExecutorName::Local, Some(option)) => {
            refuse(option, "has a meaning only with --executor slurm")
        }
        (ExecutorName::Slurm, _) if arguments.swept.asked_jobs().is_some() => refuse(
            "--jobs",
            "is for this machine; with --executor slurm give --max-parallel (tasks at a time) and \
             --cpus (trials side by side in a task)",
        ),
        _ => Ok(()),
    }
}

/// Writes and shows what the finished trials tell.
fn write_results(
    experiment: &Experiment,
    store: &Store,
    execution: &Execution,
    failed: &[Failed],
) -> Result<(), Failure> {
    let found = collect(experiment, store)?;
    match results::write(experiment, &found, execution, &command_line()) {
        Ok(written) => {
            for (label, curve) in &written.curves {
                if !label.is_empty() {
                    say(format_args!("\n{label}"))?;
                }
                say(table::terminal_table(curve).map_err(LabError::from)?)?;
            }
            say("wrote")?;
            for file in &written.files {
                say(format_args!("  {}", file.display()))?;
            }
            Ok(())
        }
        // The failures are the reason.
        Err(LabError::NothingFinished) if !failed.is_empty() => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// Tells what failed, if anything did.
pub fn report(failed: &[Failed]) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    for Failed { task, reason } in failed {
        eprintln!("failed: {task}: {reason}");
    }
    Err(Failure::SomeFailed(format!(
        "{} of the trials and priors failed; the others are kept. Remove the cause, then `imlp \
         retry` and the same command again",
        failed.len()
    )))
}

fn sets_alpha(plan: &Plan) -> bool {
    let mut configurations = plan.configurations().iter();
    configurations.any(|c| !c.config.interpolation.alpha.is_zero())
}

/// Fetches the data sets that are not there yet.
pub fn ensure_data(plan: &Plan) -> Result<(), Failure> {
    let configurations = plan.configurations().iter();
    let names: BTreeSet<&str> = configurations
        .map(|c| c.config.data.name.as_str())
        .collect();
    names.into_iter().try_for_each(data::ensure)
}

/// The command as it was typed, quoted where a shell needs it.
pub fn command_line() -> String {
    let arguments = std::env::args_os().skip(1);
    std::iter::once("imlp".to_owned())
        .chain(arguments.map(|argument| shell_word(&argument.to_string_lossy())))
        .collect::<Vec<_>>()
        .join(" ")
}

fn default_out(experiment: &Experiment) -> PathBuf {
    let config = &experiment.configurations[0].config;
    PathBuf::from("imlp-out").join(format!("{}-{}", config.data.name, config.prior.kind.name()))
}

/// What will be trained and what it costs, in lines.
pub fn announcement(experiment: &Experiment, prediction: &Prediction, jobs: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for configuration in &experiment.configurations {
        let data = configuration.setup.data();
        let cost = configuration.cost();
        if !configuration.assignments.is_empty() {
            lines.push(format!("with    {}", configuration.label()));
        }
        lines.push(format!(
            "data    {}: {} training, {} validation, {} test images of {}",
            configuration.config.data.name,
            data.train_len(),
            data.validation_len(),
            data.dataset().test.len(),
            data.shape(),
        ));
        for (name, network) in [("prior", &cost.prior), ("twin", &cost.twin)] {
            lines.push(format!(
                "{name:<7} {} parameters, {} FLOPs per image (forward + backward, multiply-add = 2)",
                thousands(network.parameters),
                thousands(network.flops_per_image),
            ));
        }
    }
    lines.push(format!(
        "plan    {} trials and {} priors, {:.2e} FLOPs, {jobs} at a time, about {} of memory",
        prediction.trials,
        prediction.priors,
        prediction.total_flops,
        bytes(prediction.peak_bytes),
    ));
    lines
}
