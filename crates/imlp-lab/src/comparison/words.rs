//! A comparison in sentences.

use imlp_suggest::counted;

use super::{Choice, Difference, LEVEL};
use crate::curve::alpha_label;

/// Maximum number of differences that a sentence names.
const NAMED: usize = 3;

/// What the differences show; one sentence for the chosen α and one for equal α, where
/// there are any.
pub(super) fn sentences(chosen: &[Difference], equal: &[Difference]) -> Vec<String> {
    let chosen: Vec<&Difference> = of(chosen, Choice::Chosen);
    let equal: Vec<&Difference> = equal.iter().collect();
    let mut sentences = Vec::new();
    if let [only] = chosen.as_slice() {
        sentences.extend(single(only));
    } else {
        let place = ", each at the α that was highest on the validation split,";
        sentences.extend(several(&chosen, place));
    }
    sentences.extend(several(&equal, " at equal α"));
    sentences
}

fn of(differences: &[Difference], choice: Choice) -> Vec<&Difference> {
    differences.iter().filter(|d| d.choice == choice).collect()
}

fn is_shown(difference: &Difference) -> bool {
    difference.p_holm.is_some_and(|p| p <= LEVEL)
}

fn single(d: &Difference) -> Option<String> {
    let mean = d.difference?;
    let verdict = match d.p {
        None if d.is_same() => "the same in every pair",
        None => "too little for a test",
        Some(_) if is_shown(d) => "a difference is shown at 5 %",
        Some(_) => "no difference is shown at 5 %",
    };
    let tested =
        d.p.map(p_text)
            .map_or(String::new(), |p| match p.as_bytes() {
                [b'<', ..] => format!(", p {p}"),
                _ => format!(", p = {p}"),
            });
    Some(format!(
        "{} at α = {} against {} at α = {}, each α the highest on the validation split: {} points \
         ({}{tested}): {verdict}.",
        d.configuration,
        alpha_label(d.configuration_alpha),
        d.reference,
        alpha_label(d.reference_alpha),
        points(mean, d.ci95),
        counted(d.pairs, "pair"),
    ))
}

fn several(differences: &[&Difference], place: &str) -> Option<String> {
    let tested = differences.iter().filter(|d| d.p_holm.is_some()).count();
    if tested == 0 {
        return None;
    }
    let mut shown: Vec<&&Difference> = differences.iter().filter(|d| is_shown(d)).collect();
    if shown.is_empty() {
        let tests = match tested {
            1 => "The one difference".to_owned(),
            _ => format!("None of {tested} differences"),
        };
        let not = if tested == 1 {
            "is not shown"
        } else {
            "is shown"
        };
        return Some(format!(
            "{tests} between configurations{place} {not} at 5 % after Holm's correction."
        ));
    }
    let size = |d: &Difference| d.difference.unwrap_or(0.0).abs();
    shown.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let named: Vec<String> = shown.iter().take(NAMED).map(|d| named(d)).collect();
    let verb = if shown.len() == 1 { "is" } else { "are" };
    let largest = if shown.len() > NAMED {
        ", the largest"
    } else {
        ""
    };
    Some(format!(
        "{} of {} between configurations{place} {verb} shown at 5 % after Holm's correction{largest}: {}.",
        shown.len(),
        counted(tested, "difference"),
        named.join("; ")
    ))
}

fn named(d: &Difference) -> String {
    let (c, r) = (
        alpha_label(d.configuration_alpha),
        alpha_label(d.reference_alpha),
    );
    let at = match d.choice {
        Choice::EqualAlpha => format!("α = {c}"),
        _ => format!("α = {c} and {r}"),
    };
    format!(
        "{} − {} {} points ({at})",
        d.configuration,
        d.reference,
        points(d.difference.unwrap_or(0.0), d.ci95)
    )
}

/// `+1.25 ± 0.40`, per cent points of fractions.
pub(super) fn points(mean: f64, ci95: Option<[f64; 2]>) -> String {
    // Adding 0.0 turns −0 into 0.
    let mean = 100.0 * mean + 0.0;
    match ci95 {
        None => format!("{mean:+.2}"),
        Some([low, high]) => format!("{mean:+.2} ± {:.2}", 50.0 * (high - low)),
    }
}

/// A p-value with two or three decimals; `< 0.001` below that.
pub(super) fn p_text(p: f64) -> String {
    const LEAST: f64 = 0.001;
    match p {
        p if p < LEAST => format!("< {LEAST}"),
        p if p < 0.0995 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}
