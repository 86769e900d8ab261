//! Arguments of `imlp reproduce`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use imlp_lab::claims::claim::Claim;
use imlp_lab::claims::study::{Reading, Scale};

use super::experiment::{DeviceName, PolicyArguments, ProductArguments};
use super::memory::MemoryArguments;
use super::slurm::{ExecutorName, SlurmArguments};

/// Folder for records, tables, figures and verdicts.
const RESULTS: &str = "results";

#[derive(Debug, Args)]
pub struct ReproduceArguments {
    /// Claims to try: v-curve, logarithmic-sides, fraction, mixer, training-time, first-layer,
    /// schedule [default: all]
    #[arg(value_parser = Claim::of_name)]
    pub claims: Vec<Claim>,
    /// How much is trained
    #[arg(long, value_enum, default_value_t = ScaleName::Smoke)]
    pub scale: ScaleName,
    /// How the paper is read: is the prior trained first, or beside the twin?
    #[arg(long, value_enum, default_value_t = ReadingName::Both)]
    pub reading: ReadingName,
    /// Try this variation of the claims instead: other images, epochs, widths … [default: none]
    #[arg(long, value_name = "NAME")]
    pub variation: Option<String>,
    #[command(flatten)]
    pub products: ProductArguments,
    /// Set any key of the recipes, e.g. --set train.epochs=1 to try the command (repeatable)
    /// [default: none]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Train nothing: judge all records that are there, and write the page
    #[arg(long, conflicts_with_all = [
        "claims", "scale", "reading", "variation", "precision", "instructions", "set", "out",
        "jobs", "device", "executor",
    ])]
    pub judge_only: bool,
    /// Folder for records, tables, figures and verdicts; what it holds is not trained again
    #[arg(long, value_name = "DIR", default_value = RESULTS)]
    pub results: PathBuf,
    /// The page of all results [default: docs/results.md, of another --results DIR
    /// DIR/results.md]
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Folder for the experiments while they run [default: imlp-out/reproduce, of another
    /// --results DIR DIR/experiments]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Trials at a time, each on one thread [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
    /// Print no progress
    #[arg(long, short)]
    pub quiet: bool,
    /// Device that trains the networks
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    pub device: DeviceName,
    #[command(flatten)]
    pub memory: MemoryArguments,
    #[command(flatten)]
    pub policy: PolicyArguments,
    /// What runs the trials
    #[arg(long, value_enum, default_value_t = ExecutorName::Local)]
    pub executor: ExecutorName,
    #[command(flatten)]
    pub slurm: SlurmArguments,
}

impl ReproduceArguments {
    /// The page of all results.
    pub fn page(&self) -> PathBuf {
        self.beside(&self.page, "docs/results.md", "results.md")
    }

    /// Folder for the experiments while they run.
    pub fn out(&self) -> PathBuf {
        self.beside(&self.out, "imlp-out/reproduce", "experiments")
    }

    /// A trial run with other results has neither the page nor the experiments of the usual ones.
    fn beside(&self, given: &Option<PathBuf>, usual: &str, other: &str) -> PathBuf {
        let default = || match self.results == Path::new(RESULTS) {
            true => usual.into(),
            false => self.results.join(other),
        };
        given.clone().unwrap_or_else(default)
    }
}

/// How much is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScaleName {
    /// Built-in images: minutes on two cores
    Smoke,
    /// CIFAR-10, ten epochs: two to three hours a claim and reading on two cores
    Cpu,
    /// CIFAR-10 with augmentation, wider networks, a hundred epochs: for a cluster
    Full,
}

impl ScaleName {
    /// The scale.
    pub fn scale(self) -> Scale {
        match self {
            Self::Smoke => Scale::Smoke,
            Self::Cpu => Scale::Cpu,
            Self::Full => Scale::Full,
        }
    }
}

/// How the paper is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadingName {
    /// The prior is trained first, then fixed
    Frozen,
    /// The prior is trained beside the twin
    CoTrained,
    /// One after the other
    Both,
}

impl ReadingName {
    /// The readings.
    pub fn readings(self) -> &'static [Reading] {
        match self {
            Self::Frozen => &[Reading::Frozen],
            Self::CoTrained => &[Reading::CoTrained],
            Self::Both => &Reading::ALL,
        }
    }
}
