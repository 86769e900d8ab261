//! The configurations of an experiment: `sweep.grid`, `sweep.zip` and
//! `sweep.list` → which keys are set to what.
//!
//! ```toml
//! [sweep.grid]                              # every combination
//! train.learning_rate = "log:1e-3..1e-1:3"
//! interpolation.allocation = ["all", "first"]
//!
//! [sweep.zip]                               # in step
//! train.epochs = [10, 20]
//! train.warmup_epochs = [1, 2]
//!
//! [[sweep.list]]                            # cases
//! prior.kind = "cnn"
//! [[sweep.list]]
//! prior = { kind = "mixer", patch = 7 }
//! ```
//!
//! The three multiply: 3·2 × 2 × 2 = 24 configurations, each of which is trained
//! for every α and seed. α and the seeds have keys of their own (`sweep.alphas`,
//! `sweep.seeds`): a curve has α as its axis and averages over seeds.

use imlp_suggest::counted;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::LabError;
use crate::grid::parse_numbers;
use crate::recipe::Recipe;
use crate::recipe::paths::refuse_both_keys;
use crate::sweep_config::SweepConfig;

/// A key of a recipe and the value that a configuration gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Dotted key.
    pub key: String,
    /// Its value.
    pub value: Value,
}

impl std::fmt::Display for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, value_text(&self.value))
    }
}

/// A value as `--set` takes it: text without quotation marks.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `train.learning_rate=0.1, prior.kind=mixer`; empty where nothing varies.
pub fn label(assignments: &[Assignment]) -> String {
    let parts: Vec<String> = assignments.iter().map(Assignment::to_string).collect();
    parts.join(", ")
}

/// The recipe with some keys set.
///
/// # Errors
/// As [`Recipe::set`].
pub fn with_assignments(recipe: &Recipe, assignments: &[Assignment]) -> Result<Recipe, LabError> {
    refuse_both_keys(assignments.iter().map(|assignment| &assignment.key))?;
    let mut recipe = recipe.clone();
    for Assignment { key, value } in assignments {
        recipe.set(key, value.clone())?;
    }
    Ok(recipe)
}

/// Maximum number of trials of an experiment: a bound on what a typing error costs. A
/// folder per trial is as much as file systems and people can list.
const MAX_TRIALS: u128 = 100_000;

/// Keys that cannot vary here, and the key to use instead.
const ELSEWHERE: [(&str, &str); 2] = [
    ("interpolation.alpha", "sweep.alphas"),
    ("seed", "sweep.seeds"),
];

/// The configurations of a sweep: keys in alphabetical order, the first varying
/// slowest, then `zip`, then `list`; one without assignments where nothing varies.
///
/// # Errors
/// A key or a value that the recipe could not have, by name; an axis without
/// values; a `zip` of unequal lengths; a key that varies twice; more than
/// 100,000 trials.
pub fn configurations(
    recipe: &Recipe,
    sweep: &SweepConfig,
) -> Result<Vec<Vec<Assignment>>, LabError> {
    // Each factor is a choice of one of several sets of assignments.
    let mut factors: Vec<Vec<Vec<Assignment>>> = Vec::new();
    for (key, value) in leaves(&sweep.grid) {
        let values = values("sweep.grid", &key, value)?;
        let one = |value| {
            vec![Assignment {
                key: key.clone(),
                value,
            }]
        };
        factors.push(values.into_iter().map(one).collect());
    }
    factors.extend(zipped(&sweep.zip)?);
    if !sweep.list.is_empty() {
        factors.push(sweep.list.iter().map(case).collect());
    }
    check(recipe, &factors)?;
    refuse_too_many(&factors, sweep)?;
    let mut configurations = vec![Vec::new()];
    for factor in &factors {
        configurations = configurations
            .iter()
            .flat_map(|before| factor.iter().map(move |more| [&before[..], more].concat()))
            .collect();
    }
    Ok(configurations)
}

/// Refuses more than [`MAX_TRIALS`], before any of them takes memory.
fn refuse_too_many(factors: &[Vec<Vec<Assignment>>], sweep: &SweepConfig) -> Result<(), LabError> {
    let lengths = factors.iter().map(|factor| factor.len() as u128);
    let configurations = lengths.fold(1, u128::saturating_mul);
    let (alphas, seeds) = (sweep.alphas()?.len(), sweep.seeds()?.len());
    let trials = configurations.saturating_mul(alphas as u128 * seeds as u128);
    if trials <= MAX_TRIALS {
        return Ok(());
    }
    Err(LabError::Key {
        key: "sweep".to_owned(),
        reason: format!(
            "{} × {} of α × {} are {trials} trials; an experiment has at most {MAX_TRIALS}: vary \
             fewer keys, or divide it into several",
            many(configurations),
            counted(alphas, "value"),
            counted(seeds, "seed")
        ),
    })
}

/// `1 configuration`; numbers that 64 bits do not hold, too.
fn many(configurations: u128) -> String {
    match configurations {
        1 => counted(1_u64, "configuration"),
        more => format!("{more} configurations"),
    }
}

