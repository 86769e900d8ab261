//! `imlp cancel`.

use imlp_lab::executor::batch;
use imlp_lab::store::Store;

use crate::args::CancelArguments;
use crate::failure::Failure;
use crate::output::say;

pub fn run(arguments: &CancelArguments) -> Result<(), Failure> {
    let store = Store::existing(&arguments.folder)?;
    let schedulers = batch::schedulers(&store)?;
    if schedulers.is_empty() {
        return Err(Failure::Message(format!(
            "no job was submitted from {}; Ctrl-C stops an `imlp sweep` that runs in a terminal",
            arguments.folder.display()
        )));
    }
    let mut jobs = Vec::new();
    for scheduler in schedulers {
        jobs.extend(batch::cancel(&store, scheduler.as_ref())?);
    }
    match jobs.as_slice() {
        [] => say("no job of this experiment is queued or running"),
        jobs => say(format_args!(
            "cancelled: {}; results are kept, and the same `imlp sweep` continues",
            jobs.join(", ")
        )),
    }
}
