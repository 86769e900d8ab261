//! A folder with the files of MNIST or CIFAR, whoever wrote them: nothing is compared with
//! published sums, and sizes follow from the files.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{FolderOptions, Loading, MAX_SIZE, folder_name};
use crate::cifar::{self, RecordFormat};
use crate::class_names;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::fetch::cifar_pickle;
use crate::idx;
use crate::image_set::ImageSet;
use crate::load::{COARSE_CLASSES, Labels};
use crate::read::malformed;
use crate::shape::ImageShape;

/// Images of a batch of CIFAR-10 in the Python version.
const BATCH: usize = 10_000;

/// The layout of files with many images each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Records {
    /// `train-images-idx3-ubyte` and three more, perhaps gzipped.
    Idx,
    /// `data_batch_1.bin` … and `test_batch.bin`, or without `.bin` in the Python version.
    Cifar10 { python: bool },
    /// `train.bin` and `test.bin`, likewise.
    Cifar100 { python: bool },
}

/// The layout of `root`, if it is one of these.
pub(super) fn find(root: &Path) -> Option<Records> {
    let has = |name: &str| root.join(name).is_file();
    if has("train-images-idx3-ubyte") || has("train-images-idx3-ubyte.gz") {
        return Some(Records::Idx);
    }
    [false, true].into_iter().find_map(|python| {
        let suffix = if python { "" } else { ".bin" };
        if has(&format!("data_batch_1{suffix}")) {
            Some(Records::Cifar10 { python })
        } else if has(&format!("train{suffix}")) {
            Some(Records::Cifar100 { python })
        } else {
            None
        }
    })
}

/// Reads the files.
///
/// # Errors
/// [`DataError::Malformed`] and [`DataError::Source`] by file; [`DataError::Folder`] for a file
/// that is not there and for options that are for pictures alone.
pub(super) fn load(
    root: &Path,
    records: Records,
    options: &FolderOptions,
    loading: &Loading<'_>,
) -> Result<Dataset, DataError> {
    let refuse = |reason: &str| Err(DataError::folder(root, reason));
    if options.size.is_some() || options.channels.is_some() || options.skip_unreadable {
        return refuse(
            "holds files in IDX or CIFAR's layout; data.size, data.channels and \
             data.skip_unreadable are for pictures, leave them out",
        );
    }
    let is_coarse = options.labels == Labels::Coarse;
    if is_coarse && !matches!(records, Records::Cifar100 { .. }) {
        return refuse("has no coarse labels; leave data.labels out");
    }
    let reader = Reader {
        root,
        limit: loading.max_bytes,
    };
    let mut data = match records {
        Records::Idx => reader.idx(),
        Records::Cifar10 { python } => reader.cifar10(python),
        Records::Cifar100 { python } => reader.cifar100(python, is_coarse),
    }?;
    let note = "read as it is, without a comparison with published sums";
    data.notes.push(note.to_owned());
    Ok(data)
}

/// Reads files of one folder.
struct Reader<'a> {
    root: &'a Path,
    /// Bytes that a file may have.
    limit: u64,
}

