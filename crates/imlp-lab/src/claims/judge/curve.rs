//! Rules about the shape of one curve.

use super::{Arm, Finding, SIZE, Verdict, p_text, paired, points, without};
use crate::analysis::blocks::CompleteBlocks;
use crate::analysis::comparison::paired_p;
use crate::analysis::evidence::Evidence;
use crate::analysis::paired::prior;
use crate::analysis::shape::{self, Shape};
use crate::analysis::sides::{End, Form, Side, fit};
use crate::analysis::{self, Analysis};
use crate::statistics::summarise;

/// Akaike's convention: a form that leads by less is no better supported.
const LEAD: f64 = 2.0;

fn analysis(arm: &Arm<'_>) -> Analysis {
    let evidence = Evidence {
        validation: arm.validation.as_ref(),
        ..Evidence::default()
    };
    analysis::with(&arm.test, &evidence)
}

/// A rule about a shape, where the shape was tested. An α at which a trial diverged is left
/// out; without an end of the curve there is nothing to test.
fn shaped(arm: &Arm<'_>, rule: impl FnOnce(&Analysis, &shape::Verdict) -> Finding) -> Finding {
    let analysis = analysis(arm);
    let seeds = analysis.seeds.len();
    let mut diverged = analysis.diverged_at.iter();
    if let Some(end) = diverged.find(|alpha| **alpha == 0.0 || **alpha == 1.0) {
        let found = format!("a trial diverged at α = {end}, an end of the curve");
        return Finding::nothing_to_test(seeds, found);
    }
    let Some(verdict) = &analysis.verdict else {
        let found = "too few finished seeds or α for a test".to_owned();
        return Finding::nothing_to_test(seeds, found + &without(&analysis.diverged_at));
    };
    let mut finding = rule(&analysis, verdict);
    finding.found += &without(&analysis.diverged_at);
    finding
}

fn described(analysis: &Analysis, verdict: &shape::Verdict) -> String {
    let shape = match verdict.shape {
        Shape::Valley => "an interior minimum",
        Shape::Hump => "an interior maximum",
        Shape::ValleyAndHump => "an interior minimum and an interior maximum",
        Shape::Rising => "no interior extremum; it rises with α",
        Shape::Falling => "no interior extremum; it falls with α",
        Shape::Flat => "no difference above 1 point",
        Shape::NotShown => "no shape",
    };
    let mut text = format!("the tests declare {shape}");
    let extrema = [
        ("lowest", &analysis.minimum),
        ("highest", &analysis.maximum),
    ];
    for (name, extremum) in extrema {
        let Some(extremum) = extremum.as_ref().filter(|e| e.depth > 0.0) else {
            continue;
        };
        let interval = extremum.ci95.map_or_else(String::new, |[low, high]| {
            format!(" ({:.2} to {:.2})", 100.0 * low, 100.0 * high)
        });
        text.push_str(&format!(
            "; {name} inside at α = {}, by {:.2} points{interval}",
            extremum.alpha,
            100.0 * extremum.depth
        ));
    }
    text
}

/// An interior minimum.
pub(super) fn valley(arm: &Arm<'_>) -> Finding {
    shaped(arm, |analysis, verdict| Finding {
        verdict: match verdict.shape {
            Shape::Valley | Shape::ValleyAndHump => Verdict::Reproduced,
            // A minimum may lie where a trial diverged.
            Shape::Hump if !analysis.diverged_at.is_empty() => Verdict::NotShown,
            Shape::Hump | Shape::Flat => Verdict::Contradicted,
            Shape::Rising | Shape::Falling | Shape::NotShown => Verdict::NotShown,
        },
        statistic: format!("V = {:.2}", verdict.minimum.v),
        critical: format!("{:.2}", verdict.critical),
        power: Some(verdict.power[0]),
        seeds: verdict.seeds,
        found: described(analysis, verdict),
    })
}

/// An interior minimum and an interior maximum.
pub(super) fn valley_and_hump(arm: &Arm<'_>) -> Finding {
    shaped(arm, |analysis, verdict| Finding {
        verdict: match verdict.shape {
            Shape::ValleyAndHump => Verdict::Reproduced,
            Shape::Flat => Verdict::Contradicted,
            _ => Verdict::NotShown,
        },
        statistic: format!(
            "V = {:.2}, of the negative {:.2}",
            verdict.minimum.v, verdict.maximum.v
        ),
        critical: format!("{:.2}", verdict.critical),
        power: Some(verdict.power[0].min(verdict.power[1])),
        seeds: verdict.seeds,
        found: described(analysis, verdict),
    })
}

