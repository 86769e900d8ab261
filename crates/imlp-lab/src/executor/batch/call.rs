//! Running a scheduler's programs, with a time limit because they block while its
//! controller is down.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::time::Duration;

use process_control::{ChildExt, Control};

use crate::error::LabError;

/// Runs `program`; returns its standard output.
///
/// # Errors
/// [`LabError::Scheduler`]: a program that is not installed, does not end within
/// `time_limit`, or fails.
pub(super) fn call<S: AsRef<OsStr>>(
    program: &'static str,
    arguments: impl IntoIterator<Item = S>,
    time_limit: Duration,
) -> Result<String, LabError> {
    let failed = |reason: String| LabError::Scheduler { program, reason };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed(
                "there is no such program; run this where jobs can be submitted, such as a login \
                 node"
                    .to_owned(),
            ),
            _ => failed(error.to_string()),
        })?;
    let output = child
        .controlled_with_output()
        .time_limit(time_limit)
        .terminate_for_timeout()
        .wait()
        .map_err(|error| failed(error.to_string()))?
        .ok_or_else(|| {
            failed(format!(
                "no answer within {} s; is the scheduler's controller down?",
                time_limit.as_secs()
            ))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).collect();
        return Err(failed(match said.join("; ").as_str() {
            "" => format!("it ended with {}", output.status),
            said => said.to_owned(),
        }));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_silent_absent_or_fails_is_told_of() {
        let said = |program, argument: &str, seconds| {
            call(program, ["-c", argument], Duration::from_secs(seconds))
                .expect_err("it fails")
                .to_string()
        };
        assert!(said("sh", "sleep 100", 1).contains("no answer within 1 s"));
        assert!(said("sh", "echo down >&2; exit 3", 60).contains("down"));
        assert!(said("sh", "exit 3", 60).contains("3"));
        assert!(said("there-is-no-such-scheduler", "", 60).contains("login node"));
        // More than a pipe holds.
        let long = call(
            "sh",
            ["-c", "yes | head -c 300000"],
            Duration::from_secs(60),
        );
        assert_eq!(long.unwrap().len(), 300_000);
    }
}
