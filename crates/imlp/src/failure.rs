//! What ends a command early, and its exit code.

use imlp_lab::LabError;
use imlp_train::TrainError;

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
