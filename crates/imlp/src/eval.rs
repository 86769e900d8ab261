//! `imlp eval`.

use std::sync::Arc;

use imlp_data::{Cache, LoadOptions};
use imlp_train::{Device, Setup, Subset, TrialConfig, WeightsFile, evaluate_parameters};

use crate::args::EvalArguments;
use crate::exit::Failure;
use crate::train::{CONFIG_KEY, NETWORK_KEY, percent};

pub fn run(arguments: &EvalArguments) -> Result<(), Failure> {
    let path = &arguments.weights;
    let refuse = |reason: String| Failure::Message(format!("{}: {reason}", path.display()));
    let file = WeightsFile::read(path)?;
    let metadata = |key: &str| {
        file.metadata.get(key).ok_or_else(|| {
            refuse(format!(
                "has no metadata `{key}`, so it is not known which network it belongs to; \
                 only files that `imlp train` wrote can be measured"
            ))
        })
    };
    let config: TrialConfig = serde_json::from_str(metadata(CONFIG_KEY)?)
        .map_err(|e| refuse(format!("its configuration cannot be read: {e}")))?;
    let options = LoadOptions {
        labels: config.data.labels,
    };
    let dataset = Cache::of_user()?.load(&config.data.name, &options)?;
    let setup = Setup::new(config, Arc::new(dataset), Device::flex())?;
    let network = match metadata(NETWORK_KEY)?.as_str() {
        "twin" => setup.twin(),
        "prior" => setup.prior(),
        other => return Err(refuse(format!("holds an unknown network `{other}`"))),
    };
    let specs = network.parameter_specs();
    let parameters = file.parameters("", &specs).map_err(refuse)?;
    for (spec, values) in specs.iter().zip(&parameters) {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(refuse(format!(
                "tensor `{}` holds {value}: these weights diverged and have no accuracy",
                spec.name
            )));
        }
    }
    for (name, subset) in [("validation", Subset::Validation), ("test", Subset::Test)] {
        let metrics = evaluate_parameters(&setup, network, &parameters, subset);
        if let Some(measured) = metrics {
            println!(
                "{name:<11} accuracy {}, loss {:.4}",
                percent(metrics),
                measured.loss
            );
        }
    }
    Ok(())
}
