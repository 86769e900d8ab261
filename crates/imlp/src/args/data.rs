//! Arguments of `imlp data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(subcommand)]
    pub command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets, and where each is installed
    List,
    /// Fetch a data set and verify it
    Fetch {
        /// Name of the data set
        name: String,
        /// Archive or folder with its files [default: download them]
        ///
        /// A .tar or .tar.gz archive, or a folder: as published, CIFAR's Python version, or
        /// as torchvision and Keras keep it (their data folder, or one in it).
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
