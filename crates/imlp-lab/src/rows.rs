//! The table of trials: one row per trial, as `results.csv`, `imlp export` and
//! `imlp train --json` give it.

use std::io::Write;

use imlp_train::{Metrics, PriorRecord, TrialRecord, TrialStatus};
use serde_json::{Map, Value};

use crate::LabError;
use crate::variation::{Assignment, value_text};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Whole,
    /// Numbers.
    Number,
    /// Text.
    Text,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing to say.
    Empty,
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

/// A table whose columns have names and kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Names and kinds.
    pub columns: Vec<(String, Kind)>,
    /// One cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// What a row is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Name of the trial.
    pub id: &'a str,
    /// Interpolation weight.
    pub alpha: f64,
    /// Seed.
    pub seed: u64,
    /// What sets its configuration apart.
    pub assignments: &'a [Assignment],
    /// Its state, where it has no record.
    pub state: &'a str,
    /// Its record.
    pub record: Option<&'a TrialRecord>,
    /// The record of its prior.
    pub prior: Option<&'a PriorRecord>,
}

impl Rows {
    /// The table of some trials: fixed columns, then one for each key that sets
    /// configurations apart, then the trial's name.
    pub fn of<'a>(sources: &[Source<'a>]) -> Self {
        let mut keys: Vec<&str> = Vec::new();
        for assignment in sources.iter().flat_map(|s| s.assignments) {
            if !keys.contains(&assignment.key.as_str()) {
                keys.push(&assignment.key);
            }
        }
        let values = |key: &str| -> Vec<Option<&toml::Value>> {
            let of = |assignments: &'a [Assignment]| {
                let assignment = assignments.iter().find(|a| a.key == key);
                assignment.map(|a| &a.value)
            };
            sources.iter().map(|s| of(s.assignments)).collect()
        };
        let swept: Vec<(Kind, Vec<Cell>)> = keys
            .iter()
            .map(|key| {
                let values = values(key);
                let kind = kind(&values);
                (kind, values.into_iter().map(|v| cell(kind, v)).collect())
            })
            .collect();
        let rows = sources.iter().enumerate().map(|(i, source)| {
            let mut row = measured(source);
            row.extend(swept.iter().map(|(_, cells)| cells[i].clone()));
            row.push(Cell::Text(source.id.to_owned()));
            row
        });
        let fixed = COLUMNS
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), *kind));
        let mut columns: Vec<_> = fixed.collect();
        for (key, (kind, _)) in keys.iter().zip(&swept) {
            columns.push(((*key).to_owned(), *kind));
        }
        columns.push(("trial".to_owned(), Kind::Text));
        Self {
            columns,
            rows: rows.collect(),
        }
    }

    /// As comma-separated values; a missing number is empty.
    ///
    /// # Errors
    /// What `out` says.
    pub fn csv(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|(name, _)| name))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Empty => String::new(),
                Cell::Whole(value) => value.to_string(),
                // The shortest text that comes back as the same number.
                Cell::Number(value) => format!("{value:?}"),
                Cell::Text(text) => text.clone(),
            }))?;
        }
        writer.flush()
    }

    /// As one JSON object per line; a missing number is null.
    ///
    /// # Errors
    /// What `out` says.
    pub fn json_lines(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for row in &self.rows {
            writeln!(out, "{}", Value::Object(self.object(row)))?;
        }
        Ok(())
    }

    fn object(&self, row: &[Cell]) -> Map<String, Value> {
        let cells = self.columns.iter().zip(row);
        cells
            .map(|((name, _), cell)| {
                let value = match cell {
                    Cell::Empty => Value::Null,
                    Cell::Whole(value) => (*value).into(),
                    Cell::Number(value) => (*value).into(),
                    Cell::Text(text) => text.clone().into(),
                };
                (name.clone(), value)
            })
            .collect()
    }

    /// The bytes of [`csv`](Self::csv).
    ///
    /// # Errors
    /// [`LabError::Table`].
    pub fn csv_bytes(&self) -> Result<Vec<u8>, LabError> {
        let mut bytes = Vec::new();
        self.csv(&mut bytes)
            .map_err(|error| LabError::Table(error.to_string()))?;
        Ok(bytes)
    }
}

const COLUMNS: &[(&str, Kind)] = &[
    ("alpha", Kind::Number),
    ("seed", Kind::Whole),
    ("status", Kind::Text),
    ("val_accuracy_before", Kind::Number),
    ("val_accuracy_after", Kind::Number),
    ("test_accuracy_before", Kind::Number),
    ("test_accuracy_after", Kind::Number),
    ("prior_test_accuracy", Kind::Number),
    ("effective_prior_share", Kind::Number),
    ("epochs", Kind::Whole),
    ("train_seconds", Kind::Number),
    ("prior_val_accuracy", Kind::Number),
    ("train_accuracy_before", Kind::Number),
    ("train_accuracy_after", Kind::Number),
    ("val_loss_before", Kind::Number),
    ("val_loss_after", Kind::Number),
    ("test_loss_before", Kind::Number),
    ("test_loss_after", Kind::Number),
    ("diverged_epoch", Kind::Whole),
    ("restored_epochs", Kind::Whole),
    ("budget", Kind::Number),
    ("interpolated_weights", Kind::Whole),
    ("interpolation_seconds", Kind::Number),
    ("images_per_second", Kind::Number),
    ("prior_train_seconds", Kind::Number),
];

