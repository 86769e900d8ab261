//! `imlp check`: the checks of a sweep, and a prediction of its cost.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use imlp_lab::text::{COLUMNS, duration, wrapped};
use imlp_lab::{Execution, Experiment, Plan, Policy};
use imlp_linear::Alpha;
use imlp_train::{Observer, Setup, TrainError, run_trial, train_prior};

use crate::args::CheckArguments;
use crate::failure::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::prepare::{Announce, MissingData, prepare};

/// Optimiser steps that are timed, after one that warms up.
const TIMED_STEPS: u64 = 5;

pub fn run(arguments: &CheckArguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let plan = Plan::new(&common.recipe(arguments.swept.keys()?)?)?;
    let execution = Execution {
        out: PathBuf::new(),
        jobs: arguments.swept.jobs(),
        max_memory: common.memory.limit(),
        policy: Policy {
            share: arguments.swept.share(),
            ..Policy::default()
        },
        task: None,
        weights: None,
    };
    let (fetch, announce) = (MissingData::Fetch, Announce::StandardOutput);
    let (experiment, execution) = prepare(plan, common.device, execution, fetch, announce)?;
    if !arguments.no_time {
        let stop = stop_on_ctrl_c()?;
        let Seconds {
            apart,
            saved,
            longest,
        } = seconds(&experiment, execution.jobs, &stop)?;
        let saved = if execution.policy.share { saved } else { 0.0 };
        // What trials share is made by one thread, and the others wait.
        let (apart, together) = (apart.max(longest), (apart - saved).max(longest));
        let time = format!(
            "time    about {}{}, if {} at a time as fast as {TIMED_STEPS} steps went alone; without \
             evaluation",
            duration(together),
            if together < apart {
                format!(" ({} without sharing)", duration(apart))
            } else {
                String::new()
            },
            match execution.jobs {
                1 => "1 trial goes".to_owned(),
                jobs => format!("{jobs} trials go"),
            }
        );
        say(wrapped(&time, COLUMNS, "        "))?;
    }
    say("every trial can run")
}

/// Predicted seconds of all training.
struct Seconds {
    /// Of trials that share nothing but their priors.
    apart: f64,
    /// What trunks save of that.
    saved: f64,
    /// Of the longest trial and its prior, one after the other.
    longest: f64,
}

/// Predicts the seconds of all training. Steps of the first configuration are
/// timed; the others are taken to make as many FLOPs in a second.
fn seconds(experiment: &Experiment, jobs: usize, stop: &AtomicBool) -> Result<Seconds, Failure> {
    let first = &experiment.configurations[0];
    let cost = first.cost();
    let images = first
        .config
        .train
        .batch_size
        .min(first.setup.data().train_len()) as f64;
    let step = |work: fn(&Setup, &dyn Observer) -> Result<(), TrainError>| {
        let timer = Timer::new(stop);
        match work(&first.setup, &timer) {
            Ok(()) | Err(TrainError::Interrupted) => {}
            Err(other) => return Err(other.into()),
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted("interrupted".to_owned()));
        }
        Ok(timer.seconds_per_step())
    };
    let twin = step(|setup, timer| run_trial(setup, Alpha::ZERO, 0, None, timer).map(|_| ()))?;
    let prior = step(|setup, timer| train_prior(setup, 0, timer).map(|_| ()))?;
    // A network without a product (a pooling prior) takes no time to speak of.
    let per_flop = |seconds: f64, flops: u64| seconds / (images * flops.max(1) as f64);
    let twin = per_flop(twin, cost.twin.flops_per_image);
    let prior = per_flop(prior, cost.prior.flops_per_image);
    let flops = experiment.total_flops();
    let jobs = jobs as f64;
    let one_by_one = experiment
        .configurations
        .iter()
        .map(|c| twin * c.twin_flops() + prior * c.prior_flops());
    Ok(Seconds {
        longest: one_by_one.fold(0.0, f64::max),
        apart: (twin * flops.twins + prior * flops.priors) / jobs,
        saved: twin * experiment.sharing().flops_saved / jobs,
    })
}

/// Times some steps, then stops the run.
struct Timer<'a> {
    stop: &'a AtomicBool,
    steps: AtomicU64,
    began: Mutex<Option<Instant>>,
    seconds: Mutex<f64>,
}

impl<'a> Timer<'a> {
    fn new(stop: &'a AtomicBool) -> Self {
        Self {
            stop,
            steps: AtomicU64::new(0),
            began: Mutex::new(None),
            seconds: Mutex::new(0.0),
        }
    }

    /// 0 where a run has a single step or none.
    fn seconds_per_step(&self) -> f64 {
        let timed = self.steps.load(Ordering::Relaxed).saturating_sub(1);
        *self.seconds.lock().expect("no holder panics") / timed.max(1) as f64
    }
}

impl Observer for Timer<'_> {
    fn steps(&self, count: u64) {
        self.steps.fetch_add(count, Ordering::Relaxed);
        let mut began = self.began.lock().expect("no holder panics");
        let began = began.get_or_insert_with(Instant::now);
        *self.seconds.lock().expect("no holder panics") = began.elapsed().as_secs_f64();
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.steps.load(Ordering::Relaxed) > TIMED_STEPS
    }
}
