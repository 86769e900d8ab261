//! Submitting the jobs that have no result yet.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::scheduler::{ArrayJob, Scheduler};
use super::submission::{Array, ArrayTask, FOLDER, RECIPE, Submission, WorkerSettings};
use super::watch::{Queue, queue};
use crate::error::LabError;
use crate::executor::outcome::{Outcome, outcome};
use crate::experiment::{Experiment, Job};
use crate::files::{create_folder, list, write_atomically};
use crate::identity::sha256_hex;
use crate::recipe::Recipe;
use crate::store::{Availability, Store, now};
use crate::text::shell_word;

/// What to submit, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The recipe, options merged in.
    pub recipe: Recipe,
    /// Jobs that one task runs side by side.
    pub jobs_per_task: u32,
    /// Limit on tasks that run at the same time.
    pub max_parallel: Option<u32>,
    /// The program that a task runs, as `PROGRAM worker …`.
    pub program: PathBuf,
    /// How the tasks run their jobs.
    pub worker: WorkerSettings,
    /// The command line, for people.
    pub command: String,
}

/// What [`submit`] submitted.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Label, job number and number of tasks of each array.
    pub arrays: Vec<(String, String, usize)>,
    /// Trials that have a result.
    pub finished: usize,
    /// Trials that were in the queue already.
    pub queued: usize,
}

/// Submits every trial that has neither a result nor a task in the queue, after the
/// priors that they need.
///
/// The submission is written before any array is submitted, and each job's number
/// right after. So one that is cut short leaves no job that the next one does not
/// find.
///
/// # Errors
/// [`LabError::Scheduler`]; a folder that cannot be written to.
pub fn submit(
    experiment: &Experiment,
    store: &Store,
    scheduler: &dyn Scheduler,
    request: &Request,
) -> Result<Submitted, LabError> {
    let limit = scheduler.index_limit()?;
    let queued = queue(store, scheduler)?;
    let outcome = outcome(experiment, store, request.worker.policy)?;
    let unfinished = Unfinished::new(&outcome, &queued);
    let mut submitted = Submitted {
        arrays: Vec::new(),
        finished: unfinished.finished,
        queued: unfinished.queued,
    };
    if unfinished.trials.is_empty() {
        return Ok(submitted);
    }
    for path in [store.root(), &request.program] {
        script_path(path)?;
    }
    let folder = new_folder(&store.root().join(FOLDER))?;
    let folder = folder
        .canonicalize()
        .map_err(LabError::io("find", &folder))?;
    let arrays = |stage, jobs| arrays(&folder, stage, jobs, request.jobs_per_task, limit);
    let mut all = arrays("priors", unfinished.priors);
    all.extend(arrays("trunks", unfinished.trunks));
    let shared = all.len();
    all.extend(arrays("trials", unfinished.trials));
    let submission = Submission {
        scheduler: scheduler.name().to_owned(),
        command: request.command.clone(),
        worker: request.worker.clone(),
        arrays: all,
        folder: folder.clone(),
    };
    create_folder(&logs(&submission))?;
    let recipe = request.recipe.table().to_string();
    write_atomically(&folder.join(RECIPE), recipe.as_bytes())?;
    submission.write()?;

    // Trials start after the priors and trunks that they need.
    let mut shared_jobs: Vec<String> = unfinished.shared_jobs;
    let mut last = None;
    for (at, array) in submission.arrays.iter().enumerate() {
        let is_shared = at < shared;
        let mut after = if is_shared {
            Vec::new()
        } else {
            shared_jobs.clone()
        };
        if request.max_parallel.is_some() {
            // Two arrays at the same time would run twice as many tasks.
            after.extend(last.take());
            after.dedup();
        }
        let job = submit_array(&submission, array, scheduler, request, &after)?;
        if is_shared {
            shared_jobs.push(job.clone());
        }
        last = Some(job.clone());
        let tasks = array.tasks.len();
        submitted.arrays.push((array.label.clone(), job, tasks));
    }
    Ok(submitted)
}

