//! The keys `data.*`.

use std::path::PathBuf;

use imlp_data::{
    Augmentation, Cache, DataError, Dataset, FolderOptions, Labels, LoadOptions, Loading, MAX_SIZE,
    folder_name,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::network::layer::size::Pair;

/// The keys `data.*`. Keys that are newer than the names of trials are written only where they
/// are not at their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Name of the data set (`imlp data list`).
    pub name: String,
    /// Folder of images, instead of a name; relative to the recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Size to which the images of a folder are scaled and cropped: a number or
    /// [height, width].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Pair>,
    /// 1 for grey, 3 for colour, of the images of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Go on without files of a folder that cannot be read as images.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_unreadable: bool,
    /// Which labels of cifar100.
    pub labels: Labels,
    /// Random changes of the training images.
    pub augmentation: Augmentation,
    /// Pixels by which each image, test images too, is moved at most, always to the same
    /// place; below its sides.
    #[serde(skip_serializing_if = "is_default")]
    pub translate: u32,
    /// Number of training images, of those that the validation split leaves; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_images: Option<usize>,
    /// Share of the training images kept apart for validation, in [0, 1).
    pub validation_fraction: f64,
    /// Seed of the split; the same for every trial of an experiment.
    pub split_seed: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            name: "fashion-mini".to_owned(),
            path: None,
            size: None,
            channels: None,
            skip_unreadable: false,
            labels: Labels::default(),
            augmentation: Augmentation::default(),
            translate: 0,
            train_images: None,
            validation_fraction: 0.1,
            split_seed: 0,
        }
    }
}

impl DataConfig {
    /// Loads the data set.
    ///
    /// # Errors
    /// As [`Cache::load`], [`Cache::load_folder`] and [`Dataset::translated`].
    pub fn load(&self, cache: &Cache, loading: &Loading<'_>) -> Result<Dataset, DataError> {
        let labels = self.labels;
        let data = match &self.path {
            None => cache.load(&self.name, &LoadOptions { labels })?,
            Some(path) => {
                let options = FolderOptions {
                    size: self.size.map(Pair::get),
                    channels: self.channels,
                    skip_unreadable: self.skip_unreadable,
                    labels,
                    split_seed: self.split_seed,
                };
                cache.load_folder(path, &options, loading)?
            }
        };
        data.translated(self.translate, self.split_seed)
    }

    /// The keys that decide what [`load`](Self::load) gives; the others at their defaults.
    pub fn source(&self) -> Self {
        let is_seeded = self.path.is_some() || self.translate > 0;
        Self {
            augmentation: Augmentation::default(),
            train_images: None,
            validation_fraction: Self::default().validation_fraction,
            split_seed: if is_seeded { self.split_seed } else { 0 },
            ..self.clone()
        }
    }

    /// The keys without those that decide bits only through the images, whose checksum tells
    /// all of it: where they lie and how they became what they are.
    pub fn without_origin(mut self) -> Self {
        if self.path.take().is_some() {
            self.name.clear();
        }
        (self.size, self.channels, self.skip_unreadable) = (None, None, false);
        self
    }

    /// A folder gives its name to the data set.
    pub(crate) fn resolved(mut self) -> Self {
        if let Some(path) = &self.path {
            self.name = folder_name(path);
        }
        self
    }

    /// Checks what can be checked without the data.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the key and the value.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let fraction = self.validation_fraction;
        if !(0.0..1.0).contains(&fraction) {
            return Err(TrainError::config(
                "data.validation_fraction",
                fraction,
                "must lie in [0, 1)",
            ));
        }
        if self.path.as_ref().is_some_and(|p| p.as_os_str().is_empty()) {
            return Err(TrainError::key("data.path", "is empty; give a folder"));
        }
        let of_folders = [
            ("data.size", self.size.is_some()),
            ("data.channels", self.channels.is_some()),
            ("data.skip_unreadable", self.skip_unreadable),
        ];
        if let Some((key, _)) = of_folders.iter().find(|(_, given)| *given)
            && self.path.is_none()
        {
            return Err(TrainError::key(
                key,
                "is for a folder of images; set data.path, or leave it out",
            ));
        }
        if let Some(size) = self.size
            && size.get().iter().any(|n| !(1..=MAX_SIZE).contains(n))
        {
            let [height, width] = size.get();
            return Err(TrainError::config(
                "data.size",
                format!("[{height}, {width}]"),
                format!("must lie between 1 and {MAX_SIZE}"),
            ));
        }
        match self.channels {
            None | Some(1 | 3) => {}
            Some(n) => {
                let reason = "must be 1 (grey) or 3 (colour)";
                return Err(TrainError::config("data.channels", n, reason));
            }
        }
        if self.train_images == Some(0) {
            let reason = "must be at least the number of classes";
            return Err(TrainError::config("data.train_images", 0, reason));
        }
        Ok(())
    }
}
