//! Running jobs on a cluster, through its scheduler.
//!
//! Trials become the tasks of an array job. A task runs this program again
//! (`imlp worker`), which runs its trials as [`local`](super::local) does on any
//! machine. So the store stays the truth: a task that runs twice, starts again or
//! finds its trial finished publishes nothing a second time, and submitting twice
//! costs at most time in the queue. The scheduler's answers are hints.
//!
//! ```text
//! batch/0001/                 one folder per submission
//!   submission.json           its arrays, the jobs of each task, how tasks run them
//!   recipe.toml               the recipe, options merged in
//!   trials-0.sh               the script of an array
//!   trials-0.job              the array's number at the scheduler
//!   logs/                     output of the tasks
//! ```

mod call;
mod scheduler;
mod slurm;
mod submission;
mod submit;
mod watch;

pub use scheduler::{ArrayJob, EndedTask, QueuedTask, Scheduler};
pub use slurm::{Slurm, SlurmOptions};
pub use submission::{Array, ArrayTask, Submission, WorkerSettings};
pub use submit::{Request, Submitted, script_path, submit};
pub use watch::{ArrayStatus, Queue, cancel, queue, queue_and_accounts};

use crate::error::LabError;
use crate::store::Store;

/// The schedulers to which jobs of an experiment were submitted.
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

/// The scheduler of that name in `submission.json`.
pub fn scheduler(name: &str) -> Option<Box<dyn Scheduler>> {
    match name {
        slurm::NAME => Some(Box::new(Slurm::default())),
        _ => None,
    }
}
