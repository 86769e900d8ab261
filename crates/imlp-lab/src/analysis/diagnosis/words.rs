//! A diagnosis as a sentence, without a full stop.

use std::fmt::{self, Display, Formatter};

use imlp_suggest::counted;

use super::{Diagnosis, DivergedAt, MIN_LEVELS, MIN_SEEDS};
use crate::analysis::shape::{Extremum, GOOD_SEEDS, Shape};
use crate::curve::alpha_label;
use crate::table::difference;

impl Display for Diagnosis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThePrior { seed, twin, prior } => write!(
                f,
                "the conversion is not exact: at α = 1 the twin is the prior, but with seed {seed} \
                 it has {:.2} % and its prior {:.2} %; please report this",
                100.0 * twin,
                100.0 * prior
            ),
            Self::Diverged {
                trials,
                of,
                at,
                priors,
            } => write!(
                f,
                "{trials} of {of} trials diverged, {}: the tests leave these α out; {}",
                places(at),
                remedy(priors)
            ),
            Self::LearnedNothing {
                plain_mlp,
                prior,
                most_frequent_class,
            } => f.write_str(&learned_nothing(*plain_mlp, *prior, *most_frequent_class)),
            Self::TooFew { seeds, alphas } => write!(
                f,
                "no verdict on the shape from {} at {}: it needs at least {MIN_SEEDS} seeds and \
                 {MIN_LEVELS} values of α, and {GOOD_SEEDS} seeds to find most of what is there",
                counted(*seeds, "complete seed"),
                counted_alphas(*alphas)
            ),
            Self::WorseThanBothEnds {
                alpha,
                to_plain_mlp,
                to_prior,
            } => write!(
                f,
                "α = {} is worse than both ends ({} points to the plain MLP, {} to the prior), as \
                 where the two networks lie in different minima and the weights between them in \
                 neither",
                alpha_label(*alpha),
                difference(to_plain_mlp),
                difference(to_prior)
            ),
            Self::Gain {
                alpha,
                chosen_on_validation,
                to_plain_mlp,
                p,
                to_prior,
                beats_prior,
            } => {
                let how = match chosen_on_validation {
                    true => "chosen on validation",
                    false => "the highest of those shown to gain",
                };
                let (alpha, plain) = (alpha_label(*alpha), difference(to_plain_mlp));
                let p = p.map_or(String::new(), |p| format!("; {}", p_text(p)));
                write!(
                    f,
                    "α = {alpha}, {how}, beats the plain MLP ({plain} points{p})"
                )?;
                match to_prior.as_ref().map(difference) {
                    None => Ok(()),
                    Some(prior) if *beats_prior => write!(f, " and the prior ({prior})"),
                    Some(prior) => write!(f, ", and is not shown to beat the prior ({prior})"),
                }
            }
            Self::Shape {
                shape,
                v,
                critical,
                trend_p,
                minimum,
                maximum,
            } => {
                let found = found(minimum.as_ref(), maximum.as_ref());
                f.write_str(&shape_words(*shape, *v, *critical, *trend_p, &found))
            }
            Self::NoGain {
                alpha,
                to_plain_mlp,
                is_excluded,
                prior_is_no_better,
            } => {
                let (alpha, plain) = (alpha_label(*alpha), difference(to_plain_mlp));
                match is_excluded {
                    true => write!(f, "no α gains 1 point on the plain MLP")?,
                    false => write!(f, "no α is shown to beat the plain MLP")?,
                }
                write!(f, " (the highest tested, α = {alpha}: {plain} points)")?;
                match prior_is_no_better.as_ref().map(difference) {
                    None => Ok(()),
                    Some(prior) => write!(f, "; the prior itself is no better ({prior})"),
                }
            }
            Self::WeakPull {
                alphas,
                of,
                up_to,
                share,
            } => write!(
                f,
                "the pull is weak: at {alphas} of {of} inner α, up to α = {}, the effective prior \
                 share at the end is below 10 % (there {:.1} %); try larger α, more \
                 interpolations, or a schedule that pulls earlier",
                alpha_label(*up_to),
                100.0 * share
            ),
            Self::Overfitting {
                alpha,
                train,
                validation,
            } => write!(
                f,
                "overfitting at α = {}: {:.1} % on training images, {:.1} % on the validation \
                 split, {:.1} points apart",
                alpha_label(*alpha),
                100.0 * train,
                100.0 * validation,
                100.0 * (train - validation)
            ),
            Self::MoreSeeds {
                alpha,
                difference: summary,
                needed,
                needed_for_minimum,
                needed_for_maximum,
            } => {
                let needed = match needed {
                    Some(needed) => needed.to_string(),
                    None => "more than 1000".to_owned(),
                };
                write!(
                    f,
                    "{} are too few to tell: to show a difference as at α = {} ({} points to the \
                     plain MLP) 8 times in 10 takes {needed} seeds",
                    counted(summary.n, "seed"),
                    alpha_label(*alpha),
                    difference(summary)
                )?;
                let extrema = [
                    ("minimum", needed_for_minimum),
                    ("maximum", needed_for_maximum),
                ];
                for (name, needed) in extrema {
                    if let Some(needed) = needed {
                        write!(f, ", to show the {name} that is seen about {needed}")?;
                    }
                }
                Ok(())
            }
            Self::Unfinished { trials, seeds } => {
                match trials {
                    1 => write!(f, "1 trial has no result")?,
                    _ => write!(f, "{trials} trials have no result")?,
                }
                match seeds.as_slice() {
                    [] => Ok(()),
                    seeds => write!(
                        f,
                        "; the test of the shape leaves out {}",
                        listed("seed", seeds)
                    ),
                }
            }
        }
    }
}

