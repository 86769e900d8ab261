//! Submitting what is missing, and the record of it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::scheduler::{ArrayJob, Scheduler};
use super::watch::{Queue, queue};
use crate::executor::{Outcome, outcome};
use crate::experiment::{Experiment, PlannedPrior, Policy};
use crate::files::{create_folder, list, read_json, write_atomically, write_json};
use crate::store::{Standing, Store};
use crate::text::shell_word;
use crate::{LabError, Recipe};

/// The folder of submissions in that of an experiment.
const FOLDER: &str = "batch";
const RECORD: &str = "submission.json";
const RECIPE: &str = "recipe.toml";

/// How an experiment is handed over.
#[derive(Clone, Debug)]
pub struct Request {
    /// The recipe, options merged in.
    pub recipe: Recipe,
    /// Trials that one task runs side by side.
    pub side_by_side: u32,
    /// Tasks at a time; none for as many as there is room for.
    pub at_once: Option<u32>,
    /// The start of the command that a task runs: this program and the options
    /// that say how trials are carried out.
    pub worker: Vec<String>,
    /// How often a trial is tried.
    pub policy: Policy,
    /// The command line, for people.
    pub command: String,
}

/// A submission as it is noted before anything is submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The scheduler's name.
    pub scheduler: String,
    /// The command line.
    pub command: String,
    /// Its arrays, in the order in which they were submitted.
    pub arrays: Vec<Array>,
    /// Its folder.
    #[serde(skip)]
    folder: PathBuf,
}

/// An array job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Array {
    /// What its files are called: `priors-0`, `trials-0`, `trials-1`, ….
    pub label: String,
    /// What the scheduler calls it; no other job is called so.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<ArrayTask>,
}

/// A task of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArrayTask {
    /// Its index.
    pub index: u32,
    /// Names of the priors or trials that it does.
    pub work: Vec<String>,
}

/// What came of [`submit`].
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Label, job number and number of tasks of each array.
    pub arrays: Vec<(String, String, usize)>,
    /// Trials that have a result.
    pub finished: usize,
    /// Trials that wait or run already.
    pub queued: usize,
}

impl Array {
    /// The task of that index.
    pub fn task(&self, index: u32) -> Option<&ArrayTask> {
        self.tasks.iter().find(|task| task.index == index)
    }
}

impl Submission {
    /// All submissions from the folder of an experiment, oldest first. One that
    /// was cut short before anything was submitted is none.
    ///
    /// # Errors
    /// [`LabError::Damaged`], [`LabError::Io`].
    pub fn all(store: &Store) -> Result<Vec<Self>, LabError> {
        let root = store.root().join(FOLDER);
        let mut submissions = Vec::new();
        for name in list(&root)? {
            submissions.extend(Self::read(&root.join(name))?);
        }
        Ok(submissions)
    }

    /// The submission of a folder.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn read(folder: &Path) -> Result<Option<Self>, LabError> {
        let submission: Option<Self> = read_json(&folder.join(RECORD))?;
        Ok(submission.map(|submission| Self {
            folder: folder.to_owned(),
            ..submission
        }))
    }

    /// The folder of the experiment.
    pub fn store(&self) -> Result<Store, LabError> {
        let root = self.folder.ancestors().nth(2).unwrap_or(Path::new("."));
        Store::existing(root)
    }

    /// The recipe as it was submitted.
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub fn recipe(&self) -> Result<Recipe, LabError> {
        Recipe::read(&self.folder.join(RECIPE))
    }

    /// The task of an array's label and an index.
    pub fn task(&self, label: &str, index: u32) -> Option<&ArrayTask> {
        let mut arrays = self.arrays.iter();
        arrays.find(|array| array.label == label)?.task(index)
    }

    /// The number that the scheduler gave an array; none when the submission was
    /// cut short before it was noted.
    pub fn job(&self, array: &Array) -> Option<String> {
        let noted = std::fs::read_to_string(self.job_file(array)).ok()?;
        Some(noted.trim().to_owned()).filter(|job| !job.is_empty())
    }

    fn job_file(&self, array: &Array) -> PathBuf {
        self.folder.join(format!("{}.job", array.label))
    }
}

