//! The state of a trial or a prior, read from its folder.

use std::path::Path;

use imlp_train::{TrialRecord, TrialStatus};
use serde_json::Value;

use super::attempt::{Attempt, Ending, attempts};
use super::result::{Published, RESULT};
use super::sealed;
use crate::error::LabError;

/// The state of a trial or a prior.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nobody has begun it, or `imlp retry` lets it run again.
    Pending,
    /// A worker runs it.
    Running(Attempt),
    /// It is finished.
    Done,
    /// It is finished; a network diverged.
    Diverged,
    /// It ended with an error.
    Failed(String),
    /// The user or the scheduler asked to stop.
    Interrupted,
    /// It took longer than allowed.
    TimedOut,
    /// Its worker is gone.
    Lost,
    /// Its result cannot be read.
    Damaged(String),
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running(_) => "running",
            Self::Done => "done",
            Self::Diverged => "diverged",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed out",
            Self::Lost => "lost",
            Self::Damaged(_) => "damaged",
        }
    }

    /// Whether there is a result.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Done | Self::Diverged)
    }

    /// Of the trial in `folder`, with its record if it is finished.
    pub(super) fn of_trial(
        folder: &Path,
    ) -> Result<(Self, Option<Published<TrialRecord>>), LabError> {
        match sealed::read::<Published<TrialRecord>>(&folder.join(RESULT)) {
            Ok(Some(published)) => {
                let state = match published.result.status {
                    TrialStatus::Done => Self::Done,
                    TrialStatus::Diverged { .. } | TrialStatus::PriorDiverged { .. } => {
                        Self::Diverged
                    }
                };
                Ok((state, Some(published)))
            }
            other => Ok((Self::without_result(folder, other.map(|_| ()))?, None)),
        }
    }

    /// Of the prior in `folder`.
    pub(super) fn of_prior(folder: &Path) -> Result<Self, LabError> {
        match sealed::read::<Value>(&folder.join(RESULT)) {
            Ok(Some(_)) => Ok(Self::Done),
            other => Self::without_result(folder, other.map(|_| ())),
        }
    }

    fn without_result(folder: &Path, read: Result<(), LabError>) -> Result<Self, LabError> {
        match read {
            Err(LabError::Damaged { reason, .. }) => return Ok(Self::Damaged(reason)),
            other => other?,
        }
        let attempts = attempts(folder)?;
        let Some((_, last)) = attempts.into_iter().next_back() else {
            return Ok(Self::Pending);
        };
        let Some(attempt) = last else {
            return Ok(Self::Lost);
        };
        Ok(match &attempt.ended {
            None if attempt.process.has_ended() => Self::Lost,
            None => Self::Running(attempt),
            Some(ended) => match ended.how {
                Ending::Failed => Self::Failed(ended.reason.clone().unwrap_or_default()),
                Ending::Interrupted => Self::Interrupted,
                Ending::TimedOut => Self::TimedOut,
                // A result that was there and is not: it was set aside.
                Ending::Retry | Ending::Published | Ending::Superseded => Self::Pending,
            },
        })
    }
}
