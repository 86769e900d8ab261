//! `imlp worker`: one task of an array job.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::executor::batch::{ArrayTask, Submission, scheduler};
use imlp_lab::executor::local;
use imlp_lab::{Execution, Experiment, LabError, Plan, Share};

use crate::args::WorkerArguments;
use crate::exit::Failure;
use crate::progress::Display;
use crate::sweep::report;

pub fn run(arguments: &WorkerArguments) -> Result<(), Failure> {
    // Before anything else: what is told before it is heard ends the process.
    let signals = Signals::watch()?;
    let folder = &arguments.submission;
    let submission = Submission::read(folder)?.ok_or_else(|| {
        Failure::Message(format!(
            "{} is no submission; `imlp worker` is run by a scheduler's job",
            folder.display()
        ))
    })?;
    let task = submission
        .task(&arguments.array, arguments.index)
        .ok_or_else(|| {
            Failure::Message(format!(
                "{} lists no task {} of {}",
                folder.display(),
                arguments.index,
                arguments.array
            ))
        })?;
    let scheduler = scheduler(&submission.scheduler).ok_or_else(|| {
        Failure::Message(format!(
            "{} is of the scheduler `{}`, which this version does not know",
            folder.display(),
            submission.scheduler
        ))
    })?;
    let plan = Plan::new(&submission.recipe()?)?;
    let experiment = Experiment::new(plan, arguments.device.backend())?;
    let share = share(&experiment, task, folder)?;
    let store = submission.store()?;
    let execution = Execution {
        out: store.root().to_owned(),
        jobs: task.work.len(),
        max_memory: arguments.memory.limit(),
        policy: arguments.policy.policy(),
        task: scheduler.this_task(),
    };
    experiment.check_memory(&execution)?;
    let display = Display::new(false, execution.jobs);
    let outcome = local::run(
        &experiment,
        share,
        &store,
        &execution,
        &display,
        &signals.stop,
    );
    display.close();
    match outcome {
        Err(LabError::Interrupted) if signals.warned.load(Ordering::Relaxed) => {
            // Its time ends soon: a scheduler does not start such a task again
            // by itself.
            scheduler.requeue_this_task()?;
            Err(Failure::Interrupted(
                "interrupted before the end of the time limit; the task is in the queue again"
                    .to_owned(),
            ))
        }
        outcome => report(&outcome?),
    }
}

/// The part of the experiment that `task` names.
fn share(experiment: &Experiment, task: &ArrayTask, folder: &Path) -> Result<Share, Failure> {
    let share = experiment.share().named(&task.work);
    let found = |work: &String| {
        share.trials.iter().any(|trial| trial.id.as_str() == work)
            || share.priors.iter().any(|prior| prior.id.as_str() == work)
    };
    match task.work.iter().find(|work| !found(work)) {
        None => Ok(share),
        Some(work) => Err(Failure::Message(format!(
            "{work} of {} is not what this version of imlp, or the data on this machine, makes of \
             the recipe there; submit again with this version",
            folder.display()
        ))),
    }
}

/// What the scheduler tells by signals.
struct Signals {
    /// To stop, by any of them.
    stop: Arc<AtomicBool>,
    /// That the time ends soon (USR1).
    warned: Arc<AtomicBool>,
}

impl Signals {
    #[cfg(unix)]
    fn watch() -> Result<Self, Failure> {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
        let signals = Self {
            stop: Arc::default(),
            warned: Arc::default(),
        };
        let watch = |signal, flag: &Arc<AtomicBool>| {
            signal_hook::flag::register(signal, Arc::clone(flag)).map(|_| ())
        };
        // However often they are sent: who will not wait sends KILL. The
        // warning first, so that whoever sees the stop sees it too.
        watch(SIGUSR1, &signals.warned)
            .and_then(|()| watch(SIGUSR1, &signals.stop))
            .and_then(|()| watch(SIGTERM, &signals.stop))
            .and_then(|()| watch(SIGINT, &signals.stop))
            .map_err(|error| Failure::Message(format!("cannot watch for signals: {error}")))?;
        Ok(signals)
    }

    #[cfg(not(unix))]
    fn watch() -> Result<Self, Failure> {
        Ok(Self {
            stop: crate::interruption::stop_on_ctrl_c()?,
            warned: Arc::default(),
        })
    }
}
