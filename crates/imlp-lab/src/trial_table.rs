//! The table of trials: one row per trial, as in `results.csv`, `imlp export` and
//! `imlp train --json`; or one per measurement, as in `imlp export --epochs`.

mod epochs;

use std::io::Write;

use imlp_train::{Measurement, PriorRecord, TrialRecord, TrialStatus};
use serde_json::{Map, Value};

use crate::error::LabError;
use crate::text::csv_cell;
use crate::variation::{Assignment, value_text};

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// 64-bit integers.
    Integer,
    /// Double-precision numbers.
    Float,
    /// Text.
    Text,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Text.
    Text(String),
}

/// A column's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name, unique in the table.
    pub name: String,
    /// Type of its cells, each of which may also be [`Cell::Null`].
    pub column_type: ColumnType,
}

/// One row per trial, or per measurement of a trial: measured columns, then one for each
/// key in which the configurations differ, then the trial's name.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialTable {
    /// The columns, first to last.
    pub columns: Vec<Column>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// The trial that a row describes.
#[derive(Clone, Copy, Debug)]
pub struct TrialRow<'a> {
    /// Name of the trial.
    pub id: &'a str,
    /// Interpolation weight.
    pub alpha: f64,
    /// Seed.
    pub seed: u64,
    /// What sets its configuration apart.
    pub assignments: &'a [Assignment],
    /// Its state, shown if it has no record.
    pub state: &'a str,
    /// Its record.
    pub record: Option<&'a TrialRecord>,
    /// The record of its prior.
    pub prior: Option<&'a PriorRecord>,
}

