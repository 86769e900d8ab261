//! `summary.json`: the curve and everything needed to run the experiment again.

use std::collections::BTreeMap;

use imlp_train::{BURN_VERSION, Cost, TrialConfig};
use serde::Serialize;

use super::curves::Curves;
use super::records::Records;
use crate::analysis::evidence::MeasuredOn;
use crate::comparison::Comparison;
use crate::curve::{Curve, PairedDifference};
use crate::experiment::{Configuration, Prediction};
use crate::statistics::StatisticsError;
use crate::sweep_config::SweepConfig;
use crate::variation::Assignment;

/// How to read the numbers. The confidence level is that of
/// [`statistics`](crate::statistics).
pub(super) const NOTE: &str = "intervals are 95 % Student-t intervals over seeds; \
    diverged trials are counted, never averaged; test accuracy is measured once, at the end, after \
    the last interpolation";

/// The units of every number in a summary.
const UNITS: &str = "accuracies are fractions, losses are nats";

/// `summary.json` of one configuration.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    imlp_version: &'static str,
    burn_version: &'static str,
    command: &'a str,
    config: &'a TrialConfig,
    assignments: &'a [Assignment],
    sweep: &'a SweepConfig,
    data_checksum: &'a str,
    networks: Cost,
    cost: &'a Prediction,
    metric: &'static str,
    test: &'a Curve,
    validation: Option<&'a Curve>,
    /// The first of the diagnoses in `analysis.json`.
    diagnosis: String,
    /// Test accuracy minus that of the same seed at α = 0.
    differences_from_plain_mlp: Vec<PairedDifference>,
    /// Test accuracy minus that of the prior of the same seed.
    differences_from_prior: Vec<PairedDifference>,
    seconds_of_training: f64,
    /// Number of trials by the instruction set that computed them.
    instructions: BTreeMap<String, usize>,
    units: &'static str,
    note: &'static str,
}

impl<'a> Summary<'a> {
    /// The summary of the configuration with index `index`, whose curves these are.
    ///
    /// # Errors
    /// A value that is not finite.
    pub(super) fn new(
        records: &Records<'a>,
        index: usize,
        curves: &'a Curves,
    ) -> Result<Self, StatisticsError> {
        let configuration = &records.experiment.configurations[index];
        Ok(Self {
            imlp_version: env!("CARGO_PKG_VERSION"),
            burn_version: BURN_VERSION,
            command: records.command,
            config: &configuration.config,
            assignments: &configuration.assignments,
            sweep: &records.experiment.sweep,
            data_checksum: &configuration.setup.data().dataset().checksum,
            networks: configuration.cost(),
            cost: records.prediction,
            metric: MeasuredOn::Test.metric(),
            test: &curves.test,
            validation: curves.validation.as_ref(),
            diagnosis: curves.analysis.sentence(),
            differences_from_plain_mlp: curves.test.differences_from_plain_mlp()?,
            differences_from_prior: curves.test.differences_from_prior()?,
            seconds_of_training: records.seconds_of_training(),
            instructions: records.instructions(index).counts().clone(),
            units: UNITS,
            note: NOTE,
        })
    }
}

/// `summary.json` of an experiment with several configurations.
#[derive(Debug, Serialize)]
pub(super) struct Overview<'a> {
    imlp_version: &'static str,
    burn_version: &'static str,
    command: &'a str,
    sweep: &'a SweepConfig,
    cost: &'a Prediction,
    configurations: Vec<OverviewEntry<'a>>,
    /// `None` where fewer than two configurations have a finished trial.
    comparison: Option<&'a Comparison>,
    note: &'static str,
}

/// One configuration in an overview.
#[derive(Debug, Serialize)]
pub(super) struct OverviewEntry<'a> {
    assignments: &'a [Assignment],
    /// The folder of its files; `None` where no trial finished.
    folder: Option<String>,
    chosen_alpha: Option<f64>,
    test: Option<&'a Curve>,
    diagnosis: Option<String>,
}

impl<'a> Overview<'a> {
    /// The overview of these configurations.
    pub(super) fn new(
        records: &Records<'a>,
        configurations: Vec<OverviewEntry<'a>>,
        comparison: Option<&'a Comparison>,
    ) -> Self {
        Self {
            imlp_version: env!("CARGO_PKG_VERSION"),
            burn_version: BURN_VERSION,
            command: records.command,
            sweep: &records.experiment.sweep,
            cost: records.prediction,
            configurations,
            comparison,
            note: NOTE,
        }
    }
}

impl<'a> OverviewEntry<'a> {
    /// A configuration, with the folder of its files and its curves if a trial finished.
    pub(super) fn new(
        configuration: &'a Configuration,
        written: Option<(&str, &'a Curves)>,
    ) -> Self {
        Self {
            assignments: &configuration.assignments,
            folder: written.map(|(folder, _)| folder.to_owned()),
            chosen_alpha: written.and_then(|(_, curves)| curves.test.chosen_alpha),
            test: written.map(|(_, curves)| &curves.test),
            diagnosis: written.map(|(_, curves)| curves.analysis.sentence()),
        }
    }
}
