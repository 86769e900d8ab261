//! The α-curves of one configuration, from its records.

use std::collections::BTreeMap;

use imlp_train::{Measurement, Metrics, PriorRecord};

use super::records::Records;
use super::titles::titles;
use crate::curve::{Curve, TrialValue};
use crate::error::LabError;

/// The metric of the test curve.
pub(super) const TEST_ACCURACY: &str = "Test accuracy";

/// The metric of the validation curve.
const VALIDATION_ACCURACY: &str = "Validation accuracy";

/// The curves of one configuration.
pub(super) struct Curves {
    /// On the test set, with the α chosen on the validation split.
    pub(super) test: Curve,
    /// On the validation split, if there is one.
    pub(super) validation: Option<Curve>,
}

impl Curves {
    /// The curves of the configuration with that index.
    ///
    /// # Errors
    /// [`LabError::NothingFinished`]; a value that is not a fraction.
    pub(super) fn of(records: &Records<'_>, configuration: usize) -> Result<Self, LabError> {
        let (title, subtitle) = titles(records, configuration);
        let test = curve(
            records,
            configuration,
            TEST_ACCURACY,
            |measurement| measurement.test,
            |prior| prior.test,
        )?;
        let mut test = test.titled(title, subtitle);
        let data = records.experiment.configurations[configuration]
            .setup
            .data();
        let validation = (data.validation_len() > 0)
            .then(|| {
                curve(
                    records,
                    configuration,
                    VALIDATION_ACCURACY,
                    |measurement| measurement.validation,
                    |prior| prior.validation,
                )
            })
            .transpose()?;
        if let Some(validation) = &validation {
            test = test.chosen_by(validation);
        }
        Ok(Self { test, validation })
    }
}

fn curve(
    records: &Records<'_>,
    configuration: usize,
    metric: &str,
    of_trial: fn(&Measurement) -> Option<Metrics>,
    of_prior: fn(&PriorRecord) -> Option<Metrics>,
) -> Result<Curve, LabError> {
    let accuracy = |metrics: Option<Metrics>| metrics.map(|m| m.accuracy);
    let mut trials = Vec::new();
    let mut priors = BTreeMap::new();
    for (trial, published) in records.trials(configuration) {
        if let Some(published) = published {
            trials.push(TrialValue {
                alpha: trial.alpha.get(),
                seed: trial.seed,
                value: accuracy(of_trial(&published.result.after)),
            });
        }
        if let Some(prior) = records.results.priors.get(&trial.prior) {
            priors.insert(trial.seed, accuracy(of_prior(prior)));
        }
    }
    if trials.is_empty() {
        return Err(LabError::NothingFinished);
    }
    let priors: Vec<(u64, Option<f64>)> = priors.into_iter().collect();
    Ok(Curve::from_trials(metric, &trials, &priors)?)
}
