//! The command line: what can be asked. Each option only sets keys of a recipe
//! or says how a run is carried out.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use imlp_data::ImageShape;
use imlp_lab::Recipe;
use imlp_linear::{REGISTRY, Registration};
use imlp_train::{Backend, Device};
use toml::Value;

use crate::exit::Failure;

/// A laboratory for controllable inductive bias.
///
/// Trains a structured prior (a CNN, a Mixer) and its dense twin, an MLP whose
/// weights are pulled toward the prior's by a fraction α, and shows how
/// accuracy depends on α. `imlp sweep` alone runs the main job on a built-in
/// data set.
///
/// Exit codes: 0 success, 1 error, 2 wrong usage, 130 interrupted.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train for many values of α and seeds; draw the α-curve
    Sweep(SweepArguments),
    /// Run one trial and save its record and weights
    Train(TrainArguments),
    /// Measure saved weights
    Eval(EvalArguments),
    /// Measure how fast this machine trains a recipe's networks
    Bench(BenchArguments),
    /// List, fetch, verify and find data sets
    Data(DataArguments),
    /// Write PyTorch weights of a network or a layer as dense matrices
    Dense(DenseArguments),
    /// Find the structured layer that is nearest to a dense matrix
    Project(ProjectArguments),
    /// Show what a SafeTensors file holds, and how structured its matrices are
    Inspect(InspectArguments),
}

