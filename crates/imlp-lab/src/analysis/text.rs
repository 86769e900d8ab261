//! An analysis as text for a terminal, 80 columns wide.

use super::Analysis;
use super::diagnosis::words::{p_number, p_text};
use super::paired::Comparison;
use super::shape::{Extremum, MIN_SEEDS, Shape, Verdict};
use super::sides::{End, Form, Side};
use super::v_test::MIN_LEVELS;
use crate::curve::alpha_label;
use crate::table::{aligned, difference};
use crate::text::{COLUMNS, wrapped};

/// The cell of a missing value.
const NOTHING: &str = "–";

/// The whole text; no line end at the end.
pub(super) fn text(analysis: &Analysis) -> String {
    let mut parts = vec![conclusions(analysis)];
    parts.extend(
        analysis
            .verdict
            .as_ref()
            .map(|verdict| shape(analysis, verdict)),
    );
    for (name, comparisons) in [
        ("the plain MLP (α = 0)", &analysis.to_plain_mlp),
        ("the prior", &analysis.to_prior),
    ] {
        if !comparisons.is_empty() {
            parts.push(format!(
                "Against {name}, paired by seed, in points:\n\n{}",
                table(comparisons)
            ));
        }
    }
    if !analysis.to_plain_mlp.is_empty() || !analysis.to_prior.is_empty() {
        parts.push(wrapped(LEGEND, COLUMNS, ""));
    }
    parts.extend(analysis.sides.iter().map(side));
    parts.join("\n\n")
}

/// Explains the columns of the comparisons.
const LEGEND: &str = "± and [ ]: 95 % intervals of the mean, Student's and by bootstrap over seeds. \
p: paired t-test, Holm-corrected for the number of α; for the α chosen on validation the sentence \
above has that of one test. p(±1): is the difference within ±1 point? \
div.: seeds that diverged there; the others are shown, and not tested.";

fn conclusions(analysis: &Analysis) -> String {
    let lines = analysis.diagnoses.iter().map(|diagnosis| {
        let sentence = format!("- {diagnosis}");
        wrapped(&sentence, COLUMNS, "  ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn shape(analysis: &Analysis, verdict: &Verdict) -> String {
    let mut lines = vec![format!(
        "Shape: {} ({} values of α, {} seeds)",
        name(verdict.shape),
        verdict.levels,
        verdict.seeds
    )];
    for (name, statistic, extremum, power, needed) in [
        (
            "minimum",
            verdict.minimum,
            analysis.minimum,
            verdict.power[0],
            verdict.seeds_needed[0],
        ),
        (
            "maximum",
            verdict.maximum,
            analysis.maximum,
            verdict.power[1],
            verdict.seeds_needed[1],
        ),
    ] {
        let relation = if statistic.v > verdict.critical {
            ">"
        } else {
            "≤"
        };
        let needed = needed.map_or(String::new(), |n| format!(", 80 % with {n} seeds"));
        lines.push(format!(
            "  {name}: V = {:.2} {relation} {:.2}; power as seen {:.0} %{needed}",
            statistic.v,
            verdict.critical,
            100.0 * power
        ));
        lines.extend(extremum.filter(|e| e.depth > 0.0).as_ref().map(depth));
    }
    lines.push(format!(
        "  trend over all α: t = {:.2}, {}",
        verdict.trend.t,
        p_text(verdict.trend.p)
    ));
    lines.join("\n")
}

/// The verdict on the shape in one phrase.
pub(super) fn shape_sentence(analysis: &Analysis) -> String {
    let Some(verdict) = &analysis.verdict else {
        return format!(
            "no verdict on the shape: it takes {MIN_SEEDS} seeds and {MIN_LEVELS} values of α"
        );
    };
    let statistics = match verdict.shape {
        Shape::Valley => format!("V = {:.2}", verdict.minimum.v),
        Shape::Hump => format!("V of the negative = {:.2}", verdict.maximum.v),
        Shape::ValleyAndHump => {
            format!(
                "V = {:.2}, of the negative {:.2}",
                verdict.minimum.v, verdict.maximum.v
            )
        }
        Shape::Rising | Shape::Falling | Shape::Flat | Shape::NotShown => {
            let highest = verdict.minimum.v.max(verdict.maximum.v);
            return format!(
                "{} (larger V = {highest:.2}, critical {:.2}; {} values of α, {} seeds)",
                match verdict.shape {
                    Shape::NotShown => "no shape is shown",
                    shape => name(shape),
                },
                verdict.critical,
                verdict.levels,
                verdict.seeds
            );
        }
    };
    format!(
        "{} ({statistics}, critical {:.2}; {} values of α, {} seeds)",
        name(verdict.shape),
        verdict.critical,
        verdict.levels,
        verdict.seeds
    )
}

fn name(shape: Shape) -> &'static str {
    match shape {
        Shape::Valley => "valley",
        Shape::Hump => "hump",
        Shape::ValleyAndHump => "valley and hump",
        Shape::Rising => "rising",
        Shape::Falling => "falling",
        Shape::Flat => "flat",
        Shape::NotShown => "not shown",
    }
}

fn depth(extremum: &Extremum) -> String {
    let chosen = match extremum.chosen_on_validation {
        true => "chosen on validation",
        false => "chosen on the same images",
    };
    format!(
        "    at α = {}, {:.2} points {} ({chosen})",
        alpha_label(extremum.alpha),
        100.0 * extremum.depth,
        interval(extremum.ci95)
    )
}

fn table(comparisons: &[Comparison]) -> String {
    let heads = ["α", "Δ", "bootstrap", "p", "p(±1)", "pairs"];
    let rows = comparisons.iter().map(|c| {
        let diverged = match c.diverged {
            0 => String::new(),
            count => format!(" ({count} div.)"),
        };
        vec![
            alpha_label(c.alpha),
            difference(&c.difference),
            interval(c.bootstrap),
            p(c.holm),
            p(c.equivalence),
            format!("{}{diverged}", c.difference.n),
        ]
    });
    aligned(&heads, rows, 0)
}

fn side(side: &Side) -> String {
    let from = match side.end {
        End::PlainMlp => "plain MLP's",
        End::Prior => "prior's",
    };
    let alphas = [side.alphas[0], side.alphas[side.alphas.len() - 1]].map(alpha_label);
    let heads = ["form", "AICc − best", "slope (points)"];
    let rows = side.fits.iter().map(|fit| {
        let name = match fit.form {
            Form::Constant => "constant",
            Form::Linear => "linear, per unit of α",
            Form::Logarithmic => "log distance to the end, per decade",
            Form::Logistic => "logistic, per decade of α/(1−α)",
        };
        vec![
            name.to_owned(),
            fit.excess_aicc
                .map_or(NOTHING.into(), |excess| format!("{excess:.1}")),
            fit.slope.as_ref().map_or(NOTHING.into(), difference),
        ]
    });
    format!(
        "The {from} side, α = {} … {}:\n\n{}",
        alphas[0],
        alphas[1],
        aligned(&heads, rows, 1)
    )
}

/// A p-value.
fn p(value: Option<f64>) -> String {
    value.map_or(NOTHING.into(), p_number)
}

/// Fractions as points, in brackets.
fn interval(ends: Option<[f64; 2]>) -> String {
    ends.map_or(NOTHING.into(), |[low, high]| {
        format!("[{:+.2}, {:+.2}]", 100.0 * low, 100.0 * high)
    })
}