/// Writes the script of an array, submits it, and writes down its job's number.
fn submit_array(
    submission: &Submission,
    array: &Array,
    scheduler: &dyn Scheduler,
    request: &Request,
    after: &[String],
) -> Result<String, LabError> {
    let script = submission.folder.join(format!("{}.sh", array.label));
    let text = script_text(submission, array, scheduler, &request.program)?;
    write_atomically(&script, text.as_bytes())?;
    let indices: Vec<u32> = array.tasks.iter().map(|task| task.index).collect();
    let job = scheduler.submit(&ArrayJob {
        name: &array.name,
        script: &script,
        indices: &indices,
        max_parallel: request.max_parallel,
        after,
        logs: &logs(submission),
    })?;
    write_atomically(&submission.job_file(array), format!("{job}\n").as_bytes())?;
    Ok(job)
}

/// The folder of the tasks' output.
fn logs(submission: &Submission) -> PathBuf {
    submission.folder.join("logs")
}

/// Jobs by their position among the priors, trunks or trials of the experiment, which
/// fixes the index of their task.
type Positions = Vec<(usize, String)>;

/// The jobs to submit, and how many need no submission.
#[derive(Default)]
struct Unfinished {
    priors: Positions,
    trunks: Positions,
    trials: Positions,
    /// Jobs in the queue that train priors and trunks of `trials`.
    shared_jobs: Vec<String>,
    finished: usize,
    queued: usize,
}

impl Unfinished {
    fn new(outcome: &Outcome, queue: &Queue) -> Self {
        let mut unfinished = Self::default();
        let mut needed = HashSet::new();
        let trials = outcome.jobs.iter().filter_map(|(job, state)| match job {
            Job::Trial(trial) => Some((trial, state)),
            Job::Prior(_) | Job::Trunk(_) => None,
        });
        for (at, (trial, state)) in trials.enumerate() {
            match state {
                Availability::Finished => unfinished.finished += 1,
                Availability::Failed(_) => {}
                _ if queue.job_of(trial.id.as_str()).is_some() => unfinished.queued += 1,
                // Also a busy one: its worker may be gone.
                Availability::Free(_) | Availability::Busy => {
                    needed.insert(&trial.prior);
                    unfinished.trials.push((at, trial.id.to_string()));
                }
            }
        }
        let priors = outcome.jobs.iter().filter_map(|(job, state)| match job {
            Job::Prior(prior) => Some((prior, state)),
            Job::Trunk(_) | Job::Trial(_) => None,
        });
        for (at, (prior, state)) in priors.enumerate() {
            let ended = matches!(state, Availability::Finished | Availability::Failed(_));
            if ended || !needed.contains(&prior.id) {
                continue;
            }
            match queue.job_of(prior.id.as_str()) {
                Some(job) => unfinished.shared_jobs.push(job.to_owned()),
                None => unfinished.priors.push((at, prior.id.to_string())),
            }
        }
        let submitted: HashSet<String> = unfinished.trials.iter().map(|t| t.1.clone()).collect();
        let trunks = outcome.jobs.iter().filter_map(|(job, state)| match job {
            Job::Trunk(trunk) => Some((trunk, state)),
            Job::Prior(_) | Job::Trial(_) => None,
        });
        for (at, (trunk, state)) in trunks.enumerate() {
            let trials = trunk.trials.iter();
            let waiting = trials.filter(|trial| submitted.contains(trial.as_str()));
            let ended = matches!(state, Availability::Finished | Availability::Failed(_));
            // For one trial it is not made.
            if ended || waiting.count() < 2 {
                continue;
            }
            match queue.job_of(trunk.id.as_str()) {
                Some(job) => unfinished.shared_jobs.push(job.to_owned()),
                None => unfinished.trunks.push((at, trunk.id.to_string())),
            }
        }
        unfinished.shared_jobs.sort();
        unfinished.shared_jobs.dedup();
        unfinished
    }
}

