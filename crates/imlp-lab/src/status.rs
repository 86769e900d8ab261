//! The status of an experiment, which anyone may read from its store at any time.

use std::collections::{HashMap, HashSet};

use imlp_train::{PriorRecord, TrialRecord};

use crate::error::LabError;
use crate::executor::batch::Queue;
use crate::identity::PriorId;
use crate::instructions::InstructionsUsed;
use crate::store::{Attempt, ListedTrial, Manifest, Published, State, Store};
use crate::text::alpha_text;
use crate::variation::label;

/// One trial in a store.
#[derive(Clone, Debug)]
pub struct ListedStatus {
    /// The trial's folder.
    pub id: String,
    /// α, seed and configuration, or the folder's name where those are not known.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Whether it waits in a scheduler's queue.
    pub queued: bool,
    /// Whether it has neither a result nor failed, but its prior has: nothing runs it.
    pub waits_for_failed_prior: bool,
    /// Its record, where it is finished.
    pub published: Option<Published<TrialRecord>>,
}

impl ListedStatus {
    /// The word for its state.
    pub fn word(&self) -> &'static str {
        if self.queued {
            QUEUED
        } else if self.waits_for_failed_prior {
            WAITING
        } else {
            self.state.word()
        }
    }
}

/// The word for a trial that waits in a scheduler's queue.
const QUEUED: &str = "queued";

/// The word for a trial whose prior failed.
const WAITING: &str = "waiting";

/// The status of an experiment.
#[derive(Clone, Debug)]
pub struct Status {
    /// Every trial that the last command asked for, or every trial that any worker
    /// has begun if `experiment.json` is missing or damaged.
    pub trials: Vec<ListedStatus>,
    /// The failed priors, and why they failed.
    pub failed_priors: Vec<(String, String)>,
    /// What lies there of the trunks from which trials go on.
    pub trunks: Trunks,
    /// Number of further trials in the store.
    pub others: usize,
    /// The configurations whose trials or priors were computed with several
    /// instruction sets; a damaged `experiment.json`.
    pub notes: Vec<String>,
}

/// The trunks in a store: each is removed when no trial waits for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trunks {
    /// Those from which trials can go on.
    pub made: usize,
    /// Their bytes on the disk.
    pub bytes: u64,
    /// Those that a worker makes now.
    pub running: usize,
    /// Why trials start from the beginning instead, of each trunk that failed.
    pub failed: Vec<String>,
}

impl Trunks {
    fn of(store: &Store) -> Result<Self, LabError> {
        let mut trunks = Self::default();
        for (state, bytes) in store.trunk_states()? {
            match state {
                State::Done => {
                    trunks.made += 1;
                    trunks.bytes += bytes;
                }
                State::Running(_) => trunks.running += 1,
                State::Failed(reason) => trunks.failed.push(reason),
                _ => {}
            }
        }
        Ok(trunks)
    }
}

/// The pace of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throughput {
    /// Mean seconds from the start of an attempt to its result.
    pub seconds_per_trial: f64,
    /// Number of trials in that mean.
    pub finished: usize,
    /// Trials that run now.
    pub running: usize,
    /// Trials that have neither a result nor failed.
    pub left: usize,
    /// Seconds until all trials are finished at the present pace; none where no trial
    /// runs.
    pub seconds_left: Option<f64>,
}

/// The states, in the order of the output.
const STATES: [&str; 12] = [
    "done",
    "diverged",
    "running",
    QUEUED,
    "pending",
    WAITING,
    "interrupted",
    "timed out",
    "lost",
    "failed",
    "damaged",
    "not fetched",
];

impl Status {
    /// Reads every trial.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::NotFetched`].
    pub fn of(store: &Store) -> Result<Self, LabError> {
        let (manifest, damage) = match store.manifest() {
            Err(error @ LabError::Damaged { .. }) => (None, Some(error)),
            manifest => (manifest?, None),
        };
        let begun = store.trials()?;
        let mut names: Vec<(String, String, Option<PriorId>)> = Vec::new();
        let mut listed = HashSet::new();
        match &manifest {
            Some(manifest) => {
                for trial in &manifest.trials {
                    let id = trial.id.as_str();
                    // Configurations may share a trial.
                    if listed.insert(id) {
                        let prior = (!trial.alpha.is_zero()).then(|| trial.prior.clone());
                        names.push((id.to_owned(), name(manifest, trial), prior));
                    }
                }
            }
            None => {
                listed.extend(begun.iter().map(String::as_str));
                names.extend(begun.iter().map(|id| (id.clone(), id.clone(), None)));
            }
        }
        let others = begun.iter().filter(|id| !listed.contains(id.as_str()));
        let others = others.count();
        let at_most = manifest.as_ref().and_then(|manifest| manifest.max_attempts);
        let mut failed_priors = HashMap::new();
        for id in store.priors()? {
            let state = store.prior_state(&id)?;
            let why = store.why_prior_failed(&id, &state, at_most)?;
            if let Some(why) = why {
                failed_priors.insert(id, why);
            }
        }
        let mut waiting: HashMap<String, usize> = HashMap::new();
        let trials = names
            .into_iter()
            .map(|(id, name, prior)| {
                let (mut state, published) = store.trial_by_name(&id)?;
                if let Some(reason) = store.why_trial_failed(&id, &state, at_most)? {
                    state = State::Failed(reason);
                }
                let failed = prior.filter(|prior| failed_priors.contains_key(prior.as_str()));
                let failed = failed.filter(|_| state.can_start());
                if let Some(prior) = &failed {
                    *waiting.entry(prior.as_str().to_owned()).or_insert(0) += 1;
                }
                Ok(ListedStatus {
                    id,
                    name,
                    state,
                    queued: false,
                    waits_for_failed_prior: failed.is_some(),
                    published,
                })
            })
            .collect::<Result<Vec<ListedStatus>, LabError>>()?;
        let mut notes = manifest
            .as_ref()
            .map_or(Vec::new(), |manifest| mixtures(store, manifest, &trials));
        if let Some(LabError::Damaged { path, reason }) = damage {
            notes.push(format!(
                "{} is damaged: {reason}; the same `imlp sweep` writes it again",
                path.display()
            ));
        }
        Ok(Self {
            trials,
            failed_priors: failed_priors
                .into_iter()
                .map(|(id, reason)| {
                    let waiting = match waiting.get(&id) {
                        None => String::new(),
                        Some(1) => "; 1 trial waits for it".to_owned(),
                        Some(count) => format!("; {count} trials wait for it"),
                    };
                    (format!("prior {id}"), reason + &waiting)
                })
                .collect(),
            trunks: Trunks::of(store)?,
            others,
            notes,
        })
    }

