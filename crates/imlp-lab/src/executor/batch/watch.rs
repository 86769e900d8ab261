//! The queue of an experiment's submissions.

use std::collections::{HashMap, HashSet};

use super::scheduler::{QueuedTask, Scheduler};
use super::submission::Submission;
use crate::error::LabError;
use crate::store::Store;

/// What the scheduler says about the submissions of an experiment.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// The arrays that have tasks in the queue, oldest first.
    pub arrays: Vec<ArrayStatus>,
    /// The task of a prior or trial in the queue, by its name: job number, and
    /// whether it runs.
    jobs: HashMap<String, (String, bool)>,
    /// The tasks in the queue, as the scheduler writes them (`12_3`).
    tasks: HashSet<String>,
    /// How the last task of a prior or trial ended, by its name.
    ended: HashMap<String, String>,
}

/// An array in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayStatus {
    /// The stem of its files' names.
    pub label: String,
    /// Its job's number.
    pub job: String,
    /// Tasks that run.
    pub running: usize,
    /// Tasks that wait.
    pub waiting: usize,
    /// Why they wait, as the scheduler says it.
    pub reasons: Vec<String>,
}

impl std::fmt::Display for ArrayStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            label,
            job,
            running,
            waiting,
            reasons,
        } = self;
        write!(
            f,
            "job {job} ({label}): {running} running, {waiting} waiting"
        )?;
        match reasons.as_slice() {
            [] => Ok(()),
            reasons => write!(f, " ({})", reasons.join(", ")),
        }
    }
}

impl Queue {
    /// The job in the queue that runs the prior or trial of this name.
    pub fn job_of(&self, name: &str) -> Option<&str> {
        self.jobs.get(name).map(|(job, _)| job.as_str())
    }

    /// Whether the prior or trial of this name waits in the queue.
    pub fn waits(&self, name: &str) -> bool {
        self.jobs.get(name).is_some_and(|(_, running)| !running)
    }

    /// Whether the scheduler still knows the task `12_3`.
    pub fn knows(&self, task: &str) -> bool {
        self.tasks.contains(task)
    }

    /// How the last task of the prior or trial of this name ended, if the scheduler
    /// keeps accounts.
    pub fn ended(&self, name: &str) -> Option<&str> {
        self.ended.get(name).map(String::as_str)
    }

    /// Whether nothing waits or runs.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// Asks the scheduler about every submission of an experiment.
///
/// # Errors
/// [`LabError::Scheduler`]; a submission that cannot be read.
pub fn queue(store: &Store, scheduler: &dyn Scheduler) -> Result<Queue, LabError> {
    queue_of(&submissions(store, scheduler)?, scheduler)
}

/// The submissions to `scheduler`.
fn submissions(store: &Store, scheduler: &dyn Scheduler) -> Result<Vec<Submission>, LabError> {
    let mut submissions = Submission::all(store)?;
    submissions.retain(|submission| submission.scheduler == scheduler.name());
    Ok(submissions)
}

fn queue_of(submissions: &[Submission], scheduler: &dyn Scheduler) -> Result<Queue, LabError> {
    let arrays = || submissions.iter().flat_map(|s| &s.arrays);
    let names: Vec<&str> = arrays().map(|array| array.name.as_str()).collect();
    let mut queued: HashMap<String, Vec<QueuedTask>> = HashMap::new();
    for task in scheduler.queue(&names)? {
        queued.entry(task.array.clone()).or_default().push(task);
    }
    let mut queue = Queue::default();
    for array in arrays() {
        let Some(tasks) = queued.get(&array.name) else {
            continue;
        };
        let mut status = ArrayStatus {
            label: array.label.clone(),
            job: tasks[0].job.clone(),
            running: 0,
            waiting: 0,
            reasons: Vec::new(),
        };
        for task in tasks {
            if task.running {
                status.running += 1;
            } else {
                status.waiting += 1;
                if !status.reasons.contains(&task.reason) {
                    status.reasons.push(task.reason.clone());
                }
            }
            queue.tasks.insert(task.task.clone());
            for name in array.task(task.index).into_iter().flat_map(|t| &t.work) {
                let entry = (task.job.clone(), task.running);
                queue.jobs.insert(name.clone(), entry);
            }
        }
        queue.arrays.push(status);
    }
    Ok(queue)
}

/// As [`queue`], with the scheduler's accounts of tasks that have left it. Accounts are
/// hints, and may be missing.
///
/// # Errors
/// As [`queue`].
pub fn queue_and_accounts(store: &Store, scheduler: &dyn Scheduler) -> Result<Queue, LabError> {
    let submissions = submissions(store, scheduler)?;
    let mut queue = queue_of(&submissions, scheduler)?;
    let mut arrays = HashMap::new();
    for submission in &submissions {
        for array in &submission.arrays {
            if let Some(job) = submission.job(array) {
                arrays.insert(job, array);
            }
        }
    }
    let jobs: Vec<&str> = arrays.keys().map(String::as_str).collect();
    match scheduler.ended(&jobs) {
        Ok(ended) => {
            for task in ended {
                let listed = arrays.get(&task.job).and_then(|a| a.task(task.index));
                for name in listed.into_iter().flat_map(|listed| &listed.work) {
                    let how = format!("job {}: {}", task.task, task.how);
                    queue.ended.insert(name.clone(), how);
                }
            }
        }
        Err(error) => tracing::info!("{error}"),
    }
    Ok(queue)
}

/// Cancels every job of an experiment; returns their numbers.
///
/// # Errors
/// [`LabError::Scheduler`]; a submission that cannot be read.
pub fn cancel(store: &Store, scheduler: &dyn Scheduler) -> Result<Vec<String>, LabError> {
    let queue = queue(store, scheduler)?;
    let mut jobs: Vec<String> = queue.arrays.into_iter().map(|array| array.job).collect();
    jobs.sort();
    jobs.dedup();
    if !jobs.is_empty() {
        let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
        scheduler.cancel(&jobs)?;
    }
    Ok(jobs)
}
