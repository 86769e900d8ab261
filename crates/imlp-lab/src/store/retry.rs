//! Letting failed jobs run again.

use std::path::PathBuf;

use super::attempt::{self, Attempt, Ended, Ending, attempts, now};
use super::folder::Store;
use super::process::Process;
use super::state::State;
use crate::error::LabError;
use crate::files::write_new_json;

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
                | State::Damaged(_)
                | State::NotFetched(_) => false,
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

    /// The folder and the state of every trial, prior and trunk that any worker has begun.
    pub(super) fn jobs(&self) -> Result<Vec<(PathBuf, State)>, LabError> {
        let mut jobs = Vec::new();
        for name in self.trials()? {
            let (state, _) = self.trial_by_name(&name)?;
            jobs.push((self.root().join("trials").join(name), state));
        }
        for name in self.priors()? {
            let state = self.prior_state(&name)?;
            jobs.push((self.root().join("priors").join(name), state));
        }
        for name in self.trunks()? {
            let folder = self.root().join("trunks").join(name);
            let state = State::of_prior(&folder)?;
            jobs.push((folder, state));
        }
        Ok(jobs)
    }
}
