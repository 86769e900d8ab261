//! `imlp sweep`.

use std::path::PathBuf;

use imlp_lab::files::refuse_file;
use imlp_lab::results::thousands;
use imlp_lab::{Execution, Experiment, Plan, Prediction, Store, results, sweep, table};
use imlp_train::bytes;
use toml::Value;

use crate::args::{SweepArguments, seeds};
use crate::data;
use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::progress::Display;

pub fn run(arguments: &SweepArguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let mut keys = Vec::new();
    if let Some(grid) = &arguments.alphas {
        keys.push(("sweep.alphas", Value::String(grid.clone())));
    }
    if let Some(text) = &arguments.seeds {
        keys.push(("sweep.seeds", seeds(text)?));
    }
    if arguments.no_ends {
        keys.push(("sweep.ends", Value::Boolean(false)));
    }
    let recipe = common.recipe(keys)?;
    if let Some(out) = &common.out {
        refuse_file(out)?;
    }
    let plan = Plan::new(&recipe)?;
    if !common.quiet && !plan.config().interpolation.alpha.is_zero() {
        eprintln!("note: a sweep sets α itself; interpolation.alpha is not used");
    }
    data::ensure(&plan.config().data.name)?;
    let experiment = Experiment::new(plan, common.device.backend())?;
    let execution = Execution {
        out: common
            .out
            .clone()
            .unwrap_or_else(|| default_out(&experiment)),
        jobs: jobs(arguments.jobs).min(experiment.trials().len()),
        max_memory: common.memory.limit(),
    };
    let prediction = experiment.predict(execution.jobs);
    if !common.quiet {
        announce(&experiment, &prediction, &execution);
    }
    experiment.check_memory(&execution)?;
    let store = Store::open(&execution.out, &experiment)?;
    let stop = stop_on_ctrl_c()?;
    let display = Display::new(common.quiet, execution.jobs);
    let outcome = sweep::run(&experiment, &store, &execution, &display, &stop);
    display.close();
    let written = results::write(&experiment, &outcome?, &execution, &command_line())?;
    say(table::terminal_table(&written.curve).map_err(imlp_lab::LabError::from)?)?;
    say("wrote")?;
    for file in &written.files {
        say(format_args!("  {}", file.display()))?;
    }
    Ok(())
}

/// The command as it was typed, quoted where a shell needs it.
pub fn command_line() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    std::iter::once("imlp".to_owned())
        .chain(std::env::args_os().skip(1).map(|argument| {
            let argument = argument.to_string_lossy();
            if !argument.is_empty() && argument.chars().all(plain) {
                argument.into_owned()
            } else {
                format!("'{}'", argument.replace('\'', r"'\''"))
            }
        }))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Trials at a time: as asked, or as many as cores.
pub fn jobs(asked: Option<u32>) -> usize {
    asked.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        |n| n as usize,
    )
}

fn default_out(experiment: &Experiment) -> PathBuf {
    let config = &experiment.config;
    PathBuf::from("imlp-out").join(format!("{}-{}", config.data.name, config.prior.kind.name()))
}

/// Says what will be trained and what it costs.
pub fn announce(experiment: &Experiment, prediction: &Prediction, execution: &Execution) {
    let data = experiment.setup.data();
    let cost = &prediction.cost;
    eprintln!(
        "data    {}: {} training, {} validation, {} test images of {}",
        experiment.config.data.name,
        data.train_len(),
        data.validation_len(),
        data.dataset().test.len(),
        data.shape(),
    );
    for (name, network) in [("prior", &cost.prior), ("twin", &cost.twin)] {
        eprintln!(
            "{name:<7} {} parameters, {} FLOPs per image (forward + backward, multiply-add = 2)",
            thousands(network.parameters),
            thousands(network.flops_per_image),
        );
    }
    eprintln!(
        "plan    {} trials and {} priors, {:.2e} FLOPs, {} at a time, about {} of memory",
        prediction.trials,
        prediction.priors,
        prediction.total_flops,
        execution.jobs,
        bytes(prediction.peak_bytes),
    );
}
