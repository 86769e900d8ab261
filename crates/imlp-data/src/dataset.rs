//! Loading a data set by name.

use std::path::{Path, PathBuf};

use crate::catalog::{self, Entry, Format};
use crate::cifar::{self, RecordFormat, Records};
use crate::{
    Cache, DataError, ImageSet, Installed, checksum, class_names, fashion_mini, idx, read,
};

/// Number of CIFAR-100's superclasses.
const COARSE_CLASSES: usize = 20;

/// A data set in memory: its training set, its test set and what identifies them.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name under which it was loaded.
    pub name: String,
    /// The official training images.
    pub train: ImageSet,
    /// The official test images.
    pub test: ImageSet,
    /// One name for each class, in the order of the label numbers.
    pub class_names: Vec<String>,
    /// SHA-256 (64 hexadecimal digits) over sizes, pixels and labels of both sets, as decoded.
    pub checksum: String,
}

impl Dataset {
    /// Puts two sets of one shape together and computes the checksum.
    ///
    /// # Errors
    /// [`DataError::Argument`] when the sets differ in shape or number of classes, or when
    /// `class_names` has another length than the number of classes.
    pub fn new(
        name: impl Into<String>,
        train: ImageSet,
        test: ImageSet,
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        if train.shape() != test.shape() {
            let expected = format!("that of the training images, {}", train.shape());
            return Err(DataError::argument(
                "the shape of the test images",
                expected,
                test.shape(),
            ));
        }
        if train.classes() != test.classes() || train.classes() != class_names.len() {
            return Err(DataError::argument(
                "the number of classes of training set, test set and names",
                "the same",
                format!(
                    "{}, {}, {}",
                    train.classes(),
                    test.classes(),
                    class_names.len()
                ),
            ));
        }
        let checksum = checksum::sha256_of_sets(&train, &test);
        Ok(Self {
            name: name.into(),
            train,
            test,
            class_names,
            checksum,
        })
    }
}

/// What to load of a data set that offers a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadOptions {
    /// Which labels; only CIFAR-100 has coarse ones.
    pub labels: Labels,
}

/// Which of CIFAR-100's labels to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The classes proper: 100 for CIFAR-100.
    #[default]
    Fine,
    /// The 20 superclasses of CIFAR-100.
    Coarse,
}

impl Cache {
    /// Loads data set `name` from this cache, or from the program itself if it is embedded.
    ///
    /// Sizes, headers and label ranges are checked; whether the files are the official ones is
    /// what [`verify`](Self::verify) tells.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`]; [`DataError::NotInstalled`], which says how to get it;
    /// [`DataError::Malformed`], which says what is wrong where; [`DataError::Io`];
    /// [`DataError::Argument`] for coarse labels of a set that has none.
    pub fn load(&self, name: &str, options: &LoadOptions) -> Result<Dataset, DataError> {
        let entry = catalog::find(name)?;
        let has_coarse = matches!(entry.format, Format::Cifar { label_bytes: 2 });
        if options.labels == Labels::Coarse && !has_coarse {
            return Err(DataError::argument(
                format!("the labels of data set `{name}`"),
                "fine (only cifar100 has coarse ones)",
                "coarse",
            ));
        }
        let dir = match self.installed(entry) {
            Installed::Embedded => return fashion_mini::load(),
            Installed::At(dir) => dir,
            Installed::No { dir, missing } => {
                return Err(DataError::NotInstalled {
                    name: name.to_owned(),
                    dir,
                    missing,
                });
            }
        };
        match entry.format {
            Format::Cifar { label_bytes } => load_cifar(entry, &dir, label_bytes, options.labels),
            _ => self.load_idx(entry),
        }
    }

    fn load_idx(&self, entry: &Entry) -> Result<Dataset, DataError> {
        let read = |i: usize| -> Result<(PathBuf, Vec<u8>), DataError> {
            let spec = &entry.files[i];
            let path = self
                .file(entry, spec)
                .unwrap_or_else(|| self.dir(entry).join(spec.name));
            let bytes = read::read_maybe_gzipped(&path, spec.bytes)?;
            Ok((path, bytes))
        };
        let set = |first: usize, count: usize| -> Result<ImageSet, DataError> {
            let (path, bytes) = read(first)?;
            let pixels = idx::images(&path, bytes, count, entry.shape)?;
            let (path, bytes) = read(first + 1)?;
            let labels = idx::labels(&path, bytes, count, entry.classes)?;
            ImageSet::new(entry.shape, entry.classes, pixels, labels)
        };
        let train = set(0, entry.train_images)?;
        let test = set(2, entry.test_images)?;
        let names = if entry.name == "mnist" {
            class_names::DIGITS
        } else {
            class_names::FASHION
        };
        Dataset::new(entry.name, train, test, owned(names))
    }
}

fn load_cifar(
    entry: &Entry,
    dir: &Path,
    label_bytes: usize,
    labels: Labels,
) -> Result<Dataset, DataError> {
    let (label_classes, keep, names): (&[usize], usize, _) = match (label_bytes, labels) {
        (1, _) => (&[10], 0, class_names::CIFAR10),
        (_, Labels::Fine) => (&[COARSE_CLASSES, 100], 1, class_names::CIFAR100_FINE),
        (_, Labels::Coarse) => (&[COARSE_CLASSES, 100], 0, class_names::CIFAR100_COARSE),
    };
    let format = RecordFormat {
        label_classes,
        keep,
    };
    let record_bytes = (label_bytes + cifar::SHAPE.len()) as u64;
    let set = |files: &[catalog::FileSpec]| -> Result<ImageSet, DataError> {
        let mut records = Records::default();
        for spec in files {
            let path = dir.join(spec.name);
            let file = std::fs::File::open(&path).map_err(DataError::io("open", &path))?;
            let bytes = read::read_bounded(file, &path, spec.bytes)?;
            records.append(&path, &bytes, (spec.bytes / record_bytes) as usize, format)?;
        }
        ImageSet::new(cifar::SHAPE, names.len(), records.pixels, records.labels)
    };
    let (train_files, test_file) = entry.files.split_at(entry.files.len() - 1);
    Dataset::new(entry.name, set(train_files)?, set(test_file)?, owned(names))
}

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
