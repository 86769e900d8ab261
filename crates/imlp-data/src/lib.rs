//! Data sets of images: embedded, CIFAR-10 and CIFAR-100, the MNIST family.
//!
//! A data set is [loaded](load) by name into bytes, divided by [`stratified_split`], measured by
//! [`Normalization::of`], and read in batches by a [`BatchLoader`] in the order of [`epoch_order`].
//! `fashion-mini` is part of the program; the others are [fetched](fetch) into a [`Cache`].
//!
//! ```
//! use imlp_data::{Augmentation, BatchLoader, LoadOptions, Normalization};
//!
//! let data = imlp_data::load("fashion-mini", &LoadOptions::default())?;
//! let split = imlp_data::stratified_split(data.train.labels(), data.train.classes(), 0.1, 0)?;
//! let norm = Normalization::of(&data.train, &split.train)?;
//! let loader = BatchLoader::new(data.train.shape(), &norm, Augmentation::CropFlip, 0)?;
//! let epoch = 0;
//! for batch in imlp_data::epoch_order(&split.train, 0, epoch).chunks(128).take(2) {
//!     let mut x = vec![0.0; batch.len() * data.train.shape().len()]; // [batch, 1, 28, 28]
//!     let mut y = vec![0i64; batch.len()];
//!     loader.fill(&data.train, batch, epoch, &mut x, &mut y)?;
//! }
//! # Ok::<(), imlp_data::DataError>(())
//! ```
#![warn(missing_docs)]

mod augmentation;
mod batch;
mod cache;
mod catalog;
mod checksum;
mod cifar;
mod class_names;
mod dataset;
mod error;
mod fashion_mini;
mod fetch;
mod idx;
mod image_set;
mod load;
mod name;
mod normalization;
mod order;
#[doc(hidden)]
pub mod parsers;
mod random;
mod read;
mod shape;
mod split;
mod verify;

pub use augmentation::Augmentation;
pub use batch::{BatchLoader, fill_batch};
pub use cache::{Cache, DATA_DIR_VARIABLE, DatasetInfo, Installed};
pub use catalog::DEFAULT_DATASET;
pub use dataset::Dataset;
pub use error::DataError;
pub use fetch::event::FetchEvent;
pub use fetch::{FetchOptions, FetchReport, FetchSource};
pub use image_set::ImageSet;
pub use load::{Labels, LoadOptions};
pub use name::dataset_names;
pub use normalization::Normalization;
pub use order::epoch_order;
pub use shape::ImageShape;
pub use split::{Split, stratified_split};
pub use verify::{FileState, VerifyReport};

/// Lists every data set with whether it is installed for this user; see [`Cache::list`].
///
/// # Errors
/// [`DataError::NoDataFolder`].
pub fn list() -> Result<Vec<DatasetInfo>, DataError> {
    Ok(Cache::of_user()?.list())
}

/// Fetches a data set for this user; see [`Cache::fetch`].
///
/// # Errors
/// As [`Cache::fetch`], and [`DataError::NoDataFolder`].
pub fn fetch(name: &str, options: FetchOptions<'_>) -> Result<FetchReport, DataError> {
    Cache::of_user()?.fetch(name, options)
}

/// Compares the installed files of a data set with the published ones; see [`Cache::verify`].
///
/// # Errors
/// As [`Cache::verify`], and [`DataError::NoDataFolder`].
pub fn verify(name: &str) -> Result<VerifyReport, DataError> {
    Cache::of_user()?.verify(name)
}

/// The folder of a data set of this user; see [`Cache::path`].
///
/// # Errors
/// As [`Cache::path`], and [`DataError::NoDataFolder`].
pub fn path(name: &str) -> Result<std::path::PathBuf, DataError> {
    Cache::of_user()?.path(name)
}

/// Loads a data set; see [`Cache::load`].
///
/// # Errors
/// As [`Cache::load`], and [`DataError::NoDataFolder`].
pub fn load(name: &str, options: &LoadOptions) -> Result<Dataset, DataError> {
    if name == DEFAULT_DATASET {
        // Works even where there is no folder for data.
        return Cache::at("").load(name, options);
    }
    Cache::of_user()?.load(name, options)
}
