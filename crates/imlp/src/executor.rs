//! What runs the jobs of an experiment: this process, or a cluster.

use imlp_lab::executor::{Failed, local};
use imlp_lab::store::Store;
use imlp_lab::{Execution, Experiment, Recipe};

use crate::args::{ExecutorName, SlurmArguments, jobs};
use crate::failure::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::live::Live;
use crate::progress::Display;
use crate::slurm::{self, Submission};

/// Refuses options of one executor that are given with another.
pub fn refuse_mixture(
    executor: ExecutorName,
    slurm: &SlurmArguments,
    asked_jobs: Option<u32>,
) -> Result<(), Failure> {
    let refuse = |option: &str, reason: &str| Err(Failure::Message(format!("{option} {reason}")));
    match (executor, slurm.given()) {
        (ExecutorName::Local, Some(option)) => refuse(option, "needs --executor slurm"),
        (ExecutorName::Slurm, _) if asked_jobs.is_some() => refuse(
            "--jobs",
            "is for this machine; with --executor slurm give --max-parallel (tasks at a time) and \
             --cpus (trials side by side in a task)",
        ),
        _ => Ok(()),
    }
}

/// Trials that one process runs at a time.
pub fn trials_at_a_time(
    executor: ExecutorName,
    slurm: &SlurmArguments,
    asked_jobs: Option<u32>,
) -> usize {
    match executor {
        ExecutorName::Local => jobs(asked_jobs),
        ExecutorName::Slurm => slurm.jobs_per_task() as usize,
    }
}

/// Runs the jobs of `experiment` that have no result in `store`. Returns those that failed
/// when all have ended; none if jobs continue without this process.
pub fn run(
    executor: ExecutorName,
    submission: &Submission<'_>,
    recipe: &Recipe,
    experiment: &Experiment,
    store: &Store,
    execution: &Execution,
) -> Result<Option<Vec<Failed>>, Failure> {
    match executor {
        ExecutorName::Local => {
            let stop = stop_on_ctrl_c()?;
            let display = Display::new(submission.quiet, execution.jobs);
            let jobs = experiment.jobs();
            let live = Live::new(experiment, store, &display);
            let outcome = display.answering(&stop, || {
                local::run(experiment, jobs, store, execution, &live, &stop)
            });
            display.close();
            live.close(false);
            Ok(Some(outcome?))
        }
        ExecutorName::Slurm => slurm::run(submission, recipe, experiment, store),
    }
}
