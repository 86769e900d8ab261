//! `imlp status`.

use imlp_lab::executor::batch;
use imlp_lab::status::Status;
use imlp_lab::store::Store;
use imlp_lab::text::duration;
use imlp_suggest::counted;
use imlp_train::bytes;

use crate::args::StatusArguments;
use crate::failure::Failure;
use crate::output::say;

pub fn run(arguments: &StatusArguments) -> Result<(), Failure> {
    let store = Store::existing(&arguments.folder)?;
    let mut status = Status::of(&store)?;
    let mut queues = Vec::new();
    for scheduler in batch::schedulers(&store)? {
        match batch::queue_and_accounts(&store, scheduler.as_ref()) {
            Ok(queue) => {
                status.merge(&queue);
                queues.push((scheduler.name(), queue));
            }
            // The folder is the truth; the scheduler only gives hints.
            Err(error) => say(format_args!(
                "{error}\nthe status below is that of the folder alone"
            ))?,
        }
    }
    say(format_args!("{:<12} {:>6}", "trials", status.trials.len()))?;
    for (word, count) in status.counts() {
        say(format_args!("  {word:<11} {count:>5}"))?;
    }
    if status.others > 0 {
        say(format_args!(
            "{} more in the folder, which the last command did not ask for",
            status.others
        ))?;
    }
    say_trunks(&status)?;
    if let Some(pace) = status.throughput() {
        say(format_args!(
            "{} per trial (mean of {})",
            duration(pace.seconds_per_trial),
            pace.finished
        ))?;
        match pace.seconds_left {
            Some(seconds) => say(format_args!(
                "about {} left for {}, {} at a time",
                duration(seconds),
                counted(pace.left, "trial"),
                pace.running
            ))?,
            None if pace.left > 0 && status.trunks.running > 0 => say(format_args!(
                "{} left, which wait for what they share",
                counted(pace.left, "trial")
            ))?,
            None if pace.left > 0 => say(format_args!(
                "{} left and none running; run the same `imlp sweep` to continue",
                counted(pace.left, "trial")
            ))?,
            None => {}
        }
    }
    for (scheduler, queue) in &queues {
        for array in &queue.arrays {
            say(format_args!("{scheduler}: {array}"))?;
        }
    }
    for (name, attempt) in status.running() {
        let task = attempt.process.task.as_ref();
        let is_known = |task: &String| queues.iter().any(|(_, queue)| queue.knows(task));
        let is_forgotten = !queues.is_empty() && task.is_some_and(|task| !is_known(task));
        let lost = if is_forgotten {
            ", no longer in the queue: probably lost"
        } else {
            ""
        };
        say(format_args!(
            "running: {name} (attempt {}, {}{lost})",
            attempt.number, attempt.process
        ))?;
    }
    for trial in status
        .trials
        .iter()
        .filter(|trial| !trial.state.is_finished())
    {
        let mut ends = queues
            .iter()
            .filter_map(|(_, queue)| queue.ended(&trial.id));
        if let Some(how) = ends.next().filter(|_| !trial.queued) {
            say(format_args!("{}: {} ({how})", trial.word(), trial.name))?;
        }
    }
    for note in &status.notes {
        say(format_args!("note: {note}"))?;
    }
    let failures = status.failures();
    for (name, reason) in &failures {
        say(format_args!("failed: {name}: {reason}"))?;
    }
    if !failures.is_empty() {
        say("`imlp retry` lets failed trials run again")?;
    }
    Ok(())
}

fn say_trunks(status: &Status) -> Result<(), Failure> {
    let trunks = &status.trunks;
    if trunks.made + trunks.running > 0 {
        say(format_args!(
            "{} from which trials go on ({}), {} being made",
            counted(trunks.made, "trunk"),
            bytes(trunks.bytes),
            trunks.running
        ))?;
    }
    for reason in &trunks.failed {
        say(format_args!(
            "note: a trunk failed, so its trials start from the beginning: {reason}"
        ))?;
    }
    Ok(())
}
