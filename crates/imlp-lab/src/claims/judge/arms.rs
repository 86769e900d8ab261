//! Rules that compare two ways of interpolating.

use imlp_train::{Allocation, NamedAllocation, ScheduleKind, Timing, TrialRecord, TrialStatus};

use super::{Arm, Finding, SIZE, Verdict, p_text, paired, points, without};
use crate::analysis::comparison::{holm, paired_p};
use crate::analysis::shape::MIN_SEEDS;
use crate::statistics::{Summary, summarise};

/// In what a budget of interpolation is equal.
pub(super) const BUDGETS: [&str; 2] = ["equal sum of α over layers", "equal sum of α over weights"];

/// Which effective prior share is equal.
pub(super) const SHARES: [&str; 2] = ["equal final prior share", "equal mean prior share"];

/// As for the shape of a curve.
const TOO_FEW: &str = "nothing has the three finished seeds of a test";

/// What an arm spends per unit of α.
type Budget = fn(&Arm<'_>) -> f64;

/// An effective prior share at an α of an arm; none where no trial has finished.
type Share = fn(&Arm<'_>, f64) -> Option<f64>;

/// Training-time against test-time interpolation at every interior α.
pub(super) fn training_time(arms: &[Arm<'_>]) -> Finding {
    let timed = |timing: Timing| {
        let mut arms = arms.iter();
        arms.find(|arm| arm.configuration.config.interpolation.timing == timing)
    };
    let (Some(training), Some(test)) = (timed(Timing::TrainingTime), timed(Timing::TestTime))
    else {
        return Finding::nothing_to_test(0, "one of the two ways has no finished trial");
    };
    let inside = training.test.points.iter().map(|point| point.alpha);
    let pairs = inside
        .filter(|alpha| *alpha > 0.0 && *alpha < 1.0)
        .map(|alpha| Pair {
            alpha,
            at: format!("α = {alpha}"),
            differences: paired(training, alpha, test, alpha),
        })
        .collect();
    family(pairs, "training time minus test time")
}

/// The first layer against all layers, for two readings of the budget.
pub(super) fn first_layer(arms: &[Arm<'_>]) -> Vec<(&'static str, Finding)> {
    let is_first = |arm: &&Arm<'_>| {
        let allocation = &arm.configuration.config.interpolation.allocation;
        *allocation == Allocation::Named(NamedAllocation::First)
    };
    let first = arms.iter().find(is_first);
    let spread: Vec<&Arm<'_>> = arms.iter().filter(|arm| !is_first(arm)).collect();
    let budgets: [Budget; 2] = [sum_over_layers, sum_over_weights];
    let judged = BUDGETS.into_iter().zip(budgets).map(|(name, budget)| {
        let equal = |first: &Arm<'_>| {
            let mut arms = spread.iter();
            // As exact as the multipliers are written in a recipe.
            arms.find(|arm| (budget(arm) / budget(first) - 1.0).abs() < 0.002)
                .copied()
        };
        let finding = match first.and_then(|first| Some((first, equal(first)?))) {
            None => Finding::nothing_to_test(0, "one of the two ways has no finished trial"),
            Some((first, spread)) => chosen(first, spread),
        };
        (name, finding)
    });
    judged.collect()
}

/// Σα over layers, per unit of α.
fn sum_over_layers(arm: &Arm<'_>) -> f64 {
    arm.per_alpha(|record| record.budget)
}

/// Σα over weights, per unit of α, of an arm that gives the same α to every layer that it
/// interpolates.
fn sum_over_weights(arm: &Arm<'_>) -> f64 {
    let of_a_layer = |record: &TrialRecord| {
        let alphas = record.points.iter().flat_map(|point| &point.alphas);
        alphas.copied().fold(0.0, f64::max)
    };
    arm.per_alpha(|record| of_a_layer(record) * record.interpolated_weights as f64)
}

/// Each of two arms at the α that it chose on validation.
fn chosen(first: &Arm<'_>, spread: &Arm<'_>) -> Finding {
    let chosen = first.chosen_inside();
    let (a, b) = match chosen.and_then(|a| Ok((a, spread.chosen_inside()?))) {
        Ok(both) => both,
        Err(reason) => return Finding::nothing_to_test(0, reason),
    };
    // Where validation chose, no trial has diverged.
    let differences = paired(first, a, spread, b).unwrap_or_default();
    let Some(summary) = summarise(&differences).ok().flatten() else {
        return Finding::nothing_to_test(0, "no seed has finished in both ways");
    };
    if summary.n < MIN_SEEDS {
        return Finding::nothing_to_test(summary.n, TOO_FEW);
    }
    let p = paired_p(&differences);
    let is_clear = p.is_some_and(|p| p < SIZE);
    Finding {
        verdict: match (is_clear, summary.mean > 0.0) {
            (true, true) => Verdict::Reproduced,
            (true, false) => Verdict::Contradicted,
            (false, _) => Verdict::NotShown,
        },
        statistic: p_text(p),
        critical: format!("p < {SIZE}"),
        power: None,
        seeds: summary.n,
        found: format!(
            "first layer at its α = {a} minus all layers at the budget of its α = {b}: {}",
            interval(&summary)
        ),
    }
}

/// An exponential α against the constant α of equal effective prior share.
pub(super) fn schedule(
    arms: &[Arm<'_>],
    constant: Option<&Arm<'_>>,
) -> Vec<(&'static str, Finding)> {
    let is_exponential = |arm: &&Arm<'_>| {
        arm.configuration.config.interpolation.schedule == ScheduleKind::Exponential
    };
    let exponential = arms.iter().find(is_exponential);
    let shares: [Share; 2] = [final_share, mean_share];
    let judged = SHARES.into_iter().zip(shares).map(|(name, share)| {
        let finding = match exponential.zip(constant) {
            None => Finding::nothing_to_test(
                0,
                "needs the constant α of the V-curve: run that claim too",
            ),
            Some((exponential, constant)) => family(
                equal_shares(exponential, constant, share),
                "exponential minus constant",
            ),
        };
        (name, finding)
    });
    judged.collect()
}

/// The effective prior share at the end.
fn final_share(arm: &Arm<'_>, alpha: f64) -> Option<f64> {
    prior_shares(arm, alpha)?.last().copied()
}

/// Its mean over the interpolations.
fn mean_share(arm: &Arm<'_>, alpha: f64) -> Option<f64> {
    let shares = prior_shares(arm, alpha)?;
    Some(shares.iter().sum::<f64>() / shares.len() as f64)
}

/// The first layer's effective prior share after each interpolation of a finished trial.
fn prior_shares(arm: &Arm<'_>, alpha: f64) -> Option<Vec<f64>> {
    let is_whole =
        |record: &&TrialRecord| record.alpha.get() == alpha && record.status == TrialStatus::Done;
    let record = arm.trials().find(is_whole)?;
    let alphas = record
        .points
        .iter()
        .filter_map(|point| point.alphas.first());
    let shares = alphas.scan(1.0, |left, alpha| {
        *left *= 1.0 - alpha;
        Some(1.0 - *left)
    });
    Some(shares.collect())
}

/// Pairs of levels at which the two arms have the same share.
fn equal_shares(exponential: &Arm<'_>, constant: &Arm<'_>, share: Share) -> Vec<Pair> {
    /// How far two shares that count as equal may lie apart.
    const TOLERANCE: f64 = 0.005;
    let inside = |arm: &Arm<'_>| -> Vec<f64> {
        let alphas = arm.test.points.iter().map(|point| point.alpha);
        alphas
            .filter(|alpha| *alpha > 0.0 && *alpha < 1.0)
            .collect()
    };
    let mut pairs = Vec::new();
    for of_constant in inside(constant) {
        let equal = inside(exponential).into_iter().find(|of_exponential| {
            let shares = share(exponential, *of_exponential).zip(share(constant, of_constant));
            shares.is_some_and(|(a, b)| (a - b).abs() < TOLERANCE)
        });
        if let Some(of_exponential) = equal {
            pairs.push(Pair {
                alpha: of_constant,
                at: format!("α = {of_constant} and exponential from {of_exponential}"),
                differences: paired(exponential, of_exponential, constant, of_constant),
            });
        }
    }
    pairs
}

/// Differences of one pair of levels, by seed; none where a trial diverged.
struct Pair {
    alpha: f64,
    at: String,
    differences: Option<Vec<f64>>,
}

/// A family of paired differences with Holm's correction: which way do the significant
/// ones point?
fn family(pairs: Vec<Pair>, what: &str) -> Finding {
    if pairs.is_empty() {
        return Finding::nothing_to_test(0, "the two ways have no α to compare");
    }
    let (whole, diverged): (Vec<Pair>, Vec<Pair>) =
        pairs.into_iter().partition(|p| p.differences.is_some());
    let diverged: Vec<f64> = diverged.iter().map(|pair| pair.alpha).collect();
    let tested: Vec<(Pair, Summary, f64)> = whole
        .into_iter()
        .filter_map(|pair| {
            let differences = pair.differences.as_deref()?;
            let summary = summarise(differences).ok().flatten()?;
            let p = paired_p(differences)?;
            (summary.n >= MIN_SEEDS).then_some((pair, summary, p))
        })
        .collect();
    let p: Vec<f64> = tested.iter().map(|(_, _, p)| *p).collect();
    let adjusted = holm(&p);
    let significant = |sign: f64| {
        let tested = tested.iter().zip(&adjusted);
        let all = tested.filter(|((_, s, _), p)| **p < SIZE && s.mean * sign > 0.0);
        all.count()
    };
    let (above, below) = (significant(1.0), significant(-1.0));
    let Some(largest) = (0..tested.len()).max_by(|a, b| {
        let size = |i: &usize| tested[*i].1.mean.abs();
        size(a).total_cmp(&size(b))
    }) else {
        let found = format!("{TOO_FEW}{}", without(&diverged));
        return Finding::nothing_to_test(0, found);
    };
    let (pair, summary, _) = &tested[largest];
    Finding {
        verdict: match (above, below) {
            (1.., 0) => Verdict::Reproduced,
            (0, 1..) => Verdict::Contradicted,
            _ => Verdict::NotShown,
        },
        statistic: format!(
            "{above} of {} above 0, {below} below; smallest {}",
            tested.len(),
            p_text(adjusted.iter().copied().reduce(f64::min))
        ),
        critical: format!("p < {SIZE} (Holm)"),
        power: None,
        seeds: tested.iter().map(|(_, s, _)| s.n).min().unwrap_or(0),
        found: format!(
            "{what}, largest at {}: {}{}",
            pair.at,
            interval(summary),
            without(&diverged)
        ),
    }
}

fn interval(summary: &Summary) -> String {
    let half = summary.ci95.map_or_else(String::new, |[low, high]| {
        format!(" ({:.2} to {:.2})", 100.0 * low, 100.0 * high)
    });
    format!("{} points{half}", points(summary.mean))
}