/// What to try where trials diverged, of these seeds with their prior.
fn remedy(priors: &[u64]) -> String {
    match priors {
        [] => "a lower train.learning_rate is the first thing to try".to_owned(),
        priors => format!(
            "the prior diverged with {}: a lower prior.learning_rate is the first thing to try",
            listed("seed", priors)
        ),
    }
}

/// Which network has learned nothing, with its accuracy.
fn learned_nothing(plain_mlp: Option<f64>, prior: Option<f64>, most_frequent_class: f64) -> String {
    let (who, look) = match (plain_mlp, prior) {
        (Some(_), Some(_)) => ("prior and plain MLP have", "the learning rates"),
        (None, _) => ("the prior has", "prior.learning_rate"),
        (_, None) => ("the plain MLP has", "train.learning_rate"),
    };
    let highest = plain_mlp.unwrap_or(0.0).max(prior.unwrap_or(0.0));
    format!(
        "{who} learned nothing: {:.2} % of the test images, and always the most frequent class \
         gets {:.2} %; look at {look} first",
        100.0 * highest,
        100.0 * most_frequent_class
    )
}

/// `5 values of α`.
fn counted_alphas(count: usize) -> String {
    match count {
        1 => "1 value of α".to_owned(),
        _ => format!("{count} values of α"),
    }
}

/// What a shape is, with the statistics that say so and the extrema that were found.
fn shape_words(
    shape: Shape,
    [minimum, maximum]: [f64; 2],
    critical: f64,
    trend_p: f64,
    found: &str,
) -> String {
    match shape {
        Shape::Valley => format!(
            "accuracy falls, then rises with α (V = {minimum:.2}, above {critical:.2}){found}"
        ),
        Shape::Hump => format!(
            "accuracy rises, then falls with α (V = {maximum:.2}, above {critical:.2}){found}"
        ),
        Shape::ValleyAndHump => format!(
            "accuracy has a minimum and a maximum inside (V = {minimum:.2} and {maximum:.2}, \
             above {critical:.2}){found}"
        ),
        Shape::Rising => format!("accuracy rises with α (trend {})", p_text(trend_p)),
        Shape::Falling => format!("accuracy falls with α (trend {})", p_text(trend_p)),
        Shape::Flat => {
            "the curve is flat: every two values of α are within 1 point of each other".to_owned()
        }
        Shape::NotShown => format!(
            "no shape is shown: V = {minimum:.2} for a minimum and {maximum:.2} for a maximum, \
             where {critical:.2} is needed"
        ),
    }
}

/// `: a minimum at α = 0.1, 2.10 points deep [1.90, 2.30], and a maximum at …`, or nothing.
fn found(lowest: Option<&Extremum>, highest: Option<&Extremum>) -> String {
    let lowest = lowest.map(|e| format!("a minimum at {} deep{}", place(e), ends(e)));
    let highest = highest.map(|e| format!("a maximum at {} high{}", place(e), ends(e)));
    let found: Vec<String> = lowest.into_iter().chain(highest).collect();
    match found.as_slice() {
        [] => String::new(),
        found => format!(": {}", found.join(", and ")),
    }
}

/// `α = 0.1, 2.10 points`.
fn place(extremum: &Extremum) -> String {
    let alpha = alpha_label(extremum.alpha);
    format!("α = {alpha}, {:.2} points", 100.0 * extremum.depth)
}

/// ` [1.90, 2.30]`.
fn ends(extremum: &Extremum) -> String {
    extremum.ci95.map_or(String::new(), |[low, high]| {
        format!(" [{:.2}, {:.2}]", 100.0 * low, 100.0 * high)
    })
}

/// `p = 0.012`.
pub(in crate::analysis) fn p_text(p: f64) -> String {
    match p_number(p) {
        number if number.starts_with('<') => format!("p {number}"),
        number => format!("p = {number}"),
    }
}

/// `0.012`, `<0.001`.
pub(in crate::analysis) fn p_number(p: f64) -> String {
    /// Below it the digits say nothing.
    const SMALL: f64 = 0.001;
    match p < SMALL {
        true => format!("<{SMALL}"),
        false => format!("{p:.3}"),
    }
}

/// Where, with seeds and epochs, of the first few.
fn places(at: &[DivergedAt]) -> String {
    const SHOWN: usize = 3;
    let mut all: Vec<String> = at.iter().take(SHOWN).map(diverged_at).collect();
    if at.len() > SHOWN {
        all.push(format!("and at {} more", counted_alphas(at.len() - SHOWN)));
    }
    all.join(", ")
}

fn diverged_at(at: &DivergedAt) -> String {
    let seeds = listed("seed", &at.seeds);
    let alpha = alpha_label(at.alpha);
    match at.epochs.as_slice() {
        [] => format!("at α = {alpha} ({seeds})"),
        epochs => format!("at α = {alpha} ({seeds}; {})", listed("epoch", epochs)),
    }
}

/// `seed 3`, `seeds 3, 4`, `seeds 3, 4, 5, 6 and 2 more`.
fn listed(word: &str, numbers: &[impl ToString]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = numbers
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let plural = if numbers.len() == 1 { "" } else { "s" };
    let shown = shown.join(", ");
    match numbers.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{word}{plural} {shown} and {more} more"),
        _ => format!("{word}{plural} {shown}"),
    }
}
