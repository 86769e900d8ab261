//! `imlp sweep --executor slurm`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use imlp_lab::executor::batch::{self, Request, Scheduler, Slurm, WorkerSettings};
use imlp_lab::executor::{Failed, outcome};
use imlp_lab::status::Status;
use imlp_lab::store::Store;
use imlp_lab::text::shell_path;
use imlp_lab::{Experiment, LabError, Policy, Recipe};
use imlp_suggest::counted;

use crate::args::{DeviceName, MemoryArguments, SlurmArguments};
use crate::command_line::command_line;
use crate::failure::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::{say, tell};

/// How an experiment is submitted.
pub struct Submission<'a> {
    /// Options of the scheduler.
    pub slurm: &'a SlurmArguments,
    /// What trains the networks.
    pub device: DeviceName,
    /// The limit on a task's memory.
    pub memory: &'a MemoryArguments,
    /// Attempts, time limits and checkpoints.
    pub policy: Policy,
    /// Whether no progress is shown.
    pub quiet: bool,
}

/// Submits the unfinished trials. Returns those that failed when all have ended; none
/// if jobs continue without this process.
pub fn run(
    submission: &Submission<'_>,
    recipe: &Recipe,
    experiment: &Experiment,
    store: &Store,
) -> Result<Option<Vec<Failed>>, Failure> {
    let scheduler = Slurm {
        options: submission.slurm.options(),
    };
    let request = Request {
        recipe: recipe.clone(),
        jobs_per_task: submission.slurm.jobs_per_task(),
        max_parallel: submission.slurm.max_parallel(),
        program: program()?,
        worker: WorkerSettings {
            device: submission.device.name(),
            max_memory: submission.memory.asked(),
            policy: submission.policy,
        },
        command: command_line(),
    };
    let submitted =
        batch::submit(experiment, store, &scheduler, &request).map_err(|error| match error {
            error @ LabError::Scheduler { .. } => Failure::Message(format!(
                "{error}\nNothing is lost: the same command continues, and finds the jobs that were \
                 submitted"
            )),
            other => other.into(),
        })?;
    let folder = shell_path(store.root());
    if submitted.finished > 0 {
        say(format_args!(
            "finished: {}",
            counted(submitted.finished, "trial")
        ))?;
    }
    if submitted.queued > 0 {
        say(format_args!(
            "in the queue: {}",
            counted(submitted.queued, "trial")
        ))?;
    }
    for (label, job, tasks) in &submitted.arrays {
        say(format_args!(
            "submitted {label}: job {job}, {}",
            counted(*tasks, "task")
        ))?;
    }
    if !submitted.arrays.is_empty() || submitted.queued > 0 {
        if !submission.slurm.wait {
            say(format_args!(
                "`imlp status {folder}` shows the status; when every trial has ended, run the same \
                 command again to write the results"
            ))?;
            return Ok(None);
        }
        let stop = stop_on_ctrl_c()?;
        wait(store, &scheduler, &stop, submission.quiet)?;
    }
    let outcome = outcome(experiment, store, request.worker.policy)?;
    if outcome.unfinished_trials() > 0 {
        return Err(Failure::Message(format!(
            "without a result or a job: {}; `imlp status {folder}` tells why, and the same \
             command submits what is missing again",
            counted(outcome.unfinished_trials(), "trial")
        )));
    }
    Ok(Some(outcome.failed(experiment)))
}

/// This program, as the jobs run it.
fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::Message(format!("cannot find the program imlp: {error}")))
}

/// Refuses paths that no script can name, before anything is written.
pub fn refuse_paths(out: &Path) -> Result<(), Failure> {
    let out = std::path::absolute(out).map_err(|error| {
        Failure::Message(format!("cannot find the folder {}: {error}", out.display()))
    })?;
    batch::script_path(&out)?;
    batch::script_path(&program()?)?;
    Ok(())
}

/// Prints the counts whenever they change, until every trial has ended or no job is
/// left.
fn wait(
    store: &Store,
    scheduler: &dyn Scheduler,
    stop: &AtomicBool,
    quiet: bool,
) -> Result<(), Failure> {
    /// Time between two polls, which the controller answers beside other users'.
    const POLL_INTERVAL: Duration = Duration::from_secs(5);
    /// Polls in a row that must find no job, because one may be between two states.
    const EMPTY_POLLS: u32 = 3;
    let (mut told, mut without_job) = (String::new(), 0);
    loop {
        let queue = batch::queue(store, scheduler);
        let mut status = Status::of(store)?;
        match &queue {
            Ok(queue) => {
                status.merge(queue);
                without_job = if queue.is_empty() { without_job + 1 } else { 0 };
            }
            // The folder tells when every trial has ended.
            Err(error) => tracing::warn!("{error}"),
        }
        let line = counts(&status);
        if line != told && !quiet {
            tell(&line);
            told = line;
        }
        if status.unfinished() == 0 || without_job >= EMPTY_POLLS {
            return Ok(());
        }
        for _ in 0..POLL_INTERVAL.as_millis() / 100 {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted(format!(
                    "no longer waiting; the jobs continue, `imlp cancel {}` ends them",
                    shell_path(store.root())
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
