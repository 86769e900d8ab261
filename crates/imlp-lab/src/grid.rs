//! Grids: the text of `--alphas` → interpolation weights to sweep, and ranges of
//! any other key.
//!
//! A grid is a comma-separated list; each item is one number or one range:
//!
//! | item | meaning |
//! |---|---|
//! | `0.1` | the number 0.1 |
//! | `linear:0..1:11` | 11 equally spaced numbers, both ends included |
//! | `log:1e-4..1:9` | 9 numbers equally spaced in log₁₀ α, both ends included |
//! | `two-sided:1e-3:11` | 11 numbers equally spaced in log₁₀(α / (1 − α)), from 1e-3 to 1 − 1e-3 |
//!
//! The two-sided range approaches 0 and 1 in the same way: near 0 it is
//! log-spaced in α, near 1 log-spaced in 1 − α. It contains 1 − α for every α; an
//! odd number of points includes 0.5.
//!
//! Generated numbers are rounded to [`SIGNIFICANT_DIGITS`] significant digits,
//! so that a grid contains `0.01` and not `0.010000000000000002`; numbers that the
//! user wrote stay as written.

use imlp_suggest::did_you_mean;

/// Significant decimal digits kept in a generated number.
pub const SIGNIFICANT_DIGITS: usize = 12;

/// Maximum number of points of a range: a typing error should not start a month
/// of training.
pub const MAX_POINTS: usize = 1000;

/// Smallest distance from 0 and 1 at which a two-sided range may start. Closer
/// to 1, α could not be told from 1 after rounding.
pub const MIN_EDGE: f64 = 1e-9;

/// What is wrong with the text of a grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// The text holds no number.
    #[error(
        "the grid is empty; write for example `0,0.01,0.1,1`, `log:1e-4..1:9`, `linear:0..1:11` or `two-sided:1e-3:11`"
    )]
    Empty,
    /// Two commas follow each other, or one stands at an end.
    #[error("the grid {text:?} has an empty item; remove the extra comma")]
    EmptyItem {
        /// The whole grid as written.
        text: String,
    },
    /// An item is neither a number nor a known range.
    #[error(
        "grid: {item:?} is neither a number nor a range{nearest}; write a number such as `0.1`, or `log:1e-4..1:9`, `linear:0..1:11`, `two-sided:1e-3:11`"
    )]
    Unknown {
        /// The item as written.
        item: String,
        /// What was probably meant, as words that may be empty.
        nearest: String,
    },
    /// A range does not have the form of its kind.
    #[error("grid: {item:?} does not have the form `{form}`")]
    Form {
        /// The item as written.
        item: String,
        /// What was expected.
        form: &'static str,
    },
    /// A number in an item cannot be read.
    #[error("grid: {token:?} in {item:?} is not a number")]
    Number {
        /// The part that cannot be read.
        token: String,
        /// The item that holds it.
        item: String,
    },
    /// A weight is not a finite number from 0 to 1.
    #[error(
        "grid: {token:?} is outside [0, 1]; α is the prior's share: 0 is the plain MLP, 1 is the prior"
    )]
    OutsideUnit {
        /// The weight as written.
        token: String,
    },
    /// A number is infinite or not a number.
    #[error("grid: {token:?} is not a finite number")]
    NotFinite {
        /// The number as written.
        token: String,
    },
    /// The number of points of a range is not between 2 and [`MAX_POINTS`].
    #[error(
        "grid: {token:?} points in {item:?}; a range takes a whole number of points from 2 to {MAX_POINTS}"
    )]
    Points {
        /// The number as written.
        token: String,
        /// The item that holds it.
        item: String,
    },
    /// A range does not go upward.
    #[error("grid: {item:?} must go from a smaller to a larger number; swap its ends")]
    Order {
        /// The item as written.
        item: String,
    },
    /// A log range starts at or below 0, where there is no logarithm.
    #[error(
        "grid: {item:?} must start above 0 on a logarithmic scale; start at for example 1e-4 and add 0 to the list: `0,log:1e-4..1:9`"
    )]
    LogNotPositive {
        /// The item as written.
        item: String,
    },
    /// A two-sided range starts at or above one half, or too close to 0.
    #[error(
        "grid: {token:?} in {item:?} must lie between 1e-9 and 0.5 (0.5 excluded): the range goes from it to 1 minus it"
    )]
    Edge {
        /// The edge as written.
        token: String,
        /// The item that holds it.
        item: String,
    },
}

