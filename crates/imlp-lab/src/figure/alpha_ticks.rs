//! The labels of the horizontal axis: every sampled α, and decades where room is left.
//!
//! Labels stand in one row; where they would overlap, in two; where that is not enough,
//! upright. Only where even upright ones overlap are some left out.

use super::alpha_axis::{AlphaAxis, superscript};
use super::style::{Style, line_height};
use super::text::{Face, width};

/// A tick, with its label if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Position in units.
    pub x: f64,
    /// The text under it; empty where it has no room.
    pub label: String,
    /// The row of the label, 0 or 1.
    pub row: usize,
    /// Whether a trial has this α; else it only tells the scale.
    pub sampled: bool,
}

impl Tick {
    fn half(&self, style: &Style) -> f64 {
        width(&self.label, style.text, Face::Regular) / 2.0
    }

    /// Whether both labels could stand in one row.
    fn is_clear_of(&self, other: &Self, style: &Style) -> bool {
        let room = self.half(style) + other.half(style) + style.small / 2.0;
        (self.x - other.x).abs() >= room
    }
}

/// The ticks from left to right, and how their labels stand.
#[derive(Debug, Clone, PartialEq)]
pub struct AlphaTicks {
    /// The ticks.
    pub ticks: Vec<Tick>,
    /// Whether the labels are upright.
    pub upright: bool,
    /// Height of the labels beyond that of one row.
    pub extra_height: f64,
}

impl AlphaTicks {
    /// The ticks of an axis for these increasing weights.
    pub fn new(axis: &AlphaAxis, alphas: &[f64], style: &Style) -> Self {
        let sampled: Vec<Tick> = alphas
            .iter()
            .zip(labels(alphas))
            .map(|(alpha, label)| Tick {
                x: axis.x(*alpha),
                label,
                row: 0,
                sampled: true,
            })
            .collect();
        let rows = [1, 2];
        match rows.iter().find_map(|rows| in_rows(&sampled, *rows, style)) {
            Some(ticks) => {
                let second = ticks.iter().any(|tick| tick.row == 1);
                Self {
                    ticks: with_landmarks(ticks, axis, style),
                    upright: false,
                    extra_height: if second { line_height(style.text) } else { 0.0 },
                }
            }
            None => upright(sampled, style),
        }
    }
}

/// Every label in the first row that has room; none if one has room nowhere.
fn in_rows(ticks: &[Tick], rows: usize, style: &Style) -> Option<Vec<Tick>> {
    let mut placed: Vec<Tick> = Vec::new();
    for tick in ticks {
        let clear = |row: usize| {
            let own = placed.iter().filter(|other| other.row == row);
            own.clone().all(|other| other.is_clear_of(tick, style))
        };
        let row = (0..rows).find(|&row| clear(row))?;
        placed.push(Tick {
            row,
            ..tick.clone()
        });
    }
    Some(placed)
}

/// Adds the ends and the decades that have room in the first row.
fn with_landmarks(mut ticks: Vec<Tick>, axis: &AlphaAxis, style: &Style) -> Vec<Tick> {
    /// Two ticks that are closer are one.
    const SAME: f64 = 0.5;
    for (alpha, label) in axis.landmarks() {
        let tick = Tick {
            x: axis.x(alpha),
            label,
            row: 0,
            sampled: false,
        };
        let clear = |other: &Tick| {
            // Also of the second row, where a label close below reads as a correction.
            (other.x - tick.x).abs() > SAME && other.is_clear_of(&tick, style)
        };
        if ticks.iter().all(clear) {
            ticks.push(tick);
        }
    }
    ticks.sort_by(|a, b| a.x.total_cmp(&b.x));
    ticks
}

/// Upright labels, the ends first; those that have no room are left out.
fn upright(mut ticks: Vec<Tick>, style: &Style) -> AlphaTicks {
    let mut order: Vec<usize> = (0..ticks.len()).collect();
    // From both ends inward: the ends tell the range.
    order.sort_by_key(|&i| i.min(ticks.len() - 1 - i));
    let mut kept: Vec<f64> = Vec::new();
    for index in order {
        let x = ticks[index].x;
        if kept
            .iter()
            .all(|other| (other - x).abs() >= style.text + 1.0)
        {
            kept.push(x);
        } else {
            ticks[index].label.clear();
        }
    }
    let longest = ticks.iter().map(|tick| 2.0 * tick.half(style));
    AlphaTicks {
        extra_height: longest.fold(0.0, f64::max) - style.text,
        ticks,
        upright: true,
    }
}

/// A label for each of these increasing weights; different ones for different weights.
fn labels(alphas: &[f64]) -> Vec<String> {
    /// Digits that tell any two numbers apart.
    const MOST_DIGITS: usize = 17;
    let mut digits = vec![2; alphas.len()];
    loop {
        let labels: Vec<String> = alphas
            .iter()
            .zip(&digits)
            .map(|(alpha, digits)| label(*alpha, *digits))
            .collect();
        let mut again = false;
        for (index, digits) in digits.iter_mut().enumerate() {
            let repeated = |other: usize| labels.get(other) == Some(&labels[index]);
            if (repeated(index + 1) || (index > 0 && repeated(index - 1))) && *digits < MOST_DIGITS
            {
                *digits += 1;
                again = true;
            }
        }
        if !again {
            return labels;
        }
    }
}

