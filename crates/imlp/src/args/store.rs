//! Arguments of the commands that look after an experiment's folder.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use imlp_lab::export::Format;

#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
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
    /// Also what `imlp sweep` did not ask for last: trials of keys, α or seeds that have
    /// left the recipe
    #[arg(long)]
    pub unlisted: bool,
    /// Remove what is listed
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Folder of an experiment
    pub folder: PathBuf,
    /// Form of the table
    #[arg(long, value_enum, default_value_t = FormatName::Csv)]
    pub format: FormatName,
    /// The file to write; replaced if it is there [default: the standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Form of a table.
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
