//! The α-curve as a table: cells for any renderer, and the terminal's table.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use imlp_suggest::one_line;

use crate::curve::{Curve, PairedDifference, alpha_label};
use crate::statistics::{StatisticsError, Summary};

/// The cell of a missing value.
pub(crate) const NOTHING: &str = "–";

/// Heads of the columns of [`TableRow::cells`]; the second is the metric.
pub const COLUMNS: [&str; 6] = ["α", "", "seeds", "diverged", "Δ vs α = 0", "Δ vs prior"];

/// One row of the table, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// α, or `prior`.
    pub name: String,
    /// Mean ± half-width of the 95 % interval, per cent.
    pub value: String,
    /// Number of seeds in the mean.
    pub seeds: String,
    /// Number of trials.
    pub trials: usize,
    /// `2 of 3`, or a dash when none diverged.
    pub diverged: String,
    /// Paired difference from α = 0 ± half-width, percentage points, and the number of
    /// pairs.
    pub difference: String,
    /// The same from the prior.
    pub from_prior: String,
    /// Whether this α was chosen on the validation split.
    pub chosen: bool,
}

impl TableRow {
    /// The cells in the order of [`COLUMNS`].
    pub fn cells(&self) -> [&str; 6] {
        [
            &self.name,
            &self.value,
            &self.seeds,
            &self.diverged,
            &self.difference,
            &self.from_prior,
        ]
    }
}

/// One row per α, then the prior's.
///
/// # Errors
/// [`StatisticsError`] when a value of the curve was replaced by one that is not
/// finite.
pub fn table_rows(curve: &Curve) -> Result<Vec<TableRow>, StatisticsError> {
    let of_alpha = |differences: &[PairedDifference], alpha: f64| {
        let difference = differences.iter().find(|d| d.alpha == alpha);
        difference
            .and_then(|d| d.summary)
            .map_or(NOTHING.into(), points)
    };
    let from_plain_mlp = curve.differences_from_plain_mlp()?;
    let from_prior = curve.differences_from_prior()?;
    let mut rows: Vec<TableRow> = curve
        .points
        .iter()
        .map(|p| TableRow {
            name: alpha_label(p.alpha),
            value: value(p.seeds.mean, p.seeds.ci95),
            seeds: p.seeds.n.to_string(),
            trials: p.seeds.trials(),
            diverged: diverged(p.seeds.diverged.len(), p.seeds.trials()),
            difference: of_alpha(&from_plain_mlp, p.alpha),
            from_prior: of_alpha(&from_prior, p.alpha),
            chosen: curve.chosen_alpha == Some(p.alpha),
        })
        .collect();
    if let Some(prior) = &curve.prior {
        rows.push(TableRow {
            name: "prior".into(),
            value: value(prior.mean, prior.ci95),
            seeds: prior.n.to_string(),
            trials: prior.trials(),
            diverged: diverged(prior.diverged.len(), prior.trials()),
            difference: NOTHING.into(),
            from_prior: NOTHING.into(),
            chosen: false,
        });
    }
    Ok(rows)
}

/// The table for a terminal, without colour; `*` marks the α chosen on the validation split.
/// Where trials diverged, the seeds are counted as `2 of 3`: it fits 80 columns.
///
/// # Errors
/// As [`table_rows`].
pub fn terminal_table(curve: &Curve) -> Result<String, StatisticsError> {
    let rows = table_rows(curve)?;
    let any_diverged = rows.iter().any(|row| row.diverged != NOTHING);
    let rows = rows.into_iter().map(|row| {
        let mark = if row.chosen { '*' } else { ' ' };
        let value = format!("{} {mark}", row.value);
        let seeds = match row.diverged == NOTHING {
            true => row.seeds,
            false => format!("{} of {}", row.seeds, row.trials),
        };
        vec![row.name, value, seeds, row.difference, row.from_prior]
    });
    let [name, value, seeds, _, difference, from_prior] = heads(curve);
    let table = aligned(&[name, value, seeds, difference, from_prior], rows, 0);
    let mut legend = LEGEND.replace("; ", ";\n");
    if any_diverged {
        legend += ";\nseeds: those that did not diverge";
    }
    Ok(format!("{table}\n\n{legend}\n"))
}

