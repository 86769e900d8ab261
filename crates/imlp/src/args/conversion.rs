//! Arguments of `imlp dense`, `imlp project` and `imlp inspect`.

use std::path::PathBuf;

use clap::Args;
use imlp_train::{TEXT_FORMS, TextForm};

use super::memory::MemoryArguments;

/// Either a network, or one layer.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Described {
    /// File that describes the network: input = [3, 32, 32] and [[layers]] of the types of a
    /// recipe's custom prior
    #[arg(long, value_name = "NET.toml")]
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
    /// PyTorch state_dict as SafeTensors; for a single layer, `weight` and `bias`. Only a network
    /// or a layer without parameters needs none [default: none]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// File to write, replacing an existing one
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write compressed sparse rows instead of all entries
    #[arg(long)]
    pub sparse: bool,
    /// Fold linear layers with nothing between them into one matrix
    #[arg(long, conflicts_with = "layer")]
    pub fold: bool,
    /// Compare the matrices with the structured layers on N random inputs before keeping the
    /// file [default: no comparison]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub check: Option<u16>,
    /// The eps of a batch norm in --layer [default: 1e-5]
    #[arg(long, conflicts_with = "network", value_parser = parse_epsilon)]
    pub eps: Option<f64>,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

#[derive(Debug, Args)]
#[command(after_long_help = layers())]
pub struct ProjectArguments {
    /// Structured layer to find, e.g. 'conv2d(in=3, out=8, kernel=3, padding=1, input=32x32)'
    #[arg(long, value_name = "LAYER")]
    pub layer: String,
    /// Dense layer as SafeTensors: `weight` (out×in), and `bias` (out) if it has one
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// File to write, replacing an existing one
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
    /// Measure how much of each matrix of its size the structure of this layer explains
    /// [default: only list the tensors]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    #[command(flatten)]
    pub memory: MemoryArguments,
}

/// Every layer that `--layer` takes, with its options.
fn layers() -> String {
    let layer = |form: TextForm| {
        let syntax = form.syntax;
        let (required, defaults) = syntax.split_once("; ").unwrap_or((syntax, ""));
        let defaults = match defaults {
            "" => String::new(),
            defaults => format!("\n      {defaults}"),
        };
        format!("  {}({required}){defaults}", form.kind)
    };
    let layers = TEXT_FORMS.map(layer);
    format!(
        "Layers with their required options, and below them the options with defaults (a pair \
         such as 3x5 is vertical x horizontal):\n{}",
        layers.join("\n")
    )
}

/// `1e-5`: a number that a variance can be added to.
fn parse_epsilon(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() && n >= 0.0 => Ok(n),
        _ => Err("give a number that is not negative, such as 1e-5".to_owned()),
    }
}