/// α as written where that is short, else with some significant digits of its distance
/// from 0 or 1, whichever is smaller.
fn label(alpha: f64, digits: usize) -> String {
    /// Longest number that is shown as written.
    const SHORT: usize = 6;
    /// Below this a plain decimal is longer than a power of ten.
    const SMALL: f64 = 1e-3;
    let written = alpha.to_string();
    if written.len() <= SHORT {
        return written;
    }
    if alpha < SMALL {
        let written = format!("{alpha:.*e}", digits - 1);
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let power = format!("10{}", superscript(exponent.parse().unwrap_or_default()));
        return match without_zeros(mantissa) {
            "1" => power,
            mantissa => format!("{mantissa}·{power}"),
        };
    }
    let distance = alpha.min(1.0 - alpha).max(f64::MIN_POSITIVE);
    let decimals = digits as f64 - 1.0 - distance.log10().floor();
    let decimals = decimals.clamp(0.0, 17.0) as usize;
    without_zeros(&format!("{alpha:.decimals$}")).to_owned()
}

/// `0.50` as `0.5`, `2.0` as `2`.
fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticks(alphas: &[f64]) -> AlphaTicks {
        AlphaTicks::new(&AlphaAxis::new(alphas, 78.0, 662.0), alphas, &Style::SCREEN)
    }

    fn shown(alphas: &[f64]) -> Vec<String> {
        let ticks = ticks(alphas).ticks.into_iter();
        ticks.map(|tick| tick.label).collect()
    }

    fn grid(text: &str) -> Vec<f64> {
        crate::grid::parse_alphas(text, true).unwrap()
    }

    #[test]
    fn every_sampled_alpha_is_labelled_and_decades_fill_what_is_left() {
        let alphas = [0.0, 0.001, 0.01, 0.1, 0.5, 1.0];
        assert_eq!(shown(&alphas), ["0", "0.001", "0.01", "0.1", "0.5", "1"]);
        assert_eq!(shown(&[0.0, 0.3, 1.0]), ["0", "0.1", "0.3", "1"]);
        for alphas in [vec![0.0], vec![1.0], vec![]] {
            assert_eq!(shown(&alphas), ["0", "0.1", "1"]);
        }
        assert!(shown(&[1e-12, 1.0]).contains(&"10⁻¹²".to_owned()));
    }

    #[test]
    fn eleven_two_sided_points_are_all_readable() {
        let alphas = grid("two-sided:1e-3:9");
        assert_eq!(alphas.len(), 11);
        let ticks = ticks(&alphas);
        assert!(!ticks.upright);
        let sampled = ticks.ticks.iter().filter(|tick| tick.sampled);
        assert_eq!(sampled.clone().count(), 11);
        assert!(sampled.clone().all(|tick| !tick.label.is_empty()));
        let default = grid("0.001,0.01,0.1,0.3,0.5,0.9,0.99");
        let expected = [
            "0", "0.001", "0.01", "0.1", "0.3", "0.5", "0.9", "0.99", "1",
        ];
        assert_eq!(shown(&default), expected);
    }

    #[test]
    fn labels_are_short_and_tell_apart() {
        let of = |alphas: &[f64]| labels(alphas);
        assert_eq!(
            of(&[0.00396548, 0.0594, 0.99603452]),
            ["0.004", "0.0594", "0.996"]
        );
        assert_eq!(
            of(&[2.5e-5, 1e-4, 0.000123456]),
            ["2.5·10⁻⁵", "0.0001", "1.2·10⁻⁴"]
        );
        let close = of(&[0.12345678, 0.12345679]);
        assert_eq!(close, ["0.12345678", "0.12345679"]);
    }

    #[test]
    fn labels_are_left_out_only_where_upright_ones_overlap() {
        let few = ticks(&grid("two-sided:1e-3:27"));
        assert!(few.upright);
        assert!(
            few.ticks.iter().all(|tick| !tick.label.is_empty()),
            "{few:?}"
        );
        let many = ticks(&grid("two-sided:1e-3:99"));
        let labelled = many.ticks.iter().filter(|tick| !tick.label.is_empty());
        assert!((20..50).contains(&labelled.count()));
        assert_eq!(many.ticks.len(), 101, "every α has a tick");
    }

    proptest! {
        #[test]
        fn labels_do_not_overlap_and_all_are_shown_where_they_fit(
            mut alphas in prop::collection::vec(
                prop_oneof![Just(0.0), Just(1.0), 1e-9f64..1.0, (1e-12f64..0.5).prop_map(|e| 1.0 - e)],
                1..40,
            ),
        ) {
            alphas.sort_by(f64::total_cmp);
            alphas.dedup();
            let ticks = ticks(&alphas);
            let sampled = ticks.ticks.iter().filter(|tick| tick.sampled);
            prop_assert_eq!(sampled.clone().count(), alphas.len());
            let labelled: Vec<&Tick> = ticks.ticks.iter().filter(|t| !t.label.is_empty()).collect();
            for (i, a) in labelled.iter().enumerate() {
                for b in &labelled[..i] {
                    let apart = (a.x - b.x).abs();
                    if ticks.upright {
                        prop_assert!(apart >= Style::SCREEN.text);
                    } else if a.row == b.row {
                        prop_assert!(apart > a.half(&Style::SCREEN) + b.half(&Style::SCREEN), "{a:?} {b:?}");
                    }
                }
            }
            if !ticks.upright {
                prop_assert!(sampled.clone().all(|tick| !tick.label.is_empty()));
            }
            let mut labels: Vec<&str> = labelled.iter().map(|t| t.label.as_str()).collect();
            labels.sort_unstable();
            labels.dedup();
            prop_assert_eq!(labels.len(), labelled.len());
        }
    }
}
