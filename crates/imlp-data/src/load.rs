//! Loading a data set by name.

use std::path::PathBuf;

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
use crate::trusted::Trusted;

/// Number of CIFAR-100's superclasses.
pub(crate) const COARSE_CLASSES: usize = 20;

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
    /// Every file must be the published one: it is compared when it is loaded for the first time
    /// and whenever it has changed since.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`]; [`DataError::NotInstalled`], which says how to get it;
    /// [`DataError::NotPublished`], which says how to use other files all the same;
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
        match self.installed(entry) {
            Installed::Embedded => return fashion_mini::load(),
            Installed::At(_) => {}
            Installed::No { dir, missing } => {
                return Err(DataError::NotInstalled {
                    name: name.to_owned(),
                    dir,
                    missing,
                });
            }
        }
        let mut files = Files {
            cache: self,
            entry,
            trusted: Trusted::of(self, entry),
        };
        let data = match entry.format {
            Format::Cifar { label_bytes } => load_cifar(&mut files, label_bytes, options.labels),
            _ => load_idx(&mut files),
        };
        // Also what was compared before a file that is wrong.
        files.trusted.save();
        data
    }
}

/// The files of a data set in the cache.
struct Files<'a> {
    cache: &'a Cache,
    entry: &'static Entry,
    trusted: Trusted,
}

impl Files<'_> {
    /// The path and content of a file, which is the published one.
    fn read(&mut self, spec: &FileSpec) -> Result<(PathBuf, Vec<u8>), DataError> {
        let path = self.cache.file(self.entry, spec);
        let path = path.unwrap_or_else(|| self.cache.dir(self.entry).join(spec.name));
        let bytes = self.trusted.read(self.entry, spec, &path)?;
        Ok((path, bytes))
    }
}

fn load_idx(files: &mut Files<'_>) -> Result<Dataset, DataError> {
    let entry = files.entry;
    let mut set = |first: usize, count: usize| -> Result<ImageSet, DataError> {
        let (path, bytes) = files.read(&entry.files[first])?;
        let pixels = idx::images(&path, bytes, count, entry.shape)?;
        let (path, bytes) = files.read(&entry.files[first + 1])?;
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

fn load_cifar(
    files: &mut Files<'_>,
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
    let entry = files.entry;
    let record_bytes = (label_bytes + cifar::SHAPE.len()) as u64;
    let mut set = |specs: &[FileSpec]| -> Result<ImageSet, DataError> {
        let bytes: u64 = specs.iter().map(|spec| spec.bytes).sum();
        let mut records = Records::with_room((bytes / record_bytes) as usize);
        for spec in specs {
            let (path, bytes) = files.read(spec)?;
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
    use crate::folder::{FolderOptions, Loading};

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
    fn cifar100_of_zeros(cache: &Cache) -> (PathBuf, impl Fn(&str, u64)) {
        let entry = name::find("cifar100").unwrap();
        let dir = cache.root().join(entry.name);
        std::fs::create_dir(&dir).unwrap();
        let resize = {
            let dir = dir.clone();
            move |name: &str, bytes: u64| {
                let file = File::create(dir.join(name)).unwrap();
                file.set_len(bytes).unwrap();
            }
        };
        for spec in entry.files {
            resize(spec.name, spec.bytes);
        }
        (dir, resize)
    }

    #[test]
    fn files_that_are_not_the_published_ones_are_never_loaded_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let (dir, resize) = cifar100_of_zeros(&cache);
        let text = error(&cache, "cifar100", Labels::Fine);
        assert!(
            text.contains("train.bin is not the published file of `cifar100`"),
            "{text}"
        );
        assert!(
            text.contains("expected MD5 6172c7755cfe09b2fe270c85cebc1b15"),
            "{text}"
        );
        assert!(text.contains("imlp data fetch cifar100"), "{text}");
        let remedy = format!("data.path = {:?}", dir.display().to_string());
        assert!(text.contains(&remedy), "{text}");
        assert!(!cache.verify("cifar100").unwrap().is_ok());
        // As a folder it is what it is.
        for (labels, classes) in [(Labels::Fine, 100), (Labels::Coarse, 20)] {
            let options = FolderOptions {
                labels,
                ..FolderOptions::default()
            };
            let data = cache
                .load_folder(&dir, &options, &Loading::default())
                .unwrap();
            assert_eq!((data.train.len(), data.test.len()), (50_000, 10_000));
            assert_eq!(data.train.classes(), classes);
            assert_eq!(data.class_names.len(), classes);
        }
        resize("train.bin", 30740001 * 5);
        assert!(error(&cache, "cifar100", Labels::Fine).contains("found more bytes"));
        resize("train.bin", 5 * 30740000 - 1);
        let text = error(&cache, "cifar100", Labels::Fine);
        assert!(
            text.contains("train.bin: at byte 153699999: expected 153700000 bytes"),
            "{text}"
        );
        resize("train.bin", 0);
        assert!(error(&cache, "cifar100", Labels::Fine).contains("found an empty file"));
    }
}