/// Options that both `sweep` and `train` have.
#[derive(Debug, Args)]
pub struct Common {
    /// A recipe; without one every key has its default
    pub recipe: Option<PathBuf>,
    /// Data set (`imlp data list`) [data.name]
    #[arg(long, value_name = "NAME")]
    pub data: Option<String>,
    /// Prior: cnn, mixer or custom [prior.kind]
    #[arg(long, value_name = "KIND")]
    pub prior: Option<String>,
    /// Epochs of training [train.epochs]
    #[arg(long)]
    pub epochs: Option<u32>,
    /// Numbers of the twin's products: f32, bf16 or bf16-emulated [train.precision]
    #[arg(long, value_name = "NUMBERS")]
    pub precision: Option<String>,
    /// Set any key of the recipe, e.g. --set train.learning_rate=0.05 (repeatable; wins over all else)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for the results [default: imlp-out/DATA-PRIOR for a sweep, imlp-out/train-… for a trial]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub memory: MemoryArguments,
    /// Where networks are trained
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    pub device: DeviceName,
    /// Print no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// The limit on memory.
#[derive(Debug, Args)]
pub struct MemoryArguments {
    /// Refuse to start when more memory than this is predicted, e.g. 8GiB
    /// [default: 80 % of the machine's memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_memory: Option<u64>,
}

#[derive(Debug, Args)]
pub struct SweepArguments {
    #[command(flatten)]
    pub common: Common,
    /// Values of α: a list (0,0.01,1) or a grid (log:1e-4..1:9, linear:0..1:11, two-sided:1e-3:11) [sweep.alphas]
    #[arg(long, value_name = "LIST|GRID", allow_hyphen_values = true)]
    pub alphas: Option<String>,
    /// How many seeds (0, 1, …), or a list with commas [sweep.seeds]
    #[arg(long, value_name = "N|LIST", allow_hyphen_values = true)]
    pub seeds: Option<String>,
    /// Do not add α = 0 and α = 1 [sweep.ends = false]
    #[arg(long)]
    pub no_ends: bool,
    /// Trials at a time, each on one thread [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub common: Common,
    /// Interpolation weight α, 0 to 1 [interpolation.alpha]
    #[arg(long, allow_hyphen_values = true)]
    pub alpha: Option<f64>,
    /// Seed of initial weights and image order
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// A weights file that `imlp train` wrote (twin.safetensors, prior.safetensors)
    pub weights: PathBuf,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    /// A recipe; without one every key has its default
    pub recipe: Option<PathBuf>,
    /// Which of the two networks
    #[arg(long, value_enum, default_value_t = BenchNetwork::Twin)]
    pub network: BenchNetwork,
    /// Size of the images, which are random: CHANNELSxHEIGHTxWIDTH
    #[arg(long, value_name = "CxHxW", default_value = "3x32x32", value_parser = parse_image)]
    pub image: ImageShape,
    /// Optimiser steps that are timed
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub steps: u32,
    /// Trials at a time, each on one thread [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
    /// Set any key of the recipe, e.g. --set train.batch_size=512 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where the networks are trained
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    pub device: DeviceName,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Which network is measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BenchNetwork {
    /// The dense twin
    Twin,
    /// The structured prior
    Prior,
}

#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(subcommand)]
    pub command: DataCommand,
}

/// Either a network, or one layer.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Described {
    /// A file that describes the network: input = [3, 32, 32] and [[layers]]
    /// with the types of a recipe's custom prior
    #[arg(long, value_name = "NET.toml", requires = "weights")]
    pub network: Option<PathBuf>,
    /// One layer, e.g. 'conv2d(in=3, out=8, kernel=3x5, stride=2, input=32x24)'
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_long_help = layers())]
pub struct DenseArguments {
    #[command(flatten)]
    pub described: Described,
    /// A PyTorch state_dict saved as SafeTensors; of a single layer, `weight`
    /// and `bias`
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// The file to write; replaced if it is there
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write compressed sparse rows instead of all entries
    #[arg(long)]
    pub sparse: bool,
    /// Fold linear layers with nothing between them into one matrix
    #[arg(long, conflicts_with = "layer")]
    pub fold: bool,
    /// Compare the matrices with the structured layers on N random inputs
    /// before the file is put in place
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub check: Option<u16>,
    /// The eps of a batch-norm that --layer describes [default: 1e-5]
    #[arg(long, conflicts_with = "network", value_parser = parse_epsilon)]
    pub eps: Option<f64>,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

#[derive(Debug, Args)]
#[command(after_long_help = layers())]
pub struct ProjectArguments {
    /// The layer to find, e.g. 'conv2d(in=3, out=8, kernel=3, padding=1, input=32x32)'
    #[arg(long, value_name = "LAYER")]
    pub layer: String,
    /// The dense layer: `weight` (out×in) and, if there is one, `bias` (out)
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// The file to write; replaced if it is there
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

#[derive(Debug, Args)]
#[command(after_long_help = layers())]
pub struct InspectArguments {
    /// A SafeTensors file
    pub file: PathBuf,
    /// Measure how much of each matrix of its size this layer's structure
    /// explains
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// What there is, and what is installed
    List,
    /// Get a data set and verify it
    Fetch {
        /// Name of the data set
        name: String,
        /// An archive or a folder that holds its files
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
    },
    /// Compare installed files with the official checksums
    Verify {
        /// Name of the data set
        name: String,
    },
    /// Print the folder of a data set
    Path {
        /// Name of the data set
        name: String,
    },
}

/// Where networks are trained.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceName {
    /// The processor, one thread per trial
    Cpu,
    /// The processor through Burn's CPU backend, slower: to compare with
    Flex,
}

impl DeviceName {
    pub fn backend(self) -> Backend {
        match self {
            Self::Cpu => Backend::Cpu,
            Self::Flex => Backend::Burn(Device::flex()),
        }
    }
}

impl Common {
    /// The recipe with the options merged in; `--set` comes last.
    pub fn recipe(&self, more: Vec<(&str, Value)>) -> Result<Recipe, Failure> {
        let mut recipe = match &self.recipe {
            Some(path) => Recipe::read(path)?,
            None => Recipe::default(),
        };
        let text = |value: &String| Value::String(value.clone());
        let common = [
            ("data.name", self.data.as_ref().map(text)),
            ("prior.kind", self.prior.as_ref().map(text)),
            ("train.precision", self.precision.as_ref().map(text)),
            (
                "train.epochs",
                self.epochs.map(|n| Value::Integer(n.into())),
            ),
        ];
        let common = common
            .into_iter()
            .filter_map(|(key, value)| value.map(|v| (key, v)));
        for (key, value) in common.chain(more) {
            recipe.set(key, value)?;
        }
        for text in &self.set {
            recipe.set_text(text)?;
        }
        Ok(recipe)
    }
}

impl MemoryArguments {
    /// Bytes.
    pub fn limit(&self) -> u64 {
        /// Share of the machine's memory that a command may take.
        const DEFAULT_SHARE: f64 = 0.8;
        self.max_memory.unwrap_or_else(|| {
            let mut system = sysinfo::System::new();
            system.refresh_memory();
            let total = system
                .cgroup_limits()
                .map_or(system.total_memory(), |limits| limits.total_memory);
            (total as f64 * DEFAULT_SHARE) as u64
        })
    }
}

/// Every layer that `--layer` takes, with its options.
fn layers() -> String {
    let layer = |registration: &Registration| {
        let syntax = registration.syntax;
        let (required, defaults) = syntax.split_once("; ").unwrap_or((syntax, ""));
        let defaults = match defaults {
            "" => String::new(),
            defaults => format!("\n      {defaults}"),
        };
        format!("  {}({required}){defaults}", registration.kind)
    };
    let layers: Vec<_> = REGISTRY.iter().map(layer).collect();
    format!(
        "Layers, each with the options that it needs, and below them those with a default (in \
         pairs the vertical comes first: 3x5):\n{}",
        layers.join("\n")
    )
}

/// `--seeds`: a single number counts, a list names.
pub fn seeds(text: &str) -> Result<Value, Failure> {
    let number = |part: &str| {
        part.trim().parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(|| {
            Failure::Message(format!(
                "--seeds {text}: `{part}` is not a whole number; give how many (3) or a list (0,4,7)"
            ))
        })
    };
    if text.contains(',') {
        let list = text.split(',').map(|p| number(p).map(Value::Integer));
        return Ok(Value::Array(list.collect::<Result<_, _>>()?));
    }
    number(text).map(Value::Integer)
}

/// `512MiB`, `8GiB`, `2e9`: bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let units = [
        ("KiB", 10),
        ("MiB", 20),
        ("GiB", 30),
        ("TiB", 40),
        ("K", 10),
        ("M", 20),
        ("G", 30),
        ("T", 40),
        ("B", 0),
    ];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| text.strip_suffix(unit).map(|n| (n, *shift)))
        .unwrap_or((text, 0));
    match number.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok((n * (1u64 << shift) as f64) as u64),
        _ => Err("give a positive size such as 8GiB, 512MiB or a number of bytes".to_owned()),
    }
}

/// `3x32x32`: channels, height, width.
fn parse_image(text: &str) -> Result<ImageShape, String> {
    let sizes: Vec<usize> = text
        .split('x')
        .filter_map(|size| size.parse().ok())
        .collect();
    match (sizes.as_slice(), text.split('x').count()) {
        (&[channels, height, width], 3) if channels > 0 && height > 0 && width > 0 => {
            Ok(ImageShape {
                channels,
                height,
                width,
            })
        }
        _ => Err("give channels, height and width such as 3x32x32".to_owned()),
    }
}

/// `1e-5`: a number that a variance can be added to.
fn parse_epsilon(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() && n >= 0.0 => Ok(n),
        _ => Err("give a number that is not negative, such as 1e-5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_units() {
        assert_eq!(parse_size("8GiB"), Ok(8 << 30));
        assert_eq!(parse_size("1.5 M"), Ok(3 << 19));
        assert_eq!(parse_size("1000"), Ok(1000));
        for bad in ["", "GiB", "-1", "nan", "8 gigs"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
