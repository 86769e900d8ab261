//! One row per measurement: what a trial's record holds of every epoch, before and after the
//! interpolation.

use imlp_train::{Measurement, Point};

use super::{Cell, ColumnType, TrialRow, TrialTable};

/// One side of a point of a trial's record.
#[derive(Clone, Copy)]
struct Moment<'a> {
    trial: &'a TrialRow<'a>,
    point: &'a Point,
    after: bool,
}

impl Moment<'_> {
    fn name(&self) -> &'static str {
        if self.after { "after" } else { "before" }
    }

    fn measured(&self) -> &Measurement {
        if self.after {
            &self.point.after
        } else {
            &self.point.before
        }
    }

    fn prior_share(&self) -> Option<f64> {
        if self.after {
            self.point.prior_share_after
        } else {
            self.point.prior_share_before
        }
    }
}

/// A column: its name and what it reads; a missing value is `None`.
type Number = (&'static str, fn(&Moment<'_>) -> Option<f64>);

const NUMBERS: [Number; 9] = [
    ("train_loss_running", |m| m.point.train_loss),
    ("train_accuracy", |m| Some(m.measured().train?.accuracy)),
    ("train_loss", |m| Some(m.measured().train?.loss)),
    ("val_accuracy", |m| Some(m.measured().validation?.accuracy)),
    ("val_loss", |m| Some(m.measured().validation?.loss)),
    ("test_accuracy", |m| Some(m.measured().test?.accuracy)),
    ("test_loss", |m| Some(m.measured().test?.loss)),
    ("effective_prior_share", |m| m.prior_share()),
    ("learning_rate", |m| m.point.learning_rate),
];

impl TrialTable {
    /// The table of the epochs of `trials`, in their order: two rows, before and after, for
    /// every end of an epoch and every recorded interpolation within one. A trial without a
    /// record has none.
    ///
    /// `alpha` is the trial's; `alpha_layerN` is that of linear layer N (from 0) at this
    /// interpolation, empty where none was due.
    pub fn of_epochs(trials: &[TrialRow<'_>]) -> Self {
        let moments: Vec<Moment<'_>> = trials
            .iter()
            .flat_map(|trial| {
                let points = trial.record.iter().flat_map(|record| &record.points);
                points.flat_map(move |point| {
                    [false, true].map(|after| Moment {
                        trial,
                        point,
                        after,
                    })
                })
            })
            .collect();
        let mut table = Self::with_rows(moments.len());
        let integer = |value: u64| Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        let rows = || moments.iter();
        table.add(
            "alpha",
            ColumnType::Float,
            rows().map(|m| Cell::Float(m.trial.alpha)),
        );
        table.add(
            "seed",
            ColumnType::Integer,
            rows().map(|m| integer(m.trial.seed)),
        );
        table.add(
            "epoch",
            ColumnType::Integer,
            rows().map(|m| integer(m.point.epoch.into())),
        );
        table.add(
            "step",
            ColumnType::Integer,
            rows().map(|m| integer(m.point.step as u64)),
        );
        table.add(
            "moment",
            ColumnType::Text,
            rows().map(|m| Cell::Text(m.name().to_owned())),
        );
        for (name, number) in NUMBERS {
            table.add(name, ColumnType::Float, rows().map(|m| float(number(m))));
        }
        let layers = rows().map(|m| m.point.alphas.len()).max().unwrap_or(0);
        for layer in 0..layers {
            let alphas = rows().map(|m| float(m.point.alphas.get(layer).copied()));
            table.add(&format!("alpha_layer{layer}"), ColumnType::Float, alphas);
        }
        table.identified(&moments.iter().map(|m| m.trial).collect::<Vec<_>>())
    }
}

fn float(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Float)
}
