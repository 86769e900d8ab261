//! Diverged trials: a × and a count under each α with a diverged trial.
//!
//! They stand in a strip of their own below the plot area: a diverged trial has
//! no value, so it has no place on the value axis.

use imlp_suggest::counted;

use super::colour::{Colour, GREY, INK, VERMILLION};
use super::scene::{Anchor, Mark, Point};
use super::style::Style;
use super::text::{Face, width};
use crate::curve::{CurvePoint, alpha_label};

/// The strip's name.
const STRIP: &str = "diverged";
/// Half the size of a ×.
pub const ARM: f64 = 3.6;
/// Half the size of a × among very many.
const SMALLEST_ARM: f64 = 1.6;
/// From the top of the strip to the centre of the ×.
const MARK_DEPTH: f64 = 12.0;
/// Free space between two counts.
const GAP: f64 = 4.0;

/// A × under one α.
#[derive(Debug, Clone, PartialEq)]
struct Diverged {
    x: f64,
    alpha: String,
    diverged: usize,
    trials: usize,
    /// Position among the curve's points.
    index: usize,
}

/// A count under one α, or under neighbours that share it.
#[derive(Debug, Clone, PartialEq)]
struct Count {
    from: f64,
    to: f64,
    last: usize,
    text: String,
}

impl Count {
    fn x(&self) -> f64 {
        (self.from + self.to) / 2.0
    }

    fn shared(&self) -> bool {
        self.to > self.from
    }
}

/// The strip's marks and counts, placed along the axis.
#[derive(Debug, Clone, PartialEq)]
pub struct DivergedStrip {
    marks: Vec<Diverged>,
    counts: Vec<Count>,
    upright: bool,
    arm: f64,
    /// Height of the strip; 0 without a diverged trial.
    pub height: f64,
}

impl DivergedStrip {
    /// Places the marks of a curve's points at `x(α)`. Where the counts have no
    /// room side by side, neighbours with the same count share one under a
    /// bracket; where that is not enough, counts are upright, and shared only if
    /// necessary.
    pub fn new(points: &[CurvePoint], x: impl Fn(f64) -> f64, style: &Style) -> Self {
        let with_diverged = points.iter().enumerate();
        let marks: Vec<Diverged> = with_diverged
            .filter(|(_, p)| !p.seeds.diverged.is_empty())
            .map(|(index, p)| Diverged {
                x: x(p.alpha),
                alpha: alpha_label(p.alpha),
                diverged: p.seeds.diverged.len(),
                trials: p.seeds.trials(),
                index,
            })
            .collect();
        let single = counts(&marks, false, style);
        let shared = counts(&marks, true, style);
        let (counts, upright) = if fits(&single, false, style) {
            (single, false)
        } else if fits(&shared, false, style) {
            (shared, false)
        } else if fits(&single, true, style) {
            (single, true)
        } else {
            (thinned(shared, style), true)
        };
        let longest = counts.iter().map(|c| text_width(&c.text, style));
        let height = match (marks.is_empty(), upright) {
            (true, _) => 0.0,
            (false, false) => 38.0,
            (false, true) => 28.0 + longest.fold(0.0, f64::max),
        };
        let gaps = marks.windows(2).map(|w| w[1].x - w[0].x);
        let arm = (0.4 * gaps.fold(f64::INFINITY, f64::min)).clamp(SMALLEST_ARM, ARM);
        Self {
            marks,
            counts,
            upright,
            arm,
            height,
        }
    }

    /// Number of crosses.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// The strip below a plot area whose lower left corner is `corner`.
    pub fn marks(&self, [left, top]: Point, style: &Style) -> Vec<Mark> {
        if self.marks.is_empty() {
            return Vec::new();
        }
        let y = top + MARK_DEPTH;
        let bracket = y + ARM + 1.0;
        let mut marks = vec![strip_name([left, y], style)];
        marks.extend(self.marks.iter().map(|mark| {
            let trials = counted(mark.trials, "trial");
            let words = format!("α = {}: {} of {trials} diverged", mark.alpha, mark.diverged);
            let cross = cross([mark.x, y], self.arm, VERMILLION);
            cross.class("diverged").tip(words)
        }));
        for count in &self.counts {
            if count.shared() {
                let (l, r) = (count.from - self.arm, count.to + self.arm);
                let corners = [
                    [l, bracket],
                    [l, bracket + 3.0],
                    [r, bracket + 3.0],
                    [r, bracket],
                ];
                marks.push(Mark::line(corners).stroke(GREY, 0.8));
            }
            marks.push(self.count(count, bracket + 5.0, style));
        }
        marks
    }

