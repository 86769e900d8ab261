//! Means over seeds and their confidence intervals.
//!
//! The interval is Student's: mean ± t₀.₉₇₅,ₙ₋₁ · s / √n, with s the sample
//! standard deviation (divisor n − 1). It assumes that the values over seeds are
//! approximately normal. With few seeds it is wide (t = 12.7 for two seeds, 4.3
//! for three). One seed has no interval: `None`, never a width of 0.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Coverage of every interval in this crate.
pub const CONFIDENCE: f64 = 0.95;

/// Why no statistic can be given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// A value is NaN or infinite: a diverged trial is counted, never averaged.
    #[error(
        "value {index} is {value}, not a finite number; count a diverged trial as diverged instead of averaging it"
    )]
    NotFinite {
        /// Position in the input.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The two sides of a paired comparison differ in length.
    #[error(
        "{values} values cannot be paired with {reference} reference values; pair them by seed first"
    )]
    Unpaired {
        /// Length of the first side.
        values: usize,
        /// Length of the reference.
        reference: usize,
    },
}

/// Mean, spread and 95 % interval of the mean of `n` ≥ 1 values, in their unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); `None` for one value.
    pub standard_deviation: Option<f64>,
    /// Student's 95 % interval of the mean, low and high; `None` for one value.
    pub ci95: Option<[f64; 2]>,
}

/// Summarises values; `None` when there are none.
///
/// # Errors
/// [`StatisticsError::NotFinite`] when a value is NaN or infinite.
///
/// # Examples
/// ```
/// use imlp_lab::statistics::summarise;
/// let one = summarise(&[0.7])?.unwrap();
/// assert_eq!((one.mean, one.ci95), (0.7, None));
/// # Ok::<(), imlp_lab::statistics::StatisticsError>(())
/// ```
pub fn summarise(values: &[f64]) -> Result<Option<Summary>, StatisticsError> {
    check_finite(values)?;
    let n = values.len();
    if n == 0 {
        return Ok(None);
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    if n == 1 {
        return Ok(Some(Summary {
            n,
            mean,
            standard_deviation: None,
            ci95: None,
        }));
    }
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let standard_deviation = (squares / (n - 1) as f64).sqrt();
    let half_width = t_quantile(n - 1) * standard_deviation / (n as f64).sqrt();
    Ok(Some(Summary {
        n,
        mean,
        standard_deviation: Some(standard_deviation),
        ci95: Some([mean - half_width, mean + half_width]),
    }))
}

/// Summarises `values[i] − reference[i]`.
///
/// Trials with the same seed share the initial twin and the order of images, so
/// this interval, not the difference of two means, answers whether α helps.
/// `None` when there is no pair.
///
/// # Errors
/// [`StatisticsError`] when the lengths differ or a value is not finite.
pub fn paired_difference(
    values: &[f64],
    reference: &[f64],
) -> Result<Option<Summary>, StatisticsError> {
    if values.len() != reference.len() {
        return Err(StatisticsError::Unpaired {
            values: values.len(),
            reference: reference.len(),
        });
    }
    check_finite(values)?;
    check_finite(reference)?;
    let differences: Vec<f64> = values.iter().zip(reference).map(|(v, r)| v - r).collect();
    summarise(&differences)
}

fn check_finite(values: &[f64]) -> Result<(), StatisticsError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(StatisticsError::NotFinite {
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}

/// Two-sided quantile of Student's t for [`CONFIDENCE`]; `freedom` ≥ 1.
pub(crate) fn t_quantile(freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64)
        .expect("location 0, scale 1 and at least one degree of freedom are valid")
        .inverse_cdf(0.5 + CONFIDENCE / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!(
            (got - expected).abs() < 1e-8 * expected.abs().max(1.0),
            "{got} is not {expected}"
        );
    }

    /// Expected numbers from `scipy.stats.t.interval` 1.x and `numpy.std(ddof=1)`.
    #[test]
    fn agrees_with_scipy() {
        let cases: [(&[f64], f64, f64, [f64; 2]); 4] = [
            (
                &[0.62, 0.65],
                0.635,
                0.021213203435596444,
                [0.44440692895737943, 0.8255930710426206],
            ),
            (
                &[0.701, 0.713, 0.698],
                0.704,
                0.00793725393319378,
                [0.6842827681768148, 0.7237172318231854],
            ),
            (
                &[0.5, 0.51, 0.49, 0.52, 0.48, 0.505, 0.495, 0.515, 0.485, 0.5],
                0.5,
                0.012909944487358068,
                [0.49076478205527063, 0.5092352179447296],
            ),
            (
                &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0],
                5.0,
                2.138089935299395,
                [3.21251208176379, 6.787487918236209],
            ),
        ];
        for (values, mean, deviation, [low, high]) in cases {
            let got = summarise(values).unwrap().unwrap();
            assert_eq!(got.n, values.len());
            close(got.mean, mean);
            close(got.standard_deviation.unwrap(), deviation);
            close(got.ci95.unwrap()[0], low);
            close(got.ci95.unwrap()[1], high);
        }
    }

    #[test]
    fn quantiles_agree_with_the_tables() {
        for (n, expected) in [
            (2, 12.706204736174694),
            (3, 4.302652729749462),
            (5, 2.7764451051977934),
            (10, 2.262157162798205),
            (30, 2.045229642132703),
        ] {
            close(t_quantile(n - 1), expected);
        }
    }

    #[test]
    fn one_value_has_no_interval_and_none_has_no_mean() {
        let one = summarise(&[0.3]).unwrap().unwrap();
        assert_eq!((one.n, one.mean), (1, 0.3));
        assert_eq!((one.standard_deviation, one.ci95), (None, None));
        assert_eq!(summarise(&[]).unwrap(), None);
    }

    #[test]
    fn equal_values_have_an_interval_of_width_zero() {
        let same = summarise(&[0.25; 4]).unwrap().unwrap();
        assert_eq!(same.ci95, Some([0.25, 0.25]));
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = summarise(&[0.1, bad]).unwrap_err();
            assert!(matches!(error, StatisticsError::NotFinite { index: 1, .. }));
            assert!(paired_difference(&[0.1], &[bad]).is_err());
        }
    }

    #[test]
    fn pairs_are_compared_seed_by_seed() {
        let got = paired_difference(&[0.71, 0.73, 0.69], &[0.66, 0.69, 0.65])
            .unwrap()
            .unwrap();
        close(got.mean, 0.0433333333333333);
        close(got.ci95.unwrap()[0], 0.028991157567501827);
        close(got.ci95.unwrap()[1], 0.05767550909916477);
        assert!(paired_difference(&[0.1], &[]).is_err());
        assert_eq!(paired_difference(&[], &[]).unwrap(), None);
    }
}
