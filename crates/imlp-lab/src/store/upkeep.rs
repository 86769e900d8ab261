//! Letting failed jobs run again, and removing files that nobody needs.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::attempt::{self, Attempt, Ended, Ending, attempts, now};
use super::folder::Store;
use super::process::Process;
use super::result::RESULT;
use super::state::State;
use super::{checkpoint_file, sealed};
use crate::error::LabError;
use crate::files::{list, remove_file, unfinished, write_new_json};

/// A file or folder that can be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// A file, or a folder with all that is in it.
    pub path: PathBuf,
    /// Why it is not needed.
    pub why: &'static str,
    /// Bytes on the disk.
    pub bytes: u64,
}

impl Store {
    /// Resets the attempts of every job that failed or ended without a result;
    /// returns the number of those jobs.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn retry(&self) -> Result<usize, LabError> {
        let mut count = 0;
        for (folder, state) in self.jobs()? {
            let again = match state {
                State::Failed(_) | State::Interrupted | State::TimedOut | State::Lost => true,
                State::Pending
                | State::Running(_)
                | State::Done
                | State::Diverged
                | State::Damaged(_) => false,
            };
            if !again {
                continue;
            }
            let number = attempts(&folder)?.last().map_or(1, |(n, _)| n + 1);
            let slate = Attempt {
                number,
                worker: "imlp retry".to_owned(),
                process: Process::this(),
                beat_seconds: 0.0,
                began: now(),
                ended: Some(Ended {
                    how: Ending::Retry,
                    at: now(),
                    kept: false,
                    reason: None,
                }),
            };
            // If the file exists, a worker has just begun the next attempt.
            write_new_json(&attempt::path(&folder, number), &slate)?;
            count += 1;
        }
        Ok(count)
    }

    /// Files that nobody needs: unfinished files and heartbeats of processes that
    /// have ended, damaged results that were set aside, snapshots of attempts that
    /// published nothing; and, with `unlisted`, trials that the last command did not
    /// ask for, and priors that no listed trial uses.
    ///
    /// # Errors
    /// [`LabError::Io`]; a damaged `experiment.json`.
    pub fn leftovers(&self, unlisted: bool) -> Result<Vec<Leftover>, LabError> {
        let mut found = Vec::new();
        let manifest = self.manifest()?.filter(|_| unlisted);
        let listed = |folder: &Path| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            manifest.as_ref().is_none_or(|manifest| {
                let mut trials = manifest.trials.iter();
                trials.any(|t| t.id.as_str() == name || t.prior.as_str() == name)
            })
        };
        let mut busy = false;
        for (folder, state) in self.jobs()? {
            if matches!(state, State::Running(_)) {
                busy = true;
            } else if listed(&folder) {
                leftovers_of(&folder, &mut found)?;
            } else {
                found.push(leftover(folder, "it is not part of the experiment")?);
            }
        }
        // A running worker may be writing there now.
        if !busy {
            let root = self.root();
            for folder in [root.to_owned(), root.join("trials"), root.join("priors")] {
                for path in unfinished(&folder)? {
                    found.push(leftover(path, "it was never finished")?);
                }
            }
            let workers = root.join("workers");
            for name in list(&workers)? {
                found.push(leftover(workers.join(name), "its process has ended")?);
            }
        }
        Ok(found)
    }

    /// Removes a leftover.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn remove(&self, leftover: &Leftover) -> Result<(), LabError> {
        let path = &leftover.path;
        if path.is_dir() {
            std::fs::remove_dir_all(path).map_err(LabError::io("remove", path))
        } else {
            remove_file(path)
        }
    }

    /// The folder and the state of every trial and prior that any worker has begun.
    fn jobs(&self) -> Result<Vec<(PathBuf, State)>, LabError> {
        let mut jobs = Vec::new();
        for name in self.trials()? {
            let (state, _) = self.trial_by_name(&name)?;
            jobs.push((self.root().join("trials").join(name), state));
        }
        for name in self.priors()? {
            let state = self.prior_state(&name)?;
            jobs.push((self.root().join("priors").join(name), state));
        }
        Ok(jobs)
    }
}

/// Files to remove from a job's folder in which no worker runs.
fn leftovers_of(folder: &Path, found: &mut Vec<Leftover>) -> Result<(), LabError> {
    for path in unfinished(folder)? {
        found.push(leftover(path, "it was never finished")?);
    }
    let result = sealed::read::<Value>(&folder.join(RESULT)).ok().flatten();
    let finished = result.is_some();
    let named = result.and_then(|published| {
        let name = published["result"]["snapshots"].as_str()?;
        Some(name.to_owned())
    });
    for name in list(folder)? {
        let path = folder.join(&name);
        if name.contains(".damaged-") {
            found.push(leftover(path, "it was set aside as damaged")?);
        } else if name.starts_with("snapshots-") && named.as_ref() != Some(&name) {
            found.push(leftover(path, "its attempt published nothing")?);
        } else if finished && checkpoint_file::is_checkpoint(&name) {
            found.push(leftover(path, "there is a result")?);
        }
    }
    Ok(())
}

fn leftover(path: PathBuf, why: &'static str) -> Result<Leftover, LabError> {
    let bytes = size(&path)?;
    Ok(Leftover { path, why, bytes })
}

fn size(path: &Path) -> Result<u64, LabError> {
    let about = std::fs::symlink_metadata(path).map_err(LabError::io("read", path))?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    list(path)?.iter().try_fold(0u64, |sum, name| {
        Ok(sum.saturating_add(size(&path.join(name))?))
    })
}