impl Reader<'_> {
    fn idx(&self) -> Result<Dataset, DataError> {
        let (train, train_labels) = self.idx_part("train")?;
        let (test, test_labels) = self.idx_part("t10k")?;
        let labels = train_labels.iter().chain(&test_labels);
        let classes = labels.max().map_or(0, |&label| usize::from(label) + 1);
        let (shape, pixels) = train;
        let train = ImageSet::new(shape, classes, pixels, train_labels)?;
        let (shape, pixels) = test;
        let test = ImageSet::new(shape, classes, pixels, test_labels)?;
        let names = (0..classes).map(|class| class.to_string()).collect();
        Dataset::new(folder_name(self.root), train, test, names)
    }

    #[expect(clippy::type_complexity, reason = "shape and pixels, then labels")]
    fn idx_part(&self, part: &str) -> Result<((ImageShape, Vec<u8>), Vec<u8>), DataError> {
        let (path, bytes) = self.read(&format!("{part}-images-idx3-ubyte"))?;
        let [images, height, width] = idx::sizes(&path, &bytes)?;
        if images == 0 || [height, width].iter().any(|n| !(1..=MAX_SIZE).contains(n)) {
            let found = format!("{images} of {height}×{width}");
            let expected = format!("images of 1 to {MAX_SIZE} rows and columns");
            return Err(malformed(&path, 4, expected, found));
        }
        let shape = ImageShape {
            channels: 1,
            height,
            width,
        };
        let pixels = idx::images(&path, bytes, images, shape)?;
        let (path, bytes) = self.read(&format!("{part}-labels-idx1-ubyte"))?;
        let labels = idx::labels(&path, bytes, images, 256)?;
        Ok(((shape, pixels), labels))
    }

    fn cifar10(&self, python: bool) -> Result<Dataset, DataError> {
        let suffix = if python { "" } else { ".bin" };
        let batches = (1..)
            .map(|i| format!("data_batch_{i}{suffix}"))
            .take_while(|name| self.root.join(name).is_file());
        let batches: Vec<(String, usize)> = batches.map(|name| (name, BATCH)).collect();
        let test = (format!("test_batch{suffix}"), BATCH);
        let format = RecordFormat {
            label_classes: &[10],
            keep: 0,
        };
        let names = class_names::CIFAR10;
        Dataset::new(
            folder_name(self.root),
            self.cifar(&batches, python, format, names.len())?,
            self.cifar(&[test], python, format, names.len())?,
            class_names::owned(names),
        )
    }

    fn cifar100(&self, python: bool, is_coarse: bool) -> Result<Dataset, DataError> {
        let (keep, names) = match is_coarse {
            true => (0, class_names::CIFAR100_COARSE),
            false => (1, class_names::CIFAR100_FINE),
        };
        let format = RecordFormat {
            label_classes: &[COARSE_CLASSES, 100],
            keep,
        };
        let suffix = if python { "" } else { ".bin" };
        let part = |name: &str, images: usize| {
            let files = [(format!("{name}{suffix}"), images)];
            self.cifar(&files, python, format, names.len())
        };
        Dataset::new(
            folder_name(self.root),
            part("train", 5 * BATCH)?,
            part("test", BATCH)?,
            class_names::owned(names),
        )
    }

    /// Reads files of records; those of the Python version hold as many images as stated.
    fn cifar(
        &self,
        files: &[(String, usize)],
        python: bool,
        format: RecordFormat<'_>,
        classes: usize,
    ) -> Result<ImageSet, DataError> {
        let label_bytes = format.label_classes.len();
        let mut records = cifar::Records::default();
        for (name, images) in files {
            let (path, mut bytes) = self.read(name)?;
            if python {
                let keys = cifar_pickle::label_keys(label_bytes);
                bytes = cifar_pickle::records(&bytes, &path, *images, keys)?;
            }
            // One too many for a rest, which is then refused.
            let found = bytes.len().div_ceil(label_bytes + cifar::SHAPE.len());
            records.append(&path, &bytes, found.max(1), format)?;
        }
        ImageSet::new(cifar::SHAPE, classes, records.pixels, records.labels)
    }

    /// A file of this name, or gzipped with `.gz` after it.
    fn read(&self, name: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
        let plain = self.root.join(name);
        let packed = self.root.join(format!("{name}.gz"));
        let too_large = |path: &Path, needed: u64| {
            Err(DataError::Memory {
                path: path.to_owned(),
                needed,
                limit: self.limit,
            })
        };
        if plain.is_file() || !packed.is_file() {
            let file = imlp_input::open(&plain).map_err(DataError::io("open", &plain))?;
            let size = file
                .metadata()
                .map_err(DataError::io("read", &plain))?
                .len();
            if size > self.limit {
                return too_large(&plain, size);
            }
            let bytes = crate::read::read_bounded(file, &plain, size)?;
            return Ok((plain, bytes));
        }
        let file = imlp_input::open(&packed).map_err(DataError::io("open", &packed))?;
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(file)
            .take(self.limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(DataError::io("unpack", &packed))?;
        if bytes.len() as u64 > self.limit {
            return too_large(&packed, bytes.len() as u64);
        }
        Ok((packed, bytes))
    }
}
