//! What an analysis means, in plain words with the numbers that say so.
//!
//! Every rule here is fixed before the curve is seen; its thresholds are constants with
//! their reasons. `docs/analysis.md` lists the rules.

pub(super) mod words;

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::number;
use super::paired::{self, Comparison};
use super::shape::{Extremum, MARGIN, MIN_SEEDS, Shape, Verdict};
use super::v_test::{MIN_LEVELS, SIZE};
use super::{Analysis, t_power};
use crate::curve::Curve;
use crate::statistics::Summary;

/// A twin whose weights are the prior's differs from it by rounding alone, which turns a few
/// images in ten thousand (with bf16, in a thousand); a wrong matrix turns many more.
const ROUNDING: f64 = 0.005;

/// Its loss too, as a fraction: few test images make half a point of one image, whose two
/// highest logits are all but equal, and the loss hardly changes.
const ROUNDING_OF_LOSS: f64 = 0.02;

/// With such a share of the α lost, divergence is what a reader must know first.
const MANY_DIVERGED: f64 = 0.25;

/// Below this share of the prior in the weights, no twin here was seen to differ from the
/// plain MLP.
const WEAK_SHARE: f64 = 0.1;

/// Training accuracy this far above validation accuracy: ten points are well beyond the
/// noise of either, and a gain on the test set is then rather one of regularisation.
const OVERFITTING: f64 = 0.1;

/// What an analysis means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Diagnosis {
    /// A twin that ends as the prior (α = 1) has another accuracy: the conversion is wrong.
    NotThePrior {
        /// The seed with the largest difference.
        seed: u64,
        /// Accuracy of the twin.
        twin: f64,
        /// Accuracy of its prior.
        prior: f64,
    },
    /// Trials diverged.
    Diverged {
        /// How many.
        trials: usize,
        /// Of how many.
        of: usize,
        /// Where.
        at: Vec<DivergedAt>,
        /// The seeds whose prior diverged, and with it every trial with α > 0.
        #[serde(default)]
        priors: Vec<u64>,
    },
    /// A network at an end of the curve is hardly better than naming the most frequent class
    /// for every image: by less than 1 point, and less than a tenth of what is left.
    LearnedNothing {
        /// Mean accuracy of the plain MLP, if it is that.
        plain_mlp: Option<f64>,
        /// Likewise of the prior, or α = 1.
        prior: Option<f64>,
        /// The share of the most frequent class in the test set.
        most_frequent_class: f64,
    },
    /// Too few seeds or α for a verdict.
    TooFew {
        /// Complete seeds.
        seeds: usize,
        /// α without a diverged trial.
        alphas: usize,
    },
    /// Some 0 < α < 1 lies below both ends, all tests of the grid considered, and is not as
    /// good as equal to either.
    WorseThanBothEnds {
        /// Where the smaller of the two is largest.
        alpha: f64,
        /// Minus the plain MLP.
        to_plain_mlp: Summary,
        /// Minus the prior.
        to_prior: Summary,
    },
    /// Some α > 0 lies above the plain MLP: the one that was chosen on the validation split,
    /// or else the highest of those that Holm's correction leaves.
    Gain {
        /// That α.
        alpha: f64,
        /// Whether it was chosen on the validation split, so that one test decides.
        chosen_on_validation: bool,
        /// Minus the plain MLP.
        to_plain_mlp: Summary,
        /// p that this is chance: of one test, or after Holm's correction.
        #[serde(default)]
        p: Option<f64>,
        /// Minus the prior; `None` at α = 1, and where there is no prior.
        to_prior: Option<Summary>,
        /// Whether it is shown to lie above the prior too.
        beats_prior: bool,
    },
    /// A shape is declared.
    Shape {
        /// Which; [`Shape::NotShown`] where there is nothing else to say.
        shape: Shape,
        /// V of the minimum, then of the maximum.
        #[serde(with = "pair")]
        v: [f64; 2],
        /// What either has to exceed.
        critical: f64,
        /// p of the trend over all levels.
        trend_p: f64,
        /// The declared minimum; `None` also where the place that the validation split gives
        /// it has no depth on the test set.
        minimum: Option<Extremum>,
        /// The declared maximum, likewise.
        maximum: Option<Extremum>,
    },
    /// No α > 0 is shown to lie above the plain MLP.
    NoGain {
        /// The α with the highest mean difference of those that are tested; the smaller of two.
        alpha: f64,
        /// Its difference from the plain MLP.
        to_plain_mlp: Summary,
        /// Whether every α is tested and every interval ends below 1 point: more than "not
        /// shown".
        is_excluded: bool,
        /// The prior minus the plain MLP where that interval ends below 1 point too: a
        /// reason.
        prior_is_no_better: Option<Summary>,
    },
    /// Beside no gain: at most of the α, little of the prior is in the weights at the end.
    WeakPull {
        /// The number of 0 < α < 1 with an effective prior share below 10 %.
        alphas: usize,
        /// Of how many.
        of: usize,
        /// The largest of them.
        up_to: f64,
        /// Its effective prior share.
        share: f64,
    },
    /// Training accuracy lies far above validation accuracy.
    Overfitting {
        /// The chosen α, or the highest.
        alpha: f64,
        /// Mean accuracy on training images.
        train: f64,
        /// Mean accuracy on the validation split.
        validation: f64,
    },
    /// The seeds do not tell.
    MoreSeeds {
        /// The chosen α, or that of the clearest difference.
        alpha: f64,
        /// Its difference from the plain MLP, shown to be neither one nor none.
        difference: Summary,
        /// Seeds of which 80 % of experiments show such a difference; `None`: more than a
        /// thousand.
        needed: Option<usize>,
        /// Seeds of which 80 % of experiments show a minimum as it is seen here, where one is
        /// seen and they are at most 30.
        needed_for_minimum: Option<usize>,
        /// Likewise a maximum.
        needed_for_maximum: Option<usize>,
    },
    /// Trials are missing.
    Unfinished {
        /// How many.
        trials: usize,
        /// Seeds that the test of the shape does without.
        seeds: Vec<u64>,
    },
}