/// Reads an α-grid: sorted weights in [0, 1] without duplicates.
///
/// `with_ends` adds α = 0 (the plain MLP) and α = 1 (the prior) where absent.
///
/// # Errors
/// [`GridError`] names the offending part of `text` and what to write instead.
///
/// # Examples
/// ```
/// use imlp_lab::grid::parse_alphas;
/// assert_eq!(parse_alphas("log:1e-2..1:3", false)?, [0.01, 0.1, 1.0]);
/// assert_eq!(parse_alphas("0.5,0.1", true)?, [0.0, 0.1, 0.5, 1.0]);
/// # Ok::<(), imlp_lab::grid::GridError>(())
/// ```
pub fn parse_alphas(text: &str, with_ends: bool) -> Result<Vec<f64>, GridError> {
    parse(text, in_unit).map(|alphas| sorted(alphas, with_ends))
}

/// Checks a list of α as [`parse_alphas`] does its text: sorted weights in
/// [0, 1] without duplicates.
///
/// # Errors
/// [`GridError::Empty`], [`GridError::OutsideUnit`].
pub fn check_alphas(list: &[f64], with_ends: bool) -> Result<Vec<f64>, GridError> {
    if list.is_empty() {
        return Err(GridError::Empty);
    }
    let alphas = list.iter().map(|&alpha| in_unit(alpha, &alpha.to_string()));
    let alphas = alphas.collect::<Result<_, _>>()?;
    Ok(sorted(alphas, with_ends))
}

fn sorted(mut alphas: Vec<f64>, with_ends: bool) -> Vec<f64> {
    if with_ends {
        alphas.extend([0.0, 1.0]);
    }
    alphas.sort_by(f64::total_cmp);
    alphas.dedup();
    alphas
}

/// Reads a grid of any key: its numbers in the order written.
///
/// # Errors
/// [`GridError`] names the offending part of `text` and what to write instead.
///
/// # Examples
/// ```
/// use imlp_lab::grid::parse_numbers;
/// assert_eq!(parse_numbers("log:1..100:3")?, [1.0, 10.0, 100.0]);
/// # Ok::<(), imlp_lab::grid::GridError>(())
/// ```
pub fn parse_numbers(text: &str) -> Result<Vec<f64>, GridError> {
    parse(text, finite)
}

/// Checks a number of a grid; the token is its text, for the error.
type Domain = fn(f64, &str) -> Result<f64, GridError>;

fn parse(text: &str, domain: Domain) -> Result<Vec<f64>, GridError> {
    if text.trim().is_empty() {
        return Err(GridError::Empty);
    }
    let mut numbers = Vec::new();
    for item in text.split(',').map(str::trim) {
        if item.is_empty() {
            return Err(GridError::EmptyItem { text: text.into() });
        }
        match item.split_once(':') {
            None => numbers.push(single(item, domain)?),
            Some(("linear", rest)) => numbers.extend(linear(item, rest, domain)?),
            Some(("log", rest)) => numbers.extend(log(item, rest, domain)?),
            Some(("two-sided", rest)) => numbers.extend(two_sided(item, rest)?),
            Some((kind, _)) => return Err(unknown(item, kind)),
        }
    }
    Ok(numbers)
}

/// The error of an item whose kind of range is not known.
fn unknown(item: &str, kind: &str) -> GridError {
    GridError::Unknown {
        item: item.into(),
        nearest: did_you_mean(kind, ["linear", "log", "two-sided"]),
    }
}

fn single(item: &str, domain: Domain) -> Result<f64, GridError> {
    let value = item.parse().map_err(|_| unknown(item, item))?;
    domain(value, item)
}

fn linear(item: &str, rest: &str, domain: Domain) -> Result<Vec<f64>, GridError> {
    let (start, end, points) = range(item, rest, "linear:START..END:POINTS", domain)?;
    Ok(spaced(start, end, points).map(round).collect())
}

fn log(item: &str, rest: &str, domain: Domain) -> Result<Vec<f64>, GridError> {
    let (start, end, points) = range(item, rest, "log:START..END:POINTS", domain)?;
    if start <= 0.0 {
        return Err(GridError::LogNotPositive { item: item.into() });
    }
    let mut alphas: Vec<f64> = spaced(start.log10(), end.log10(), points)
        .map(|exponent| round(10f64.powf(exponent)).clamp(start, end))
        .collect();
    // The ends as written, not as they come back from the logarithm.
    alphas[0] = start;
    alphas[points - 1] = end;
    Ok(alphas)
}