/// `sweep.zip` as one factor; none where it is empty.
fn zipped(zip: &Table) -> Result<Option<Vec<Vec<Assignment>>>, LabError> {
    let mut axes = Vec::new();
    for (key, value) in leaves(zip) {
        let values = values("sweep.zip", &key, value)?;
        axes.push((key, values));
    }
    let Some((first, length)) = axes
        .first()
        .map(|(key, values)| (key.clone(), values.len()))
    else {
        return Ok(None);
    };
    if let Some((key, values)) = axes.iter().find(|(_, values)| values.len() != length) {
        return Err(LabError::Key {
            key: "sweep.zip".to_owned(),
            reason: format!(
                "{first} has {} and {key} has {}; keys that vary in step need equally many",
                counted(length, "value"),
                counted(values.len(), "value")
            ),
        });
    }
    let row = |i: usize| {
        let assign = |(key, values): &(String, Vec<Value>)| Assignment {
            key: key.clone(),
            value: values[i].clone(),
        };
        axes.iter().map(assign).collect()
    };
    Ok(Some((0..length).map(row).collect()))
}

/// The assignments of one table of `sweep.list`. A key of a recipe is
/// `table.key`; a table below it is its value.
fn case(table: &Table) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(keys) => assignments.extend(keys.iter().map(|(key, value)| Assignment {
                key: format!("{name}.{key}"),
                value: value.clone(),
            })),
            value => assignments.push(Assignment {
                key: name.clone(),
                value: value.clone(),
            }),
        }
    }
    assignments
}

/// Dotted keys and the lists or names of grids below them, whether they are
/// written `train.epochs = …` or `"train.epochs" = …`.
fn leaves(table: &Table) -> Vec<(String, &Value)> {
    let mut leaves = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(below) => leaves.extend(
                self::leaves(below)
                    .into_iter()
                    .map(|(key, value)| (format!("{name}.{key}"), value)),
            ),
            value => leaves.push((name.clone(), value)),
        }
    }
    leaves
}

/// The values of an axis: a list, or a grid by name.
fn values(at: &str, key: &str, value: &Value) -> Result<Vec<Value>, LabError> {
    let refuse = |reason: String| LabError::Key {
        key: format!("{at}.{key}"),
        reason,
    };
    let values = match value {
        Value::Array(values) => values.clone(),
        Value::String(text) => parse_numbers(text)
            .map_err(|error| refuse(format!("{error}; or give a list of values")))?
            .into_iter()
            .map(number)
            .collect(),
        other => {
            return Err(refuse(format!(
                "is {other}; expected a list of values or a grid such as \"log:1e-3..1e-1:5\""
            )));
        }
    };
    if values.is_empty() {
        return Err(refuse(
            "is empty; an axis needs at least 1 value".to_owned(),
        ));
    }
    Ok(values)
}

/// An integer where the number is whole, so that it fits integer keys.
fn number(value: f64) -> Value {
    /// Below 2⁵³: every whole number is exact in double precision.
    const EXACT: f64 = 9.0e15;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        Value::Integer(value as i64)
    } else {
        Value::Float(value)
    }
}

/// Refuses assignments that the recipe cannot have, each tried on its own.
fn check(recipe: &Recipe, factors: &[Vec<Vec<Assignment>>]) -> Result<(), LabError> {
    let mut seen: Vec<&str> = Vec::new();
    for factor in factors {
        let mut here: Vec<&str> = Vec::new();
        for Assignment { key, value } in factor.iter().flatten() {
            let refuse = |reason: String| LabError::Key {
                key: format!("sweep: {key}"),
                reason,
            };
            if let Some((_, own)) = ELSEWHERE.iter().find(|(name, _)| name == key) {
                return Err(refuse(format!("has a key of its own; use {own}")));
            }
            if key == "sweep" || key.starts_with("sweep.") {
                return Err(refuse("a sweep cannot vary itself".to_owned()));
            }
            if seen.contains(&key.as_str()) {
                return Err(refuse(
                    "varies twice; put it into one of grid, zip and list".to_owned(),
                ));
            }
            let mut alone = Recipe::default();
            if let Some(there) = recipe.get(top_two(key)) {
                // What a deeper key is set in.
                alone.set(top_two(key), there.clone())?;
            }
            let outcome = alone
                .set(key, value.clone())
                .and_then(|()| alone.trial_config());
            outcome.map_err(|error| match error {
                LabError::Key { key, reason } => LabError::Key {
                    key: format!("sweep: {key}"),
                    reason,
                },
                other => other,
            })?;
            here.push(key);
        }
        seen.extend(here);
    }
    Ok(())
}

