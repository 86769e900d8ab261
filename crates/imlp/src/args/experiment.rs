//! Arguments of the commands that take a recipe: `imlp sweep`, `check` and `train`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use imlp_lab::{CheckpointEvery, Policy, Recipe};
use imlp_suggest::no_whole_number;
use imlp_train::{Backend, Device};
use toml::Value;

use super::duration::parse_duration;
use super::memory::MemoryArguments;
use super::slurm::{ExecutorName, SlurmArguments};
use crate::failure::Failure;

/// The recipe, and options of every command that takes one.
#[derive(Debug, Args)]
pub struct Common {
    /// A recipe [default: recipes/first-run.toml, which is built in]
    pub recipe: Option<PathBuf>,
    /// Data set (`imlp data list`) [data.name]; for a folder of images, --set data.path=DIR
    /// [default: recipe, else fashion-mini]
    #[arg(long, value_name = "NAME")]
    pub data: Option<String>,
    /// Prior: cnn, mixer or custom [prior.kind] [default: recipe, else cnn]
    #[arg(long, value_name = "KIND")]
    pub prior: Option<String>,
    /// Epochs of training [train.epochs] [default: recipe, else 10]
    #[arg(long)]
    pub epochs: Option<u32>,
    #[command(flatten)]
    pub products: ProductArguments,
    /// Set any key of the recipe, e.g. --set train.learning_rate=0.05 (repeatable; overrides every
    /// other option) [default: none]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Device that trains the networks
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    pub device: DeviceName,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

/// How products are computed.
#[derive(Debug, Args)]
pub struct ProductArguments {
    /// Number format of the twin's matrix products: f32, bf16 or bf16-emulated [train.precision]
    /// [default: recipe, else f32]
    #[arg(long, value_name = "FORMAT")]
    precision: Option<String>,
    /// Instruction set of all products, avx2, avx512 or amx, for the same bits on every machine
    /// that has it [train.instructions] [default: recipe, else the machine's fastest]
    #[arg(long, value_name = "SET")]
    instructions: Option<String>,
}

impl ProductArguments {
    /// The keys that they set.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let given = self.given();
        given.map(|(_, key, value)| (key, Value::String(value.to_owned())))
    }

    /// The options that were given, with their values.
    pub fn options(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given().map(|(option, _, value)| (option, value))
    }

    /// Option, key and value.
    fn given(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let all = [
            ("--precision", "train.precision", &self.precision),
            ("--instructions", "train.instructions", &self.instructions),
        ];
        let all = all.into_iter();
        all.filter_map(|(option, key, value)| Some((option, key, value.as_deref()?)))
    }
}

/// Where results go, and whether progress is shown.
#[derive(Debug, Args)]
pub struct Output {
    /// Folder for the results, which any number of processes may share; finished trials in it
    /// are not repeated [default: imlp-out/DATA-PRIOR for a sweep, imlp-out/train-… for a trial]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Attempts, time limits and checkpoints.
#[derive(Debug, Args)]
pub struct PolicyArguments {
    /// Give up a trial after this many attempts were interrupted, timed out or lost
    #[arg(long, value_name = "N", default_value_t = Policy::default().max_attempts,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: u32,
    /// Time limit of an attempt at a trial, e.g. 90s, 20min or 2h [default: none]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    trial_timeout: Option<Duration>,
    /// Take over the trials of a process on another machine whose heartbeat has stopped for
    /// this long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    stale_after: Duration,
    /// Interval between checkpoints of a running trial, e.g. 5min or 10epochs; an interrupted
    /// trial continues from its last checkpoint
    #[arg(long, value_name = "TIME|N", default_value = "5min", value_parser = parse_checkpoint_every)]
    checkpoint_every: CheckpointEvery,
}

impl PolicyArguments {
    /// The policy.
    pub fn policy(&self) -> Policy {
        Policy {
            max_attempts: self.max_attempts,
            time_limit: self.trial_timeout,
            stale_after: self.stale_after,
            checkpoint_every: self.checkpoint_every,
            ..Policy::default()
        }
    }
}

/// The trials of a sweep.
#[derive(Debug, Args)]
pub struct SweptArguments {
    /// Values of α: a list (0,0.01,1) or a grid (log:1e-4..1:9, linear:0..1:11,
    /// two-sided:1e-3:11) [sweep.alphas] [default: recipe, else 0.001,0.01,0.1,0.3,0.5,0.9,0.99]
    #[arg(long, value_name = "LIST|GRID", allow_hyphen_values = true)]
    alphas: Option<String>,
    /// How many seeds (0, 1, …), or a list with commas [sweep.seeds] [default: recipe, else 3]
    #[arg(long, value_name = "N|LIST", allow_hyphen_values = true)]
    seeds: Option<String>,
    /// Do not add α = 0 and α = 1 [sweep.ends = false]
    #[arg(long)]
    no_ends: bool,
    /// Trials at a time, each on one thread [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    jobs: Option<u32>,
    /// Train every trial from the start, also what trials of a seed compute alike before they are
    /// interpolated; the results are the same
    #[arg(long)]
    no_sharing: bool,
}

impl SweptArguments {
    /// The keys that they set.
    pub fn keys(&self) -> Result<Vec<(&'static str, Value)>, Failure> {
        let mut keys = Vec::new();
        if let Some(grid) = &self.alphas {
            keys.push(("sweep.alphas", Value::String(grid.clone())));
        }
        if let Some(text) = &self.seeds {
            keys.push(("sweep.seeds", seeds(text)?));
        }
        if self.no_ends {
            keys.push(("sweep.ends", Value::Boolean(false)));
        }
        Ok(keys)
    }

