//! `imlp bench`: how fast this machine trains a recipe's networks, on random
//! images.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use imlp_data::{DataError, Dataset, ImageSet, ImageShape};
use imlp_linear::Alpha;
use imlp_train::{
    Cost, DataConfig, Observer, Precision, Setup, TestReading, TrainError, bytes, run_trial,
    train_prior,
};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde::Serialize;

use crate::args::{BenchArguments, BenchNetwork, jobs, recipe};
use crate::failure::Failure;
use crate::interruption::stop_on_ctrl_c;
use crate::output::say;
use crate::prepare::one_trial;

/// The measurement.
#[derive(Debug, Serialize)]
struct Measured {
    network: &'static str,
    precision: &'static str,
    /// Instruction set of the products of full matrices.
    instructions: String,
    batch_size: usize,
    jobs: usize,
    parameters: u64,
    /// Summed over the trials.
    images_per_second: f64,
    gflop_per_second: f64,
    /// Peak memory of the process; 0 where the system does not report it.
    peak_bytes: u64,
}

pub fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    // Random images and no store: `prepare` is for experiments on data.
    let keys = arguments.products.keys();
    let recipe = recipe(arguments.recipe.as_deref(), keys, &arguments.set)?;
    let plan = one_trial(&recipe, Some(Alpha::ZERO), 0)?;
    let mut config = plan.configurations()[0].config.clone();
    // One epoch to warm up, one to time; steps only.
    config.train.epochs = 2;
    config.train.warmup_epochs = 0.0;
    // Of the data only what is done with each image counts.
    config.data = DataConfig {
        augmentation: config.data.augmentation,
        validation_fraction: 0.0,
        ..DataConfig::default()
    };
    config.evaluation.train_images = 0;
    config.evaluation.test = TestReading::End;
    let steps = usize::try_from(arguments.steps).expect("a small number");
    let images = steps.saturating_mul(config.train.batch_size);
    let shape = arguments.image;
    let precision = match arguments.network {
        BenchNetwork::Twin => config.train.precision,
        BenchNetwork::Prior => Precision::F32,
    };
    let batch_size = config.train.batch_size;
    let dataset = random(shape, images).map_err(|e| Failure::Message(e.to_string()))?;
    let backend = arguments.device.backend();
    let precision = precision.name();
    let setup = Setup::new(config, Arc::new(dataset), backend)?;
    let instructions = match arguments.network {
        BenchNetwork::Twin => setup.twin_instructions(),
        BenchNetwork::Prior => setup.prior_instructions(),
    };
    let stop = stop_on_ctrl_c()?;
    let jobs = jobs(arguments.jobs);
    let barrier = Barrier::new(jobs);
    let rates: Vec<Result<f64, TrainError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs)
            .map(|job| {
                let (setup, barrier, stop) = (&setup, &barrier, &stop);
                scope.spawn(move || {
                    barrier.wait();
                    rate(setup, arguments.network, job as u64, &Stop(stop))
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|rate| rate.expect("a trial does not panic"))
            .collect()
    });
    let images_per_second = rates.into_iter().sum::<Result<f64, _>>()?;
    let cost = Cost::of(&setup);
    let (network, cost) = match arguments.network {
        BenchNetwork::Twin => ("twin", cost.twin),
        BenchNetwork::Prior => ("prior", cost.prior),
    };
    let measured = Measured {
        network,
        precision,
        instructions,
        batch_size,
        jobs,
        parameters: cost.parameters,
        images_per_second,
        gflop_per_second: images_per_second * cost.flops_per_image as f64 / 1e9,
        peak_bytes: peak_bytes(),
    };
    if arguments.json {
        return say(serde_json::to_string(&measured).expect("text keys"));
    }
    say(format_args!(
        "{network} of {} parameters, {precision} by {}, batch {batch_size}, {jobs} at a time: \
         {images_per_second:.0} images/s, {:.1} GFLOP/s, {} of memory",
        imlp_lab::text::thousands(measured.parameters),
        measured.instructions,
        measured.gflop_per_second,
        bytes(measured.peak_bytes)
    ))
}

/// Images per second of training, evaluation excluded.
fn rate(
    setup: &Setup,
    network: BenchNetwork,
    seed: u64,
    observer: &dyn Observer,
) -> Result<f64, TrainError> {
    match network {
        BenchNetwork::Twin => {
            let trial = run_trial(setup, Alpha::ZERO, seed, None, observer)?;
            Ok(trial.record.images_per_second)
        }
        BenchNetwork::Prior => {
            let prior = train_prior(setup, seed, observer)?;
            let images = setup.data().train_len() as f64 * f64::from(setup.prior_epochs());
            Ok(images / prior.record.train_seconds)
        }
    }
}

/// Random images in ten classes.
fn random(shape: ImageShape, images: usize) -> Result<Dataset, DataError> {
    const CLASSES: usize = 10;
    let mut rng = StdRng::seed_from_u64(1);
    let mut set = |images: usize| {
        let mut pixels = vec![0; images * shape.len()];
        rng.fill_bytes(&mut pixels);
        let labels = (0..images).map(|i| (i % CLASSES) as u8).collect();
        ImageSet::new(shape, CLASSES, pixels, labels)
    };
    let (train, test) = (set(images)?, set(CLASSES)?);
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    Dataset::new("random", train, test, names)
}

/// Peak memory of this process, bytes; 0 where the system does not report it.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?;
        kilobytes.trim().parse::<u64>().ok()
    });
    peak.unwrap_or(0) * 1024
}

struct Stop<'a>(&'a AtomicBool);

impl Observer for Stop<'_> {
    fn steps(&self, _: u64) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
