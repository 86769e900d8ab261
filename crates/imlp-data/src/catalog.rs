//! The known data sets: what they are, which files they consist of, where they come from.
//!
//! A new data set is one [`Entry`] here and, if its format is new, one reader beside
//! [`cifar`](crate::cifar) and [`idx`](crate::idx).

use crate::shape::ImageShape;

/// Name of the data set that is compiled into the program.
pub const DEFAULT_DATASET: &str = "fashion-mini";

/// One file of a data set, as stored in the cache.
#[derive(Debug)]
pub(crate) struct FileSpec {
    pub name: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// MD5 of the content (of an IDX file: uncompressed).
    pub md5: &'static str,
    /// MD5 of the `.gz` file that the publisher serves, for IDX.
    pub gz_md5: Option<&'static str>,
}

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Compiled into the program.
    FashionMini,
    /// CIFAR binary records with this many label bytes; the last file is the test set.
    Cifar { label_bytes: usize },
    /// IDX: training images, training labels, test images, test labels, in this order.
    Idx,
}

/// Where the publisher serves the files.
#[derive(Debug)]
pub(crate) enum Remote {
    /// Nowhere: nothing to fetch.
    Embedded,
    /// One `.tar.gz` with all files.
    Archive {
        /// Its name, then those of archives of the same images that are read too.
        files: &'static [&'static str],
        url: &'static str,
        bytes: u64,
        md5: &'static str,
    },
    /// One `.gz` for each file, under each of these addresses.
    GzipFiles { bases: &'static [&'static str] },
}

/// Everything known about one data set.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: &'static str,
    pub summary: &'static str,
    pub shape: ImageShape,
    pub classes: usize,
    pub train_images: usize,
    pub test_images: usize,
    pub licence: &'static str,
    /// Home page, for people.
    pub source: &'static str,
    pub format: Format,
    pub files: &'static [FileSpec],
    pub remote: Remote,
    /// Where the files are in folders that people have: as the archives unpack, and as torchvision
    /// and Keras keep them. `""` is the folder itself.
    pub subfolders: &'static [&'static str],
    /// Folders in which a package manager may have put the files.
    pub installed_copies: &'static [&'static str],
    /// Whether an npm package holds it.
    pub on_npm: bool,
}

const GREY_28: ImageShape = ImageShape {
    channels: 1,
    height: 28,
    width: 28,
};
const RGB_32: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// Bytes of a CIFAR-10 batch: 10 000 records of one label and 3072 pixels.
const CIFAR10_BATCH: u64 = 10_000 * (1 + 3072);
/// Bytes of a CIFAR-100 record: coarse label, fine label, 3072 pixels.
const CIFAR100_RECORD: u64 = 2 + 3072;

const fn file(name: &'static str, bytes: u64, md5: &'static str) -> FileSpec {
    FileSpec {
        name,
        bytes,
        md5,
        gz_md5: None,
    }
}

const fn idx(name: &'static str, bytes: u64, md5: &'static str, gz_md5: &'static str) -> FileSpec {
    FileSpec {
        name,
        bytes,
        md5,
        gz_md5: Some(gz_md5),
    }
}

const IDX_TRAIN_IMAGES: u64 = 16 + 60_000 * 784;
const IDX_TRAIN_LABELS: u64 = 8 + 60_000;
const IDX_TEST_IMAGES: u64 = 16 + 10_000 * 784;
const IDX_TEST_LABELS: u64 = 8 + 10_000;