    /// Whether trials share what they compute alike.
    pub fn share(&self) -> bool {
        !self.no_sharing
    }

    /// Trials at a time, if asked.
    pub fn asked_jobs(&self) -> Option<u32> {
        self.jobs
    }

    /// Trials at a time: as asked, or as many as cores.
    pub fn jobs(&self) -> usize {
        jobs(self.jobs)
    }
}

#[derive(Debug, Args)]
pub struct SweepArguments {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub swept: SweptArguments,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub policy: PolicyArguments,
    /// What runs the trials
    #[arg(long, value_enum, default_value_t = ExecutorName::Local)]
    pub executor: ExecutorName,
    #[command(flatten)]
    pub slurm: SlurmArguments,
    /// Open the report in the browser at once; it follows the trials
    #[arg(long)]
    pub open: bool,
}

impl SweepArguments {
    /// The policy.
    pub fn policy(&self) -> Policy {
        Policy {
            share: self.swept.share(),
            ..self.policy.policy()
        }
    }
}

#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// Folder of a submission
    pub submission: PathBuf,
    /// Label of an array
    #[arg(long)]
    pub array: String,
    /// Index of a task in the array
    #[arg(long)]
    pub index: u32,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub swept: SweptArguments,
    /// Do not predict the time, which trains a few steps
    #[arg(long)]
    pub no_time: bool,
}

/// The trial of `imlp train`.
#[derive(Debug, Args)]
pub struct SingleArguments {
    /// Interpolation weight α, 0 to 1 [interpolation.alpha] [default: recipe, else 0]
    #[arg(long, allow_hyphen_values = true)]
    alpha: Option<f64>,
    /// Seed of initial weights and image order
    #[arg(long, default_value_t = 0, value_parser = parse_seed)]
    pub seed: u64,
}

impl SingleArguments {
    /// The keys that they set.
    pub fn keys(&self) -> Vec<(&'static str, Value)> {
        let alpha = self.alpha.map(Value::Float);
        alpha
            .map(|alpha| ("interpolation.alpha", alpha))
            .into_iter()
            .collect()
    }
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub single: SingleArguments,
    #[command(flatten)]
    pub output: Output,
    /// Print the trial's row of `imlp export` as one line of JSON, and nothing else; without
    /// --out, keep no files
    #[arg(long)]
    pub json: bool,
    /// Keep twin.safetensors and prior.safetensors in the folder: the default, except with --json
    #[arg(long, overrides_with = "no_weights")]
    weights: bool,
    /// Keep no weights
    #[arg(long, overrides_with = "weights")]
    no_weights: bool,
    #[command(flatten)]
    pub policy: PolicyArguments,
}

impl TrainArguments {
    /// Whether weights are kept.
    pub fn keeps_weights(&self) -> bool {
        self.weights || !(self.no_weights || self.json)
    }
}

/// Device that trains the networks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceName {
    /// CPU, one thread per trial
    Cpu,
    /// CPU through Burn's backend: slower, for comparison
    Flex,
}

impl DeviceName {
    /// Its name on the command line and in `submission.json`.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The device of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    pub fn backend(self) -> Backend {
        match self {
            Self::Cpu => Backend::Cpu,
            Self::Flex => Backend::Burn(Device::flex()),
        }
    }
}

