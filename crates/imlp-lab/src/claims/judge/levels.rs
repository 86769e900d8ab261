//! The numbers behind a figure: one row for each α, as a Markdown table.

use imlp_train::{Measurement, Metrics, TrialRecord};

use super::Arm;
use crate::curve::{CurvePoint, PairedDifference, alpha_label};
use crate::error::LabError;
use crate::statistics::Summary;
use crate::table::{NOTHING, difference, value};

const HEAD: &str = "\
| α | seeds | test | Δ to the MLP | Δ to the prior | validation before the last interpolation | after | training before | after |
|---|---|---|---|---|---|---|---|---|
";

/// The levels of α of one way of interpolating: accuracies in per cent, paired differences in
/// points, with 95 % intervals.
///
/// # Errors
/// A record with a value that is not a fraction.
pub(super) fn table(arm: &Arm<'_>) -> Result<String, LabError> {
    let to_mlp = arm.test.differences_from_plain_mlp()?;
    let to_prior = arm.test.differences_from_prior()?;
    let mut table = HEAD.to_owned();
    for point in &arm.test.points {
        table.push_str(&row(
            point,
            of_alpha(&to_mlp, point.alpha),
            of_alpha(&to_prior, point.alpha),
            &measured(arm, point.alpha),
        ));
    }
    if let Some(prior) = &arm.test.prior {
        let mean = value(prior.mean, prior.ci95);
        table.push_str(&format!("| prior | {} | {mean} | | | | | | |\n", prior.n));
    }
    Ok(table)
}

/// The records at one α.
fn measured<'a>(arm: &Arm<'a>, alpha: f64) -> Vec<&'a TrialRecord> {
    arm.trials().filter(|t| t.alpha.get() == alpha).collect()
}

fn of_alpha(differences: &[PairedDifference], alpha: f64) -> Option<Summary> {
    let at = differences.iter().find(|d| d.alpha == alpha)?;
    at.summary
}

fn row(
    point: &CurvePoint,
    to_mlp: Option<Summary>,
    to_prior: Option<Summary>,
    records: &[&TrialRecord],
) -> String {
    let paired = |d: Option<Summary>| d.map_or(NOTHING.to_owned(), |d| difference(&d));
    let mean = |side: fn(&TrialRecord) -> &Measurement, on: fn(&Measurement) -> Option<Metrics>| {
        let values: Option<Vec<f64>> = records
            .iter()
            .map(|record| on(side(record)).map(|m| m.accuracy))
            .collect();
        let values = values.filter(|values| !values.is_empty());
        values.map_or(NOTHING.to_owned(), |values| {
            let sum: f64 = values.iter().sum();
            format!("{:.2}", 100.0 * sum / values.len() as f64)
        })
    };
    let seeds = match point.seeds.diverged.len() {
        0 => point.seeds.n.to_string(),
        diverged => format!("{} ({diverged} diverged)", point.seeds.n),
    };
    format!(
        "| {} | {seeds} | {} | {} | {} | {} | {} | {} | {} |\n",
        alpha_label(point.alpha),
        value(point.seeds.mean, point.seeds.ci95),
        paired(to_mlp),
        paired(to_prior),
        mean(|r| &r.before, |m| m.validation),
        mean(|r| &r.after, |m| m.validation),
        mean(|r| &r.before, |m| m.train),
        mean(|r| &r.after, |m| m.train),
    )
}
