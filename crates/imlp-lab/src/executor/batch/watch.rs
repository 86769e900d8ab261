//! How it stands with what was submitted.

use std::collections::{HashMap, HashSet};

use super::scheduler::{QueuedTask, Scheduler};
use super::submission::Submission;
use crate::LabError;
use crate::store::Store;

/// What the scheduler says about the submissions of an experiment.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// The arrays that have tasks in the queue, oldest first.
    pub arrays: Vec<ArrayStanding>,
    /// Job and state of the task that does a trial or a prior, by its name.
    work: HashMap<String, (String, bool)>,
    /// The tasks in the queue, in the scheduler's words (`12_3`).
    tasks: HashSet<String>,
    /// How the last task ended that was to do a trial or a prior, by its name.
    ended: HashMap<String, String>,
}

/// An array in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayStanding {
    /// What its files are called.
    pub label: String,
    /// Its job's number.
    pub job: String,
    /// Tasks that run.
    pub running: usize,
    /// Tasks that wait.
    pub waiting: usize,
    /// Why they wait, in the scheduler's words.
    pub reasons: Vec<String>,
}

impl std::fmt::Display for ArrayStanding {
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
    /// The job that does, or will do, the trial or prior of this name.
    pub fn job_of(&self, name: &str) -> Option<&str> {
        self.work.get(name).map(|(job, _)| job.as_str())
    }

    /// Whether the trial or prior of this name waits for its turn.
    pub fn waits(&self, name: &str) -> bool {
        self.work.get(name).is_some_and(|(_, running)| !running)
    }

    /// Whether the scheduler still knows the task `12_3`.
    pub fn knows(&self, task: &str) -> bool {
        self.tasks.contains(task)
    }

    /// How the task ended that was to do the trial or prior of this name, where
    /// the scheduler keeps account of that.
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

/// What was submitted to `scheduler`.
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
        let mut standing = ArrayStanding {
            label: array.label.clone(),
            job: tasks[0].job.clone(),
            running: 0,
            waiting: 0,
            reasons: Vec::new(),
        };
        for task in tasks {
            if task.running {
                standing.running += 1;
            } else {
                standing.waiting += 1;
                if !standing.reasons.contains(&task.reason) {
                    standing.reasons.push(task.reason.clone());
                }
            }
            queue.tasks.insert(task.task.clone());
            for name in array.task(task.index).into_iter().flat_map(|t| &t.work) {
                let entry = (task.job.clone(), task.running);
                queue.work.insert(name.clone(), entry);
            }
        }
        queue.arrays.push(standing);
    }
    Ok(queue)
}

/// As [`queue`], and what the scheduler's accounts say about tasks that are no
/// longer in it. Accounts are hints: where there are none, nothing is missing.
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

/// Takes every job of an experiment out of the queue; gives their numbers.
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
