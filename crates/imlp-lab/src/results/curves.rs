//! The α-curves of one configuration, from its records.

use std::collections::BTreeMap;

use imlp_train::{PriorRecord, TrialRecord};

use super::records::Records;
use crate::analysis::evidence::{Evidence, MeasuredOn, TrialEvidence, curve};
use crate::analysis::{self, Analysis};
use crate::curve::Curve;
use crate::description::most_frequent_class;
use crate::description::titles;
use crate::error::LabError;
use crate::experiment::Configuration;

/// The curves of one configuration, and what they show.
pub(super) struct Curves {
    /// On the test set, with the α chosen on the validation split.
    pub(super) test: Curve,
    /// On the validation split, if there is one.
    pub(super) validation: Option<Curve>,
    /// What they show.
    pub(super) analysis: Analysis,
}

impl Curves {
    /// The curves of the configuration with that index.
    ///
    /// # Errors
    /// [`LabError::NothingFinished`]; a value that is not a fraction.
    pub(super) fn of(records: &Records<'_>, configuration: usize) -> Result<Self, LabError> {
        let finished = || {
            records
                .trials(configuration)
                .filter_map(|(_, p)| p.as_ref())
        };
        let trials: Vec<&TrialRecord> = finished().map(|published| &published.result).collect();
        if trials.is_empty() {
            return Err(LabError::NothingFinished);
        }
        let planned = records.trials(configuration).map(|(trial, _)| trial);
        let priors: BTreeMap<u64, &PriorRecord> = planned
            .filter_map(|trial| Some((trial.seed, records.results.priors.get(&trial.prior)?)))
            .collect();
        let (title, subtitle) = titles(records.experiment, configuration);
        let curve = |on| curve(on, trials.iter().copied(), priors.values().copied());
        let mut test = curve(MeasuredOn::Test)?.titled(title, subtitle);
        let Configuration { setup, config, .. } = &records.experiment.configurations[configuration];
        let has_validation = setup.data().validation_len() > 0;
        let validation = has_validation
            .then(|| curve(MeasuredOn::Validation))
            .transpose()?;
        if let Some(validation) = &validation {
            test = test.chosen_by(validation);
        }
        let biases = config.interpolation.biases;
        let said = trials
            .iter()
            .map(|record| TrialEvidence::of(record, priors.get(&record.seed).copied(), biases));
        let evidence = Evidence {
            validation: validation.as_ref(),
            trials: &said.collect::<Vec<_>>(),
            unfinished: records.trials(configuration).count() - trials.len(),
            most_frequent_class: Some(most_frequent_class(&setup.data().dataset().test)),
        };
        let analysis = analysis::with(&test, &evidence);
        Ok(Self {
            test,
            validation,
            analysis,
        })
    }
}
