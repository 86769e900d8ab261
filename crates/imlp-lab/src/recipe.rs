//! A recipe: the TOML description of an experiment.

use std::collections::HashSet;
use std::path::Path;

use imlp_train::TrialConfig;
use serde::{Deserialize, Serialize};

use crate::LabError;
use crate::grid::parse_alphas;
use crate::keys;

/// A recipe as it is written: unchecked tables, into which options and
/// `--set key=value` are merged before anything is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipe {
    table: toml::Table,
}

/// The keys `sweep.*`: which trials an experiment has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// The values of α: a list, or a grid such as `"two-sided:1e-3:11"`.
    pub alphas: Alphas,
    /// How many seeds (0, 1, …), or a list of them.
    pub seeds: Seeds,
    /// Whether α = 0 and α = 1 are always added.
    pub ends: bool,
}

/// Values of α as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected how many seeds, or a list of seeds")]
pub enum Seeds {
    /// That many: 0, 1, ….
    Count(u64),
    /// These.
    List(Vec<u64>),
}

/// Values of α of a sweep that names none, beside the ends: closer together
/// toward both, and where a share of the prior's weights begins to show.
const DEFAULT_ALPHAS: &str = "0.001,0.01,0.1,0.3,0.5,0.9,0.99";

/// Seeds of a sweep that names none: the fewest that give an interval worth
/// the name.
const DEFAULT_SEEDS: u64 = 3;

/// More seeds than anyone has time for; a bound on what a typing error costs.
const MAX_SEEDS: u64 = 100_000;

/// Depth of a dotted key; no table of a recipe lies deeper.
const MAX_DEPTH: usize = 8;

impl Default for SweepConfig {
    fn default() -> Self {
        Self {
            alphas: Alphas::Grid(DEFAULT_ALPHAS.to_owned()),
            seeds: Seeds::Count(DEFAULT_SEEDS),
            ends: true,
        }
    }
}

