//! `imlp worker`: one task of an array job.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::executor::batch::{ArrayTask, Submission, scheduler};
use imlp_lab::executor::local;
use imlp_lab::{Execution, Experiment, Job, LabError, Plan};

use crate::args::{DeviceName, WorkerArguments, memory_limit};
use crate::exit::report;
use crate::failure::Failure;
use crate::live::Live;
use crate::prepare::{Announce, MissingData, prepare};
use crate::progress::Display;

pub fn run(arguments: &WorkerArguments) -> Result<(), Failure> {
    // Before anything else, because an unhandled signal ends the process.
    let signals = Signals::watch()?;
    let folder = &arguments.submission;
    let submission = Submission::read(folder)?.ok_or_else(|| {
        Failure::Message(format!(
            "{} is no submission; only a scheduler's job runs `imlp worker`",
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
    let settings = &submission.worker;
    let device = DeviceName::of_name(&settings.device).ok_or_else(|| {
        Failure::Message(format!(
            "{} asks for the device `{}`, which this version of imlp does not know",
            folder.display(),
            settings.device
        ))
    })?;
    let store = submission.store()?;
    let execution = Execution {
        out: store.root().to_owned(),
        jobs: task.work.len(),
        max_memory: memory_limit(settings.max_memory),
        policy: settings.policy,
        task: scheduler.this_task(),
        weights: None,
    };
    let plan = Plan::new(&submission.recipe()?)?;
    let (refuse, announce) = (MissingData::Refuse, Announce::Nowhere);
    let (experiment, execution) = prepare(plan, device, execution, refuse, announce)?;
    let jobs = jobs(&experiment, task, folder)?;
    let display = Display::new(false, execution.jobs);
    let live = Live::new(&experiment, &store, &display);
    let outcome = local::run(&experiment, jobs, &store, &execution, &live, &signals.stop);
    display.close();
    // Tasks of the same array wait in the queue, or run.
    live.close(true);
    match outcome {
        Err(LabError::Interrupted) if signals.warned.load(Ordering::Relaxed) => {
            // Its time limit is near: a scheduler does not requeue such a task by itself.
            scheduler.requeue_this_task()?;
            Err(Failure::Interrupted(
                "interrupted before the end of the time limit; the task is in the queue again"
                    .to_owned(),
            ))
        }
        outcome => report(&outcome?),
    }
}

/// The jobs of `task`.
fn jobs(experiment: &Experiment, task: &ArrayTask, folder: &Path) -> Result<Vec<Job>, Failure> {
    let jobs = experiment.jobs_named(&task.work);
    let is_known = |name: &String| jobs.iter().any(|job| job.id().as_str() == name);
    match task.work.iter().find(|name| !is_known(name)) {
        None => Ok(jobs),
        Some(name) => Err(Failure::Message(format!(
            "{name} of {} is not what this version of imlp, or the data on this machine, makes of \
             the recipe there; submit again with this version",
            folder.display()
        ))),
    }
}

/// The scheduler's signals.
struct Signals {
    /// Set by each of them: stop.
    stop: Arc<AtomicBool>,
    /// Set by USR1: the time limit is near.
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
        // A second signal does not end the process; KILL does. `warned` first, so that
        // it is set whenever `stop` is.
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