/// Where trials diverged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DivergedAt {
    /// Interpolation weight.
    pub alpha: f64,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The epoch of each seed, from 1; empty where the records were not at hand.
    pub epochs: Vec<u32>,
}

/// Two numbers that may be infinite.
mod pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Number(#[serde(with = "super::number")] f64);

    pub(super) fn serialize<S: Serializer>(of: &[f64; 2], to: S) -> Result<S::Ok, S::Error> {
        of.map(Number).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[f64; 2], D::Error> {
        <[Number; 2]>::deserialize(from).map(|of| of.map(|number| number.0))
    }
}

/// All that hold, the most important first; at least one.
pub(super) fn of(analysis: &Analysis, curve: &Curve, evidence: &Evidence<'_>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    found.extend(not_the_prior(curve, evidence));
    let diverged = diverged(curve, evidence);
    let lost = analysis.diverged_at.len() as f64;
    let (first, later) = match lost >= MANY_DIVERGED * curve.points.len() as f64 {
        true => (diverged, None),
        false => (None, diverged),
    };
    found.extend(first);
    found.extend(learned_nothing(curve, evidence));
    let too_few = analysis.verdict.is_none().then_some(Diagnosis::TooFew {
        seeds: analysis.seeds.len(),
        alphas: analysis.alphas.len(),
    });
    let enough_seeds = analysis.seeds.len() >= MIN_SEEDS;
    found.extend(too_few.clone().filter(|_| !enough_seeds));
    let worse = worse_than_both_ends(analysis).filter(|_| enough_seeds);
    let gain = gain(analysis).filter(|_| enough_seeds);
    let is_open = worse.is_none() && gain.is_none();
    let no_gain = no_gain(analysis, curve).filter(|_| enough_seeds && gain.is_none());
    found.extend(worse);
    found.extend(gain);
    found.extend(too_few.filter(|_| enough_seeds));
    let shape = analysis
        .verdict
        .as_ref()
        .map(|verdict| shape(analysis, verdict));
    let is_shown = analysis
        .shape()
        .is_some_and(|shape| shape != Shape::NotShown);
    found.extend(shape.clone().filter(|_| is_shown));
    let weak_pull = no_gain.as_ref().and_then(|_| weak_pull(curve, evidence));
    found.extend(no_gain);
    found.extend(weak_pull);
    found.extend(later);
    found.extend(overfitting(analysis, curve, evidence));
    found.extend(more_seeds(analysis).filter(|_| is_open && !is_shown));
    if found.is_empty() {
        found.extend(shape);
    }
    found.extend(unfinished(analysis, evidence));
    found
}

fn not_the_prior(curve: &Curve, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let end = curve.points.last().filter(|p| p.alpha == 1.0)?;
    let priors = &curve.prior.as_ref()?.values;
    let mut largest = None;
    let mut distance = ROUNDING;
    for twin in &end.seeds.values {
        let mut trials = evidence.trials.iter();
        let is_prior = trials.any(|t| {
            let differs = t.loss_to_prior.is_none_or(|loss| loss > ROUNDING_OF_LOSS);
            t.alpha == 1.0 && t.seed == twin.seed && t.ends_as_prior && differs
        });
        let prior = priors.iter().find(|p| p.seed == twin.seed);
        let Some(prior) = prior.filter(|_| is_prior) else {
            continue;
        };
        if (twin.value - prior.value).abs() > distance {
            distance = (twin.value - prior.value).abs();
            largest = Some(Diagnosis::NotThePrior {
                seed: twin.seed,
                twin: twin.value,
                prior: prior.value,
            });
        }
    }
    largest
}

fn diverged(curve: &Curve, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let epoch = |alpha: f64, seed: u64| {
        let mut trials = evidence.trials.iter();
        trials
            .find(|t| t.alpha == alpha && t.seed == seed)?
            .diverged_epoch
    };
    let points = curve.points.iter().filter(|p| !p.seeds.diverged.is_empty());
    let at: Vec<DivergedAt> = points
        .map(|point| {
            let seeds = point.seeds.diverged.clone();
            let epochs: Option<Vec<u32>> =
                seeds.iter().map(|&seed| epoch(point.alpha, seed)).collect();
            DivergedAt {
                alpha: point.alpha,
                seeds,
                epochs: epochs.unwrap_or_default(),
            }
        })
        .collect();
    let of_prior = evidence.trials.iter().filter(|t| t.prior_diverged);
    let mut priors: Vec<u64> = of_prior.map(|t| t.seed).collect();
    priors.sort_unstable();
    priors.dedup();
    (!at.is_empty()).then(|| Diagnosis::Diverged {
        trials: at.iter().map(|at| at.seeds.len()).sum(),
        of: curve.points.iter().map(|p| p.seeds.trials()).sum(),
        at,
        priors,
    })
}

fn learned_nothing(curve: &Curve, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let most_frequent_class = evidence.most_frequent_class?;
    let more = MARGIN.min(0.1 * (1.0 - most_frequent_class));
    let [plain_mlp, prior] = [curve.plain_mlp.as_ref(), paired::prior(curve)].map(|seeds| {
        let mean = seeds?.mean?;
        (mean < most_frequent_class + more).then_some(mean)
    });
    plain_mlp.or(prior).map(|_| Diagnosis::LearnedNothing {
        plain_mlp,
        prior,
        most_frequent_class,
    })
}

/// Comparisons over enough seeds for a verdict.
fn judged(comparisons: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    comparisons.iter().filter(|c| c.difference.n >= MIN_SEEDS)
}

fn worse_than_both_ends(analysis: &Analysis) -> Option<Diagnosis> {
    let is_below = |c: &&Comparison| c.is_worse(SIZE) && c.equivalence.is_some_and(|p| p >= SIZE);
    let below = judged(&analysis.to_plain_mlp).filter(is_below);
    let below_both = below.filter_map(|plain| {
        let prior = analysis.against_prior(plain.alpha);
        Some((plain, prior.filter(is_below)?))
    });
    let drop = |(plain, prior): &(&Comparison, &Comparison)| {
        -plain.difference.mean.max(prior.difference.mean)
    };
    let (plain, prior) = first_highest(below_both, drop)?;
    Some(Diagnosis::WorseThanBothEnds {
        alpha: plain.alpha,
        to_plain_mlp: plain.difference,
        to_prior: prior.difference,
    })
}

fn gain(analysis: &Analysis) -> Option<Diagnosis> {
    let is_above =
        |c: &Comparison, p: Option<f64>| c.difference.mean > 0.0 && p.is_some_and(|p| p < SIZE);
    let chosen = analysis
        .chosen_alpha
        .and_then(|alpha| analysis.against_plain_mlp(alpha));
    // One test of the α that other images chose needs no correction.
    let chosen = chosen.filter(|c| c.difference.n >= MIN_SEEDS && is_above(c, c.p));
    let highest = || {
        let above = judged(&analysis.to_plain_mlp).filter(|c| is_above(c, c.holm));
        first_highest(above, |c| c.difference.mean)
    };
    let plain = chosen.or_else(highest)?;
    let prior = analysis.against_prior(plain.alpha);
    let deciding = |c: &Comparison| match chosen {
        Some(_) => c.p,
        None => c.holm,
    };
    Some(Diagnosis::Gain {
        alpha: plain.alpha,
        chosen_on_validation: chosen.is_some(),
        to_plain_mlp: plain.difference,
        p: deciding(plain),
        to_prior: prior.map(|c| c.difference),
        beats_prior: prior.is_some_and(|c| is_above(c, deciding(c))),
    })
}

fn shape(analysis: &Analysis, verdict: &Verdict) -> Diagnosis {
    let (minimum, maximum) = match verdict.shape {
        Shape::Valley => (analysis.minimum, None),
        Shape::Hump => (None, analysis.maximum),
        Shape::ValleyAndHump => (analysis.minimum, analysis.maximum),
        Shape::Rising | Shape::Falling | Shape::Flat | Shape::NotShown => (None, None),
    };
    Diagnosis::Shape {
        shape: verdict.shape,
        v: [verdict.minimum.v, verdict.maximum.v],
        critical: verdict.critical,
        trend_p: verdict.trend.p,
        minimum: minimum.filter(is_seen),
        maximum: maximum.filter(is_seen),
    }
}

/// Whether the test set shows it at the place that was chosen.
fn is_seen(extremum: &Extremum) -> bool {
    extremum.depth > 0.0
}

fn no_gain(analysis: &Analysis, curve: &Curve) -> Option<Diagnosis> {
    let tested = || judged(&analysis.to_plain_mlp).filter(|c| c.p.is_some());
    let highest = first_highest(tested(), |c| c.difference.mean)?;
    if tested().any(|c| c.is_better(SIZE)) {
        return None;
    }
    let all = curve
        .points
        .iter()
        .filter(|point| point.alpha > 0.0)
        .count();
    let gains_nothing = |c: &&Comparison| c.difference.ci95.is_some_and(|[_, high]| high < MARGIN);
    let prior = analysis.prior_to_plain_mlp.as_slice();
    let mut prior = judged(prior).filter(|c| c.p.is_some());
    Some(Diagnosis::NoGain {
        alpha: highest.alpha,
        to_plain_mlp: highest.difference,
        is_excluded: tested().filter(gains_nothing).count() == all,
        prior_is_no_better: prior.find(gains_nothing).map(|c| c.difference),
    })
}

fn weak_pull(curve: &Curve, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let inner = curve.points.iter().map(|p| p.alpha);
    let shares: Vec<(f64, f64)> = inner
        .filter(|&alpha| 0.0 < alpha && alpha < 1.0)
        .filter_map(|alpha| {
            let trials = evidence.trials.iter();
            let at = trials.filter(|t| t.alpha == alpha && t.diverged_epoch.is_none());
            Some((alpha, mean(at.map(|t| t.prior_share))?))
        })
        .collect();
    let weak: Vec<(f64, f64)> = shares
        .iter()
        .copied()
        .filter(|(_, share)| *share < WEAK_SHARE)
        .collect();
    let &(up_to, share) = weak.last()?;
    (2 * weak.len() > shares.len()).then_some(Diagnosis::WeakPull {
        alphas: weak.len(),
        of: shares.len(),
        up_to,
        share,
    })
}

fn overfitting(analysis: &Analysis, curve: &Curve, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let alpha = analysis.chosen_alpha.or(curve.highest().map(|p| p.alpha))?;
    let trials = evidence.trials.iter().filter(|t| t.alpha == alpha);
    let both: Vec<(f64, f64)> = trials
        .filter_map(|t| Some((t.train?, t.validation?)))
        .collect();
    let train = mean(both.iter().map(|(train, _)| *train))?;
    let validation = mean(both.iter().map(|(_, validation)| *validation))?;
    (train - validation > OVERFITTING).then_some(Diagnosis::Overfitting {
        alpha,
        train,
        validation,
    })
}

fn more_seeds(analysis: &Analysis) -> Option<Diagnosis> {
    let verdict = analysis.verdict.as_ref()?;
    let effect = |c: &Comparison| {
        let deviation = c.difference.standard_deviation?;
        (deviation > 0.0).then(|| c.difference.mean / deviation)
    };
    let is_open = |c: &&Comparison| {
        c.p.is_some_and(|p| p >= SIZE) && c.equivalence.is_some_and(|p| p >= SIZE)
    };
    let open = || judged(&analysis.to_plain_mlp).filter(is_open);
    let chosen = open().find(|c| Some(c.alpha) == analysis.chosen_alpha);
    let clearest = || {
        let size = |c: &Comparison| effect(c).map_or(0.0, f64::abs);
        open().max_by(|a, b| size(a).total_cmp(&size(b)))
    };
    let comparison = chosen.or_else(clearest)?;
    let [minimum, maximum] = verdict.seeds_needed;
    Some(Diagnosis::MoreSeeds {
        alpha: comparison.alpha,
        difference: comparison.difference,
        needed: t_power::seeds_needed(effect(comparison)?),
        needed_for_minimum: minimum.filter(|_| analysis.minimum.as_ref().is_some_and(is_seen)),
        needed_for_maximum: maximum.filter(|_| analysis.maximum.as_ref().is_some_and(is_seen)),
    })
}

fn unfinished(analysis: &Analysis, evidence: &Evidence<'_>) -> Option<Diagnosis> {
    let seeds = &analysis.incomplete;
    (evidence.unfinished > 0 || !seeds.is_empty()).then(|| Diagnosis::Unfinished {
        trials: evidence.unfinished,
        seeds: seeds.clone(),
    })
}

/// The first of those with the highest value.
fn first_highest<T>(of: impl Iterator<Item = T>, value: impl Fn(&T) -> f64) -> Option<T> {
    of.reduce(|best, other| {
        if value(&other) > value(&best) {
            other
        } else {
            best
        }
    })
}

/// `None` without values.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / count as f64)
}
