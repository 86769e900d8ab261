//! The state of a trial, a prior or a trunk, read from its folder.

use std::path::Path;

use imlp_train::{TrialRecord, TrialStatus};
use serde_json::Value;

use super::attempt::{Attempt, Ending, attempts, given_up};
use super::result::{self, Published};
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
    /// Its files are links to content that is not on this machine.
    NotFetched(String),
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
            Self::NotFetched(_) => "not fetched",
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
        match result::read::<TrialRecord>(folder) {
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

    /// Of the prior or the trunk in `folder`.
    pub(super) fn of_prior(folder: &Path) -> Result<Self, LabError> {
        match result::read::<Value>(folder) {
            Ok(Some(_)) => Ok(Self::Done),
            other => Self::without_result(folder, other.map(|_| ())),
        }
    }

    /// Whether an attempt may start: it has neither a result nor failed, and none runs.
    pub(crate) fn can_start(&self) -> bool {
        match self {
            Self::Pending | Self::Interrupted | Self::TimedOut | Self::Lost => true,
            Self::Running(_)
            | Self::Done
            | Self::Diverged
            | Self::Failed(_)
            | Self::Damaged(_)
            | Self::NotFetched(_) => false,
        }
    }

    /// Why the job in `folder`, which is in this state, failed: with an error, or because
    /// `at_most` attempts may end without a result.
    pub(super) fn why_failed(
        &self,
        folder: &Path,
        at_most: Option<u32>,
    ) -> Result<Option<String>, LabError> {
        match (self, at_most) {
            (Self::Failed(reason), _) => Ok(Some(reason.clone())),
            (Self::Interrupted | Self::TimedOut | Self::Lost, Some(at_most)) => {
                Ok(given_up(&attempts(folder)?, at_most))
            }
            _ => Ok(None),
        }
    }

    fn without_result(folder: &Path, read: Result<(), LabError>) -> Result<Self, LabError> {
        match read {
            Err(LabError::Damaged { reason, .. }) => return Ok(Self::Damaged(reason)),
            Err(error @ LabError::NotFetched { .. }) => {
                return Ok(Self::NotFetched(error.to_string()));
            }
            other => other?,
        }
        let attempts = match attempts(folder) {
            Err(error @ LabError::NotFetched { .. }) => {
                return Ok(Self::NotFetched(error.to_string()));
            }
            attempts => attempts?,
        };
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
