//! Differences between α-curves, paired by seed: at equal α, and each curve at the α that
//! it chose on the validation split.
//!
//! - A pair is a seed that finished on both sides; every difference counts its pairs. The
//!   interval is Student's, p that of the paired t-test: of [`MIN_SEEDS`] pairs or more, not
//!   all of them equal (as of trials that configurations share), and only where no seed
//!   diverged on either side: the others are survivors.
//! - α is chosen by the mean on the validation split over the seeds that both curves have,
//!   of the α with the most of these; the smaller α on a tie. It is chosen twice: among all
//!   α, where α = 0 (the plain MLP) is a legal choice, and among 0 < α < 1, since claims
//!   are about interpolation.
//! - p is corrected for the number of differences by Holm's method in three families: all
//!   differences at equal α, all at the chosen α, all at the chosen 0 < α < 1.
//! - Up to [`MOST_OF_ALL_PAIRS`] curves are compared in all pairs, more of them with the
//!   first only: the number of pairs would leave nothing to be shown.

pub(crate) mod names;
mod table;
mod words;

use imlp_suggest::counted;
use serde::Serialize;

use crate::analysis::comparison::{holm, paired_p};
use crate::analysis::shape::MIN_SEEDS;
use crate::curve::{Curve, CurvePoint};
use crate::statistics::{StatisticsError, paired_difference};

pub use table::{COLUMNS, LEGEND, csv_bytes, rows, terminal_text};

/// Maximum number of curves that are compared in all pairs.
pub const MOST_OF_ALL_PAIRS: usize = 6;

/// The level at which a corrected difference counts as shown.
pub const LEVEL: f64 = 0.05;

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its name.
    pub name: &'a str,
    /// The values that are compared.
    pub test: &'a Curve,
    /// The values that α is chosen by, of the same trials; `None` without a validation
    /// split.
    pub validation: Option<&'a Curve>,
}

/// How the two α of a difference came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The same α on both sides.
    EqualAlpha,
    /// Each side's best on the validation split.
    Chosen,
    /// Each side's best on the validation split among 0 < α < 1.
    ChosenBetween,
}

/// How `configuration` differs from `reference` over the seeds that finished on both sides.
/// Accuracies and differences are fractions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Name of one side.
    pub configuration: String,
    /// Name of the other.
    pub reference: String,
    /// How the α came about.
    pub choice: Choice,
    /// α of `configuration`.
    pub configuration_alpha: f64,
    /// α of `reference`.
    pub reference_alpha: f64,
    /// Number of seeds that finished on both sides.
    pub pairs: usize,
    /// Mean of `configuration` over these; `None` without a pair.
    pub configuration_mean: Option<f64>,
    /// Mean of `reference` over these.
    pub reference_mean: Option<f64>,
    /// Mean of configuration − reference.
    pub difference: Option<f64>,
    /// Student's 95 % interval of the difference; `None` below two pairs.
    pub ci95: Option<[f64; 2]>,
    /// Two-sided p of the paired t-test; `None` below [`MIN_SEEDS`] pairs, where a seed
    /// diverged, and where all pairs are equal.
    pub p: Option<f64>,
    /// `p` corrected by Holm's method for the differences of the same [`Choice`] given with
    /// this one.
    pub p_holm: Option<f64>,
}

impl Difference {
    /// Whether both sides have the same value in every pair.
    fn is_same(&self) -> bool {
        let is_zero = |[low, high]: [f64; 2]| low == 0.0 && high == 0.0;
        self.difference == Some(0.0) && self.ci95.is_none_or(is_zero)
    }
}

/// All differences between curves, and how to read them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The result in words.
    pub sentences: Vec<String>,
    /// What a reader must know to judge it.
    pub notes: Vec<String>,
    /// Each side at the α that it chose.
    pub chosen: Vec<Difference>,
    /// At the same α.
    pub equal_alpha: Vec<Difference>,
}

/// The differences of two curves at every α that both have, by increasing α, corrected
/// together.
///
/// # Errors
/// [`StatisticsError`] when a value of a curve was replaced by one that is not finite.
pub fn at_equal_alpha(
    configuration: &Side<'_>,
    reference: &Side<'_>,
) -> Result<Vec<Difference>, StatisticsError> {
    Ok(corrected(equal_alpha(configuration, reference)?))
}

/// The differences of two curves, each at the α that it chose on the validation split:
/// among all α, then among 0 < α < 1. Empty when a side has no validation values of a
/// common seed; the second is missing when there is no such α.
///
/// # Errors
/// As [`at_equal_alpha`].
pub fn at_chosen_alpha(
    configuration: &Side<'_>,
    reference: &Side<'_>,
) -> Result<Vec<Difference>, StatisticsError> {
    Ok(corrected(chosen_alpha(configuration, reference)?))
}

