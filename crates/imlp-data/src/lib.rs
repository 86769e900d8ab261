#![doc = include_str!("../README.md")]
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
mod folder;
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
mod translation;
mod trusted;
mod verify;

pub use augmentation::Augmentation;
pub use batch::{BatchLoader, fill_batch};
pub use cache::{Cache, DATA_DIR_VARIABLE, DatasetInfo, Installed};
pub use catalog::DEFAULT_DATASET;
pub use dataset::Dataset;
pub use error::DataError;
pub use fetch::event::FetchEvent;
pub use fetch::{FetchOptions, FetchReport, FetchSource};
pub use folder::{FolderOptions, FolderReport, Loading, Looks, MAX_SIZE, folder_name};
pub use image_set::ImageSet;
pub use load::{Labels, LoadOptions};
pub use name::dataset_names;
pub use normalization::Normalization;
pub use order::epoch_order;
pub use shape::ImageShape;
pub use split::{Split, stratified_sample, stratified_split, stratified_subset};
pub use verify::{FileState, VerifyReport};

/// Lists every data set, and whether it is installed for this user; see [`Cache::list`].
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

/// Compares the installed files of a data set with their published checksums; see [`Cache::verify`].
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