fn two_sided(item: &str, rest: &str) -> Result<Vec<f64>, GridError> {
    let form = "two-sided:EDGE:POINTS";
    let (edge_token, points_token) = rest.split_once(':').ok_or(GridError::Form {
        item: item.into(),
        form,
    })?;
    let edge = number(edge_token, item)?;
    if !(MIN_EDGE..0.5).contains(&edge) {
        return Err(GridError::Edge {
            token: edge_token.into(),
            item: item.into(),
        });
    }
    let points = count(points_token, item)?;
    let log_odds = (edge / (1.0 - edge)).log10();
    let mut lower: Vec<f64> = spaced(log_odds, -log_odds, points)
        .take(points / 2)
        .map(|t| round(1.0 / (1.0 + 10f64.powf(-t))))
        .collect();
    lower[0] = edge;
    let upper: Vec<f64> = lower.iter().rev().map(|a| round(1.0 - a)).collect();
    if points % 2 == 1 {
        lower.push(0.5);
    }
    lower.extend(upper);
    Ok(lower)
}

/// `START..END:POINTS` with both ends in the domain and START < END.
fn range(
    item: &str,
    rest: &str,
    form: &'static str,
    domain: Domain,
) -> Result<(f64, f64, usize), GridError> {
    let parts = rest.split_once(':').and_then(|(ends, points)| {
        let (start, end) = ends.split_once("..")?;
        Some((start, end, points))
    });
    let (start_token, end_token, points_token) = parts.ok_or(GridError::Form {
        item: item.into(),
        form,
    })?;
    let start = domain(number(start_token, item)?, start_token)?;
    let end = domain(number(end_token, item)?, end_token)?;
    if start >= end {
        return Err(GridError::Order { item: item.into() });
    }
    Ok((start, end, count(points_token, item)?))
}

fn number(token: &str, item: &str) -> Result<f64, GridError> {
    token.trim().parse().map_err(|_| GridError::Number {
        token: token.into(),
        item: item.into(),
    })
}

fn count(token: &str, item: &str) -> Result<usize, GridError> {
    match token.trim().parse() {
        Ok(points) if (2..=MAX_POINTS).contains(&points) => Ok(points),
        _ => Err(GridError::Points {
            token: token.into(),
            item: item.into(),
        }),
    }
}

/// The weight itself; adding 0.0 turns −0 into 0.
fn in_unit(value: f64, token: &str) -> Result<f64, GridError> {
    if (0.0..=1.0).contains(&value) {
        Ok(value + 0.0)
    } else {
        Err(GridError::OutsideUnit {
            token: token.into(),
        })
    }
}

fn finite(value: f64, token: &str) -> Result<f64, GridError> {
    if value.is_finite() {
        Ok(value + 0.0)
    } else {
        Err(GridError::NotFinite {
            token: token.into(),
        })
    }
}

/// `points` ≥ 2 equally spaced numbers, both ends included.
fn spaced(start: f64, end: f64, points: usize) -> impl Iterator<Item = f64> {
    let step = (end - start) / (points - 1) as f64;
    (0..points).map(move |i| {
        if i == points - 1 {
            end
        } else {
            start + step * i as f64
        }
    })
}