/// Compares sides of one metric measured on the same images, in all pairs (later −
/// earlier), or with the first where there are more than [`MOST_OF_ALL_PAIRS`].
///
/// # Errors
/// As [`at_equal_alpha`].
pub fn compare(sides: &[Side<'_>]) -> Result<Comparison, StatisticsError> {
    let of_first = sides.len() > MOST_OF_ALL_PAIRS;
    let (mut chosen, mut equal) = (Vec::new(), Vec::new());
    for (i, configuration) in sides.iter().enumerate().skip(1) {
        let references = if of_first { &sides[..1] } else { &sides[..i] };
        for reference in references {
            equal.extend(equal_alpha(configuration, reference)?);
            chosen.extend(chosen_alpha(configuration, reference)?);
        }
    }
    let (chosen, equal_alpha) = (corrected(chosen), corrected(equal));
    Ok(Comparison {
        sentences: words::sentences(&chosen, &equal_alpha),
        notes: notes(sides, &chosen, &equal_alpha),
        chosen,
        equal_alpha,
    })
}

/// From what a side's trials come.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Checksum of the data that they are measured on.
    pub data: &'a str,
    /// See [`Description::start`](crate::description::Description::start).
    pub start: &'a str,
}

/// As [`compare`], of sides with their origins: only those on the same data are compared. The
/// notes say what the two trials of a pair share.
///
/// # Errors
/// As [`at_equal_alpha`].
pub fn compare_by_data<'a>(
    sides: impl IntoIterator<Item = (Origin<'a>, Side<'a>)>,
) -> Result<Comparison, StatisticsError> {
    let mut of_data: Vec<(Vec<Origin<'_>>, Vec<Side<'_>>)> = Vec::new();
    for (origin, side) in sides {
        let mut known = of_data.iter_mut();
        match known.find(|(origins, _)| origins[0].data == origin.data) {
            Some((origins, sides)) => {
                origins.push(origin);
                sides.push(side);
            }
            None => of_data.push((vec![origin], vec![side])),
        }
    }
    let mut all = Comparison::default();
    for (origins, sides) in of_data.iter().filter(|(_, sides)| sides.len() > 1) {
        let Comparison {
            sentences,
            notes,
            chosen,
            equal_alpha,
        } = compare(sides)?;
        all.sentences.extend(sentences);
        all.notes.extend(notes);
        all.notes.extend(pairing(origins).map(str::to_owned));
        all.chosen.extend(chosen);
        all.equal_alpha.extend(equal_alpha);
    }
    if of_data.len() > 1 {
        all.notes.push(
            "configurations on different data are not compared, and p is corrected for each data \
             set by itself"
                .to_owned(),
        );
    }
    Ok(all)
}

fn equal_alpha(
    configuration: &Side<'_>,
    reference: &Side<'_>,
) -> Result<Vec<Difference>, StatisticsError> {
    let shared = configuration.test.points.iter().filter_map(|p| {
        let other = reference.test.points.iter().find(|r| r.alpha == p.alpha)?;
        Some((p, other))
    });
    shared
        .map(|points| difference(Choice::EqualAlpha, configuration, reference, points))
        .collect()
}

fn chosen_alpha(
    configuration: &Side<'_>,
    reference: &Side<'_>,
) -> Result<Vec<Difference>, StatisticsError> {
    let sides = [configuration, reference];
    let mut differences = Vec::new();
    for choice in [Choice::Chosen, Choice::ChosenBetween] {
        if let [Some(point), Some(other)] = sides.map(|side| best(side, sides, choice)) {
            differences.push(difference(
                choice,
                configuration,
                reference,
                (point, other),
            )?);
        }
    }
    Ok(differences)
}

