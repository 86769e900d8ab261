//! `imlp eval`.

use std::sync::Arc;

use imlp_data::{Cache, Loading};
use imlp_lab::weights::{NetworkName, Origin};
use imlp_train::{Backend, Precision, Setup, Subset, TensorFile, WeightsFile, bytes};

use crate::args::EvalArguments;
use crate::failure::Failure;
use crate::output::{percent, say};

pub fn run(arguments: &EvalArguments) -> Result<(), Failure> {
    let path = &arguments.weights;
    let refuse = |reason: String| Failure::Message(format!("{}: {reason}", path.display()));
    if path.is_dir() {
        return Err(refuse(
            "is a folder; give the weights in it, twin.safetensors or prior.safetensors".to_owned(),
        ));
    }
    let file = TensorFile::open(path)?;
    let Origin {
        network,
        mut config,
        data_checksum,
        ..
    } = Origin::read(file.metadata()).map_err(refuse)?;
    if let Some(path) = &arguments.data_path {
        config.data.path = Some(path.clone());
    }
    let loaded = config.data.load(&Cache::of_user()?, &Loading::default());
    let dataset = loaded.map_err(|error| match &config.data.path {
        Some(_) if arguments.data_path.is_none() => Failure::Message(format!(
            "{error}\nif the images lie elsewhere now, name their folder with --data-path"
        )),
        _ => error.into(),
    })?;
    if dataset.checksum != data_checksum {
        let here = match &config.data.path {
            Some(path) => path.display().to_string(),
            None => "the installed one".to_owned(),
        };
        return Err(refuse(format!(
            "was trained on {} with checksum {data_checksum}, but {here} has {}; their accuracies \
             cannot be compared",
            config.data.name, dataset.checksum
        )));
    }
    // Weights are stored in f32 for every precision of training, and measured in f32, which
    // works on any machine.
    let precision = std::mem::replace(&mut config.train.precision, Precision::F32);
    if network == NetworkName::Twin && precision != Precision::F32 {
        say(format_args!(
            "note: measured in f32; the trial was measured in {}, which rounds otherwise",
            precision.name()
        ))?;
    }
    let setup = Setup::new(config, Arc::new(dataset), Backend::Cpu)?;
    let network = match network {
        NetworkName::Twin => setup.twin(),
        NetworkName::Prior => setup.prior(),
    };
    let specs = network.parameter_specs();
    // Read whole, so it may not be larger than what it is to be.
    let expected: usize = specs
        .iter()
        .map(|spec| spec.shape.iter().product::<usize>())
        .sum();
    let expected = (expected * size_of::<f32>()) as u64;
    let found: u64 = file.tensors().iter().map(|tensor| tensor.bytes()).sum();
    if found > expected {
        return Err(refuse(format!(
            "holds {} of tensors, but its network has {}",
            bytes(found),
            bytes(expected)
        )));
    }
    let parameters = WeightsFile::read(path)?
        .parameters("", &specs)
        .map_err(refuse)?;
    for (spec, values) in specs.iter().zip(&parameters) {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(refuse(format!(
                "tensor `{}` holds {value}: these weights diverged and have no accuracy",
                spec.name
            )));
        }
    }
    for (name, subset) in [("validation", Subset::Validation), ("test", Subset::Test)] {
        let metrics = setup.evaluate(network, &parameters, subset);
        if let Some(measured) = metrics {
            say(format_args!(
                "{name:<11} accuracy {}, loss {:.4}",
                percent(metrics),
                measured.loss
            ))?;
        }
    }
    Ok(())
}
