//! Arguments of `imlp data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::memory::MemoryArguments;

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
    /// Look at a folder of images, without training: classes, sizes, odd files, repeated images
    ///
    /// Read are train/CLASS/*.png with test/CLASS and val/CLASS if they are there, CLASS/*.png
    /// alone, Tiny ImageNet's layout, and files as MNIST and CIFAR have them. Pictures may be
    /// PNG, JPEG, WebP, BMP or GIF. Train on a folder with --set data.path=DIR.
    Inspect {
        /// Folder of the images [data.path]
        dir: PathBuf,
        /// Size that they get, e.g. 32 or 32,48 (height, width) [data.size] [default: that of all images]
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        size: Option<[usize; 2]>,
        /// 1 for grey, 3 for colour [data.channels] [default: what all images have]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
        channels: Option<u8>,
        #[command(flatten)]
        memory: MemoryArguments,
    },
    /// Print the folder of a data set
    Path {
        /// Name of the data set
        name: String,
    },
}

/// `32` or `32,48`: height and width.
fn parse_size(text: &str) -> Result<[usize; 2], String> {
    let number = |part: &str| part.trim().parse::<usize>().ok();
    let size = match text.trim_matches(['[', ']']).split_once(',') {
        None => number(text).map(|side| [side, side]),
        Some((height, width)) => number(height).zip(number(width)).map(<[usize; 2]>::from),
    };
    size.ok_or_else(|| "give a number, or height,width".to_owned())
}