    /// The number of trials in each state, without those that are 0.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let counts = STATES.into_iter().map(|word| (word, self.count(word)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// The number of trials in the state with this word.
    fn count(&self, word: &str) -> usize {
        let trials = self.trials.iter();
        trials.filter(|t| t.word() == word).count()
    }

    /// Marks the trials that wait in a scheduler's queue.
    pub fn merge(&mut self, queue: &Queue) {
        for trial in &mut self.trials {
            trial.queued |= trial.state.can_start() && queue.waits(&trial.id);
        }
    }

    /// The number of trials that have neither a result nor failed, nor has their prior.
    pub fn unfinished(&self) -> usize {
        let over = |state: &State| {
            state.is_finished() || matches!(state, State::Failed(_) | State::NotFetched(_))
        };
        let trials = self.trials.iter();
        trials
            .filter(|t| !over(&t.state) && !t.waits_for_failed_prior)
            .count()
    }

    /// The failed trials and priors, and why they failed.
    pub fn failures(&self) -> Vec<(String, String)> {
        let trials = self.trials.iter().filter_map(|trial| match &trial.state {
            State::Failed(reason) | State::NotFetched(reason) => {
                Some((trial.name.clone(), reason.clone()))
            }
            State::Damaged(reason) => Some((trial.name.clone(), format!("damaged: {reason}"))),
            _ => None,
        });
        self.failed_priors.iter().cloned().chain(trials).collect()
    }

    /// The running attempts.
    pub fn running(&self) -> Vec<(&str, &Attempt)> {
        let trials = self.trials.iter();
        trials
            .filter_map(|trial| match &trial.state {
                State::Running(attempt) => Some((trial.name.as_str(), attempt)),
                _ => None,
            })
            .collect()
    }

    /// The pace; none before the first trial has finished.
    pub fn throughput(&self) -> Option<Throughput> {
        let seconds: Vec<f64> = self
            .trials
            .iter()
            .filter_map(|trial| trial.published.as_ref())
            .map(|p| p.at.saturating_sub(p.began) as f64)
            .collect();
        if seconds.is_empty() {
            return None;
        }
        let running = self.count("running");
        let left = self.unfinished();
        let seconds_per_trial = seconds.iter().sum::<f64>() / seconds.len() as f64;
        Some(Throughput {
            seconds_per_trial,
            finished: seconds.len(),
            running,
            left,
            seconds_left: (running > 0).then(|| seconds_per_trial * left as f64 / running as f64),
        })
    }
}

/// The configurations whose trials or priors were computed with several instruction
/// sets.
fn mixtures(store: &Store, manifest: &Manifest, trials: &[ListedStatus]) -> Vec<String> {
    let records: HashMap<&str, &TrialRecord> = trials
        .iter()
        .filter_map(|trial| Some((trial.id.as_str(), &trial.published.as_ref()?.result)))
        .collect();
    let mut notes = Vec::new();
    for (index, configuration) in manifest.configurations.iter().enumerate() {
        let listed = manifest.trials.iter();
        let listed: Vec<&ListedTrial> = listed.filter(|t| t.configuration == index).collect();
        let names: HashSet<&PriorId> = listed.iter().map(|trial| &trial.prior).collect();
        // A damaged one is trained again: it says nothing.
        let priors = names.into_iter();
        let priors = priors.filter_map(|id| store.prior_record(id).ok().flatten());
        let priors: Vec<PriorRecord> = priors.collect();
        let records = listed.iter().filter_map(|t| records.get(t.id.as_str()));
        let trials: InstructionsUsed = records.copied().collect();
        let priors: InstructionsUsed = priors.iter().collect();
        let label = match label(&configuration.assignments) {
            label if label.is_empty() => label,
            label => format!("{label}: "),
        };
        let found = InstructionsUsed::notes(&trials, &priors);
        notes.extend(found.map(|note| format!("{label}{note}")));
    }
    notes
}

/// `α = 0.1, seed 2, train.epochs=3`.
fn name(manifest: &Manifest, trial: &ListedTrial) -> String {
    let assignments = manifest
        .configurations
        .get(trial.configuration)
        .map(|configuration| label(&configuration.assignments))
        .unwrap_or_default();
    let alpha = alpha_text(trial.alpha);
    match assignments.as_str() {
        "" => format!("α = {alpha}, seed {}", trial.seed),
        label => format!("α = {alpha}, seed {}, {label}", trial.seed),
    }
}