/// A table for a terminal; the first `left` columns are flush left, the others
/// flush right. Every cell stays on its line, whatever it holds.
pub fn aligned<H: AsRef<str>>(
    heads: &[H],
    rows: impl IntoIterator<Item = Vec<String>>,
    left: usize,
) -> String {
    let rule = LineStyle::none().fill('─').junction('─');
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(rule))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads.iter().map(AsRef::as_ref));
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines: Vec<String> = table.lines().map(|l| l.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Explains the cells.
pub const LEGEND: &str = "mean ± half-width of Student's 95 % interval over seeds; Δ: paired by seed, \
percentage points (pairs); * highest on the validation split, of the α with the most finished seeds";

/// [`COLUMNS`] with the metric's name.
pub fn heads(curve: &Curve) -> [String; 6] {
    let mut heads = COLUMNS.map(String::from);
    heads[1] = format!("{} (%)", curve.metric);
    heads
}

/// A mean of fractions in per cent: `55.12 ± 0.40`, as [`difference`]; a dash without one.
pub(crate) fn value(mean: Option<f64>, ci95: Option<[f64; 2]>) -> String {
    match (mean, ci95) {
        (None, _) => NOTHING.into(),
        (Some(mean), None) => format!("{:.2}", 100.0 * mean),
        (Some(mean), Some([low, high])) => {
            format!("{:.2} ± {:.2}", 100.0 * mean, 50.0 * (high - low))
        }
    }
}

fn points(summary: Summary) -> String {
    format!("{} ({})", difference(&summary), summary.n)
}

/// A difference of fractions in percentage points: `+5.41 ± 2.98`, the half-width being that
/// of the 95 % interval; without it for one value.
pub(crate) fn difference(summary: &Summary) -> String {
    let mean = 100.0 * summary.mean;
    match summary.ci95 {
        None => format!("{mean:+.2}"),
        Some([low, high]) => format!("{mean:+.2} ± {:.2}", 50.0 * (high - low)),
    }
}

fn diverged(diverged: usize, trials: usize) -> String {
    match diverged {
        0 => NOTHING.into(),
        _ => format!("{diverged} of {trials}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;

    fn curve() -> Curve {
        let row = |alpha, seed, value| TrialValue { alpha, seed, value };
        let rows = [
            row(0.0, 1, Some(0.50)),
            row(0.0, 2, Some(0.52)),
            row(0.1, 1, Some(0.70)),
            row(0.1, 2, None),
            row(0.5, 1, None),
            row(0.5, 2, None),
        ];
        let curve =
            Curve::from_trials("test accuracy", &rows, &[(1, Some(0.8)), (2, Some(0.82))]).unwrap();
        // Validation prefers the α that the test set does not.
        let validation = [row(0.0, 1, Some(0.9)), row(0.1, 1, Some(0.8))];
        curve.chosen_by(&Curve::from_trials("validation accuracy", &validation, &[]).unwrap())
    }

    #[test]
    fn the_table_is_aligned_and_complete() {
        let text = terminal_table(&curve()).unwrap();
        let expected = [
            "     α   test accuracy (%)    seeds   Δ vs α = 0          Δ vs prior",
            "─────────────────────────────────────────────────────────────────────",
            "     0     51.00 ± 12.71 *        2            –   -30.00 ± 0.00 (2)",
            "   0.1             70.00     1 of 2   +20.00 (1)          -10.00 (1)",
            "   0.5                 –     0 of 2            –                   –",
            " prior     81.00 ± 12.71          2            –                   –",
            "",
            "mean ± half-width of Student's 95 % interval over seeds;",
            "Δ: paired by seed, percentage points (pairs);",
            "* highest on the validation split, of the α with the most finished seeds;",
            "seeds: those that did not diverge",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
    }

    #[test]
    fn a_cell_cannot_leave_its_line() {
        let rows = [vec!["a\n\u{1b}[2Jb".to_owned(), "1".to_owned()]];
        let table = aligned(&["name", "n"], rows, 1);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.contains("a\\n\\u001b[2Jb   1"), "{table}");
    }

    #[test]
    fn cells_say_what_diverged_and_what_was_chosen() {
        let rows = table_rows(&curve()).unwrap();
        assert_eq!(
            rows[0].cells(),
            ["0", "51.00 ± 12.71", "2", "–", "–", "-30.00 ± 0.00 (2)"]
        );
        assert_eq!(
            rows[1].cells(),
            ["0.1", "70.00", "1", "1 of 2", "+20.00 (1)", "-10.00 (1)"]
        );
        assert_eq!(rows[2].cells(), ["0.5", "–", "0", "2 of 2", "–", "–"]);
        assert_eq!(
            rows[3].cells(),
            ["prior", "81.00 ± 12.71", "2", "–", "–", "–"]
        );
        let chosen: Vec<bool> = rows.iter().map(|r| r.chosen).collect();
        assert_eq!(chosen, [true, false, false, false]);
    }

    #[test]
    fn fractions_are_told_as_points() {
        let half = Some([0.546, 0.558]);
        assert_eq!(value(Some(0.552), half), "55.20 ± 0.60");
        assert_eq!(value(None, None), "–");
        let of = |mean, ci95| Summary {
            n: 2,
            mean,
            standard_deviation: None,
            ci95,
        };
        assert_eq!(difference(&of(-0.0123, None)), "-1.23");
        let around = Some([-0.01, 0.02]);
        assert_eq!(difference(&of(0.005, around)), "+0.50 ± 1.50");
    }

    #[test]
    fn the_table_fits_a_terminal() {
        let row = |alpha, seed, value| TrialValue { alpha, seed, value };
        let of = |alpha: f64, seed: u64| match (alpha, seed) {
            (0.0, seed) => row(alpha, seed, Some(if seed % 2 == 0 { 0.9 } else { 0.2 })),
            (_, 0) => row(alpha, 0, None),
            (_, seed) => row(alpha, seed, Some(if seed % 3 == 0 { 0.8 } else { 0.1 })),
        };
        let alphas = [0.0, 0.0001, 0.001, 0.9999];
        let rows: Vec<TrialValue> = alphas
            .into_iter()
            .flat_map(|alpha| (0..10).map(move |seed| of(alpha, seed)))
            .collect();
        let priors: Vec<(u64, Option<f64>)> = (0..10).map(|s| (s, Some(0.5))).collect();
        let curve = Curve::from_trials("Test accuracy", &rows, &priors).unwrap();
        let text = terminal_table(&curve).unwrap();
        assert!(text.contains("9 of 10") && text.contains("(9)"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
