//! Reading all results of an experiment.

use std::collections::HashMap;

use imlp_train::{PriorRecord, TrialRecord};

use crate::error::LabError;
use crate::experiment::{Experiment, PlannedTrial};
use crate::identity::PriorId;
use crate::store::{Published, Store};

/// All results of an experiment.
#[derive(Clone, Debug)]
pub struct Results {
    /// One entry per trial, in the experiment's order, without a record if the trial
    /// failed.
    pub trials: Vec<(PlannedTrial, Option<Published<TrialRecord>>)>,
    /// The trained priors.
    pub priors: HashMap<PriorId, PriorRecord>,
}

/// Reads all records in `store`.
///
/// # Errors
/// [`LabError::Damaged`], [`LabError::Io`].
pub fn collect(experiment: &Experiment, store: &Store) -> Result<Results, LabError> {
    let mut priors = HashMap::new();
    let mut trials = Vec::new();
    for trial in experiment.trials() {
        if !priors.contains_key(&trial.prior)
            && let Some(record) = store.prior_record(&trial.prior)?
        {
            priors.insert(trial.prior.clone(), record);
        }
        let record = store.trial(&trial.id, trial.alpha, trial.seed)?;
        trials.push((trial.clone(), record));
    }
    Ok(Results { trials, priors })
}