/// The cells of [`COLUMNS`].
fn measured(source: &Source<'_>) -> Vec<Cell> {
    let Source { record, prior, .. } = *source;
    let status = record.map_or(source.state, |record| match record.status {
        TrialStatus::Done => "done",
        TrialStatus::Diverged { .. } => "diverged",
        TrialStatus::PriorDiverged { .. } => "prior-diverged",
    });
    let diverged_epoch = record.and_then(|record| match record.status {
        TrialStatus::Done => None,
        TrialStatus::Diverged { epoch } | TrialStatus::PriorDiverged { epoch } => Some(epoch),
    });
    let (before, after) = (record.map(|r| &r.before), record.map(|r| &r.after));
    let accuracy = |metrics: Option<Metrics>| number(metrics.map(|m| m.accuracy));
    let loss = |metrics: Option<Metrics>| number(metrics.map(|m| m.loss));
    let of = |get: fn(&TrialRecord) -> f64| number(record.map(get));
    vec![
        Cell::Number(source.alpha),
        whole(Some(source.seed)),
        Cell::Text(status.to_owned()),
        accuracy(before.and_then(|m| m.validation)),
        accuracy(after.and_then(|m| m.validation)),
        accuracy(before.and_then(|m| m.test)),
        accuracy(after.and_then(|m| m.test)),
        accuracy(prior.and_then(|p| p.test)),
        of(|r| r.effective_prior_share),
        whole(record.map(|r| r.epochs.into())),
        of(|r| r.train_seconds),
        accuracy(prior.and_then(|p| p.validation)),
        accuracy(before.and_then(|m| m.train)),
        accuracy(after.and_then(|m| m.train)),
        loss(before.and_then(|m| m.validation)),
        loss(after.and_then(|m| m.validation)),
        loss(before.and_then(|m| m.test)),
        loss(after.and_then(|m| m.test)),
        whole(diverged_epoch.map(u64::from)),
        whole(record.map(|r| r.restored_epochs.into())),
        of(|r| r.budget),
        whole(record.map(|r| r.interpolated_weights as u64)),
        of(|r| r.interpolation_seconds),
        of(|r| r.images_per_second),
        number(prior.map(|p| p.train_seconds)),
    ]
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Number)
}

/// A count. Seeds come from TOML, whose whole numbers fit.
fn whole(value: Option<u64>) -> Cell {
    let value = value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    value.map_or(Cell::Empty, Cell::Whole)
}

/// The kind that fits all values.
fn kind(values: &[Option<&toml::Value>]) -> Kind {
    let all = |fits: fn(&toml::Value) -> bool| values.iter().flatten().all(|v| fits(v));
    if all(|v| v.is_integer()) {
        Kind::Whole
    } else if all(|v| v.is_integer() || v.is_float()) {
        Kind::Number
    } else {
        Kind::Text
    }
}

fn cell(kind: Kind, value: Option<&toml::Value>) -> Cell {
    let Some(value) = value else {
        return Cell::Empty;
    };
    match (kind, value) {
        (Kind::Whole, toml::Value::Integer(value)) => Cell::Whole(*value),
        (Kind::Number, toml::Value::Integer(value)) => Cell::Number(*value as f64),
        (Kind::Number, toml::Value::Float(value)) => Cell::Number(*value),
        (_, value) => Cell::Text(value_text(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swept_keys_are_columns_of_their_kind() {
        let assignment = |key: &str, value: toml::Value| Assignment {
            key: key.to_owned(),
            value,
        };
        let one = [
            assignment("train.epochs", 3.into()),
            assignment("train.learning_rate", 1.into()),
        ];
        let two = [
            assignment("train.learning_rate", 0.5.into()),
            assignment("interpolation.allocation", "first".into()),
        ];
        let source = |assignments| Source {
            id: "0f",
            alpha: 1.0,
            seed: 7,
            assignments,
            state: "failed",
            record: None,
            prior: None,
        };
        let rows = Rows::of(&[source(&one[..]), source(&two[..])]);
        let mut csv = Vec::new();
        rows.csv(&mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("alpha,seed,status,val_accuracy_before"));
        assert!(lines[0].ends_with(
            "prior_train_seconds,train.epochs,train.learning_rate,interpolation.allocation,trial"
        ));
        assert!(lines[1].starts_with("1.0,7,failed,,"), "{csv}");
        assert!(lines[1].ends_with(",3,1.0,,0f"), "{csv}");
        assert!(lines[2].ends_with(",,0.5,first,0f"), "{csv}");

        let mut json = Vec::new();
        rows.json_lines(&mut json).unwrap();
        let first = json.split(|b| *b == b'\n').next().unwrap();
        let first: Value = serde_json::from_slice(first).unwrap();
        assert_eq!(first["train.epochs"], 3);
        assert_eq!(first["alpha"], 1.0);
        assert!(first["val_accuracy_after"].is_null());
    }
}
