//! `imlp status`.

use imlp_lab::status::{STATES, Status};
use imlp_lab::store::Store;
use imlp_lab::text::duration;

use crate::args::StatusArguments;
use crate::exit::Failure;
use crate::output::say;

pub fn run(arguments: &StatusArguments) -> Result<(), Failure> {
    let status = Status::of(&Store::existing(&arguments.folder)?)?;
    say(format_args!("{:<12} {:>6}", "trials", status.trials.len()))?;
    for word in STATES {
        let count = status.count(word);
        if count > 0 {
            say(format_args!("  {word:<10} {count:>6}"))?;
        }
    }
    if status.others > 0 {
        say(format_args!(
            "{} more in the folder, which were not asked for last",
            status.others
        ))?;
    }
    if let Some(pace) = status.throughput() {
        say(format_args!(
            "{} per trial (mean of {})",
            duration(pace.seconds_per_trial),
            pace.finished
        ))?;
        match pace.seconds_left {
            Some(seconds) => say(format_args!(
                "about {} left for {} trial(s), {} at a time",
                duration(seconds),
                pace.left,
                pace.running
            ))?,
            None if pace.left > 0 => say(format_args!(
                "{} trial(s) left and nobody at work; run the same `imlp sweep` to continue",
                pace.left
            ))?,
            None => {}
        }
    }
    for (name, attempt) in status.running() {
        say(format_args!(
            "running: {name} (attempt {}, {})",
            attempt.number, attempt.process
        ))?;
    }
    let failures = status.failures();
    for (name, reason) in &failures {
        say(format_args!("failed: {name}: {reason}"))?;
    }
    if !failures.is_empty() {
        say("`imlp retry` lets what failed be tried again")?;
    }
    Ok(())
}
