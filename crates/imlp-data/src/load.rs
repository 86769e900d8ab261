//! Loading a data set by name.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, Installed};
use crate::catalog::{Entry, FileSpec, Format};
use crate::cifar::{self, RecordFormat, Records};
use crate::class_names;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::fashion_mini;
use crate::idx;
use crate::image_set::ImageSet;
use crate::name;
use crate::read;

/// Number of CIFAR-100's superclasses.
const COARSE_CLASSES: usize = 20;

/// Which variant of a data set to load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadOptions {
    /// Which labels; only CIFAR-100 has coarse ones.
    pub labels: Labels,
}

/// Which of CIFAR-100's labels to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Sizes, headers and label ranges are checked; [`verify`](Self::verify) tells whether the files
    /// are the official ones.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`]; [`DataError::NotInstalled`], which says how to get it;
    /// [`DataError::Malformed`], which says what is wrong where; [`DataError::Io`];
    /// [`DataError::Argument`] for coarse labels of a set that has none.
    pub fn load(&self, name: &str, options: &LoadOptions) -> Result<Dataset, DataError> {
        let entry = name::find(name)?;
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
        Dataset::new(entry.name, train, test, class_names::owned(names))
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
    let set = |files: &[FileSpec]| -> Result<ImageSet, DataError> {
        let bytes: u64 = files.iter().map(|spec| spec.bytes).sum();
        let mut records = Records::with_room((bytes / record_bytes) as usize);
        for spec in files {
            let path = dir.join(spec.name);
            let file = imlp_input::open(&path).map_err(DataError::io("open", &path))?;
            let bytes = read::read_bounded(file, &path, spec.bytes)?;
            records.append(&path, &bytes, (spec.bytes / record_bytes) as usize, format)?;
        }
        ImageSet::new(cifar::SHAPE, names.len(), records.pixels, records.labels)
    };
    let (train_files, test_file) = entry.files.split_at(entry.files.len() - 1);
    Dataset::new(
        entry.name,
        set(train_files)?,
        set(test_file)?,
        class_names::owned(names),
    )
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn error(cache: &Cache, name: &str, labels: Labels) -> String {
        cache
            .load(name, &LoadOptions { labels })
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_missing_data_set_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let text = error(&cache, "cifar10", Labels::Fine);
        assert!(
            text.ends_with("get it with `imlp data fetch cifar10`"),
            "{text}"
        );
        std::fs::create_dir(folder.path().join("cifar100")).unwrap();
        std::fs::write(folder.path().join("cifar100/train.bin"), b"").unwrap();
        let text = error(&cache, "cifar100", Labels::Fine);
        assert!(text.contains("cifar100 lacks test.bin;"), "{text}");
    }

    #[test]
    fn only_cifar100_has_coarse_labels() {
        let cache = Cache::at("unused");
        for name in ["fashion-mini", "cifar10", "mnist"] {
            assert!(error(&cache, name, Labels::Coarse).contains("only cifar100 has coarse ones"));
        }
    }

    /// Files of zeros have the right size and labels of class 0; sparse, they cost no disk.
    #[test]
    fn files_are_read_by_their_published_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let entry = name::find("cifar100").unwrap();
        let dir = folder.path().join(entry.name);
        std::fs::create_dir(&dir).unwrap();
        let resize = |name: &str, bytes: u64| {
            File::create(dir.join(name))
                .unwrap()
                .set_len(bytes)
                .unwrap();
        };
        for spec in entry.files {
            resize(spec.name, spec.bytes);
        }
        for (labels, classes) in [(Labels::Fine, 100), (Labels::Coarse, 20)] {
            let data = cache.load("cifar100", &LoadOptions { labels }).unwrap();
            assert_eq!((data.train.len(), data.test.len()), (50_000, 10_000));
            assert_eq!(
                (data.train.classes(), data.class_names.len()),
                (classes, classes)
            );
        }
        assert!(!cache.verify("cifar100").unwrap().is_ok());
        let bytes = entry.files[1].bytes;
        resize("test.bin", bytes + 1);
        assert!(error(&cache, "cifar100", Labels::Fine).contains("found more bytes"));
        resize("test.bin", bytes - 1);
        let text = error(&cache, "cifar100", Labels::Fine);
        assert!(
            text.contains("test.bin: at byte 30739999: expected 30740000 bytes"),
            "{text}"
        );
        resize("test.bin", 0);
        assert!(error(&cache, "cifar100", Labels::Fine).contains("found an empty file"));
    }
}
