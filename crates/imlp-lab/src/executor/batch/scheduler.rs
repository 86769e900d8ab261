//! What a scheduler must be able to do. Another scheduler is one file beside
//! `slurm.rs` and its name in [`scheduler`](super::scheduler()).

use std::path::Path;

use crate::LabError;

/// An array job: tasks that differ in their index only.
#[derive(Clone, Debug)]
pub struct ArrayJob<'a> {
    /// A name that no other job has.
    pub name: &'a str,
    /// What each task runs.
    pub script: &'a Path,
    /// Indices of the tasks, increasing.
    pub indices: &'a [u32],
    /// Tasks at a time; none for as many as there is room for.
    pub at_once: Option<u32>,
    /// Jobs that must have ended, well or not, before the first task starts.
    pub after: &'a [String],
    /// Folder for what the tasks say.
    pub logs: &'a Path,
}

/// A task that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTask {
    /// What [`Scheduler::this_task`] says in it.
    pub task: String,
    /// Name of its array.
    pub array: String,
    /// Its index.
    pub index: u32,
    /// Number of the array's job.
    pub job: String,
    /// Whether it runs.
    pub running: bool,
    /// Why it waits, in the scheduler's words.
    pub reason: String,
}

/// A task that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTask {
    /// What [`Scheduler::this_task`] said in it.
    pub task: String,
    /// Number of the array's job.
    pub job: String,
    /// Its index.
    pub index: u32,
    /// How it ended, in the scheduler's words.
    pub how: String,
}

/// A scheduler.
pub trait Scheduler: std::fmt::Debug + Sync {
    /// Its name, in submissions and for people.
    fn name(&self) -> &'static str;

    /// The shell's variable in which a task finds its index.
    fn index_variable(&self) -> &'static str;

    /// Indices of tasks are below this.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn index_limit(&self) -> Result<u32, LabError>;

    /// Hands an array over; gives its job's number. When this fails, the array
    /// may be in the queue all the same.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn submit(&self, array: &ArrayJob<'_>) -> Result<String, LabError>;

    /// The tasks of the arrays of these names that wait or run.
    ///
    /// # Errors
    /// [`LabError::Scheduler`], also when the scheduler does not answer in time.
    fn queue(&self, names: &[&str]) -> Result<Vec<QueuedTask>, LabError>;

    /// Tasks of these jobs that have ended, where the scheduler keeps account of
    /// them.
    ///
    /// # Errors
    /// [`LabError::Scheduler`]; no account is no error.
    fn ended(&self, jobs: &[&str]) -> Result<Vec<EndedTask>, LabError>;

    /// Takes jobs out of the queue and ends those that run.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn cancel(&self, jobs: &[&str]) -> Result<(), LabError>;

    /// The task as which this process runs, in the scheduler's words.
    fn this_task(&self) -> Option<String>;

    /// Puts the task as which this process runs back into the queue.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn requeue_this_task(&self) -> Result<(), LabError>;
}
