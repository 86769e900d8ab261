//! SafeTensors files of parameters: exact round trips, and errors that name
//! the file or the tensor.

mod common;

use std::path::{Path, PathBuf};

use common::{MIXER, prior, setup, trial};
use imlp_train::{NamedTensor, Subset, TrainError, WeightsFile};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("some-weights.safetensors");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[track_caller]
fn assert_refused(path: &Path, part: &str) {
    let error = WeightsFile::read(path).unwrap_err();
    assert!(matches!(error, TrainError::Weights { .. }), "{error:?}");
    let message = error.to_string();
    let file = path.file_name().unwrap().to_str().unwrap();
    for part in [file, part] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_trial_s_parameters_come_back_bit_for_bit() {
    let setup = setup(&format!("{MIXER}train.epochs = 1\n"));
    let prior = prior(&setup, 1);
    let trial = trial(&setup, 0.3, 1, Some(&prior));
    let prior_specs = setup.prior().parameter_specs();
    let mut file = WeightsFile::default();
    file.add("twin.", &trial.specs, &trial.parameters);
    file.add("prior.", &prior_specs, &prior.snapshots[0]);
    file.metadata.insert("seed".into(), "1".into());

    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &file.to_bytes().unwrap());
    let read = WeightsFile::read(&path).unwrap();
    assert_eq!(read.metadata, file.metadata);
    assert_eq!(read.tensors.len(), trial.specs.len() + prior_specs.len());
    let back = read.parameters("twin.", &trial.specs).unwrap();
    assert_eq!(common::bits(&back), common::bits(&trial.parameters));
    let back_prior = read.parameters("prior.", &prior_specs).unwrap();
    assert_eq!(back_prior, prior.snapshots[0]);
    // The file suffices to measure the trial again.
    let measured = setup.evaluate(setup.twin(), &back, Subset::Test);
    assert_eq!(measured, trial.record.after.test);
}

/// Read by the format's own library, under PyTorch's names and shapes.
#[test]
fn others_read_the_file() {
    let setup = setup(&format!("{MIXER}train.epochs = 1\n"));
    let twin = setup.twin();
    let parameters = trial(&setup, 0.0, 1, None).parameters;
    let mut file = WeightsFile::default();
    file.add("", &twin.parameter_specs(), &parameters);
    let bytes = file.to_bytes().unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    // Mean over 7 tokens of 4 channels, then three classes.
    let pool = tensors.tensor("pool.weight").unwrap();
    assert_eq!((pool.dtype(), pool.shape()), (Dtype::F32, &[4, 28][..]));
    let head = tensors.tensor("head.weight").unwrap();
    assert_eq!(head.shape(), [3, 4]);
    let index = twin
        .parameter_specs()
        .iter()
        .position(|s| s.name == "head.weight");
    let second = f32::from_le_bytes(head.data()[4..8].try_into().unwrap());
    assert_eq!(second, parameters[index.unwrap()][1]);
}

#[test]
fn special_values_survive() {
    let values = vec![f32::NAN, f32::NEG_INFINITY, -0.0, f32::MIN_POSITIVE / 2.0];
    let file = WeightsFile {
        tensors: vec![NamedTensor {
            name: "w".into(),
            shape: vec![2, 2],
            values: values.clone(),
        }],
        ..WeightsFile::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &file.to_bytes().unwrap());
    let read = WeightsFile::read(&path).unwrap();
    assert_eq!(
        common::bits(&vec![read.tensors[0].values.clone()]),
        common::bits(&vec![values])
    );
    assert_eq!(read.tensors[0].shape, [2, 2]);
}

#[test]
fn damaged_files_are_refused_by_name() {
    let setup = setup(&format!("{MIXER}train.epochs = 1\n"));
    let mut file = WeightsFile::default();
    let parameters = prior(&setup, 1).snapshots.remove(0);
    file.add("", &setup.prior().parameter_specs(), &parameters);
    let bytes = file.to_bytes().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 5, 40, bytes.len() / 2, bytes.len() - 1] {
        assert_refused(&write(folder.path(), &bytes[..length]), "cut short");
    }
    assert_refused(
        &write(folder.path(), b"not a file of weights at all"),
        "SafeTensors",
    );
    assert_refused(&folder.path().join("nothing.safetensors"), "cannot be read");

    let half = TensorView::new(Dtype::F16, vec![2], &[0; 4]).unwrap();
    let bytes = safetensors::serialize([("fc.weight", half)], None).unwrap();
    let path = write(folder.path(), &bytes);
    assert_refused(&path, "`fc.weight`");
    assert_refused(&path, "F16");
}

#[test]
fn tensors_that_do_not_fit_the_network_are_named() {
    let setup = setup(&format!("{MIXER}train.epochs = 1\n"));
    let specs = setup.prior().parameter_specs();
    let parameters = prior(&setup, 1).snapshots.remove(0);
    let mut file = WeightsFile::default();
    file.add("prior.", &specs, &parameters);
    assert!(file.parameters("prior.", &specs).is_ok());

    let message = file.parameters("twin.", &specs).unwrap_err();
    assert!(
        message.contains("`twin.patch_embedding.weight` is missing"),
        "{message}"
    );

    let mut lacking = file.clone();
    lacking.tensors.retain(|t| t.name != "prior.norm.bias");
    let message = lacking.parameters("prior.", &specs).unwrap_err();
    assert!(
        message.contains("`prior.norm.bias` is missing"),
        "{message}"
    );

    let mut transposed = file.clone();
    let head = transposed
        .tensors
        .iter_mut()
        .find(|t| t.name == "prior.head.weight");
    head.unwrap().shape.reverse();
    let message = transposed.parameters("prior.", &specs).unwrap_err();
    for part in ["`prior.head.weight`", "[4, 3]", "[3, 4]"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }

    let mut inconsistent = file;
    inconsistent.tensors[0].values.pop();
    let message = inconsistent.to_bytes().unwrap_err();
    assert!(
        message.contains("`prior.patch_embedding.weight`"),
        "{message}"
    );
}
