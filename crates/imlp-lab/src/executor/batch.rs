//! Handing what is missing over to the scheduler of a cluster.
//!
//! Trials become the tasks of an array job. A task is this program again
//! (`imlp worker`), which does its share as [`local`](super::local) does on any
//! machine. So the store stays the truth: a task that runs twice, starts again
//! or finds its trial done publishes nothing a second time, and submitting twice
//! costs at most time in the queue. What the scheduler says is a hint.
//!
//! ```text
//! batch/0001/                 one folder per submission
//!   submission.json           which arrays it has, and which task does what
//!   recipe.toml               the recipe, options merged in
//!   trials-0.sh               the script of an array
//!   trials-0.job              the number that the scheduler gave it
//!   logs/                     what the tasks said
//! ```

mod call;
mod scheduler;
mod slurm;
mod submission;
mod watch;

pub use scheduler::{ArrayJob, EndedTask, QueuedTask, Scheduler};
pub use slurm::{Slurm, SlurmOptions};
pub use submission::{Array, ArrayTask, Request, Submission, Submitted, submit};
pub use watch::{ArrayStanding, Queue, cancel, queue, queue_and_accounts};

use crate::LabError;
use crate::store::Store;

/// The schedulers to which anything of an experiment was submitted.
///
/// # Errors
/// A submission that cannot be read.
pub fn schedulers(store: &Store) -> Result<Vec<Box<dyn Scheduler>>, LabError> {
    let mut names: Vec<String> = Submission::all(store)?
        .into_iter()
        .map(|submission| submission.scheduler)
        .collect();
    names.sort();
    names.dedup();
    Ok(names.iter().filter_map(|name| scheduler(name)).collect())
}

/// The scheduler of that name, as submissions note it.
pub fn scheduler(name: &str) -> Option<Box<dyn Scheduler>> {
    match name {
        slurm::NAME => Some(Box::new(Slurm::default())),
        _ => None,
    }
}