/// Every data set, the default first.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry {
        name: DEFAULT_DATASET,
        summary: "12 000 Fashion-MNIST images, built in: works at once and offline",
        shape: GREY_28,
        classes: 10,
        train_images: 10_000,
        test_images: 2_000,
        licence: "MIT (Zalando SE)",
        source: "https://github.com/zalandoresearch/fashion-mnist",
        format: Format::FashionMini,
        files: &[],
        remote: Remote::Embedded,
        subfolders: &[],
        installed_copies: &[],
        on_npm: false,
    },
    Entry {
        name: "cifar10",
        summary: "CIFAR-10: colour photographs of 10 kinds of animals and vehicles",
        shape: RGB_32,
        classes: 10,
        train_images: 50_000,
        test_images: 10_000,
        licence: "none stated; cite Krizhevsky 2009",
        source: "https://www.cs.toronto.edu/~kriz/cifar.html",
        format: Format::Cifar { label_bytes: 1 },
        files: &[
            file(
                "data_batch_1.bin",
                CIFAR10_BATCH,
                "5dd7e06a14cb22eb9f671a540d1b7c25",
            ),
            file(
                "data_batch_2.bin",
                CIFAR10_BATCH,
                "5ea93a67294ea407fff1d09f752e9692",
            ),
            file(
                "data_batch_3.bin",
                CIFAR10_BATCH,
                "942cd6a4bcdd0dd3c604fbe906cb4421",
            ),
            file(
                "data_batch_4.bin",
                CIFAR10_BATCH,
                "ae636b3ba5c66a11e91e8cb52e771fcb",
            ),
            file(
                "data_batch_5.bin",
                CIFAR10_BATCH,
                "53f37980c15c3d472c316c40844f3f0d",
            ),
            file(
                "test_batch.bin",
                CIFAR10_BATCH,
                "803d5f7f4d78ea53de84dbe85f74fb6d",
            ),
        ],
        remote: Remote::Archive {
            // The Python version, as its publisher and as Keras name it.
            files: &[
                "cifar-10-binary.tar.gz",
                "cifar-10-python.tar.gz",
                "cifar-10-batches-py.tar.gz",
            ],
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            bytes: 170_052_171,
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
        },
        subfolders: &["", "cifar-10-batches-bin", "cifar-10-batches-py", "package"],
        installed_copies: &[],
        on_npm: true,
    },
    Entry {
        name: "cifar100",
        summary: "CIFAR-100: colour photographs of 100 fine or 20 coarse classes",
        shape: RGB_32,
        classes: 100,
        train_images: 50_000,
        test_images: 10_000,
        licence: "none stated; cite Krizhevsky 2009",
        source: "https://www.cs.toronto.edu/~kriz/cifar.html",
        format: Format::Cifar { label_bytes: 2 },
        files: &[
            file(
                "train.bin",
                50_000 * CIFAR100_RECORD,
                "6172c7755cfe09b2fe270c85cebc1b15",
            ),
            file(
                "test.bin",
                10_000 * CIFAR100_RECORD,
                "4499cfba6c016c1be1438163640a0898",
            ),
        ],
        remote: Remote::Archive {
            files: &["cifar-100-binary.tar.gz", "cifar-100-python.tar.gz"],
            url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            bytes: 168_513_733,
            md5: "03b5dce01913d631647c71ecec9e9cb8",
        },
        subfolders: &["", "cifar-100-binary", "cifar-100-python"],
        installed_copies: &[],
        on_npm: false,
    },
    Entry {
        name: "fashion-mnist",
        summary: "Fashion-MNIST: grey pictures of 10 kinds of clothing",
        shape: GREY_28,
        classes: 10,
        train_images: 60_000,
        test_images: 10_000,
        licence: "MIT (Zalando SE)",
        source: "https://github.com/zalandoresearch/fashion-mnist",
        format: Format::Idx,
        files: &[
            idx(
                "train-images-idx3-ubyte",
                IDX_TRAIN_IMAGES,
                "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ),
            idx(
                "train-labels-idx1-ubyte",
                IDX_TRAIN_LABELS,
                "9018921c3c673c538a1fc5bad174d6f9",
                "25c81989df183df01b3e8a0aad5dffbe",
            ),
            idx(
                "t10k-images-idx3-ubyte",
                IDX_TEST_IMAGES,
                "8181f5470baa50b63fa0f6fddb340f0a",
                "bef4ecab320f06d8554ea6380940ec79",
            ),
            idx(
                "t10k-labels-idx1-ubyte",
                IDX_TEST_LABELS,
                "15d484375f8d13e6eb1aabb0c3f46965",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ],
        // The publisher serves plain HTTP only; the checksums guard the content.
        remote: Remote::GzipFiles {
            bases: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
        },
        subfolders: &["", "FashionMNIST/raw", "raw", "fashion-mnist"],
        // Debian's package dataset-fashion-mnist.
        installed_copies: &["/usr/share/datasets/fashion-mnist"],
        on_npm: false,
    },
    Entry {
        name: "mnist",
        summary: "MNIST: grey pictures of handwritten digits",
        shape: GREY_28,
        classes: 10,
        train_images: 60_000,
        test_images: 10_000,
        licence: "CC BY-SA 3.0 (LeCun, Cortes)",
        source: "http://yann.lecun.com/exdb/mnist/",
        format: Format::Idx,
        files: &[
            idx(
                "train-images-idx3-ubyte",
                IDX_TRAIN_IMAGES,
                "6bbc9ace898e44ae57da46a324031adb",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ),
            idx(
                "train-labels-idx1-ubyte",
                IDX_TRAIN_LABELS,
                "a25bea736e30d166cdddb491f175f624",
                "d53e105ee54ea40749a09fcbcd1e9432",
            ),
            idx(
                "t10k-images-idx3-ubyte",
                IDX_TEST_IMAGES,
                "2646ac647ad5339dbf082846283269ea",
                "9fb629c4189551a2d022fa330f9573f3",
            ),
            idx(
                "t10k-labels-idx1-ubyte",
                IDX_TEST_LABELS,
                "27ae3e4e09519cfbb04c329615203637",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ],
        // The publisher's own server refuses programs; these two mirrors are the usual ones.
        remote: Remote::GzipFiles {
            bases: &[
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ],
        },
        subfolders: &["", "MNIST/raw", "raw", "mnist"],
        installed_copies: &[],
        on_npm: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete() {
        for entry in ENTRIES {
            let expected_files = match entry.format {
                Format::FashionMini => 0,
                Format::Cifar { label_bytes: 1 } => 6,
                Format::Cifar { .. } => 2,
                Format::Idx => 4,
            };
            assert_eq!(entry.files.len(), expected_files, "{}", entry.name);
            for file in entry.files {
                assert_eq!(file.md5.len(), 32);
                assert_eq!(file.gz_md5.is_some(), entry.format == Format::Idx);
            }
        }
    }
}