/// The point of a side's test curve at its best α on the validation split.
fn best<'a>(side: &Side<'a>, both: [&Side<'_>; 2], choice: Choice) -> Option<&'a CurvePoint> {
    let has = |curve: Option<&Curve>, seed| {
        let mut points = curve.into_iter().flat_map(|c| &c.points);
        points.any(|p| p.seeds.values.iter().any(|v| v.seed == seed))
    };
    let common = |seed| both.iter().all(|side| has(side.validation, seed));
    let among = |alpha: f64| choice != Choice::ChosenBetween || (alpha > 0.0 && alpha < 1.0);
    let mut best: Option<(usize, f64, f64)> = None;
    for p in side.validation?.points.iter().filter(|p| among(p.alpha)) {
        let values = p.seeds.values.iter().filter(|v| common(v.seed));
        let values: Vec<f64> = values.map(|v| v.value).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let better = best.is_none_or(|(n, highest, _)| (values.len(), mean) > (n, highest));
        if !values.is_empty() && better {
            best = Some((values.len(), mean, p.alpha));
        }
    }
    let (.., alpha) = best?;
    side.test.points.iter().find(|p| p.alpha == alpha)
}

fn difference(
    choice: Choice,
    configuration: &Side<'_>,
    reference: &Side<'_>,
    (point, other): (&CurvePoint, &CurvePoint),
) -> Result<Difference, StatisticsError> {
    let (values, others) = point.seeds.paired_with(&other.seeds);
    let summary = paired_difference(&values, &others)?;
    let differences: Vec<f64> = values.iter().zip(&others).map(|(v, o)| v - o).collect();
    let is_sample = point.seeds.diverged.is_empty() && other.seeds.diverged.is_empty();
    // Configurations that part later share the trials before: they have nothing to test.
    let differ = differences.iter().any(|d| *d != 0.0);
    let is_tested = is_sample && differ && differences.len() >= MIN_SEEDS;
    let mean = |values: &[f64]| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    Ok(Difference {
        configuration: configuration.name.to_owned(),
        reference: reference.name.to_owned(),
        choice,
        configuration_alpha: point.alpha,
        reference_alpha: other.alpha,
        pairs: values.len(),
        configuration_mean: mean(&values),
        reference_mean: mean(&others),
        difference: summary.map(|s| s.mean),
        ci95: summary.and_then(|s| s.ci95),
        p: paired_p(&differences).filter(|_| is_tested),
        p_holm: None,
    })
}

/// The same differences with `p_holm`, each [`Choice`] a family.
fn corrected(mut differences: Vec<Difference>) -> Vec<Difference> {
    for choice in [Choice::EqualAlpha, Choice::Chosen, Choice::ChosenBetween] {
        let family = || differences.iter().filter(|d| d.choice == choice);
        let p: Vec<f64> = family().filter_map(|d| d.p).collect();
        let mut adjusted = holm(&p).into_iter();
        let of_family = differences.iter_mut().filter(|d| d.choice == choice);
        for tested in of_family.filter(|d| d.p.is_some()) {
            tested.p_holm = adjusted.next();
        }
    }
    differences
}

/// What two trials of one seed share; nothing where that is not known.
fn pairing(origins: &[Origin<'_>]) -> Option<&'static str> {
    let first = origins.first()?.start;
    if origins.iter().any(|origin| origin.start.is_empty()) {
        return None;
    }
    Some(match origins.iter().all(|origin| origin.start == first) {
        true => {
            "pairs share the seed: the initial weights of the dense twin and the order of images"
        }
        false => {
            "paired by seed; the configurations differ in data or networks, so a pair does not \
             share its initial weights or its images"
        }
    })
}

fn notes(sides: &[Side<'_>], chosen: &[Difference], equal: &[Difference]) -> Vec<String> {
    let mut notes = Vec::new();
    if sides.len() > MOST_OF_ALL_PAIRS {
        notes.push(format!(
            "with more than {MOST_OF_ALL_PAIRS} configurations ({} here) each is compared with the \
             first only: {}",
            sides.len(),
            sides[0].name
        ));
    }
    let without: Vec<&str> = sides
        .iter()
        .filter(|side| side.validation.is_none())
        .map(|side| side.name)
        .collect();
    if !without.is_empty() {
        let which = if without.len() == sides.len() {
            "there is no validation split (data.validation_fraction = 0)".to_owned()
        } else {
            format!(
                "not measured on a validation split (data.validation_fraction = 0, or all \
                 diverged): {}",
                without.join("; ")
            )
        };
        notes.push(format!(
            "{which}, so no α is chosen; the comparison is at equal α"
        ));
    }
    if sides.len() > 1 && equal.is_empty() {
        notes.push("no α in common: nothing to compare at equal α".to_owned());
    }
    let all = || chosen.iter().chain(equal);
    let most = all().map(|d| d.pairs).max().unwrap_or(0);
    let fewer = all().filter(|d| d.pairs < most).count();
    if fewer > 0 {
        notes.push(format!(
            "{} of fewer than {}: a seed that diverged or has no result on one side is left out",
            counted(fewer, "difference"),
            counted(most, "pair")
        ));
    }
    let untested = all().filter(|d| d.p.is_none());
    let (same, untested): (Vec<_>, Vec<_>) = untested.partition(|d| d.is_same());
    if !untested.is_empty() {
        notes.push(format!(
            "{} without p: a test needs {MIN_SEEDS} pairs, and no seed that diverged",
            counted(untested.len(), "difference")
        ));
    }
    if !same.is_empty() {
        notes.push(format!(
            "{} of exactly 0 in every pair, as of the same trials, without p",
            counted(same.len(), "difference")
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