impl Common {
    /// The arguments that were given, for a command that trains with them; without keys
    /// `sweep.*`.
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut add = |option: &str, value: &str| words.push(format!("{option}={value}").into());
        for (option, value) in [
            ("--data", &self.data),
            ("--prior", &self.prior),
            ("--epochs", &self.epochs.map(|epochs| epochs.to_string())),
            (
                "--max-memory",
                &self.memory.asked().map(|bytes| bytes.to_string()),
            ),
        ] {
            if let Some(value) = value {
                add(option, value);
            }
        }
        for (option, value) in self.products.options() {
            add(option, value);
        }
        if self.device.name() != DeviceName::Cpu.name() {
            add("--device", &self.device.name());
        }
        for set in self
            .set
            .iter()
            .filter(|set| !set.trim_start().starts_with("sweep."))
        {
            add("--set", set);
        }
        if let Some(recipe) = &self.recipe {
            words.insert(0, path_argument(recipe));
        }
        words
    }

    /// The recipe with the options merged in; `--set` comes last.
    pub fn recipe(&self, more: Vec<(&'static str, Value)>) -> Result<Recipe, Failure> {
        let text = |value: &String| Value::String(value.clone());
        let common = [
            ("data.name", self.data.as_ref().map(text)),
            ("prior.kind", self.prior.as_ref().map(text)),
            (
                "train.epochs",
                self.epochs.map(|n| Value::Integer(n.into())),
            ),
        ];
        let common = common
            .into_iter()
            .filter_map(|(key, value)| value.map(|v| (key, v)));
        let keys = common.chain(self.products.keys()).chain(more);
        recipe(self.recipe.as_deref(), keys, &self.set)
    }
}

/// A path as an argument that is no option.
fn path_argument(path: &Path) -> OsString {
    match path.as_os_str().as_encoded_bytes() {
        [b'-', ..] => Path::new(".").join(path).into_os_string(),
        _ => path.as_os_str().to_owned(),
    }
}

/// The recipe in a file, or that of the first run, with these keys and then those of `--set`.
pub fn recipe(
    path: Option<&Path>,
    keys: impl Iterator<Item = (&'static str, Value)>,
    set: &[String],
) -> Result<Recipe, Failure> {
    let keys: Vec<_> = keys.collect();
    let given = |key: &str| {
        let of_set = |text: &String| text.split('=').next().map(str::trim) == Some(key);
        keys.iter().any(|(name, _)| *name == key) || set.iter().any(of_set)
    };
    if given("data.name") && given("data.path") {
        return Err(Failure::Message(
            "data.path excludes data.name (--data): a trial has one data set; give one of the two"
                .to_owned(),
        ));
    }
    let mut recipe = path.map_or_else(|| Ok(Recipe::first_run()), Recipe::read)?;
    for (key, value) in keys {
        recipe.set(key, value)?;
    }
    for text in set {
        recipe.set_text(text)?;
    }
    Ok(recipe)
}

/// Trials at a time: as asked, or as many as cores.
pub fn jobs(asked: Option<u32>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(cores, |n| n as usize)
}

/// `--seeds`: a single number counts, a list names.
fn seeds(text: &str) -> Result<Value, Failure> {
    let number = |part: &str| {
        let part = part.trim();
        part.parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(|| {
            let problem = no_whole_number(part);
            Failure::Message(format!(
                "--seeds {text}: `{part}` {problem}; give how many (3) or a list (0,4,7) of seeds up \
                 to {}",
                i64::MAX
            ))
        })
    };
    if text.contains(',') {
        let list = text.split(',').map(|p| number(p).map(Value::Integer));
        return Ok(Value::Array(list.collect::<Result<_, _>>()?));
    }
    number(text).map(Value::Integer)
}

/// A seed, which TOML can hold.
fn parse_seed(text: &str) -> Result<u64, String> {
    let seed = text.trim().parse::<i64>().ok();
    seed.and_then(|seed| u64::try_from(seed).ok())
        .ok_or_else(|| {
            let problem = no_whole_number(text.trim());
            format!("it {problem}; give a number from 0 to {}", i64::MAX)
        })
}

/// `5min`, `10epochs`: the interval between checkpoints.
fn parse_checkpoint_every(text: &str) -> Result<CheckpointEvery, String> {
    let epochs = ["epochs", "epoch"]
        .iter()
        .find_map(|unit| text.trim().strip_suffix(unit));
    match epochs.map(|number| number.trim().parse::<u32>()) {
        None => parse_duration(text).map(CheckpointEvery::Time),
        Some(Ok(epochs)) if epochs > 0 => Ok(CheckpointEvery::Epochs(epochs)),
        Some(_) => Err("give a time such as 5min, or epochs such as 10epochs".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_due_by_time_or_by_epochs() {
        let time = CheckpointEvery::Time(Duration::from_secs(120));
        assert_eq!(parse_checkpoint_every("2min"), Ok(time));
        let epochs = CheckpointEvery::Epochs(10);
        assert_eq!(parse_checkpoint_every("10epochs"), Ok(epochs));
        for bad in ["0epochs", "epochs", "-1epochs", "soon"] {
            assert!(parse_checkpoint_every(bad).is_err(), "{bad}");
        }
    }
}
