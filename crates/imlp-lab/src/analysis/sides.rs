//! Which function of α a side of a curve follows: forms compared by AICc.
//!
//! Between the end α = 0 and an extremum, and between it and α = 1, values are fitted by
//! least squares with an intercept for each seed. The forms are the constant, a line in α,
//! a line in the logarithm of the distance to the end (the paper's "two-sided
//! logarithmic"), and a line in logit α. The ends themselves, which have no place on the
//! two last axes, are left out of all four. AICc (Hurvich and Tsai 1989) is
//! N·ln(RSS/N) + 2k + 2k(k+1)/(N−k−1), with k the intercepts, the slope and the variance.
//! It compares forms; it does not show that a side exists: fit only a declared shape.

use serde::{Deserialize, Serialize};

use super::blocks::CompleteBlocks;
use crate::statistics::{Summary, summarise};

/// A function of α.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// No dependence on α.
    Constant,
    /// A line in α.
    Linear,
    /// A line in log₁₀ of the distance to the side's end.
    Logarithmic,
    /// A line in log₁₀(α / (1 − α)).
    Logistic,
}

const FORMS: [Form; 4] = [
    Form::Constant,
    Form::Linear,
    Form::Logarithmic,
    Form::Logistic,
];

/// The side of α = 0 or of α = 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// α from 0 to the extremum.
    PlainMlp,
    /// α from the extremum to 1.
    Prior,
}

/// How well a form fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The form.
    pub form: Form,
    /// AICc minus that of the best form; `None` with too few values for it.
    pub excess_aicc: Option<f64>,
    /// The slope by seed, per unit of the form's axis (a decade, for the last two); `None`
    /// for a constant.
    pub slope: Option<Summary>,
}

/// Fits of one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Which.
    pub end: End,
    /// The values of α, without the end.
    pub alphas: Vec<f64>,
    /// Every form, the best first; those without AICc last.
    pub fits: Vec<Fit>,
}

/// Fits the side of `blocks` between `end` and `extremum`, a value of α; `None` with fewer
/// than three levels, which any line with a bend would fit.
pub fn fit(blocks: &CompleteBlocks, end: End, extremum: f64) -> Option<Side> {
    let inside = |alpha: f64| match end {
        End::PlainMlp => alpha > 0.0 && alpha <= extremum,
        End::Prior => alpha >= extremum && alpha < 1.0,
    };
    let levels: Vec<usize> = (0..blocks.alphas.len())
        .filter(|&l| inside(blocks.alphas[l]))
        .collect();
    if levels.len() < 3 {
        return None;
    }
    let alphas: Vec<f64> = levels.iter().map(|&l| blocks.alphas[l]).collect();
    let values = blocks.values.iter();
    let values: Vec<Vec<f64>> = values
        .map(|row| levels.iter().map(|&l| row[l]).collect())
        .collect();
    let mut fits: Vec<(Fit, Option<f64>)> = FORMS
        .into_iter()
        .map(|form| fit_form(form, &axis(form, end, &alphas), &values))
        .collect();
    let best = fits.iter().filter_map(|(_, aicc)| *aicc);
    let best = best.fold(f64::INFINITY, f64::min);
    fits.sort_by(|a, b| {
        let order = |aicc: Option<f64>| aicc.unwrap_or(f64::INFINITY);
        order(a.1).total_cmp(&order(b.1))
    });
    let excess = |(fit, aicc): (Fit, Option<f64>)| Fit {
        excess_aicc: aicc.map(|aicc| if aicc == best { 0.0 } else { aicc - best }),
        ..fit
    };
    Some(Side {
        end,
        alphas,
        fits: fits.into_iter().map(excess).collect(),
    })
}

/// The values of α on the axis on which `form` is a line.
fn axis(form: Form, end: End, alphas: &[f64]) -> Vec<f64> {
    let place = |&alpha: &f64| match (form, end) {
        (Form::Constant, _) => 0.0,
        (Form::Linear, _) => alpha,
        (Form::Logarithmic, End::PlainMlp) => alpha.log10(),
        (Form::Logarithmic, End::Prior) => (1.0 - alpha).log10(),
        (Form::Logistic, _) => (alpha / (1.0 - alpha)).log10(),
    };
    alphas.iter().map(place).collect()
}