/// Submits every trial that has neither a result nor a place in the queue, and
/// the priors that they need, which come first.
///
/// A submission is noted before it is made, and each job's number at once. So
/// one that is cut short leaves no job that the next one would not find.
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
    let there = queue(store, scheduler)?;
    let missing = Missing::find(&outcome(experiment, store, request.policy)?, &there);
    let mut submitted = Submitted {
        arrays: Vec::new(),
        finished: missing.finished,
        queued: missing.queued,
    };
    if missing.trials.is_empty() {
        return Ok(submitted);
    }
    let folder = new_folder(&store.root().join(FOLDER))?;
    let folder = folder
        .canonicalize()
        .map_err(LabError::io("find", &folder))?;
    let arrays = |stage, work| arrays(&folder, stage, work, request.side_by_side, limit);
    let mut all = arrays("priors", missing.priors);
    let first_of_trials = all.len();
    all.extend(arrays("trials", missing.trials));
    let submission = Submission {
        scheduler: scheduler.name().to_owned(),
        command: request.command.clone(),
        arrays: all,
        folder: folder.clone(),
    };
    let logs = folder.join("logs");
    create_folder(&logs)?;
    let recipe = request.recipe.table().to_string();
    write_atomically(&folder.join(RECIPE), recipe.as_bytes())?;
    write_json(&folder.join(RECORD), &submission)?;

    // Trials come after the priors that they are pulled toward.
    let mut priors: Vec<String> = missing.prior_jobs;
    let mut last = None;
    for (at, array) in submission.arrays.iter().enumerate() {
        let script = folder.join(format!("{}.sh", array.label));
        let text = script_text(&submission, array, scheduler, request);
        write_atomically(&script, text.as_bytes())?;
        let is_trials = at >= first_of_trials;
        let mut after = if is_trials {
            priors.clone()
        } else {
            Vec::new()
        };
        if request.at_once.is_some() {
            // Side by side, two arrays would run twice as many tasks.
            after.extend(last.take());
            after.dedup();
        }
        let indices: Vec<u32> = array.tasks.iter().map(|task| task.index).collect();
        let job = scheduler.submit(&ArrayJob {
            name: &array.name,
            script: &script,
            indices: &indices,
            at_once: request.at_once,
            after: &after,
            logs: &logs,
        })?;
        write_atomically(&submission.job_file(array), format!("{job}\n").as_bytes())?;
        if !is_trials {
            priors.push(job.clone());
        }
        last = Some(job.clone());
        submitted
            .arrays
            .push((array.label.clone(), job, indices.len()));
    }
    Ok(submitted)
}

/// Work by its position in the experiment: a task keeps its index whatever is
/// done already.
type Work = Vec<(usize, String)>;

/// What is to be submitted, and what is not.
#[derive(Default)]
struct Missing {
    priors: Work,
    trials: Work,
    /// Jobs in the queue that train priors of missing trials.
    prior_jobs: Vec<String>,
    finished: usize,
    queued: usize,
}

impl Missing {
    fn find(outcome: &Outcome, there: &Queue) -> Self {
        let mut missing = Self::default();
        let mut awaited = HashSet::new();
        for (at, (trial, standing)) in outcome.trials.iter().enumerate() {
            match standing {
                Standing::Finished => missing.finished += 1,
                Standing::Failed(_) => {}
                _ if there.job_of(trial.id.as_str()).is_some() => missing.queued += 1,
                // Also one at which a worker seems to be: it may be gone.
                Standing::Free(_) | Standing::Busy => {
                    awaited.insert(&trial.prior);
                    missing.trials.push((at, trial.id.to_string()));
                }
            }
        }
        for (at, (PlannedPrior { id, .. }, standing)) in outcome.priors.iter().enumerate() {
            match standing {
                Standing::Finished | Standing::Failed(_) => continue,
                Standing::Free(_) | Standing::Busy if !awaited.contains(id) => continue,
                Standing::Free(_) | Standing::Busy => {}
            }
            match there.job_of(id.as_str()) {
                Some(job) => missing.prior_jobs.push(job.to_owned()),
                None => missing.priors.push((at, id.to_string())),
            }
        }
        missing.prior_jobs.sort();
        missing.prior_jobs.dedup();
        missing
    }
}

/// Arrays for `work`: `side_by_side` positions to a task, and indices that begin
/// anew when they reach `limit`.
fn arrays(folder: &Path, stage: &str, work: Work, side_by_side: u32, limit: u32) -> Vec<Array> {
    let mut tasks: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (at, name) in work {
        let task = at / side_by_side.max(1) as usize;
        tasks.entry(task).or_default().push(name);
    }
    let limit = limit.max(1) as usize;
    let mut chunks: BTreeMap<usize, Vec<ArrayTask>> = BTreeMap::new();
    for (task, work) in tasks {
        let index = u32::try_from(task % limit).expect("below the limit");
        let chunk = chunks.entry(task / limit).or_default();
        chunk.push(ArrayTask { index, work });
    }
    // Folders of experiments are often called alike; the whole path is unique,
    // but for time.
    let mark = crate::identity::sha256_hex(
        format!("{} {}", folder.display(), crate::store::now()).as_bytes(),
    );
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

/// Makes the next of the folders `0001`, `0002`, … in `root`.
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
            // Someone else submits at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LabError::io("make the folder", &folder)(error)),
        }
    }
}

fn script_text(
    submission: &Submission,
    array: &Array,
    scheduler: &dyn Scheduler,
    request: &Request,
) -> String {
    let mut command: Vec<String> = request.worker.clone();
    command.push(submission.folder.to_string_lossy().into_owned());
    command.push(format!("--array={}", array.label));
    let command: Vec<String> = command.iter().map(|word| shell_word(word)).collect();
    // `exec`, so that the scheduler's signals reach the worker itself. A warning
    // before the worker hears it must not end the shell.
    format!(
        "#!/bin/sh\n# Array {} of: {}\ntrap '' USR1\nexec {} --index=\"${}\"\n",
        array.name,
        submission.command.replace('\n', " "),
        command.join(" "),
        scheduler.index_variable(),
    )
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