/// Sides that are linear in the logarithm of the distance to their end.
pub(super) fn sides(arm: &Arm<'_>) -> Finding {
    shaped(arm, |analysis, verdict| {
        if !matches!(verdict.shape, Shape::Valley | Shape::ValleyAndHump) {
            return Finding::nothing_to_test(verdict.seeds, "there is no V whose sides to fit");
        }
        // The sides of the valley, though there may be a hump beside it.
        let blocks = CompleteBlocks::of(&arm.test);
        let bottom = analysis.minimum.as_ref().map(|minimum| minimum.alpha);
        let sides = [End::PlainMlp, End::Prior];
        let sides = sides.map(|end| bottom.and_then(|bottom| fit(&blocks, end, bottom)));
        if sides.iter().all(Option::is_none) {
            return Finding::nothing_to_test(
                verdict.seeds,
                "each side has fewer than three α inside: too few to tell forms apart",
            );
        }
        let [left, right] = &sides;
        let leading = |side: &Option<Side>| side.as_ref().and_then(leading);
        let verdict_of_both = match (leading(left), leading(right)) {
            (Some(Form::Logarithmic), Some(Form::Logarithmic)) => Verdict::Reproduced,
            // A side that is too short to be fitted does not keep the other from contradicting.
            (None | Some(Form::Logarithmic), None | Some(Form::Logarithmic)) => Verdict::NotShown,
            _ => Verdict::Contradicted,
        };
        let text = |side: &Option<Side>| {
            let Some(side) = side else {
                return "– (fewer than three α inside)".to_owned();
            };
            let fits = side.fits.iter().map(|fit| {
                let excess = fit
                    .excess_aicc
                    .map_or("–".to_owned(), |e| format!("{e:.1}"));
                format!("{} {excess}", name(fit.form))
            });
            fits.collect::<Vec<_>>().join(", ")
        };
        let slope = |side: &Option<Side>| {
            let fits = side.iter().flat_map(|side| &side.fits);
            let mut fits = fits.filter(|fit| fit.form == Form::Logarithmic);
            let slope = fits.next().and_then(|fit| fit.slope);
            slope.map_or("–".to_owned(), |slope| {
                let interval = slope.ci95.map_or_else(String::new, |[low, high]| {
                    format!(" ({:.2} to {:.2})", 100.0 * low, 100.0 * high)
                });
                format!("{:+.2}{interval}", 100.0 * slope.mean)
            })
        };
        Finding {
            verdict: verdict_of_both,
            statistic: format!("excess AICc: left {}; right {}", text(left), text(right)),
            critical: format!("lead of {LEAD}"),
            power: None,
            seeds: verdict.seeds,
            found: format!(
                "points per decade of the distance: left {}, right {}",
                slope(left),
                slope(right)
            ),
        }
    })
}

/// The form that fits a side best, where its AICc leads by [`LEAD`].
fn leading(side: &Side) -> Option<Form> {
    let best = side.fits.first()?;
    best.excess_aicc?;
    let next = side.fits.get(1).and_then(|fit| fit.excess_aicc);
    (next.unwrap_or(f64::INFINITY) >= LEAD).then_some(best.form)
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Constant => "constant",
        Form::Linear => "linear",
        Form::Logarithmic => "logarithmic",
        Form::Logistic => "logistic",
    }
}

/// An interior α that beats both ends.
pub(super) fn fraction(arm: &Arm<'_>) -> Finding {
    shaped(arm, |analysis, verdict| {
        let alpha = match arm.chosen_inside() {
            Ok(alpha) => alpha,
            Err(reason) => return Finding::nothing_to_test(verdict.seeds, reason),
        };
        let to_plain_mlp = paired(arm, alpha, arm, 0.0).unwrap_or_default();
        // In bf16 α = 1 is the prior but for rounding.
        let to_prior = prior(&arm.test).zip(arm.values(alpha));
        let to_prior = to_prior.map_or(Vec::new(), |(prior, here)| here.minus(prior));
        let ends = [to_plain_mlp, to_prior];
        let summaries = ends.each_ref().map(|d| summarise(d).ok().flatten());
        let [Some(plain), Some(prior)] = summaries else {
            return Finding::nothing_to_test(verdict.seeds, "an end has not finished");
        };
        let smaller = if plain.mean < prior.mean { 0 } else { 1 };
        let p = paired_p(&ends[smaller]);
        let mean = plain.mean.min(prior.mean);
        let is_clear = p.is_some_and(|p| p < SIZE);
        let has_hump = matches!(verdict.shape, Shape::Hump | Shape::ValleyAndHump);
        Finding {
            verdict: match (is_clear, mean > 0.0) {
                (true, true) if has_hump => Verdict::Reproduced,
                // A better α may be one at which a trial diverged.
                (true, false) if analysis.diverged_at.is_empty() => Verdict::Contradicted,
                _ => Verdict::NotShown,
            },
            statistic: format!(
                "V of the negative = {:.2}; {}",
                verdict.maximum.v,
                p_text(p)
            ),
            critical: format!("{:.2}; p < {SIZE}", verdict.critical),
            power: Some(verdict.power[1]),
            seeds: verdict.seeds,
            found: format!(
                "at α = {alpha}, chosen on validation, {} points from the plain MLP and {} from \
                 the prior",
                points(plain.mean),
                points(prior.mean)
            ),
        }
    })
}