    fn count(&self, count: &Count, top: f64, style: &Style) -> Mark {
        let mark = if self.upright {
            let at = [count.x() + 0.36 * style.small, top];
            Mark::text(at, style.small, &count.text)
                .anchor(Anchor::End)
                .upright()
        } else {
            let at = [count.x(), top + 0.8 * style.small];
            Mark::text(at, style.small, &count.text).anchor(Anchor::Middle)
        };
        mark.fill(GREY)
    }
}

/// What the marks of a strip at the height of `at`, left of the plot, stand for.
pub fn strip_name([left, y]: Point, style: &Style) -> Mark {
    Mark::text([left - 8.0, y + 0.36 * style.small], style.small, STRIP)
        .anchor(Anchor::End)
        .fill(INK)
}

/// What [`strip_name`] needs left of the plot.
pub fn strip_margin(style: &Style) -> f64 {
    style.edge + text_width(STRIP, style) + 10.0
}

/// The × of a diverged trial.
pub fn cross([x, y]: Point, arm: f64, colour: Colour) -> Mark {
    let (l, r, t, b) = (x - arm, x + arm, y - arm, y + arm);
    Mark::lines([[[l, t], [r, b]], [[l, b], [r, t]]])
        .stroke(colour, 2.0)
        .round()
}

/// The counts of marks; neighbours (in the curve) that are equal and have no
/// room side by side share one if `share`.
fn counts(marks: &[Diverged], share: bool, style: &Style) -> Vec<Count> {
    let mut counts: Vec<(Count, usize)> = Vec::new();
    for mark in marks {
        let text = format!("{}/{}", mark.diverged, mark.trials);
        let room = text_width(&text, style) + GAP;
        match counts.last_mut() {
            Some((c, members))
                if share && c.text == text && c.last + 1 == mark.index && mark.x - c.to < room =>
            {
                (c.to, c.last) = (mark.x, mark.index);
                *members += 1;
            }
            _ => counts.push((
                Count {
                    from: mark.x,
                    to: mark.x,
                    last: mark.index,
                    text,
                },
                1,
            )),
        }
    }
    let named = counts.into_iter().map(|(mut count, members)| {
        if members > 1 {
            count.text += " each";
        }
        count
    });
    named.collect()
}

/// Whether no two counts touch.
fn fits(counts: &[Count], upright: bool, style: &Style) -> bool {
    let half = |c: &Count| match upright {
        true => style.small / 2.0,
        false => (text_width(&c.text, style) + GAP) / 2.0,
    };
    counts
        .windows(2)
        .all(|w| w[1].x() - w[0].x() >= half(&w[0]) + half(&w[1]))
}

/// The counts that have room upright; the others are in the tooltips and the files.
fn thinned(counts: Vec<Count>, style: &Style) -> Vec<Count> {
    let mut kept: Vec<Count> = Vec::new();
    for count in counts {
        if kept.last().is_none_or(|k| count.x() - k.x() >= style.small) {
            kept.push(count);
        }
    }
    kept
}

fn text_width(text: &str, style: &Style) -> f64 {
    width(text, style.small, Face::Regular)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::{Curve, TrialValue};

    fn points(counts: &[usize]) -> Vec<CurvePoint> {
        let mut rows = Vec::new();
        for (i, diverged) in counts.iter().enumerate() {
            for seed in 0..3 {
                rows.push(TrialValue {
                    alpha: i as f64 / 100.0,
                    seed: seed as u64,
                    value: (seed >= *diverged).then_some(0.5),
                });
            }
        }
        Curve::from_trials("accuracy", &rows, &[]).unwrap().points
    }

    fn texts(strip: &DivergedStrip) -> Vec<&str> {
        strip.counts.iter().map(|c| c.text.as_str()).collect()
    }

    #[test]
    fn counts_have_a_place_of_their_own_when_there_is_room() {
        let strip = DivergedStrip::new(&points(&[0, 2, 0, 3]), |a| 8000.0 * a, &Style::SCREEN);
        assert_eq!(texts(&strip), ["2/3", "3/3"]);
        assert!(!strip.upright && strip.height > 0.0);
    }

    #[test]
    fn neighbours_share_a_count_and_others_stand_on_end() {
        let strip = DivergedStrip::new(&points(&[3, 3, 3, 0]), |a| 1500.0 * a, &Style::SCREEN);
        assert_eq!(texts(&strip), ["3/3 each"]);
        assert!(!strip.upright);
        assert!(strip.counts[0].shared());
        let strip = DivergedStrip::new(&points(&[1, 2, 3, 0]), |a| 1500.0 * a, &Style::SCREEN);
        assert_eq!(texts(&strip), ["1/3", "2/3", "3/3"]);
        assert!(strip.upright);
    }

    #[test]
    fn nothing_diverged_takes_no_room() {
        let strip = DivergedStrip::new(&points(&[0, 0]), |a| a, &Style::SCREEN);
        assert_eq!((strip.len(), strip.height), (0, 0.0));
    }
}
