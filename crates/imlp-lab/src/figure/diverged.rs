//! Diverged trials: a × and a count under each α with a diverged trial.
//!
//! They stand in a strip of their own below the plot area: a diverged trial has
//! no value, so it has no place on the value axis.

use imlp_suggest::counted;
use maud::{Markup, html};

use super::style::{GREY, INK, PLOT_LEFT, SMALL_SIZE, VERMILLION, px};
use super::text::{Face, width};
use crate::curve::{CurvePoint, alpha_label};

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
struct Mark {
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
    marks: Vec<Mark>,
    counts: Vec<Count>,
    upright: bool,
    arm: f64,
    /// Height of the strip in px; 0 without a diverged trial.
    pub height: f64,
}

impl DivergedStrip {
    /// Places the marks of a curve's points at `x(α)`. Where the counts have no
    /// room side by side, neighbours with the same count share one under a
    /// bracket; where that is not enough, counts are upright, and shared only if
    /// necessary.
    pub fn new(points: &[CurvePoint], x: impl Fn(f64) -> f64) -> Self {
        let with_diverged = points.iter().enumerate();
        let marks: Vec<Mark> = with_diverged
            .filter(|(_, p)| !p.seeds.diverged.is_empty())
            .map(|(index, p)| Mark {
                x: x(p.alpha),
                alpha: alpha_label(p.alpha),
                diverged: p.seeds.diverged.len(),
                trials: p.seeds.trials(),
                index,
            })
            .collect();
        let single = counts(&marks, false);
        let shared = counts(&marks, true);
        let (counts, upright) = if fits(&single, false) {
            (single, false)
        } else if fits(&shared, false) {
            (shared, false)
        } else if fits(&single, true) {
            (single, true)
        } else {
            (thinned(shared), true)
        };
        let longest = counts.iter().map(|c| text_width(&c.text));
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

    /// Number of marks.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Draws the strip whose upper edge is at `top` px.
    pub fn draw(&self, top: f64) -> Markup {
        let y = top + MARK_DEPTH;
        let bracket = y + ARM + 3.0;
        let text_top = bracket + 3.0;
        html! {
            @if !self.marks.is_empty() {
                g class="diverged-strip" {
                    text x=(px(PLOT_LEFT - 8.0)) y=(px(y + 4.0)) font-size=(SMALL_SIZE)
                        text-anchor="end" fill=(INK) { "diverged" }
                    @for mark in &self.marks {
                        (cross(mark.x, y, self.arm, VERMILLION, Some(&format!(
                            "α = {}: {} of {} diverged", mark.alpha, mark.diverged, counted(mark.trials, "trial")
                        ))))
                    }
                    @for count in &self.counts {
                        @if count.shared() {
                            path d=(format!("M{l} {y}v3H{r}v-3", l = px(count.from - self.arm),
                                r = px(count.to + self.arm), y = px(bracket - 2.0)))
                                stroke=(GREY) stroke-width="0.8" fill="none" {}
                        }
                        (self.count(count, text_top))
                    }
                }
            }
        }
    }

    fn count(&self, count: &Count, top: f64) -> Markup {
        let baseline = if self.upright { 0.36 } else { 0.8 } * SMALL_SIZE;
        let (x, y) = if self.upright {
            (px(count.x() + baseline), px(top))
        } else {
            (px(count.x()), px(top + baseline))
        };
        let anchor = if self.upright { "end" } else { "middle" };
        let turn = self.upright.then(|| format!("rotate(-90 {x} {y})"));
        html! {
            text x=(x) y=(y) font-size=(SMALL_SIZE) fill=(GREY) text-anchor=(anchor)
                transform=[turn] { (count.text) }
        }
    }
}

/// The × of a diverged trial, with a tooltip.
pub fn cross(x: f64, y: f64, arm: f64, colour: &str, words: Option<&str>) -> Markup {
    let (l, r, t, b) = (px(x - arm), px(x + arm), px(y - arm), px(y + arm));
    let class = words.map(|_| "diverged");
    html! {
        path class=[class] d=(format!("M{l} {t}L{r} {b}M{l} {b}L{r} {t}")) stroke=(colour)
            stroke-width="2" stroke-linecap="round" fill="none" {
            @if let Some(words) = words { title { (words) } }
        }
    }
}

/// The counts of marks; neighbours (in the curve) that are equal and have no
/// room side by side share one if `share`.
fn counts(marks: &[Mark], share: bool) -> Vec<Count> {
    let mut counts: Vec<(Count, usize)> = Vec::new();
    for mark in marks {
        let text = format!("{}/{}", mark.diverged, mark.trials);
        let room = text_width(&text) + GAP;
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
fn fits(counts: &[Count], upright: bool) -> bool {
    let half = |c: &Count| match upright {
        true => SMALL_SIZE / 2.0,
        false => (text_width(&c.text) + GAP) / 2.0,
    };
    counts
        .windows(2)
        .all(|w| w[1].x() - w[0].x() >= half(&w[0]) + half(&w[1]))
}

/// The counts that have room upright; the others are in the tooltips and the files.
fn thinned(counts: Vec<Count>) -> Vec<Count> {
    let mut kept: Vec<Count> = Vec::new();
    for count in counts {
        if kept.last().is_none_or(|k| count.x() - k.x() >= SMALL_SIZE) {
            kept.push(count);
        }
    }
    kept
}

fn text_width(text: &str) -> f64 {
    width(text, SMALL_SIZE, Face::Regular)
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
        let strip = DivergedStrip::new(&points(&[0, 2, 0, 3]), |a| 8000.0 * a);
        assert_eq!(texts(&strip), ["2/3", "3/3"]);
        assert!(!strip.upright && strip.height > 0.0);
    }

    #[test]
    fn neighbours_share_a_count_and_others_stand_on_end() {
        let strip = DivergedStrip::new(&points(&[3, 3, 3, 0]), |a| 1500.0 * a);
        assert_eq!(texts(&strip), ["3/3 each"]);
        assert!(!strip.upright);
        assert!(strip.counts[0].shared());
        let strip = DivergedStrip::new(&points(&[1, 2, 3, 0]), |a| 1500.0 * a);
        assert_eq!(texts(&strip), ["1/3", "2/3", "3/3"]);
        assert!(strip.upright);
    }

    #[test]
    fn nothing_diverged_takes_no_room() {
        let strip = DivergedStrip::new(&points(&[0, 0]), |a| a);
        assert_eq!((strip.len(), strip.height), (0, 0.0));
    }
}
