//! Wiping the slate of what failed, and clearing away what nobody needs.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::attempt::{self, Attempt, Ended, Ending, attempts, now};
use super::lease::RESULT;
use super::process::Process;
use super::{State, Store, checkpoint, sealed};
use crate::LabError;
use crate::files::{list, remove_file, unfinished, write_new_json};

/// Something that can go.
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
    /// Lets everything that failed, was given up or was tried in vain be tried
    /// as if for the first time; gives how many trials and priors those are.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn retry(&self) -> Result<usize, LabError> {
        let mut count = 0;
        for (folder, state) in self.work()? {
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
            // Where a worker was faster it is being tried already.
            write_new_json(&attempt::path(&folder, number), &slate)?;
            count += 1;
        }
        Ok(count)
    }

    /// What nobody needs: half-written files and signs of life of processes that
    /// have ended, results that were set aside as damaged, snapshots of attempts
    /// that published nothing; and, with `unlisted`, trials that were not asked
    /// for last, and priors that no listed trial is pulled toward.
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
        for (folder, state) in self.work()? {
            if matches!(state, State::Running(_)) {
                busy = true;
            } else if listed(&folder) {
                leftovers_of(&folder, &mut found)?;
            } else {
                found.push(leftover(folder, "it is not part of the experiment")?);
            }
        }
        // Whoever is at work may be writing there now.
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

    /// The folder and the state of every trial and prior that was begun.
    fn work(&self) -> Result<Vec<(PathBuf, State)>, LabError> {
        let mut work = Vec::new();
        for name in self.trials()? {
            let (state, _) = self.trial_by_name(&name)?;
            work.push((self.root().join("trials").join(name), state));
        }
        for name in self.priors()? {
            let state = self.prior_state(&name)?;
            work.push((self.root().join("priors").join(name), state));
        }
        Ok(work)
    }
}

/// What can go of a folder in which nobody is at work.
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
        } else if finished && checkpoint::is_checkpoint(&name) {
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
