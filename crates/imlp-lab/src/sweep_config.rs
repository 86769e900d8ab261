//! The keys `sweep.*`: which trials an experiment has.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::error::LabError;
use crate::grid::{check_alphas, parse_alphas};

/// The keys `sweep.*`: which trials an experiment has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// The values of α: a list, or a grid such as `"two-sided:1e-3:11"`.
    pub alphas: Alphas,
    /// Number of seeds (0, 1, …), or a list of seeds.
    pub seeds: Seeds,
    /// Whether α = 0 and α = 1 are always added.
    pub ends: bool,
    /// Keys that vary independently: every combination is a configuration.
    #[serde(skip_serializing_if = "Table::is_empty")]
    #[schemars(with = "Axes")]
    pub grid: Table,
    /// Keys that vary in step: first values together, second values together….
    #[serde(skip_serializing_if = "Table::is_empty")]
    #[schemars(with = "Axes")]
    pub zip: Table,
    /// Cases: tables of keys that are set together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Case>")]
    pub list: Vec<Table>,
}

/// The content of `grid` and `zip` in the schema: keys, each with its values.
type Axes = BTreeMap<String, serde_json::Value>;

/// An entry of `list` in the schema.
type Case = BTreeMap<String, serde_json::Value>;

/// Values of α as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a list of numbers in [0, 1] or a grid such as \"log:1e-4..1:9\""
)]
pub enum Alphas {
    /// A grid by name, or numbers with commas.
    Grid(String),
    /// Numbers.
    List(Vec<f64>),
}

/// Seeds as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected how many seeds, or a list of seeds")]
pub enum Seeds {
    /// A number of seeds: 0, 1, ….
    Count(u64),
    /// Listed seeds.
    List(Vec<u64>),
}

/// Default values of α, besides the ends: denser toward both ends, and around the
/// smallest α with a visible effect.
const DEFAULT_ALPHAS: &str = "0.001,0.01,0.1,0.3,0.5,0.9,0.99";

/// Default number of seeds: the smallest with a useful interval.
const DEFAULT_SEEDS: u64 = 3;

/// Maximum number of seeds: a bound on what a typing error costs.
const MAX_SEEDS: u64 = 100_000;

impl Default for SweepConfig {
    fn default() -> Self {
        Self {
            alphas: Alphas::Grid(DEFAULT_ALPHAS.to_owned()),
            seeds: Seeds::Count(DEFAULT_SEEDS),
            ends: true,
            grid: Table::new(),
            zip: Table::new(),
            list: Vec::new(),
        }
    }
}

impl SweepConfig {
    /// The values of α, in increasing order, each once.
    ///
    /// # Errors
    /// A value that is not a number in [0, 1]; an empty or malformed grid.
    pub fn alphas(&self) -> Result<Vec<f64>, LabError> {
        let alphas = match &self.alphas {
            Alphas::Grid(text) => parse_alphas(text, self.ends),
            Alphas::List(list) => check_alphas(list, self.ends),
        };
        alphas.map_err(|error| LabError::Key {
            key: "sweep.alphas".to_owned(),
            reason: error.to_string(),
        })
    }

    /// The seeds, in the order given.
    ///
    /// # Errors
    /// No seed, or one twice.
    pub fn seeds(&self) -> Result<Vec<u64>, LabError> {
        let refuse = |reason: String| LabError::Key {
            key: "sweep.seeds".to_owned(),
            reason,
        };
        let count = match &self.seeds {
            Seeds::Count(count) => *count,
            Seeds::List(list) => list.len() as u64,
        };
        if count > MAX_SEEDS {
            return Err(refuse(format!(
                "are {count}, but must be at most {MAX_SEEDS}"
            )));
        }
        let seeds: Vec<u64> = match &self.seeds {
            Seeds::Count(count) => (0..*count).collect(),
            Seeds::List(list) => list.clone(),
        };
        if seeds.is_empty() {
            return Err(refuse(
                "is 0: an experiment needs at least 1 seed".to_owned(),
            ));
        }
        let mut seen = HashSet::new();
        if let Some(seed) = seeds.iter().find(|seed| !seen.insert(**seed)) {
            return Err(refuse(format!("holds {seed} twice")));
        }
        Ok(seeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_added_unless_told_not_to() {
        let mut sweep: SweepConfig = toml::from_str("alphas = [0.5, 0.1]").unwrap();
        assert_eq!(sweep.alphas().unwrap(), [0.0, 0.1, 0.5, 1.0]);
        sweep.ends = false;
        assert_eq!(sweep.alphas().unwrap(), [0.1, 0.5]);
    }
}
