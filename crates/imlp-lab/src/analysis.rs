//! What an α-curve shows: tests whose rules are fixed before the curve is seen.
//!
//! Seeds are blocks: the trials of one seed share initial weights and the order of images,
//! so every statistic here is computed within seeds first and tested over them. Noise may
//! differ from α to α; no variance is pooled over them, which would declare twice as many
//! valleys where there are none as it should.
//!
//! [`of`] judges a curve alone; [`with`] also uses what its trials' records say. For
//! people: [`Analysis::sentence`], [`Analysis::text`] and `docs/analysis.md`.

pub mod blocks;
pub mod bootstrap;
pub mod comparison;
pub mod diagnosis;
pub mod evidence;
pub mod folder;
mod number;
pub mod paired;
pub mod shape;
pub mod sides;
pub mod t_power;
#[cfg(test)]
mod tests;
mod text;
pub mod v_test;

use serde::{Deserialize, Serialize};

use crate::curve::Curve;
use blocks::CompleteBlocks;
use diagnosis::Diagnosis;
use evidence::Evidence;
use paired::Comparison;
use shape::{Extremum, Kind, Shape, Verdict, extremum};
use sides::{End, Side};

/// What a curve shows. All values and differences are fractions, as in the curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What was measured, as the curve calls it.
    pub metric: String,
    /// The α of the test of the shape, increasing.
    pub alphas: Vec<f64>,
    /// The seeds of the test of the shape.
    pub seeds: Vec<u64>,
    /// The α that the test leaves out because a trial of these seeds diverged there.
    pub diverged_at: Vec<f64>,
    /// Seeds that it leaves out because a trial of theirs is missing.
    pub incomplete: Vec<u64>,
    /// The shape, with its statistics; `None` with fewer than [`shape::MIN_SEEDS`] seeds or
    /// [`v_test::MIN_LEVELS`] α.
    pub verdict: Option<Verdict>,
    /// The deepest interior minimum, declared or not; `None` below three α.
    pub minimum: Option<Extremum>,
    /// The highest interior maximum, declared or not.
    pub maximum: Option<Extremum>,
    /// Every α > 0 against the plain MLP (α = 0).
    pub to_plain_mlp: Vec<Comparison>,
    /// Every α < 1 against the prior on its own, or against α = 1 where the prior was not
    /// measured.
    pub to_prior: Vec<Comparison>,
    /// The prior (or α = 1) against the plain MLP; `None` where either was not measured.
    pub prior_to_plain_mlp: Option<Comparison>,
    /// The α that was chosen on the validation split.
    pub chosen_alpha: Option<f64>,
    /// Forms of the two sides; only of a declared valley or hump, and only where three α lie
    /// inside.
    pub sides: Vec<Side>,
    /// What this means, the most important first; never empty.
    pub diagnoses: Vec<Diagnosis>,
}

/// What `curve` shows on its own: [`with`] no further evidence.
///
/// Pure and deterministic. The first call for a number of α and seeds simulates a critical
/// value, a fraction of a second; further ones take milliseconds.
///
/// # Examples
/// ```
/// use imlp_lab::analysis::{self, shape::Shape};
/// use imlp_lab::curve::{Curve, TrialValue};
///
/// let mut trials = Vec::new();
/// for (alpha, mean) in [(0.0, 0.55), (0.01, 0.50), (0.1, 0.45), (0.5, 0.51), (1.0, 0.56)] {
///     for seed in 0..7 {
///         // Noise of a tenth of a point.
///         let noise = 0.001 * f64::sin(seed as f64 + 40.0 * alpha);
///         trials.push(TrialValue { alpha, seed, value: Some(mean + noise) });
///     }
/// }
/// let analysis = analysis::of(&Curve::from_trials("Test accuracy", &trials, &[])?);
/// assert_eq!(analysis.shape(), Some(Shape::Valley));
/// assert!(analysis.sentence().starts_with("α = 0.1 is worse than both ends"));
/// # Ok::<(), imlp_lab::curve::CurveError>(())
/// ```
pub fn of(curve: &Curve) -> Analysis {
    with(curve, &Evidence::default())
}

/// What `curve` (on the test set) shows, its extrema being chosen on the validation split
/// and its diagnosis using what each trial's record says, where `evidence` holds them.
pub fn with(curve: &Curve, evidence: &Evidence<'_>) -> Analysis {
    let test = CompleteBlocks::of(curve);
    let validation = evidence.validation.map(CompleteBlocks::of);
    let verdict = shape::verdict(&test);
    let at = |kind| extremum(kind, validation.as_ref(), &test);
    let (minimum, maximum) = (at(Kind::Minimum), at(Kind::Maximum));
    let mut analysis = Analysis {
        metric: curve.metric.clone(),
        sides: verdict.as_ref().map_or(Vec::new(), |verdict| {
            sides_of(verdict.shape, minimum.as_ref(), maximum.as_ref(), &test)
        }),
        alphas: test.alphas,
        seeds: test.seeds,
        diverged_at: test.diverged_at,
        incomplete: test.incomplete,
        verdict,
        minimum,
        maximum,
        to_plain_mlp: paired::to_plain_mlp(curve),
        to_prior: paired::to_prior(curve),
        prior_to_plain_mlp: paired::prior_to_plain_mlp(curve),
        chosen_alpha: curve.chosen_alpha,
        diagnoses: Vec::new(),
    };
    analysis.diagnoses = diagnosis::of(&analysis, curve, evidence);
    analysis
}

/// The sides of a declared extremum; of two, the outer ones.
fn sides_of(
    shape: Shape,
    minimum: Option<&Extremum>,
    maximum: Option<&Extremum>,
    blocks: &CompleteBlocks,
) -> Vec<Side> {
    let declared: Vec<f64> = match shape {
        Shape::Valley => vec![minimum],
        Shape::Hump => vec![maximum],
        Shape::ValleyAndHump => vec![minimum, maximum],
        Shape::Rising | Shape::Falling | Shape::Flat | Shape::NotShown => Vec::new(),
    }
    .into_iter()
    .flatten()
    .map(|extremum| extremum.alpha)
    .collect();
    let Some(first) = declared.iter().copied().reduce(f64::min) else {
        return Vec::new();
    };
    let last = declared.iter().copied().fold(first, f64::max);
    let both = [(End::PlainMlp, first), (End::Prior, last)];
    let fits = both.map(|(end, extremum)| sides::fit(blocks, end, extremum));
    fits.into_iter().flatten().collect()
}

impl Analysis {
    /// The declared shape; `None` with too few seeds or α for a verdict.
    pub fn shape(&self) -> Option<Shape> {
        self.verdict.as_ref().map(|verdict| verdict.shape)
    }

    /// The declared shape in one phrase with its statistics, without a full stop.
    pub fn shape_sentence(&self) -> String {
        text::shape_sentence(self)
    }

    /// The most important diagnosis in one sentence of plain words, with its numbers and
    /// without a full stop.
    pub fn sentence(&self) -> String {
        self.diagnoses
            .first()
            .map_or_else(String::new, Diagnosis::to_string)
    }

    /// All of it for people, in lines of at most 80 columns.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// The comparison of `alpha` with the plain MLP.
    pub fn against_plain_mlp(&self, alpha: f64) -> Option<&Comparison> {
        self.to_plain_mlp.iter().find(|c| c.alpha == alpha)
    }

    /// The comparison of `alpha` with the prior.
    pub fn against_prior(&self, alpha: f64) -> Option<&Comparison> {
        self.to_prior.iter().find(|c| c.alpha == alpha)
    }
}