/// `a.b` of `a.b.c`.
fn top_two(key: &str) -> &str {
    let end = key.match_indices('.').nth(1).map_or(key.len(), |(i, _)| i);
    &key[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<Vec<String>, String> {
        let recipe = Recipe::parse(text).unwrap();
        let sweep = recipe.sweep_config().map_err(|e| e.to_string())?;
        let all = configurations(&recipe, &sweep).map_err(|e| e.to_string())?;
        Ok(all.iter().map(|assignments| label(assignments)).collect())
    }

    #[test]
    fn grid_zip_and_list_multiply() {
        assert_eq!(expand("").unwrap(), [""]);
        let all = expand(
            "[sweep.grid]\ntrain.learning_rate = \"log:1e-2..1:2\"\n\
             interpolation.allocation = [\"first\", [1.0, 0.5]]\n\
             [sweep.zip]\n\"train.epochs\" = \"linear:10..20:2\"\ntrain.warmup_epochs = [1, 2]\n\
             [[sweep.list]]\nprior.kind = \"cnn\"\n\
             [[sweep.list]]\nprior = { kind = \"mixer\", patch = 7 }",
        )
        .unwrap();
        assert_eq!(all.len(), 2 * 2 * 2 * 2);
        let mut distinct = all.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
        for part in ["train.epochs=10", "train.warmup_epochs=1"] {
            assert_eq!(all.iter().filter(|l| l.contains(part)).count(), 8);
        }
        assert!(
            all.iter()
                .all(|l| l.contains("epochs=10") == l.contains("warmup_epochs=1"))
        );
        assert!(
            all.iter()
                .any(|l| l.contains("prior.kind=mixer, prior.patch=7"))
        );
        assert!(all[0].contains("train.learning_rate=0.01"), "{}", all[0]);
    }

    #[test]
    fn a_case_replaces_a_value_that_is_a_table_whole() {
        let recipe = Recipe::parse(
            "[interpolation]\nallocation = { layers = { head = 1.0 } }\n\
             [[sweep.list]]\ninterpolation.allocation = { from = 1.0, to = 0.0 }",
        )
        .unwrap();
        let sweep = recipe.sweep_config().unwrap();
        let all = configurations(&recipe, &sweep).unwrap();
        with_assignments(&recipe, &all[0])
            .unwrap()
            .trial_config()
            .unwrap();
    }

    #[test]
    fn a_deeper_key_is_set_in_what_is_there() {
        let text = "[interpolation]\nallocation = { from = 1.0, to = 0.0 }\n\
                    [sweep.grid]\ninterpolation.allocation.to = [0.0, 0.5]";
        let recipe = Recipe::parse(text).unwrap();
        let all = configurations(&recipe, &recipe.sweep_config().unwrap()).unwrap();
        assert_eq!(all.len(), 2);
        with_assignments(&recipe, &all[1])
            .unwrap()
            .trial_config()
            .unwrap();
    }

    #[test]
    fn what_cannot_vary_is_refused_by_name() {
        for (text, parts) in [
            (
                "[sweep.grid]\ntrain.lerning_rate = [1]",
                &["train.lerning_rate", "`learning_rate`"][..],
            ),
            (
                "[sweep.grid]\ntrian.epochs = [1]",
                &["trian", "`train`"][..],
            ),
            (
                "[sweep.zip]\ntrain.epochs = [\"many\"]",
                &["train.epochs", "whole number"],
            ),
            (
                "[[sweep.list]]\nprior.knd = \"cnn\"",
                &["prior.knd", "`kind`"],
            ),
            (
                "[sweep.zip]\ntrain.epochs = [1, 2]\ntrain.momentum = [0.1]",
                &["sweep.zip", "train.epochs has 2", "train.momentum has 1"],
            ),
            (
                "[sweep.grid]\ntrain.epochs = [1]\n[sweep.zip]\ntrain.epochs = [2]",
                &["train.epochs", "twice"],
            ),
            (
                "[sweep.grid]\ntrain.epochs = []",
                &["sweep.grid.train.epochs", "empty"],
            ),
            (
                "[sweep.grid]\ntrain.epochs = 3",
                &["sweep.grid.train.epochs", "is 3"],
            ),
            (
                "[sweep.grid]\ntrain.optimizer = \"sgd\"",
                &["sweep.grid.train.optimizer", "list"],
            ),
            (
                "[sweep.grid]\ninterpolation.alpha = [0.1]",
                &["interpolation.alpha", "sweep.alphas"],
            ),
            ("[sweep.grid]\nseed = [0]", &["seed", "sweep.seeds"]),
            ("[sweep.grid]\nsweep.seeds = [1]", &["vary itself"]),
            ("[sweep]\ngird = 1", &["sweep.gird", "`grid`"]),
            (
                "[sweep.grid]\ntrain.epochs = \"linear:1..1000:1000\"\n\
                 train.batch_size = \"linear:1..1000:1000\"",
                &["1000000 configurations × 9 values of α × 3 seeds are 27000000 trials"],
            ),
            (
                // A number of combinations that 64 bits do not hold.
                &format!(
                    "[sweep.grid]\n{}",
                    [
                        "train.epochs",
                        "train.batch_size",
                        "prior.epochs",
                        "prior.channels",
                        "prior.token_hidden",
                        "prior.channel_hidden",
                        "prior.blocks",
                        "data.split_seed",
                    ]
                    .map(|key| format!("{key} = \"linear:1..1000:1000\"\n"))
                    .concat()
                ),
                &["1000000000000000000000000 configurations", "at most 100000"],
            ),
        ] {
            let message = expand(text).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{text}: {message}");
            }
        }
    }
}