impl SweepConfig {
    /// The values of α, in increasing order, each once.
    ///
    /// # Errors
    /// A value that is not a number in [0, 1]; an empty or malformed grid.
    pub fn alphas(&self) -> Result<Vec<f64>, LabError> {
        let text = match &self.alphas {
            Alphas::Grid(text) => text.clone(),
            Alphas::List(list) => list
                .iter()
                .map(f64::to_string)
                .collect::<Vec<_>>()
                .join(","),
        };
        parse_alphas(&text, self.ends).map_err(|error| LabError::Key {
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
            return Err(refuse(format!("{count} seeds; at most {MAX_SEEDS}")));
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

impl Recipe {
    /// Reads a recipe file.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        keys::table(path, "read the recipe").map(|table| Self { table })
    }

    /// Reads a recipe from text.
    ///
    /// # Errors
    /// Text that is not TOML.
    pub fn parse(text: &str) -> Result<Self, LabError> {
        text.parse::<toml::Table>()
            .map(|table| Self { table })
            .map_err(|error| LabError::Toml {
                origin: "recipe".to_owned(),
                reason: error.to_string(),
            })
    }

    /// Sets the dotted `key` to `value`.
    ///
    /// # Errors
    /// A key that is empty, or leads through something that is not a table.
    pub fn set(&mut self, key: &str, value: toml::Value) -> Result<(), LabError> {
        let refuse = |reason: String| LabError::Key {
            key: key.to_owned(),
            reason,
        };
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        if last.is_empty() || parts.iter().any(|p| p.is_empty()) || parts.len() >= MAX_DEPTH {
            let shown: String = key.chars().take(60).collect();
            return Err(LabError::Key {
                key: format!("`{shown}`"),
                reason: "is not a dotted key such as train.epochs".to_owned(),
            });
        }
        let mut table = &mut self.table;
        for part in parts {
            let entry = table
                .entry(part)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = entry
                .as_table_mut()
                .ok_or_else(|| refuse(format!("`{part}` is a value, not a table")))?;
        }
        table.insert(last.to_owned(), value);
        Ok(())
    }

    /// Sets from the text `key=value` of `--set`; a value that is not TOML is
    /// taken as a string.
    ///
    /// # Errors
    /// Text without `=`, and as [`set`](Self::set).
    pub fn set_text(&mut self, text: &str) -> Result<(), LabError> {
        let (key, value) = text.split_once('=').ok_or_else(|| LabError::Key {
            key: text.to_owned(),
            reason: "needs a value: --set key=value, e.g. --set train.epochs=20".to_owned(),
        })?;
        let (key, value) = (key.trim(), value.trim());
        let parsed = format!("value = {value}")
            .parse::<toml::Table>()
            .ok()
            .and_then(|mut t| t.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        self.set(key, parsed)
    }

    /// The trial's and the sweep's configuration, every default filled in.
    ///
    /// # Errors
    /// An unknown key (with the nearest known one), a value of a wrong type.
    pub fn config(&self) -> Result<(TrialConfig, SweepConfig), LabError> {
        let mut table = self.table.clone();
        let sweep = table
            .remove("sweep")
            .unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
        Ok((
            keys::read(toml::Value::Table(table), "", &["sweep"])?,
            keys::read(sweep, "sweep", &[])?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let recipe = Recipe::parse(text).unwrap();
        recipe
            .config()
            .map(|(_, sweep)| sweep.alphas().and_then(|_| sweep.seeds()).err())
            .map_or_else(|e| e.to_string(), |e| e.expect("refused").to_string())
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest() {
        for (text, parts) in [
            (
                "[train]\nlerning_rate = 0.1",
                ["train.lerning_rate", "`learning_rate`"],
            ),
            ("[trian]\nepochs = 1", ["trian", "`train`"]),
            ("[sweeep]\nseeds = 1", ["sweeep", "`sweep`"]),
            ("[sweep]\nalpha = 1", ["sweep.alpha", "`alphas`"]),
            (
                "[[prior.layers]]\ntype = \"conv2d\"\nchannels = 3\nkernel = 3\nstrid = 2",
                ["prior.layers", "stride"],
            ),
        ] {
            let message = refusal(text);
            for part in parts {
                assert!(message.contains(part), "{text}: {message}");
            }
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused_by_key() {
        for (text, part) in [
            ("[sweep]\nseeds = 0", "sweep.seeds"),
            ("[sweep]\nseeds = [1, 1]", "twice"),
            ("[sweep]\nalphas = [0.5, 1.5]", "1.5"),
            ("[sweep]\nalphas = \"0.1,x\"", "sweep.alphas"),
            ("[train]\nepochs = \"many\"", "train.epochs"),
            ("[interpolation]\nalpha = -1.0", "interpolation.alpha"),
            (
                "[[prior.layers]]\ntype = \"max-pool2d\"",
                "prior.layers[0]: max-pool2d has no dense equivalent",
            ),
            (
                "[[prior.layers]]\ntype = \"lineer\"",
                "prior.layers[0]: there is no layer type `lineer`; did you mean `linear`?",
            ),
            (
                "[[prior.layers]]\ntype = \"linear\"\nfeatures = \"ten\"",
                "prior.layers[0]: features: invalid type: string \"ten\", expected a whole number",
            ),
        ] {
            let message = refusal(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn set_overrides_and_reads_toml_or_words() {
        let mut recipe = Recipe::parse("[train]\nepochs = 3").unwrap();
        for text in [
            "train.epochs=7",
            "prior.kind=mixer",
            "prior.patch=[7, 4]",
            "interpolation.allocation = { from = 1.0, to = 0.0 }",
            "sweep.seeds=[4,5]",
        ] {
            recipe.set_text(text).unwrap();
        }
        let (trial, sweep) = recipe.config().unwrap();
        assert_eq!(trial.train.epochs, 7);
        assert_eq!(trial.prior.kind, imlp_train::PriorKind::Mixer);
        assert_eq!(sweep.seeds().unwrap(), [4, 5]);
        assert!(recipe.set_text("train.epochs").is_err());
        assert!(recipe.set_text("train.epochs.x=1").is_err());
        assert!(recipe.set_text("train..x=1").is_err());
    }

    #[test]
    fn the_ends_are_added_unless_told_not_to() {
        let (_, mut sweep) = Recipe::parse("[sweep]\nalphas = [0.5, 0.1]")
            .unwrap()
            .config()
            .unwrap();
        assert_eq!(sweep.alphas().unwrap(), [0.0, 0.1, 0.5, 1.0]);
        sweep.ends = false;
        assert_eq!(sweep.alphas().unwrap(), [0.1, 0.5]);
    }
}
