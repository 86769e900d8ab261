//! `imlp sweep --executor slurm`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use imlp_lab::executor::batch::{self, Request, Scheduler, Slurm};
use imlp_lab::executor::{Failed, outcome};
use imlp_lab::status::Status;
use imlp_lab::store::Store;
use imlp_lab::{Experiment, LabError, Recipe};

use crate::args::SweepArguments;
use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::sweep::command_line;

/// Submits what is missing. Gives what failed when everything has ended; none
/// when jobs go on without this process.
pub fn run(
    arguments: &SweepArguments,
    recipe: &Recipe,
    experiment: &Experiment,
    store: &Store,
) -> Result<Option<Vec<Failed>>, Failure> {
    let scheduler = Slurm {
        options: arguments.slurm.options(),
    };
    let request = Request {
        recipe: recipe.clone(),
        side_by_side: arguments.slurm.side_by_side(),
        at_once: arguments.slurm.at_once(),
        worker: worker(arguments)?,
        policy: arguments.policy.policy(),
        command: command_line(),
    };
    let submitted =
        batch::submit(experiment, store, &scheduler, &request).map_err(|error| match error {
            error @ LabError::Scheduler { .. } => Failure::Message(format!(
                "{error}\nNothing is lost: the same command goes on, and finds what was submitted"
            )),
            other => other.into(),
        })?;
    let folder = store.root().display();
    if submitted.finished > 0 {
        say(format_args!("{} trial(s) are finished", submitted.finished))?;
    }
    if submitted.queued > 0 {
        say(format_args!(
            "{} trial(s) are in the queue",
            submitted.queued
        ))?;
    }
    for (label, job, tasks) in &submitted.arrays {
        say(format_args!(
            "submitted {label}: job {job}, {tasks} task(s)"
        ))?;
    }
    if !submitted.arrays.is_empty() || submitted.queued > 0 {
        if !arguments.slurm.wait {
            say(format_args!(
                "`imlp status {folder}` tells how it stands; the same command again, when all is \
                 done, writes the results"
            ))?;
            return Ok(None);
        }
        let stop = stop_on_ctrl_c()?;
        wait(store, &scheduler, &stop, arguments.output.quiet)?;
    }
    let outcome = outcome(experiment, store, request.policy)?;
    if outcome.left() > 0 {
        return Err(Failure::Message(format!(
            "{} trial(s) have neither a result nor a job; `imlp status {folder}` tells more, and \
             the same command submits them again",
            outcome.left()
        )));
    }
    Ok(Some(outcome.failed(experiment)))
}

/// The start of a task's command.
fn worker(arguments: &SweepArguments) -> Result<Vec<String>, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::Message(format!("cannot tell where imlp is: {error}")))?;
    let mut command = vec![
        program.to_string_lossy().into_owned(),
        "worker".to_owned(),
        arguments.common.device.option(),
    ];
    command.extend(arguments.common.memory.option());
    command.extend(arguments.policy.options());
    Ok(command)
}

/// Tells what changes, until every trial has ended, or no job is left.
fn wait(
    store: &Store,
    scheduler: &dyn Scheduler,
    stop: &AtomicBool,
    quiet: bool,
) -> Result<(), Failure> {
    /// Time between two looks; a controller has others to serve.
    const LOOK_EVERY: Duration = Duration::from_secs(5);
    /// Looks that find no job before it is believed: one may be between two
    /// states.
    const LOOKS: u32 = 3;
    let (mut told, mut without_job) = (String::new(), 0);
    loop {
        let queue = batch::queue(store, scheduler);
        let mut status = Status::of(store)?;
        match &queue {
            Ok(queue) => {
                status.merge(queue);
                without_job = if queue.is_empty() { without_job + 1 } else { 0 };
            }
            // The folder is the truth, and tells when all is done.
            Err(error) => tracing::warn!("{error}"),
        }
        let line = counts(&status);
        if line != told && !quiet {
            eprintln!("{line}");
            told = line;
        }
        if status.unfinished() == 0 || without_job >= LOOKS {
            return Ok(());
        }
        for _ in 0..LOOK_EVERY.as_millis() / 100 {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted(format!(
                    "no longer waiting; the jobs go on, `imlp cancel {}` ends them",
                    store.root().display()
                )));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// `12 done, 2 running, 13 queued`.
fn counts(status: &Status) -> String {
    let counts = status.counts().into_iter();
    let words: Vec<String> = counts.map(|(word, n)| format!("{n} {word}")).collect();
    words.join(", ")
}
