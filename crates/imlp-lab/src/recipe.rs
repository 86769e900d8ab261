//! A recipe: the TOML description of an experiment.

mod include;
pub(crate) mod paths;

use std::path::Path;

use imlp_train::TrialConfig;

use crate::error::LabError;
use crate::keys;
use crate::sweep_config::SweepConfig;

/// A recipe as written: unchecked tables, into which options and
/// `--set key=value` are merged before any key is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipe {
    table: toml::Table,
}

/// Maximum depth of a dotted key; no recipe has a deeper table.
const MAX_DEPTH: usize = 8;

impl Recipe {
    /// Reads a recipe file, and the base recipe that its `include` names.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML; a recipe that includes itself.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        include::read(path).map(|table| Self { table })
    }

    /// What runs where no recipe is given: `recipes/first-run.toml`, a small experiment that
    /// shows the effect.
    pub fn first_run() -> Self {
        let text = include_str!("../../../recipes/first-run.toml");
        Self::parse(text).expect("a test reads it")
    }

    /// Reads the recipe `name` among texts that are part of the program; the paths of
    /// `include` are names too.
    ///
    /// # Errors
    /// Text that is not TOML, or that is not there.
    pub(crate) fn embedded(
        name: &str,
        text_of: &dyn Fn(&str) -> Option<&'static str>,
    ) -> Result<Self, LabError> {
        include::embedded(name, text_of).map(|table| Self { table })
    }

    /// The recipe with every key of `above` over its own, as if `above` included it.
    pub(crate) fn under(self, above: Self) -> Self {
        Self {
            table: include::over(self.table, above.table),
        }
    }

    /// Reads a recipe from text, which includes no other.
    ///
    /// # Errors
    /// Text that is not TOML.
    pub fn parse(text: &str) -> Result<Self, LabError> {
        keys::parse(text, || "recipe".to_owned()).map(|table| Self { table })
    }

    /// The tables.
    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// Sets the dotted `key` to `value`; `data.name` replaces `data.path`, and the other way
    /// round.
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
        if let Some(other) = paths::excluded(key)
            && let Some((table, name)) = other.split_once('.')
            && let Some(toml::Value::Table(table)) = self.table.get_mut(table)
        {
            table.remove(name);
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

    /// The value of the dotted `key` as written.
    pub fn get(&self, key: &str) -> Option<&toml::Value> {
        let (first, rest) = match key.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (key, None),
        };
        let value = self.table.get(first)?;
        rest.map_or(Some(value), |rest| {
            rest.split('.')
                .try_fold(value, |value, part| value.as_table()?.get(part))
        })
    }

    /// Sets a key from the text `key=value` of `--set`; a value that is not TOML
    /// is a string, a relative `data.path` one of the working directory.
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
        self.set(key, parsed)?;
        // Those of files are whole already.
        paths::make_whole(&mut self.table, Path::new(""));
        Ok(())
    }

    /// The recipe without the keys `sweep.*`.
    pub(crate) fn without_sweep(&self) -> Self {
        let others = self.table.iter().filter(|(name, _)| *name != "sweep");
        Self {
            table: others.map(|(k, v)| (k.clone(), v.clone())).collect(),
        }
    }

    /// The trials' configuration, every default filled in.
    ///
    /// # Errors
    /// An unknown key (with the nearest known one), a value of a wrong type.
    pub fn trial_config(&self) -> Result<TrialConfig, LabError> {
        let Self { table } = self.without_sweep();
        if table.contains_key(include::KEY) {
            return Err(LabError::Key {
                key: include::KEY.to_owned(),
                reason: "is read only at the top of a recipe file".to_owned(),
            });
        }
        paths::refuse_both(&table)?;
        keys::read(toml::Value::Table(table), "", &["sweep", include::KEY])
    }

    /// The sweep's configuration, every default filled in.
    ///
    /// # Errors
    /// As [`trial_config`](Self::trial_config).
    pub fn sweep_config(&self) -> Result<SweepConfig, LabError> {
        let sweep = self.table.get("sweep").cloned();
        let sweep = sweep.unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
        keys::read(sweep, "sweep", &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let recipe = Recipe::parse(text).unwrap();
        let checked = recipe.trial_config().and_then(|_| {
            let sweep = recipe.sweep_config()?;
            sweep.alphas().and_then(|_| sweep.seeds())
        });
        checked.expect_err("refused").to_string()
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
            ("includ = \"x\"", ["includ", "`include`"]),
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
                "prior.layers[0]: there is no layer type `lineer` (did you mean `linear`?)",
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
    fn a_value_that_is_nearly_toml_is_refused_with_what_to_write() {
        for (text, reason) in [
            (
                "train.learning_rate=.01",
                "train.learning_rate: invalid type: string \".01\", expected a number; write 0.01",
            ),
            (
                "interpolation.biases=True",
                "expected a boolean; write true",
            ),
            ("train.epochs=1e3", "expected a whole number; write 1000"),
            ("train.epochs=\"12\"", "expected a whole number; write 12"),
            (
                "train.epochs=99999999999999999999",
                "expected a whole number; the largest is 9223372036854775807",
            ),
            (
                "train.epochs=-1",
                "expected a whole number from 0 to 4294967295",
            ),
            ("train.epochs=many", "expected a whole number"),
            (
                "train.optimizer=adamv",
                "train.optimizer: `adamv` is not known (did you mean `adamw`?); known here: sgd, adamw",
            ),
            (
                "train.optimizer=adam",
                "train.optimizer: `adam` is not known; known here: sgd, adamw",
            ),
            (
                "train.optimizer=3",
                "train.optimizer: is 3, but must be one of sgd, adamw",
            ),
            (
                "train.optimizer={a=1}",
                "train.optimizer: is { a = 1 }, but must be one of sgd, adamw",
            ),
            (
                "prior.kind=[\"cnn\"]",
                "prior.kind: is [\"cnn\"], but must be one of cnn, mixer, custom",
            ),
        ] {
            let mut recipe = Recipe::default();
            recipe.set_text(text).unwrap();
            let message = recipe.trial_config().unwrap_err().to_string();
            assert!(message.ends_with(reason), "{text}: {message}");
        }
        for (text, literal) in [
            ("[train]\nlearning_rate = .01 # small", "; write 0.01"),
            ("[interpolation]\nbiases = True", "; write true"),
            ("[sweep]\nalphas = [0.1,.5]", "; write 0.5"),
        ] {
            let message = Recipe::parse(text).unwrap_err().to_string();
            assert!(message.ends_with(literal), "{text}: {message}");
        }
    }

    /// Whatever numbers a recipe has, a refused one is told what must hold, not that it does.
    #[test]
    fn a_refused_number_is_told_what_must_hold() {
        let config = serde_json::to_value(TrialConfig::default()).unwrap();
        let mut numbers: Vec<_> = keys::flat(&config)
            .into_iter()
            .filter(|(_, value)| value.is_number())
            .map(|(key, _)| key)
            .collect();
        assert!(numbers.len() > 5, "{numbers:?}");
        numbers.extend(
            [
                "train.momentum",
                "train.beta1",
                "train.beta2",
                "train.epsilon",
                "prior.learning_rate",
                "prior.epochs",
                "prior.blocks",
                "interpolation.every",
                "interpolation.from",
                "interpolation.to",
                "interpolation.decay",
                "interpolation.step_epochs",
                "interpolation.release_epochs",
                "interpolation.allocation",
                "sweep.seeds",
                "sweep.alphas",
            ]
            .map(str::to_owned),
        );
        let contexts = [
            "",
            "[train]\noptimizer = \"adamw\"",
            "[interpolation]\nschedule = \"linear\"",
            "[interpolation]\nschedule = \"step\"",
            "[interpolation]\nschedule = \"release\"",
            "[prior]\ntraining = \"frozen\"",
            "[prior]\nkind = \"mixer\"",
        ];
        let values = [
            "-1",
            "0",
            "0.0",
            "-0.5",
            "1.5",
            "1e9",
            "4000000000",
            "inf",
            "nan",
        ];
        let mut refused = 0;
        for (context, key) in contexts
            .iter()
            .flat_map(|c| numbers.iter().map(move |k| (c, k)))
        {
            for value in values {
                let mut recipe = Recipe::parse(context).unwrap();
                recipe.set_text(&format!("{key}={value}")).unwrap();
                let Err(error) = crate::plan::Plan::new(&recipe) else {
                    continue;
                };
                refused += 1;
                let message = error.to_string();
                let (_, reason) = message.split_once(": ").unwrap();
                for claim in [
                    "is finite",
                    "is positive",
                    "lies ",
                    "at most",
                    "at least",
                    "a multiplier lies",
                ] {
                    assert!(!reason.starts_with(claim), "{key}={value}: {message}");
                }
            }
        }
        assert!(refused > 200, "{refused}");
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
        let trial = recipe.trial_config().unwrap();
        let sweep = recipe.sweep_config().unwrap();
        assert_eq!(trial.train.epochs, 7);
        assert_eq!(trial.prior.kind, imlp_train::PriorKind::Mixer);
        assert_eq!(sweep.seeds().unwrap(), [4, 5]);
        assert!(recipe.set_text("train.epochs").is_err());
        assert!(recipe.set_text("train.epochs.x=1").is_err());
        assert!(recipe.set_text("train..x=1").is_err());
    }
}