/// Arrays for `positions`: `jobs_per_task` positions to a task, and indices that start
/// again at 0 when they reach `limit`.
fn arrays(
    folder: &Path,
    stage: &str,
    positions: Positions,
    jobs_per_task: u32,
    limit: u32,
) -> Vec<Array> {
    let mut tasks: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (at, name) in positions {
        let task = at / jobs_per_task.max(1) as usize;
        tasks.entry(task).or_default().push(name);
    }
    let limit = limit.max(1) as usize;
    let mut chunks: BTreeMap<usize, Vec<ArrayTask>> = BTreeMap::new();
    for (task, work) in tasks {
        let index = u32::try_from(task % limit).expect("below the limit");
        let chunk = chunks.entry(task / limit).or_default();
        chunk.push(ArrayTask { index, work });
    }
    // Experiments often share the last part of their path, and a path may be used again
    // later.
    let mark = sha256_hex(format!("{} {}", folder.display(), now()).as_bytes());
    chunks
        .into_iter()
        .map(|(chunk, tasks)| {
            let label = format!("{stage}-{chunk}");
            Array {
                name: format!("imlp-{label}-{}", &mark[..8]),
                label,
                tasks,
            }
        })
        .collect()
}

/// Creates the next of the folders `0001`, `0002`, … in `root`.
fn new_folder(root: &Path) -> Result<PathBuf, LabError> {
    create_folder(root)?;
    let last = list(root)?
        .iter()
        .filter_map(|name| name.parse::<u32>().ok())
        .max();
    let mut number = last.unwrap_or(0);
    loop {
        number += 1;
        let folder = root.join(format!("{number:04}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            // Another process submits at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LabError::io("make the folder", &folder)(error)),
        }
    }
}

/// A path as a script can name it.
///
/// # Errors
/// [`LabError::NotUtf8`].
pub fn script_path(path: &Path) -> Result<&str, LabError> {
    path.to_str()
        .ok_or_else(|| LabError::NotUtf8(path.to_owned()))
}

/// The script of an array, which runs the worker on the task's index.
fn script_text(
    submission: &Submission,
    array: &Array,
    scheduler: &dyn Scheduler,
    program: &Path,
) -> Result<String, LabError> {
    let quoted = |path| script_path(path).map(shell_word);
    // `exec`, so that the scheduler's signals reach the worker itself. A warning that
    // comes before the worker handles signals must not end the shell.
    Ok(format!(
        "#!/bin/sh\n# Array {} of: {}\ntrap '' USR1\n\
         exec {} worker {} --array={} --index=\"${}\"\n",
        array.name,
        submission.command.replace('\n', " "),
        quoted(program)?,
        quoted(&submission.folder)?,
        array.label,
        scheduler.index_variable(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(array: &Array) -> Vec<u32> {
        array.tasks.iter().map(|task| task.index).collect()
    }

    #[test]
    fn a_task_keeps_its_index_whatever_is_missing() {
        let work = |at: &[usize]| at.iter().map(|at| (*at, format!("t{at}"))).collect();
        let folder = Path::new("f");
        let all = arrays(folder, "trials", work(&[0, 1, 2, 3, 4, 5, 6]), 1, 4);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].label, "trials-0");
        assert_eq!(indices(&all[0]), [0, 1, 2, 3]);
        assert_eq!(indices(&all[1]), [0, 1, 2]);
        assert_eq!(all[1].tasks[2].work, ["t6"]);
        let some = arrays(folder, "trials", work(&[2, 5]), 1, 4);
        assert_eq!(indices(&some[0]), [2]);
        assert_eq!(some[1].label, "trials-1");
        assert_eq!(indices(&some[1]), [1]);
        // Three positions to a task, also where some of them are done.
        let packed = arrays(folder, "trials", work(&[0, 2, 7]), 3, 1000);
        assert_eq!(indices(&packed[0]), [0, 2]);
        assert_eq!(packed[0].tasks[0].work, ["t0", "t2"]);
        assert!(arrays(folder, "trials", work(&[]), 3, 1000).is_empty());
    }
}