/// To [`SIGNIFICANT_DIGITS`] significant digits.
fn round(value: f64) -> f64 {
    let text = format!("{value:.*e}", SIGNIFICANT_DIGITS - 1);
    text.parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Vec<f64> {
        parse_alphas(text, false).unwrap()
    }

    #[test]
    fn grids_of_other_keys_go_beyond_1_and_keep_their_order() {
        assert_eq!(parse_numbers("log:1..1e4:3").unwrap(), [1.0, 100.0, 1e4]);
        assert_eq!(
            parse_numbers("7,linear:-2..2:3").unwrap(),
            [7.0, -2.0, 0.0, 2.0]
        );
        for (text, expected) in [
            ("inf", "\"inf\""),
            ("log:-1..1:3", "above 0"),
            ("sgd", "neither"),
        ] {
            let message = parse_numbers(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_list_is_sorted_and_without_duplicates() {
        assert_eq!(parse(" 1, 0.1,0,0.10, -0 ,1e-2"), [0.0, 0.01, 0.1, 1.0]);
        assert!(parse("-0")[0].is_sign_positive());
    }

    #[test]
    fn a_list_of_numbers_is_read_as_its_text() {
        let list = [1.0, 0.1, 0.0, 0.1, -0.0, 3.16227766017e-4, 5e-324];
        let text = "1,0.1,0,0.1,-0,3.16227766017e-4,5e-324";
        for with_ends in [false, true] {
            let alphas = check_alphas(&list, with_ends).unwrap();
            assert_eq!(alphas, parse_alphas(text, with_ends).unwrap());
            assert!(alphas[0].is_sign_positive());
        }
        for (list, text) in [
            (&[][..], ""),
            (&[0.5, 1.5], "0.5,1.5"),
            (&[-0.1], "-0.1"),
            (&[f64::INFINITY], "inf"),
            (&[f64::NAN], "NaN"),
        ] {
            let error = check_alphas(list, true).unwrap_err();
            assert_eq!(error, parse_alphas(text, true).unwrap_err());
        }
    }

    #[test]
    fn ranges_are_round_and_include_their_ends() {
        assert_eq!(
            parse("log:1e-4..1:9"),
            [
                1e-4,
                3.16227766017e-4,
                1e-3,
                3.16227766017e-3,
                1e-2,
                3.16227766017e-2,
                0.1,
                0.316227766017,
                1.0
            ]
        );
        assert_eq!(
            parse("linear:0..1:11"),
            [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
        );
    }

    #[test]
    fn a_two_sided_range_is_symmetric_and_centred() {
        let alphas = parse("two-sided:1e-3:11");
        assert_eq!(alphas.len(), 11);
        assert_eq!((alphas[0], alphas[5], alphas[10]), (1e-3, 0.5, 0.999));
        for (a, b) in alphas.iter().zip(alphas.iter().rev()) {
            assert!((a + b - 1.0).abs() < 1e-11, "{a} {b}");
        }
        // Equal steps in the log-odds.
        let t: Vec<f64> = alphas.iter().map(|a| (a / (1.0 - a)).log10()).collect();
        for w in t.windows(3) {
            assert!((w[2] - 2.0 * w[1] + w[0]).abs() < 1e-8);
        }
        assert_eq!(parse("two-sided:0.1:2"), [0.1, 0.9]);
    }

    #[test]
    fn items_mix_and_ends_are_added_once() {
        assert_eq!(
            parse_alphas("0.5,log:0.01..0.1:2,1", true).unwrap(),
            [0.0, 0.01, 0.1, 0.5, 1.0]
        );
    }

    #[test]
    fn errors_name_the_offending_token() {
        let cases = [
            ("", "empty"),
            ("0,,1", "extra comma"),
            ("0,abc,1", "\"abc\""),
            ("0,1.5", "\"1.5\""),
            ("0,nan", "\"nan\""),
            ("inf", "\"inf\""),
            ("-0.1", "\"-0.1\""),
            ("cubic:0..1:3", "\"cubic:0..1:3\""),
            ("log:0..1:5", "start above 0"),
            ("log:1..0.1:5", "swap"),
            ("log:1e-4..1", "log:START..END:POINTS"),
            ("linear:0..x:5", "\"x\""),
            ("linear:0..2:5", "\"2\""),
            ("linear:0..1:1", "\"1\" points"),
            ("linear:0..1:99999999999", "\"99999999999\""),
            ("two-sided:0.5:5", "\"0.5\""),
            ("two-sided:nan:5", "\"nan\""),
            ("two-sided:0.1", "two-sided:EDGE:POINTS"),
        ];
        for (text, expected) in cases {
            let message = parse_alphas(text, false).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[-0-9a-z.,: e]{0,30}") {
            let _ = parse_alphas(&text, true);
        }

        #[test]
        fn any_valid_range_gives_its_points(
            kind in prop::sample::select(vec!["log", "linear"]),
            start in 1e-6f64..0.4,
            width in 0.1f64..0.5,
            points in 2usize..80,
            with_ends: bool,
        ) {
            let end = start + width;
            let alphas = parse_alphas(&format!("{kind}:{start}..{end}:{points}"), with_ends).unwrap();
            prop_assert!(alphas.windows(2).all(|w| w[0] < w[1]));
            prop_assert!(alphas.iter().all(|a| (0.0..=1.0).contains(a)));
            prop_assert_eq!(alphas.len(), points + 2 * usize::from(with_ends));
        }

        #[test]
        fn any_two_sided_range_mirrors(edge in 1e-6f64..0.45, points in 2usize..60) {
            let alphas = parse_alphas(&format!("two-sided:{edge}:{points}"), false).unwrap();
            prop_assert_eq!(alphas.len(), points);
            for (a, b) in alphas.iter().zip(alphas.iter().rev()) {
                prop_assert!((a + b - 1.0).abs() < 1e-11);
            }
            prop_assert_eq!(alphas.contains(&0.5), points % 2 == 1);
        }
    }
}
