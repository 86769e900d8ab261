//! `report.html`: what the report of one configuration says.

use imlp_suggest::counted;
use imlp_train::{BURN_VERSION, Every, OptimizerState, TrialConfig, bytes};
use serde::Serialize;

use super::curves::Curves;
use super::records::Records;
use super::summary::NOTE;
use crate::error::LabError;
use crate::experiment::Configuration;
use crate::report::{Report, render_html};
use crate::sweep_config::SweepConfig;
use crate::text::thousands;

/// The report of the configuration with index `index`; `files` are the names of
/// the files beside it.
///
/// # Errors
/// A configuration or a curve that cannot be shown.
pub(super) fn page(
    records: &Records<'_>,
    index: usize,
    curves: &Curves,
    svg: &str,
    files: &[&str],
) -> Result<String, LabError> {
    let configuration = &records.experiment.configurations[index];
    let test = &curves.test;
    let html = render_html(&Report {
        title: test.title.clone(),
        command: records.command.to_owned(),
        config_toml: config_toml(configuration, &records.experiment.sweep)?,
        facts: facts(records, index, configuration),
        curve: test,
        svg,
        files: files.iter().map(|&name| name.to_owned()).collect(),
        ends_as_prior: configuration.setup.ends_as_prior()?,
        notes: notes(records, index, curves),
    })?;
    Ok(html)
}

/// The recipe of one configuration, every default written out.
fn config_toml(configuration: &Configuration, sweep: &SweepConfig) -> Result<String, LabError> {
    #[derive(Serialize)]
    struct CompleteRecipe<'a> {
        #[serde(flatten)]
        trial: &'a TrialConfig,
        sweep: &'a SweepConfig,
    }
    toml::to_string(&CompleteRecipe {
        trial: &configuration.config,
        sweep,
    })
    .map_err(|e| LabError::Toml {
        origin: "the configuration".to_owned(),
        reason: e.to_string(),
    })
}

fn facts(
    records: &Records<'_>,
    index: usize,
    configuration: &Configuration,
) -> Vec<(String, String)> {
    let data = configuration.setup.data();
    let cost = configuration.cost();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact(
            "Data",
            format!(
                "{}: {} training, {} validation, {} test images",
                configuration.config.data.name,
                data.train_len(),
                data.validation_len(),
                data.dataset().test.len()
            ),
        ),
        fact("Data checksum (SHA-256)", data.dataset().checksum.clone()),
        fact("Prior", configuration.config.prior.kind.name().to_owned()),
        fact(
            "Parameters",
            format!(
                "prior {}, dense twin {}",
                thousands(cost.prior.parameters),
                thousands(cost.twin.parameters)
            ),
        ),
        fact(
            "FLOPs per image, forward and backward (a multiply-add is 2)",
            format!(
                "prior {}, dense twin {}",
                thousands(cost.prior.flops_per_image),
                thousands(cost.twin.flops_per_image)
            ),
        ),
        fact(
            "FLOPs of the whole experiment, priors included",
            format!("{:.3e}", records.prediction.total_flops),
        ),
        fact(
            "Predicted peak memory",
            bytes(records.prediction.peak_bytes),
        ),
        fact(
            "Seconds of training, summed over trials",
            format!("{:.1}", records.seconds_of_training()),
        ),
        fact(
            "Instruction set (trials)",
            records.instructions(index).to_string(),
        ),
        fact(
            "Versions",
            format!("imlp {}, Burn {BURN_VERSION}", env!("CARGO_PKG_VERSION")),
        ),
    ]
}

/// What a reader must know to judge the numbers.
fn notes(records: &Records<'_>, index: usize, curves: &Curves) -> Vec<String> {
    let test = &curves.test;
    let mut notes = vec![curves.analysis.sentence(), NOTE.to_owned()];
    let interpolation = &records.experiment.configurations[index]
        .config
        .interpolation;
    if matches!(interpolation.every, Every::Steps(_))
        && interpolation.optimizer_state == OptimizerState::Reset
    {
        notes.push(
            "the optimiser's state is reset after every interpolation, for every α above 0 and \
             not for α = 0: with interpolations within an epoch, a difference from α = 0 is also \
             the effect of that reset; interpolation.optimizer_state = \"scale\" goes over into \
             the plain MLP as α goes to 0"
                .to_owned(),
        );
    }
    notes.extend(records.instruction_notes(index));
    let diverged: usize = test.points.iter().map(|p| p.seeds.diverged.len()).sum();
    if diverged > 0 {
        notes.push(format!(
            "{} diverged: results.csv names each and the epoch",
            counted(diverged, "trial")
        ));
    }
    let failed = records.trials(index).filter(|(_, record)| record.is_none());
    let failed = failed.count();
    if failed > 0 {
        notes.push(format!(
            "{} failed, missing here: imlp status tells why",
            counted(failed, "trial")
        ));
    }
    if test.prior.as_ref().is_some_and(|prior| prior.n == 0) {
        notes.push("the prior diverged for every seed; lower prior.learning_rate".to_owned());
    }
    notes
}
