//! The data: every seed a dot, the mean a line, its interval a band.

use maud::{Markup, html};

use super::alpha_axis::AlphaAxis;
use super::style::{PAPER, px};
use super::value_axis::ValueAxis;
use crate::curve::{CurvePoint, alpha_label};

/// Half the width of an interval's cap.
const CAP: f64 = 4.0;
/// From this many points on, marks are drawn smaller.
const MANY: usize = 25;

/// The curve's points and both axes.
pub struct Marks<'a> {
    /// The points by increasing α.
    pub points: &'a [CurvePoint],
    /// Horizontal axis.
    pub alpha: &'a AlphaAxis,
    /// Vertical axis.
    pub value: &'a ValueAxis,
    /// Colour of lines and marks.
    pub colour: &'static str,
    /// Dash pattern of the line.
    pub dash: Option<&'static str>,
    /// How far the marks stand right of their α, px.
    pub shift: f64,
}

impl Marks<'_> {
    /// Intervals: a band over neighbours, a bar where a point stands alone (the
    /// only one of its part of the axis, or between points without interval).
    pub fn intervals(&self) -> Markup {
        let runs = self.runs(|p| p.seeds.ci95);
        html! {
            @for run in &runs {
                @if let [(x, [low, high])] = run.as_slice() {
                    @let (y1, y2) = (self.value.y(*low), self.value.y(*high));
                    path class="interval" d=(format!(
                        "M{x1} {y1}H{x2}M{x1} {y2}H{x2}M{x} {y1}V{y2}",
                        x = px(*x), x1 = px(x - CAP), x2 = px(x + CAP), y1 = px(y1), y2 = px(y2),
                    )) fill="none" stroke=(self.colour) stroke-width="1.4" stroke-opacity="0.75" {}
                } @else {
                    @let upper = run.iter().map(|(x, [_, high])| (*x, self.value.y(*high)));
                    @let lower = run.iter().rev().map(|(x, [low, _])| (*x, self.value.y(*low)));
                    polygon class="interval" points=(points(upper.chain(lower))) fill=(self.colour)
                        fill-opacity="0.16" {}
                }
            }
        }
    }

    /// The mean: a line within each part of the axis, dotted across its breaks,
    /// interrupted where every trial diverged.
    pub fn mean_line(&self) -> Markup {
        let runs = self.runs(|p| p.seeds.mean);
        let crossings = self.points.windows(2).filter_map(|w| {
            let (a, b) = (w[0].seeds.mean?, w[1].seeds.mean?);
            let across = self.alpha.part(w[0].alpha) != self.alpha.part(w[1].alpha);
            across.then(|| [self.at(w[0].alpha, a), self.at(w[1].alpha, b)])
        });
        html! {
            @for run in runs.iter().filter(|r| r.len() > 1) {
                @let line = run.iter().map(|(x, mean)| (*x, self.value.y(*mean)));
                polyline class="mean-line" points=(points(line)) fill="none" stroke=(self.colour)
                    stroke-width="2.2" stroke-linejoin="round" stroke-dasharray=[self.dash] {}
            }
            @for crossing in crossings {
                polyline class="mean-line" points=(points(crossing.into_iter())) fill="none"
                    stroke=(self.colour) stroke-width="1.6" stroke-dasharray="1.6 3.6"
                    stroke-linecap="round" {}
            }
        }
    }

    /// One dot per finished trial.
    pub fn seeds(&self) -> Markup {
        let radius = if self.points.len() < MANY { 2.9 } else { 2.0 };
        html! {
            @for p in self.points {
                @for v in &p.seeds.values {
                    @let (x, y) = self.at(p.alpha, v.value);
                    circle class="seed" cx=(px(x)) cy=(px(y)) r=(radius) fill=(self.colour)
                        fill-opacity="0.45" data-alpha=(p.alpha) data-value=(v.value) {
                        title { (format!(
                            "α = {}, seed {}: {:.2} %",
                            alpha_label(p.alpha), v.seed, 100.0 * v.value
                        )) }
                    }
                }
            }
        }
    }

    /// One ring per mean.
    pub fn means(&self) -> Markup {
        let radius = if self.points.len() < MANY { 4.2 } else { 2.4 };
        html! {
            @for p in self.points {
                @if let Some(mean) = p.seeds.mean {
                    @let (x, y) = self.at(p.alpha, mean);
                    circle class="mean" cx=(px(x)) cy=(px(y)) r=(radius) fill=(PAPER)
                        stroke=(self.colour) stroke-width="1.8" {
                        title { (format!(
                            "α = {}: mean {:.2} % (n = {})",
                            alpha_label(p.alpha), 100.0 * mean, p.seeds.n
                        )) }
                    }
                }
            }
        }
    }

    /// Where the marks of `alpha` stand, px.
    pub fn x(&self, alpha: f64) -> f64 {
        self.alpha.x(alpha) + self.shift
    }

    fn at(&self, alpha: f64, value: f64) -> (f64, f64) {
        (self.x(alpha), self.value.y(value))
    }

    /// Neighbouring points of one part of the axis that have a quantity, with
    /// their horizontal position.
    fn runs<T>(&self, quantity: impl Fn(&CurvePoint) -> Option<T>) -> Vec<Vec<(f64, T)>> {
        let parts = self
            .points
            .chunk_by(|a, b| self.alpha.part(a.alpha) == self.alpha.part(b.alpha));
        let mut runs = Vec::new();
        for part in parts {
            let mut run = Vec::new();
            for p in part {
                match quantity(p) {
                    Some(q) => run.push((self.x(p.alpha), q)),
                    None => runs.push(std::mem::take(&mut run)),
                }
            }
            runs.push(run);
        }
        runs.retain(|run| !run.is_empty());
        runs
    }
}

fn points(xys: impl Iterator<Item = (f64, f64)>) -> String {
    let pairs: Vec<String> = xys.map(|(x, y)| format!("{},{}", px(x), px(y))).collect();
    pairs.join(" ")
}