/// The fit and its AICc.
fn fit_form(form: Form, axis: &[f64], values: &[Vec<f64>]) -> (Fit, Option<f64>) {
    let x = centred(axis);
    let squares: f64 = x.iter().map(|x| x * x).sum();
    let has_slope = form != Form::Constant;
    let rows: Vec<Vec<f64>> = values.iter().map(|row| centred(row)).collect();
    let slopes: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().zip(&x).map(|(y, x)| x * y).sum::<f64>() / squares)
        .collect();
    // Seeds have the same levels, so that the common slope is the mean of theirs.
    let slope = match has_slope {
        true => summarise(&slopes).ok().flatten(),
        false => None,
    };
    let common = slope.map_or(0.0, |s| s.mean);
    let residual: f64 = rows
        .iter()
        .flat_map(|row| row.iter().zip(&x).map(|(y, x)| (y - common * x).powi(2)))
        .sum();
    let count = (values.len() * axis.len()) as f64;
    let parameters = (values.len() + usize::from(has_slope) + 1) as f64;
    let freedom = count - parameters - 1.0;
    let aicc = (freedom > 0.0 && residual > 0.0).then(|| {
        count * (residual / count).ln()
            + 2.0 * parameters
            + 2.0 * parameters * (parameters + 1.0) / freedom
    });
    let fit = Fit {
        form,
        excess_aicc: None,
        slope,
    };
    (fit, aicc)
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| v - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHAS: [f64; 9] = [0.0, 1e-3, 1e-2, 0.1, 0.2, 0.5, 0.9, 0.99, 1.0];

    fn blocks(truth: impl Fn(f64) -> f64) -> CompleteBlocks {
        let seeds = 0..4u64;
        let noise = |seed: u64, level: usize| {
            ((seed as usize * 7 + level * 5) % 11) as f64 * 1e-4 + seed as f64 * 0.01
        };
        CompleteBlocks {
            values: seeds
                .clone()
                .map(|seed| {
                    let levels = ALPHAS.iter().enumerate();
                    levels.map(|(i, a)| truth(*a) + noise(seed, i)).collect()
                })
                .collect(),
            alphas: ALPHAS.to_vec(),
            seeds: seeds.collect(),
            diverged_at: Vec::new(),
            incomplete: Vec::new(),
        }
    }

    fn best(side: &Side) -> Form {
        side.fits[0].form
    }

    #[test]
    fn the_form_that_made_the_values_is_the_best() {
        let left = |truth: fn(f64) -> f64| fit(&blocks(truth), End::PlainMlp, 0.5).unwrap();
        let log = left(|a| 0.5 - 0.02 * a.max(1e-9).log10());
        assert_eq!(best(&log), Form::Logarithmic);
        assert_eq!(log.alphas, [1e-3, 1e-2, 0.1, 0.2, 0.5]);
        let slope = log.fits[0].slope.unwrap();
        assert!((slope.mean + 0.02).abs() < 1e-3, "{slope:?}");
        assert_eq!(log.fits[0].excess_aicc, Some(0.0));
        assert!(log.fits[1].excess_aicc.unwrap() > 2.0);
        assert_eq!(best(&left(|a| 0.5 - 0.3 * a)), Form::Linear);

        let right = |truth: fn(f64) -> f64| fit(&blocks(truth), End::Prior, 0.1).unwrap();
        let log = right(|a| 0.5 - 0.03 * (1.0 - a).max(1e-9).log10());
        assert_eq!(best(&log), Form::Logarithmic);
        let logit = |a: f64| (a.clamp(1e-9, 1.0 - 1e-9) / (1.0 - a).max(1e-9)).log10();
        let logistic = fit(&blocks(|a| 0.5 + 0.02 * logit(a)), End::Prior, 1e-3).unwrap();
        assert_eq!(best(&logistic), Form::Logistic);
        assert_eq!(fit(&blocks(|a| a), End::Prior, 0.9), None);
    }

    /// `statsmodels.OLS` with a dummy per seed: slope and RSS of a line in log₁₀ α, and the
    /// difference of two AICc computed from them.
    #[test]
    fn agrees_with_statsmodels() {
        let mut blocks = blocks(|_| 0.0);
        blocks.values = vec![
            vec![0.0, 0.61, 0.58, 0.57, 0.50, 0.49, 0.0, 0.0, 0.0],
            vec![0.0, 0.64, 0.60, 0.55, 0.53, 0.52, 0.0, 0.0, 0.0],
            vec![0.0, 0.60, 0.59, 0.52, 0.51, 0.46, 0.0, 0.0, 0.0],
        ];
        blocks.seeds = vec![1, 2, 3];
        let side = fit(&blocks, End::PlainMlp, 0.5).unwrap();
        let of = |form| side.fits.iter().find(|f| f.form == form).unwrap();
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got}");
        close(
            of(Form::Logarithmic).slope.unwrap().mean,
            -0.04679520778957451,
        );
        close(
            of(Form::Linear).excess_aicc.unwrap() - of(Form::Logarithmic).excess_aicc.unwrap(),
            13.590458520197842,
        );
    }
}
