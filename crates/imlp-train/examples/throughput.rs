//! Training throughput: some trials at a time, each on its own thread, on random
//! images; `bench/training.py` runs it beside PyTorch.
//!
//! ```sh
//! cargo run --release --workspace --example throughput -- twin 2 40 'train.batch_size = 512'
//! ```
//!
//! The arguments: `twin` or `prior`, how many at a time, steps of each, and lines
//! of a recipe (several separated by `;`); `shape=3x32x32` and `backend=burn`
//! where wanted. It prints one line of JSON.

use std::error::Error;
use std::sync::{Arc, Barrier};

use imlp_data::{Dataset, ImageSet, ImageShape};
use imlp_linear::Alpha;
use imlp_train::{Backend, Device, Setup, TrialConfig, Unobserved, run_trial, train_prior};

const CLASSES: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut take = |prefix: &str| {
        let found = arguments.iter().position(|a| a.starts_with(prefix));
        found.map(|i| arguments.remove(i)[prefix.len()..].to_owned())
    };
    let shape = take("shape=").unwrap_or_else(|| "3x32x32".to_owned());
    let backend = match take("backend=").as_deref() {
        None | Some("cpu") => Backend::Cpu,
        Some("burn") => Backend::Burn(Device::flex()),
        Some(other) => return Err(format!("backend={other}: cpu or burn").into()),
    };
    let [network, jobs, steps] = arguments.get(..3).ok_or("NETWORK JOBS STEPS")? else {
        unreachable!("three were taken");
    };
    let (jobs, steps): (usize, usize) = (jobs.parse()?, steps.parse()?);
    let recipe = arguments.get(3).map_or(String::new(), |r| r.replace(';', "\n"));
    let mut config: TrialConfig = toml::from_str(&recipe)?;
    // One epoch of warm-up, one that counts.
    config.train.epochs = 2;
    config.data.validation_fraction = 0.0;
    config.evaluation.train_images = 0;
    let images = steps * config.train.batch_size;
    let setup = Setup::new(config, Arc::new(dataset(&shape, images)?), backend)?;
    let barrier = Barrier::new(jobs);
    let rates: Vec<f64> = std::thread::scope(|scope| {
        let work = |seed| {
            let (setup, barrier) = (&setup, &barrier);
            move || {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
                let pool = pool.expect("a thread can be started");
                pool.install(|| {
                    barrier.wait();
                    rate(setup, network, seed)
                })
            }
        };
        let threads: Vec<_> = (0..jobs).map(|i| scope.spawn(work(i as u64))).collect();
        let joined = threads.into_iter().map(|t| t.join().expect("no panic"));
        joined.collect()
    });
    let total: f64 = rates.iter().sum();
    println!("{{\"images_per_second\": {total:.1}, \"peak_bytes\": {}}}", peak_bytes());
    Ok(())
}

/// Images per second of training.
fn rate(setup: &Setup, network: &str, seed: u64) -> f64 {
    match network {
        "twin" => {
            let trial = run_trial(setup, Alpha::ZERO, seed, None, &Unobserved);
            trial.expect("nobody interrupts").record.images_per_second
        }
        _ => {
            let prior = train_prior(setup, seed, &Unobserved).expect("nobody interrupts");
            let images = setup.data().train_len() as f64 * f64::from(setup.prior_epochs());
            images / prior.record.train_seconds
        }
    }
}

/// Random images of `shape`, `CxHxW`.
fn dataset(shape: &str, images: usize) -> Result<Dataset, Box<dyn Error>> {
    let sizes: Vec<usize> = shape.split('x').map(str::parse).collect::<Result<_, _>>()?;
    let &[channels, height, width] = sizes.as_slice() else {
        return Err(format!("shape={shape}: give CxHxW").into());
    };
    let shape = ImageShape {
        channels,
        height,
        width,
    };
    let mut state = 1u32;
    let mut byte = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut set = |images: usize| {
        let pixels = (0..images * shape.len()).map(|_| byte()).collect();
        let labels = (0..images).map(|i| (i % CLASSES) as u8).collect();
        ImageSet::new(shape, CLASSES, pixels, labels)
    };
    let (train, test) = (set(images)?, set(CLASSES)?);
    let names = (0..CLASSES).map(|c| c.to_string()).collect();
    Ok(Dataset::new("random", train, test, names)?)
}

/// The most memory that this process had, in bytes; 0 where it is not known.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
