//! The numbers behind a figure: one row for each α, as a Markdown table.

use imlp_train::{Measurement, Metrics, TrialRecord};

use super::Arm;
use crate::curve::{CurvePoint, PairedDifference, alpha_label};
use crate::error::LabError;
use crate::statistics::Summary;

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
        let mean = with_interval(prior.mean, prior.ci95, false);
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
    let difference = |d: Option<Summary>| {
        d.map_or("–".to_owned(), |d| {
            with_interval(Some(d.mean), d.ci95, true)
        })
    };
    let mean = |side: fn(&TrialRecord) -> &Measurement, on: fn(&Measurement) -> Option<Metrics>| {
        let values: Option<Vec<f64>> = records
            .iter()
            .map(|record| on(side(record)).map(|m| m.accuracy))
            .collect();
        let values = values.filter(|values| !values.is_empty());
        values.map_or("–".to_owned(), |values| {
            let sum: f64 = values.iter().sum();
            format!("{:.2}", 100.0 * sum / values.len() as f64)
        })
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        alpha_label(point.alpha),
        point.seeds.n,
        with_interval(point.seeds.mean, point.seeds.ci95, false),
        difference(to_mlp),
        difference(to_prior),
        mean(|r| &r.before, |m| m.validation),
        mean(|r| &r.after, |m| m.validation),
        mean(|r| &r.before, |m| m.train),
        mean(|r| &r.after, |m| m.train),
    )
}

/// `55.12 ± 0.40`, of fractions; with a sign where it is a difference.
fn with_interval(mean: Option<f64>, interval: Option<[f64; 2]>, signed: bool) -> String {
    let Some(mean) = mean.map(|mean| 100.0 * mean) else {
        return "–".to_owned();
    };
    let mean = if signed {
        format!("{mean:+.2}")
    } else {
        format!("{mean:.2}")
    };
    match interval {
        Some([low, high]) => format!("{mean} ± {:.2}", 50.0 * (high - low)),
        None => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_told_as_points() {
        let half = Some([0.546, 0.558]);
        assert_eq!(with_interval(Some(0.552), half, false), "55.20 ± 0.60");
        assert_eq!(with_interval(Some(-0.0123), None, true), "-1.23");
        let around = Some([-0.01, 0.02]);
        assert_eq!(with_interval(Some(0.005), around, true), "+0.50 ± 1.50");
        assert_eq!(with_interval(None, None, false), "–");
    }
}
