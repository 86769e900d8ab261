//! A comparison as tables: for a terminal, a page, and programs.

use super::words::{p_text, points};
use super::{Choice, Comparison, Difference};
use crate::curve::alpha_label;
use crate::error::LabError;
use crate::table::aligned;
use crate::text::csv_cell;

/// The cell of a missing value.
const NOTHING: &str = "–";

/// Maximum number of differences at equal α that are printed; the file has all.
const PRINTED: usize = 40;

/// Heads of the columns of [`rows`].
pub const COLUMNS: [&str; 6] = [
    "configuration − reference",
    "α",
    "means (%)",
    "Δ (points)",
    "pairs",
    "p (Holm)",
];

/// Explains the cells.
pub const LEGEND: &str = "means over the seeds that finished on both sides (pairs); Δ ± half-width \
of Student's 95 % interval of the paired difference; p of the paired t-test after Holm's correction";

/// One row per difference, as text. A choice among 0 < α < 1 is left out where it is the
/// same as that among all α.
pub fn rows(differences: &[Difference]) -> Vec<[String; 6]> {
    let repeats = |d: &&Difference| {
        d.choice == Choice::ChosenBetween
            && [d.configuration_alpha, d.reference_alpha]
                .iter()
                .all(|alpha| *alpha > 0.0 && *alpha < 1.0)
            && differences.iter().any(|other| {
                other.choice == Choice::Chosen
                    && (&other.configuration, &other.reference) == (&d.configuration, &d.reference)
                    && other.configuration_alpha == d.configuration_alpha
                    && other.reference_alpha == d.reference_alpha
            })
    };
    differences
        .iter()
        .filter(|d| !repeats(d))
        .map(row)
        .collect()
}

fn row(d: &Difference) -> [String; 6] {
    let [alpha, other] = [d.configuration_alpha, d.reference_alpha].map(alpha_label);
    let per_cent =
        |mean: Option<f64>| mean.map_or(NOTHING.into(), |mean| format!("{:.2}", 100.0 * mean));
    [
        format!("{} − {}", d.configuration, d.reference),
        match d.choice {
            Choice::EqualAlpha => alpha,
            Choice::Chosen => format!("{alpha}, {other}"),
            Choice::ChosenBetween => format!("{alpha}, {other} (of 0 < α < 1)"),
        },
        format!(
            "{}, {}",
            per_cent(d.configuration_mean),
            per_cent(d.reference_mean)
        ),
        d.difference
            .map_or(NOTHING.into(), |mean| points(mean, d.ci95)),
        d.pairs.to_string(),
        d.p_holm.map_or(NOTHING.into(), p_text),
    ]
}

/// The sentences, tables and notes for a terminal.
pub fn terminal_text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let chosen = rows(&comparison.chosen);
    if !chosen.is_empty() {
        text += "each at the α that was highest on the validation split\n";
        text += &format!("{}\n\n", grouped(&chosen));
    }
    let equal = rows(&comparison.equal_alpha);
    if !equal.is_empty() {
        text += "at equal α\n";
        text += &format!("{}\n", grouped(&equal[..equal.len().min(PRINTED)]));
        if equal.len() > PRINTED {
            text += &format!("and {} more in the file\n", equal.len() - PRINTED);
        }
    }
    text += &format!("\n{LEGEND}\n");
    for sentence in &comparison.sentences {
        text += &format!("\n{sentence}");
    }
    for note in &comparison.notes {
        text += &format!("\nnote: {note}");
    }
    text
}

/// A table of [`rows`] for a terminal: the two configurations, whose names are long, stand
/// above their rows.
fn grouped(rows: &[[String; 6]]) -> String {
    let values = rows.iter().map(|[_, values @ ..]| values.to_vec());
    let table = aligned(&COLUMNS[1..], values, 0);
    let mut lines = table.lines();
    let mut text: Vec<&str> = lines.by_ref().take(2).collect();
    let mut above = "";
    for ([names, ..], line) in rows.iter().zip(lines) {
        if names != above {
            text.push(names);
            above = names;
        }
        text.push(line);
    }
    text.join("\n")
}

/// One line per difference as comma-separated values; accuracies and differences are
/// fractions, a missing number is empty.
///
/// # Errors
/// [`LabError::Table`].
pub fn csv_bytes(comparison: &Comparison) -> Result<Vec<u8>, LabError> {
    let refuse = |error: csv::Error| LabError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "choice",
        "configuration",
        "reference",
        "configuration_alpha",
        "reference_alpha",
        "pairs",
        "configuration_mean",
        "reference_mean",
        "difference",
        "ci95_low",
        "ci95_high",
        "p",
        "p_holm",
    ];
    writer.write_record(head).map_err(refuse)?;
    for d in comparison.chosen.iter().chain(&comparison.equal_alpha) {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let choice = match d.choice {
            Choice::EqualAlpha => "equal-alpha",
            Choice::Chosen => "chosen",
            Choice::ChosenBetween => "chosen-between",
        };
        writer
            .write_record([
                choice,
                &csv_cell(&d.configuration),
                &csv_cell(&d.reference),
                &number(Some(d.configuration_alpha)),
                &number(Some(d.reference_alpha)),
                &d.pairs.to_string(),
                &number(d.configuration_mean),
                &number(d.reference_mean),
                &number(d.difference),
                &number(d.ci95.map(|[low, _]| low)),
                &number(d.ci95.map(|[_, high]| high)),
                &number(d.p),
                &number(d.p_holm),
            ])
            .map_err(refuse)?;
    }
    writer
        .into_inner()
        .map_err(|error| LabError::Table(error.to_string()))
}
