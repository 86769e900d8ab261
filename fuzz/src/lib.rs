//! The parsers of imlp on arbitrary bytes: each function may refuse its input, but must not panic.
//!
//! `fuzz_targets/` gives them to libFuzzer, `tests/seeds.rs` gives them mutated valid inputs. To fuzz
//! one (`cargo install cargo-fuzz`; without a nightly toolchain, set `RUSTC_BOOTSTRAP=1`):
//!
//! ```text
//! cargo fuzz run layer -- -max_total_time=60
//! ```
//!
//! Built without `cargo fuzz`, a target replays the files that it is given:
//! `cargo run -p imlp-fuzz --bin layer -- fuzz/artifacts/layer/*`.

use std::io::Write;

use imlp_data::{Cache, FetchOptions, parsers};
use imlp_lab::{Plan, Recipe};
use imlp_linear::{Parameters, parse_layer};
use imlp_train::{NetworkConfig, TensorFile, WeightsFile};
use tempfile::NamedTempFile;

/// The entry point of one target: under libFuzzer, or for the files named on the command line.
#[macro_export]
macro_rules! target {
    ($parse:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $parse(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                $parse(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}

/// Largest dense equivalent that [`layer`] writes.
const MOST_DENSE_BYTES: u64 = 1 << 16;

/// IDX files of images and labels.
pub fn idx(data: &[u8]) {
    let _ = parsers::idx_images(data);
    let _ = parsers::idx_labels(data);
}

/// Records of CIFAR-10 and CIFAR-100.
pub fn cifar(data: &[u8]) {
    let _ = parsers::cifar10_records(data);
    let _ = parsers::cifar100_records(data);
}

/// The PNG sheets and the JSON labels of CIFAR-10's npm package.
pub fn cifar_sheets(data: &[u8]) {
    let _ = parsers::cifar_sheet(data);
    let _ = parsers::cifar_labels(data);
}

/// Archives of a data set, unpacked into a cache.
pub fn archive(data: &[u8]) {
    let file = file(data);
    let folder = tempfile::tempdir().expect("a scratch folder");
    for name in ["cifar10", "mnist"] {
        let options = FetchOptions {
            from: Some(file.path().to_owned()),
            progress: &mut |_| {},
        };
        let _ = Cache::at(folder.path()).fetch(name, options);
    }
}

/// SafeTensors files.
pub fn tensor_file(data: &[u8]) {
    let file = file(data);
    let _ = WeightsFile::read(file.path());
    if let Ok(tensors) = TensorFile::open(file.path()) {
        for tensor in tensors.tensors() {
            let _ = tensors.finite_values(tensor);
            let _ = tensors.for_each(tensor, |_| ());
        }
    }
}

/// Recipes, up to the plan of the trials.
pub fn recipe(data: &[u8]) {
    if let Ok(recipe) = Recipe::parse(&String::from_utf8_lossy(data)) {
        let _ = Plan::new(&recipe);
    }
}

/// Layers in text form, up to the dense equivalent.
pub fn layer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for has_bias in [false, true] {
        let Ok(map) = parse_layer(&text, has_bias) else {
            continue;
        };
        let _ = (map.flops(), map.parameter_count());
        if map.dense_bytes() <= MOST_DENSE_BYTES && (map.weight_len() as u64) < MOST_DENSE_BYTES {
            let weight = vec![1.0; map.weight_len()];
            let bias = map.has_bias().then(|| vec![1.0; map.bias_len()]);
            let parameters = Parameters {
                weight: &weight,
                bias: bias.as_deref(),
            };
            map.dense(parameters).expect("a small matrix");
        }
    }
}

/// Networks for conversion, in TOML.
pub fn network(data: &[u8]) {
    if let Ok(network) = toml::from_str::<NetworkConfig>(&String::from_utf8_lossy(data)) {
        let _ = network.build();
    }
}

/// A file of these bytes.
fn file(data: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a scratch file");
    file.write_all(data).expect("a scratch file takes bytes");
    file
}