impl TrialTable {
    /// The table of `trials`, in their order.
    pub fn new(trials: &[TrialRow<'_>]) -> Self {
        let mut table = Self::with_rows(trials.len());
        for (name, measured) in &MEASURED {
            let cells = trials.iter().map(|trial| measured.cell(trial));
            table.add(name, measured.column_type(), cells);
        }
        table.identified(&trials.iter().collect::<Vec<_>>())
    }

    /// A table with rows and no column.
    fn with_rows(rows: usize) -> Self {
        Self {
            columns: Vec::new(),
            rows: vec![Vec::new(); rows],
        }
    }

    /// Adds a column with the cells of its rows.
    fn add(&mut self, name: &str, column_type: ColumnType, cells: impl Iterator<Item = Cell>) {
        self.columns.push(Column {
            name: name.to_owned(),
            column_type,
        });
        for (row, cell) in self.rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }

    /// The table with what tells trials apart: the keys in which the configurations differ,
    /// and the name. `trials` has the trial of each row.
    fn identified(mut self, trials: &[&TrialRow<'_>]) -> Self {
        for key in swept_keys(trials) {
            let values: Vec<Option<&toml::Value>> =
                trials.iter().map(|trial| assigned(trial, key)).collect();
            let column_type = common_type(&values);
            let cells = values.into_iter().map(|value| cell(column_type, value));
            self.add(key, column_type, cells);
        }
        let names = trials.iter().map(|trial| Cell::Text(trial.id.to_owned()));
        self.add("trial", ColumnType::Text, names);
        self
    }

    /// Writes comma-separated values; [`Cell::Null`] is empty, and no text begins a formula of
    /// a spreadsheet ([`csv_cell`]).
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn csv(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|column| &column.name))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Null => String::new(),
                Cell::Integer(value) => value.to_string(),
                // The shortest text that comes back as the same number.
                Cell::Float(value) => format!("{value:?}"),
                Cell::Text(text) => csv_cell(text).into_owned(),
            }))?;
        }
        writer.flush()
    }

    /// Writes one JSON object per line; [`Cell::Null`] is null.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn json_lines(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for row in &self.rows {
            writeln!(out, "{}", Value::Object(self.object(row)))?;
        }
        Ok(())
    }

    fn object(&self, row: &[Cell]) -> Map<String, Value> {
        let cells = self.columns.iter().zip(row);
        cells
            .map(|(column, cell)| {
                let value = match cell {
                    Cell::Null => Value::Null,
                    Cell::Integer(value) => (*value).into(),
                    Cell::Float(value) => (*value).into(),
                    Cell::Text(text) => text.clone().into(),
                };
                (column.name.clone(), value)
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

/// What a measured column reads from a trial; a missing value is `None`.
enum Measured {
    Integer(fn(&TrialRow<'_>) -> Option<u64>),
    Float(fn(&TrialRow<'_>) -> Option<f64>),
    Text(fn(&TrialRow<'_>) -> Option<String>),
}

use Measured::{Float, Integer, Text};

/// The columns of every table of trials: name, type and value.
const MEASURED: [(&str, Measured); 27] = [
    ("alpha", Float(|t| Some(t.alpha))),
    ("seed", Integer(|t| Some(t.seed))),
    ("status", Text(|t| Some(t.status().to_owned()))),
    (
        "val_accuracy_before",
        Float(|t| Some(t.before()?.validation?.accuracy)),
    ),
    (
        "val_accuracy_after",
        Float(|t| Some(t.after()?.validation?.accuracy)),
    ),
    (
        "test_accuracy_before",
        Float(|t| Some(t.before()?.test?.accuracy)),
    ),
    (
        "test_accuracy_after",
        Float(|t| Some(t.after()?.test?.accuracy)),
    ),
    (
        "prior_test_accuracy",
        Float(|t| Some(t.prior?.test?.accuracy)),
    ),
    (
        "effective_prior_share",
        Float(|t| Some(t.record?.effective_prior_share)),
    ),
    ("epochs", Integer(|t| Some(t.record?.epochs.into()))),
    ("train_seconds", Float(|t| Some(t.record?.train_seconds))),
    (
        "prior_val_accuracy",
        Float(|t| Some(t.prior?.validation?.accuracy)),
    ),
    (
        "train_accuracy_before",
        Float(|t| Some(t.before()?.train?.accuracy)),
    ),
    (
        "train_accuracy_after",
        Float(|t| Some(t.after()?.train?.accuracy)),
    ),
    (
        "val_loss_before",
        Float(|t| Some(t.before()?.validation?.loss)),
    ),
    (
        "val_loss_after",
        Float(|t| Some(t.after()?.validation?.loss)),
    ),
    ("test_loss_before", Float(|t| Some(t.before()?.test?.loss))),
    ("test_loss_after", Float(|t| Some(t.after()?.test?.loss))),
    ("diverged_epoch", Integer(|t| t.diverged_epoch())),
    (
        "restored_epochs",
        Integer(|t| Some(t.record?.restored_epochs.into())),
    ),
    ("budget", Float(|t| Some(t.record?.budget))),
    (
        "interpolated_weights",
        Integer(|t| Some(t.record?.interpolated_weights as u64)),
    ),
    (
        "interpolation_seconds",
        Float(|t| Some(t.record?.interpolation_seconds)),
    ),
    (
        "images_per_second",
        Float(|t| Some(t.record?.images_per_second)),
    ),
    (
        "prior_train_seconds",
        Float(|t| Some(t.prior?.train_seconds)),
    ),
    (
        "instructions",
        Text(|t| t.record.and_then(|r| r.instructions.clone())),
    ),
    (
        "prior_instructions",
        Text(|t| t.prior.and_then(|p| p.instructions.clone())),
    ),
];

impl Measured {
    fn column_type(&self) -> ColumnType {
        match self {
            Integer(_) => ColumnType::Integer,
            Float(_) => ColumnType::Float,
            Text(_) => ColumnType::Text,
        }
    }

    fn cell(&self, trial: &TrialRow<'_>) -> Cell {
        match self {
            Integer(get) => get(trial).map_or(Cell::Null, |value| {
                // Seeds come from TOML, whose integers fit.
                Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX))
            }),
            Float(get) => get(trial).map_or(Cell::Null, Cell::Float),
            Text(get) => get(trial).map_or(Cell::Null, Cell::Text),
        }
    }
}

impl TrialRow<'_> {
    fn status(&self) -> &str {
        self.record
            .map_or(self.state, |record| match record.status {
                TrialStatus::Done => "done",
                TrialStatus::Diverged { .. } => "diverged",
                TrialStatus::PriorDiverged { .. } => "prior-diverged",
            })
    }

    fn diverged_epoch(&self) -> Option<u64> {
        match self.record?.status {
            TrialStatus::Done => None,
            TrialStatus::Diverged { epoch } | TrialStatus::PriorDiverged { epoch } => {
                Some(epoch.into())
            }
        }
    }

    /// Measurements before the last interpolation.
    fn before(&self) -> Option<&Measurement> {
        self.record.map(|record| &record.before)
    }

    /// Measurements after the last interpolation.
    fn after(&self) -> Option<&Measurement> {
        self.record.map(|record| &record.after)
    }
}

/// The keys that set configurations apart, in the order in which they occur.
fn swept_keys<'a>(trials: &[&TrialRow<'a>]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = Vec::new();
    for assignment in trials.iter().flat_map(|trial| trial.assignments) {
        if !keys.contains(&assignment.key.as_str()) {
            keys.push(&assignment.key);
        }
    }
    keys
}

fn assigned<'a>(trial: &TrialRow<'a>, key: &str) -> Option<&'a toml::Value> {
    let assignment = trial.assignments.iter().find(|a| a.key == key);
    assignment.map(|a| &a.value)
}

/// The type that fits all values.
fn common_type(values: &[Option<&toml::Value>]) -> ColumnType {
    let all = |fits: fn(&toml::Value) -> bool| values.iter().flatten().all(|v| fits(v));
    if all(|v| v.is_integer()) {
        ColumnType::Integer
    } else if all(|v| v.is_integer() || v.is_float()) {
        ColumnType::Float
    } else {
        ColumnType::Text
    }
}

fn cell(column_type: ColumnType, value: Option<&toml::Value>) -> Cell {
    let Some(value) = value else {
        return Cell::Null;
    };
    match (column_type, value) {
        (ColumnType::Integer, toml::Value::Integer(value)) => Cell::Integer(*value),
        (ColumnType::Float, toml::Value::Integer(value)) => Cell::Float(*value as f64),
        (ColumnType::Float, toml::Value::Float(value)) => Cell::Float(*value),
        (_, value) => Cell::Text(value_text(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swept_keys_are_columns_of_their_type() {
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
        let trial = |assignments| TrialRow {
            id: "0f",
            alpha: 1.0,
            seed: 7,
            assignments,
            state: "failed",
            record: None,
            prior: None,
        };
        let table = TrialTable::new(&[trial(&one[..]), trial(&two[..])]);
        let mut csv = Vec::new();
        table.csv(&mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("alpha,seed,status,val_accuracy_before"));
        assert!(lines[0].ends_with(
            "prior_train_seconds,instructions,prior_instructions,train.epochs,train.learning_rate,interpolation.allocation,trial"
        ));
        assert!(lines[1].starts_with("1.0,7,failed,,"), "{csv}");
        assert!(lines[1].ends_with(",3,1.0,,0f"), "{csv}");
        assert!(lines[2].ends_with(",,0.5,first,0f"), "{csv}");

        let mut json = Vec::new();
        table.json_lines(&mut json).unwrap();
        let first = json.split(|b| *b == b'\n').next().unwrap();
        let first: Value = serde_json::from_slice(first).unwrap();
        assert_eq!(first["train.epochs"], 3);
        assert_eq!(first["alpha"], 1.0);
        assert!(first["val_accuracy_after"].is_null());
    }
}
