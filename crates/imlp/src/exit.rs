//! Exit codes, and how errors are reported.

use std::io::{self, Write};
use std::process::ExitCode;

use imlp_lab::executor::Failed;
use imlp_suggest::counted;

use crate::failure::{Failure, INTERRUPTED, WRONG_USAGE};
use crate::output::{checked, tell};

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

/// Prints the help or a version, or tells of wrong usage; returns the exit code.
pub fn answer(usage: &clap::Error) -> ExitCode {
    let printed = usage.print().and_then(|()| io::stdout().flush());
    if usage.use_stderr() {
        return ExitCode::from(WRONG_USAGE);
    }
    code(checked(printed))
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
