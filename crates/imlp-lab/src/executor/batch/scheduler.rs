//! The interface to a scheduler. Another scheduler is one file beside `slurm.rs` and
//! its name in [`scheduler`](super::scheduler()).

use std::path::Path;

use crate::error::LabError;

/// An array job: tasks that differ in their index only.
#[derive(Clone, Debug)]
pub struct ArrayJob<'a> {
    /// A name that no other job has.
    pub name: &'a str,
    /// What each task runs.
    pub script: &'a Path,
    /// Indices of the tasks, increasing.
    pub indices: &'a [u32],
    /// Limit on tasks that run at the same time.
    pub max_parallel: Option<u32>,
    /// Jobs that must have ended, with or without success, before the first task starts.
    pub after: &'a [String],
    /// Folder for the tasks' output.
    pub logs: &'a Path,
}

/// A task that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTask {
    /// The answer of [`Scheduler::this_task`] in it.
    pub task: String,
    /// Name of its array.
    pub array: String,
    /// Its index.
    pub index: u32,
    /// Number of the array's job.
    pub job: String,
    /// Whether it runs.
    pub running: bool,
    /// Why it waits, as the scheduler says it.
    pub reason: String,
}

/// A task that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTask {
    /// The answer of [`Scheduler::this_task`] in it.
    pub task: String,
    /// Number of the array's job.
    pub job: String,
    /// Its index.
    pub index: u32,
    /// How it ended, as the scheduler says it.
    pub how: String,
}

/// A scheduler.
pub trait Scheduler: std::fmt::Debug + Sync {
    /// Its name, in submissions and for people.
    fn name(&self) -> &'static str;

    /// The environment variable that holds a task's index.
    fn index_variable(&self) -> &'static str;

    /// Indices of tasks are below this.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn index_limit(&self) -> Result<u32, LabError>;

    /// Submits an array; returns its job's number. The array may be in the queue even
    /// when this fails.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn submit(&self, array: &ArrayJob<'_>) -> Result<String, LabError>;

    /// The tasks of the arrays of these names that wait or run.
    ///
    /// # Errors
    /// [`LabError::Scheduler`], also when the scheduler does not answer in time.
    fn queue(&self, names: &[&str]) -> Result<Vec<QueuedTask>, LabError>;

    /// Tasks of these jobs that have ended, if the scheduler keeps accounts.
    ///
    /// # Errors
    /// [`LabError::Scheduler`]; a scheduler without accounts is no error.
    fn ended(&self, jobs: &[&str]) -> Result<Vec<EndedTask>, LabError>;

    /// Removes jobs from the queue and ends those that run.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn cancel(&self, jobs: &[&str]) -> Result<(), LabError>;

    /// The task in which this process runs, as the scheduler writes it.
    fn this_task(&self) -> Option<String>;

    /// Puts the task in which this process runs back into the queue.
    ///
    /// # Errors
    /// [`LabError::Scheduler`].
    fn requeue_this_task(&self) -> Result<(), LabError>;
}
