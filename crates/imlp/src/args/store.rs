//! Arguments of the commands on an experiment's folder.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use imlp_lab::export::Format;

#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct AnalyseArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
    /// Print one line of JSON for each configuration, and write no file
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Folders of experiments; several are compared on one page
    #[arg(required = true)]
    pub folders: Vec<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// File of the page [default: report.html in the folder; of several, in the working
    /// directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RetryArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct CancelArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct CleanArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
    /// Also trials that the last `imlp sweep` did not ask for, whose keys, α or seeds have left
    /// the recipe
    #[arg(long)]
    pub unlisted: bool,
    /// Remove the listed files
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
    /// One row per measurement (every epoch, before and after the interpolation) instead of
    /// one per trial: losses, accuracies, the α of each layer, the prior's share, learning rate
    #[arg(long)]
    pub epochs: bool,
    /// Format of the table [default: as --out ends, else csv]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// File to write, replacing an existing one [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Comma-separated values.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Csv => Self::Csv,
            FormatName::Jsonl => Self::JsonLines,
            FormatName::Parquet => Self::Parquet,
        }
    }
}
