//! Exit codes, and how errors are reported.

use std::process::ExitCode;

use imlp_lab::LabError;
use imlp_lab::executor::Failed;
use imlp_suggest::counted;
use imlp_train::TrainError;

use crate::output::tell;

/// Anything that ends a command early.
#[derive(Debug)]
pub enum Failure {
    /// A message for people.
    Message(String),
    /// A run that ended, with some trials failed.
    SomeFailed(String),
    /// The user asked to stop.
    Interrupted(String),
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        match error {
            LabError::Interrupted => Self::Interrupted(error.to_string()),
            LabError::Train(TrainError::Interrupted) => {
                Self::Interrupted("interrupted; nothing was saved".to_owned())
            }
            other => Self::Message(other.to_string()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        LabError::from(error).into()
    }
}

impl From<imlp_data::DataError> for Failure {
    fn from(error: imlp_data::DataError) -> Self {
        LabError::from(error).into()
    }
}

/// The exit code of a run that was interrupted: 128 + SIGINT, as shells count.
pub const INTERRUPTED: u8 = 130;

/// The exit code of wrong usage, as clap counts.
pub const WRONG_USAGE: u8 = 2;

/// 0 success, 1 an error, 2 wrong usage, 3 some trials failed, 130
/// interrupted.
pub fn code(outcome: Result<(), Failure>) -> ExitCode {
    const SOME_FAILED: u8 = 3;
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Message(message)) => {
            tell(format_args!("error: {message}"));
            ExitCode::FAILURE
        }
        Err(Failure::SomeFailed(message)) => {
            tell(format_args!("error: {message}"));
            ExitCode::from(SOME_FAILED)
        }
        Err(Failure::Interrupted(message)) => {
            tell(message);
            ExitCode::from(INTERRUPTED)
        }
    }
}

/// Prints the failed jobs, which then decide the exit code.
pub fn report(failed: &[Failed]) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    for Failed { job, reason } in failed {
        tell(format_args!("failed: {job}: {reason}"));
    }
    Err(Failure::SomeFailed(format!(
        "{} failed; the results of the others are kept. Remove the cause, then run `imlp retry` \
         and the same command again",
        counted(failed.len(), "run")
    )))
}
