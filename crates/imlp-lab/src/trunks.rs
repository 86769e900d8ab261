//! Which trials of an experiment share a trunk.
//!
//! A trial has the bits of the α = 0 trial of its seed until it parts from it, where it is
//! interpolated for the first time. Trials that part at the same point of the same α = 0
//! trial share a trunk; those that never part go along with the ones that part last.

use std::collections::{BTreeMap, HashMap};

use imlp_linear::Alpha;
use imlp_train::{Parting, Setup, TrainError, TrialRecord};

use crate::identity::{Identity, TrialId, TrunkId};

/// One trunk of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTrunk {
    /// Its name.
    pub id: TrunkId,
    /// Index of the first configuration that has it.
    pub configuration: usize,
    /// Seed.
    pub seed: u64,
    /// Where its trials part.
    pub parting: Parting,
    /// The trials that share it, at least two.
    pub trials: Vec<TrialId>,
}

/// What an experiment saves by trunks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sharing {
    /// How many there are.
    pub trunks: usize,
    /// Operations, forward and backward, that trials do not repeat.
    pub flops_saved: f64,
    /// Bytes of all trunks on the disk; each is removed when its trials have ended.
    pub disk_bytes: u64,
}

/// Seconds that the trunks of these trials were trained, each trunk once: its trials have the
/// seed and, to the last bit, the seconds of it.
pub(crate) fn seconds<'a>(trials: impl IntoIterator<Item = &'a TrialRecord>) -> f64 {
    let of = |record: &TrialRecord| {
        let seconds = record.trunk?.train_seconds;
        Some(((record.seed, seconds.to_bits()), seconds))
    };
    let trunks: BTreeMap<_, f64> = trials.into_iter().filter_map(of).collect();
    trunks.into_values().sum()
}

/// A trial that may share a trunk.
pub(crate) struct Sharer<'a> {
    pub setup: &'a Setup,
    pub configuration: usize,
    pub trial: &'a TrialId,
    pub alpha: Alpha,
    pub seed: u64,
}

/// Training images below which a trunk is not worth its file: to write it, read it and
/// check it takes as long as a few hundred images.
const WORTH_IMAGES: u64 = 500;

/// The trials with the bits of one α = 0 trial, each up to where it parts from it.
struct Family<'a> {
    first: Sharer<'a>,
    parting: BTreeMap<Parting, Vec<TrialId>>,
    never: Vec<TrialId>,
}

/// The trunks that `trials` share, in their order; each trial is asked once.
///
/// # Errors
/// Interpolation keys that do not fit the twin.
pub(crate) fn plan<'a>(
    trials: impl Iterator<Item = Sharer<'a>>,
) -> Result<Vec<PlannedTrunk>, TrainError> {
    let mut families: Vec<Family<'a>> = Vec::new();
    let mut index: HashMap<TrialId, usize> = HashMap::new();
    for sharer in trials {
        let parting = sharer.setup.parting(sharer.alpha)?;
        let zero = Identity::of_trial(sharer.setup, Alpha::ZERO, sharer.seed).trial_id();
        let trial = sharer.trial.clone();
        let family = *index.entry(zero).or_insert_with(|| {
            families.push(Family {
                first: sharer,
                parting: BTreeMap::new(),
                never: Vec::new(),
            });
            families.len() - 1
        });
        let family = &mut families[family];
        match parting {
            Some(parting) => family.parting.entry(parting).or_default().push(trial),
            None => family.never.push(trial),
        }
    }
    Ok(families.into_iter().flat_map(Family::trunks).collect())
}

impl Family<'_> {
    fn trunks(self) -> Vec<PlannedTrunk> {
        let Self {
            first,
            mut parting,
            never,
        } = self;
        if let Some(mut last) = parting.last_entry() {
            last.get_mut().extend(never);
        }
        parting
            .into_iter()
            .filter(|(parting, trials)| {
                trials.len() > 1 && first.setup.images_before(*parting) >= WORTH_IMAGES
            })
            .map(|(parting, trials)| PlannedTrunk {
                id: Identity::of_trunk(first.setup, parting, first.seed).trunk_id(),
                configuration: first.configuration,
                seed: first.seed,
                parting,
                trials,
            })
            .collect()
    }
}
