//! The records of an experiment, with everything that its files are made from.

use std::collections::{HashMap, HashSet};

use imlp_train::TrialRecord;

use crate::executor::Results;
use crate::experiment::{Experiment, PlannedTrial, Prediction};
use crate::instructions::InstructionsUsed;
use crate::store::Published;
use crate::trial_table::{TrialRow, TrialTable};
use crate::trunks;

/// An experiment and its records.
pub(super) struct Records<'a> {
    /// The experiment.
    pub(super) experiment: &'a Experiment,
    /// What its trials and priors left in the store.
    pub(super) results: &'a Results,
    /// What it was predicted to cost.
    pub(super) prediction: &'a Prediction,
    /// The command line that runs it again.
    pub(super) command: &'a str,
}

impl Records<'_> {
    /// The trials of one configuration; a failed one has no record.
    pub(super) fn trials(
        &self,
        configuration: usize,
    ) -> impl Iterator<Item = &(PlannedTrial, Option<Published<TrialRecord>>)> {
        let trials = self.results.trials.iter();
        trials.filter(move |(trial, _)| trial.configuration == configuration)
    }

    /// What computed the trials of one configuration.
    pub(super) fn instructions(&self, configuration: usize) -> InstructionsUsed {
        let trials = self.trials(configuration);
        trials
            .filter_map(|(_, published)| published.as_ref())
            .map(|published| &published.result)
            .collect()
    }

    /// What a reader of one configuration must know of them.
    pub(super) fn instruction_notes(&self, configuration: usize) -> Vec<String> {
        let names: HashSet<_> = self.trials(configuration).map(|(t, _)| &t.prior).collect();
        let priors = names
            .into_iter()
            .filter_map(|id| self.results.priors.get(id));
        let priors: InstructionsUsed = priors.collect();
        InstructionsUsed::notes(&self.instructions(configuration), &priors).collect()
    }

    /// `results.csv` of some configurations: one row per trial.
    pub(super) fn table(&self, configurations: &[usize]) -> TrialTable {
        table(self.experiment, self.results, configurations, "failed")
    }

    /// Seconds that trials and priors were trained, summed; each is counted once.
    pub(super) fn seconds_of_training(&self) -> f64 {
        // Configurations may share a trial.
        let mut trials = HashMap::new();
        for (trial, published) in &self.results.trials {
            if let Some(published) = published {
                trials.insert(&trial.id, published.result.train_seconds);
            }
        }
        let trials: f64 = trials.into_values().sum();
        let priors: f64 = self.results.priors.values().map(|p| p.train_seconds).sum();
        let finished = self.results.trials.iter();
        let finished = finished.filter_map(|(_, published)| published.as_ref());
        trials + trunks::seconds(finished.map(|published| &published.result)) + priors
    }
}

/// One row per trial of some configurations; one without a record is in the state `missing`.
pub(super) fn table(
    experiment: &Experiment,
    results: &Results,
    configurations: &[usize],
    missing: &str,
) -> TrialTable {
    let trials = results.trials.iter();
    let rows: Vec<TrialRow<'_>> = trials
        .filter(|(trial, _)| configurations.contains(&trial.configuration))
        .map(|(trial, published)| TrialRow {
            id: trial.id.as_str(),
            alpha: trial.alpha.get(),
            seed: trial.seed,
            assignments: &experiment.configurations[trial.configuration].assignments,
            state: missing,
            record: published.as_ref().map(|published| &published.result),
            prior: results.priors.get(&trial.prior),
        })
        .collect();
    TrialTable::new(&rows)
}
