//! Which instruction sets computed the trials of one configuration, and their priors.
//!
//! Two instruction sets sum in different orders, so their trials agree statistically
//! and not bit for bit: a mixture is legitimate, and is never silent.

use std::collections::BTreeMap;
use std::fmt;

use imlp_train::{PriorRecord, TrialRecord};

/// Number of trials, or of priors, by instruction set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstructionsUsed(BTreeMap<String, usize>);

/// A record that says what it was computed with.
pub trait Computed {
    /// The instruction set; none in records of early versions.
    fn instructions(&self) -> Option<&str>;
}

impl Computed for TrialRecord {
    fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }
}

impl Computed for PriorRecord {
    fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }
}

/// What stands for the instruction set of a record of an early version.
const NOT_RECORDED: &str = "not recorded";

impl<'a, R: Computed + 'a> FromIterator<&'a R> for InstructionsUsed {
    fn from_iter<I: IntoIterator<Item = &'a R>>(records: I) -> Self {
        let mut counts = BTreeMap::new();
        for record in records {
            let name = record.instructions().unwrap_or(NOT_RECORDED);
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        Self(counts)
    }
}

impl InstructionsUsed {
    /// Number of records by instruction set.
    pub fn counts(&self) -> &BTreeMap<String, usize> {
        &self.0
    }

    /// What a reader of one configuration must know if several instruction sets computed
    /// its `trials` or its `priors`, or may have.
    pub fn notes(trials: &Self, priors: &Self) -> impl Iterator<Item = String> {
        let notes = [trials.note("trials"), priors.note("priors")];
        notes.into_iter().flatten()
    }

    fn note(&self, records: &str) -> Option<String> {
        let unknown = self.0.contains_key(NOT_RECORDED);
        let what = match (self.0.len(), unknown) {
            (0 | 1, _) => return None,
            (2, true) => "perhaps not one instruction set computed",
            _ => "several instruction sets computed",
        };
        Some(format!(
            "{what} these {records}: {self}; they agree statistically, not bit for bit, and \
             --instructions pins one"
        ))
    }
}

/// `avx2 (3), avx512 (24)`.
impl fmt::Display for InstructionsUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self
            .0
            .iter()
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        f.write_str(&counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(instructions: Option<&str>) -> TrialRecord {
        let measurement = json!({ "train": null, "validation": null, "test": null });
        let mut record = json!({
            "alpha": 0.5, "seed": 0, "state": "done", "points": [],
            "before": measurement, "after": measurement, "layer_prior_shares": [],
            "effective_prior_share": 0.0, "budget": 0.0, "interpolated_weights": 0,
            "restored_epochs": 0, "epochs": 1, "train_seconds": 0.0,
            "interpolation_seconds": 0.0, "images_per_second": 0.0,
        });
        if let Some(name) = instructions {
            record["instructions"] = name.into();
        }
        serde_json::from_value(record).unwrap()
    }

    fn note(instructions: &[Option<&str>]) -> Option<String> {
        let records: Vec<TrialRecord> = instructions.iter().map(|name| record(*name)).collect();
        records.iter().collect::<InstructionsUsed>().note("trials")
    }

    #[test]
    fn only_a_mixture_is_told() {
        assert_eq!(note(&[]), None);
        assert_eq!(note(&[Some("avx2"), Some("avx2")]), None);
        assert_eq!(note(&[None, None]), None);
        let mixed = note(&[Some("avx512"), Some("avx2"), Some("avx512")]).unwrap();
        assert!(mixed.contains("avx2 (1), avx512 (2);"), "{mixed}");
        let early = note(&[None, Some("amx")]).unwrap();
        assert!(early.starts_with("perhaps"), "{early}");
        assert!(early.contains("amx (1), not recorded (1);"), "{early}");
    }
}
