//! Paired comparisons over seeds: p-values, several at once, and equivalence.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::{Summary, summarise};

/// Two-sided p of Student's t with `freedom` ≥ 1 degrees of freedom.
pub fn two_sided_p(t: f64, freedom: usize) -> f64 {
    2.0 * upper_tail(t.abs(), freedom)
}

/// P(T > t).
fn upper_tail(t: f64, freedom: usize) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let distribution = StudentsT::new(0.0, 1.0, freedom as f64)
        .expect("location 0, scale 1 and at least one degree of freedom are valid");
    // The lower tail of −t keeps the digits that 1 − cdf(t) loses.
    distribution.cdf(-t)
}

/// Two-sided p of paired `differences`: could their mean be 0? `None` below two values, or
/// with one that is not finite.
pub fn paired_p(differences: &[f64]) -> Option<f64> {
    let summary = summarised(differences)?;
    let error = standard_error(&summary)?;
    let t = if summary.mean == 0.0 {
        0.0
    } else {
        summary.mean / error
    };
    Some(two_sided_p(t, summary.n - 1))
}

/// The larger p of the two one-sided tests (TOST; Schuirmann 1987) that the mean of
/// `differences` lies within ±`margin`; `None` as [`paired_p`].
pub fn equivalence_p(differences: &[f64], margin: f64) -> Option<f64> {
    let summary = summarised(differences)?;
    let error = standard_error(&summary)?;
    let one_sided = |distance: f64| match distance / error {
        t if t.is_nan() => 1.0,
        t => upper_tail(t, summary.n - 1),
    };
    Some(one_sided(margin - summary.mean).max(one_sided(margin + summary.mean)))
}

/// p-values adjusted for their number by Holm's step-down method (1979), in the order
/// given: reject those at most the level that all of them together may have.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[i]);
        adjusted[i] = largest.min(1.0);
    }
    adjusted
}

fn summarised(differences: &[f64]) -> Option<Summary> {
    summarise(differences).ok().flatten()
}

fn standard_error(summary: &Summary) -> Option<f64> {
    Some(summary.standard_deviation? / (summary.n as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
    }

    const DIFFERENCES: [f64; 6] = [0.4, -0.1, 0.7, 0.2, 0.55, 0.3];

    /// `scipy.stats.ttest_1samp(x, 0).pvalue`, and the larger of those for ∓margin with
    /// `alternative="greater"` and `"less"`.
    #[test]
    fn agrees_with_scipy() {
        close(paired_p(&DIFFERENCES).unwrap(), 0.030494912707234888);
        for (margin, expected) in [
            (0.25, 0.7704768834149532),
            (0.5, 0.11233496148180877),
            (1.0, 0.0011084039582235049),
        ] {
            close(equivalence_p(&DIFFERENCES, margin).unwrap(), expected);
        }
        close(two_sided_p(-12.0, 3), 0.0012450158007893362);
    }

    /// `statsmodels.stats.multitest.multipletests(p, method="holm")`.
    #[test]
    fn holm_agrees_with_statsmodels() {
        let got = holm(&[0.03, 0.001, 0.2, 0.04, 0.012]);
        for (got, expected) in got.into_iter().zip([0.09, 0.005, 0.2, 0.09, 0.048]) {
            close(got, expected);
        }
        assert_eq!(holm(&[]), [0.0; 0]);
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
    }

    #[test]
    fn one_value_decides_nothing_and_equal_ones_everything() {
        assert_eq!(paired_p(&[0.1]), None);
        assert_eq!(equivalence_p(&[0.1], 1.0), None);
        assert_eq!(paired_p(&[0.1, f64::NAN]), None);
        assert_eq!(paired_p(&[0.0; 3]), Some(1.0));
        assert_eq!(paired_p(&[0.25; 3]), Some(0.0));
        assert_eq!(equivalence_p(&[0.25; 3], 0.5), Some(0.0));
        assert_eq!(equivalence_p(&[0.25; 3], 0.125), Some(1.0));
    }
}
