//! The data of a curve: every seed a dot, the mean a line, its interval a band or a bar.

use super::diverged;
use crate::curve::{Curve, CurvePoint, SeedStatistics, alpha_label};
use crate::figure::alpha_axis::AlphaAxis;
use crate::figure::axis::Range;
use crate::figure::colour::{GREY, PAPER};
use crate::figure::diverged::{ARM, cross, strip_name};
use crate::figure::scene::{Area, Mark, Point, Shape};
use crate::figure::series::Series;
use crate::figure::style::Style;
use crate::figure::text::{Face, width};

/// Half the width of the cap of an interval that stands alone.
const CAP: f64 = 4.0;
/// From this many points on, marks are drawn smaller.
const MANY: usize = 25;
/// How far right of the plot area priors may stand.
const MARGIN: f64 = 100.0;
/// Radius of the ring around the mean at the chosen α.
const CHOSEN: f64 = 8.0;

/// A curve and both axes.
pub struct Marks<'a> {
    /// What it is called among several.
    pub name: &'a str,
    /// The curve.
    pub curve: &'a Curve,
    /// Horizontal axis.
    pub alpha: &'a AlphaAxis,
    /// Vertical axis.
    pub range: &'a Range,
    /// The plot area.
    pub area: Area,
    /// Colour, marker and line.
    pub series: Series,
    /// How far the marks stand right of their α.
    pub shift: f64,
}

impl Marks<'_> {
    /// Intervals: a band over neighbours, a bar where a point stands alone (the
    /// only one of its part of the axis, or between points without interval).
    pub fn intervals(&self) -> Vec<Mark> {
        let of_run = |run: Vec<(f64, [f64; 2])>| match run.as_slice() {
            [(x, interval)] => self.bar(*x, *interval, CAP),
            run => {
                let upper = run.iter().map(|(x, [_, high])| [*x, self.y(*high)]);
                let lower = run.iter().rev().map(|(x, [low, _])| [*x, self.y(*low)]);
                let band = Mark::new(Shape::Polygon(upper.chain(lower).collect()));
                band.fill(self.series.colour)
                    .opacity(0.16)
                    .clip(self.area)
                    .class("interval")
            }
        };
        let runs = self.runs(|p| p.seeds.ci95);
        runs.into_iter().map(of_run).collect()
    }

    /// A bar for every interval.
    pub fn bars(&self, cap: f64) -> Vec<Mark> {
        let points = self.curve.points.iter();
        points
            .filter_map(|p| Some(self.bar(self.x(p.alpha), p.seeds.ci95?, cap)))
            .collect()
    }

    fn bar(&self, x: f64, [low, high]: [f64; 2], cap: f64) -> Mark {
        interval_bar(x, [self.y(low), self.y(high)], cap)
            .stroke(self.series.colour, 1.3)
            .opacity(0.8)
            .clip(Area {
                // Priors stand right of the plot area.
                right: self.area.right + MARGIN,
                ..self.area
            })
            .class("interval")
    }

    /// The mean: a line within each part of the axis, dotted across its breaks,
    /// interrupted where every trial diverged.
    pub fn mean_line(&self) -> Vec<Mark> {
        let colour = self.series.colour;
        let runs = self.runs(|p| p.seeds.mean).into_iter();
        let lines = runs.filter(|run| run.len() > 1).map(|run| {
            let points = run.into_iter().map(|(x, mean)| [x, self.y(mean)]);
            Mark::line(points)
                .stroke(colour, 2.2)
                .dash(self.series.dash)
        });
        let crossings = self.curve.points.windows(2).filter_map(|w| {
            let (a, b) = (w[0].seeds.mean?, w[1].seeds.mean?);
            let across = self.alpha.part(w[0].alpha) != self.alpha.part(w[1].alpha);
            let ends = [self.at(w[0].alpha, a), self.at(w[1].alpha, b)];
            let line = Mark::line(ends).stroke(colour, 1.6);
            across.then(|| line.dash(&[1.6, 3.6]).round())
        });
        let all = lines.chain(crossings);
        all.map(|line| line.class("mean-line")).collect()
    }

    /// One dot per finished trial.
    pub fn seeds(&self) -> Vec<Mark> {
        let radius = if self.is_dense() { 2.0 } else { 2.9 };
        let points = self.curve.points.iter();
        let dots = points.flat_map(|p| {
            p.seeds.values.iter().map(move |v| {
                let tip = format!(
                    "α = {}, seed {}: {:.2} %",
                    alpha_label(p.alpha),
                    v.seed,
                    100.0 * v.value
                );
                Mark::circle(self.at(p.alpha, v.value), radius)
                    .fill(self.series.colour)
                    .opacity(0.45)
                    .class("seed")
                    .tip(tip)
            })
        });
        dots.collect()
    }

    /// One ring per mean.
    pub fn means(&self) -> Vec<Mark> {
        let radius = if self.is_dense() { 2.4 } else { 4.2 };
        self.with_means("", |at| {
            Mark::circle(at, radius)
                .fill(PAPER)
                .stroke(self.series.colour, 1.8)
        })
    }

    /// One marker per mean.
    pub fn markers(&self) -> Vec<Mark> {
        self.with_means(&format!("{}, ", self.name), |at| self.series.mark(at))
    }

    /// A mark per mean, and a ring around the one at the chosen α.
    fn with_means(&self, name: &str, mark: impl Fn(Point) -> Mark) -> Vec<Mark> {
        let mut marks = Vec::new();
        for p in &self.curve.points {
            let Some(mean) = p.seeds.mean else { continue };
            let at = self.at(p.alpha, mean);
            if self.curve.chosen_alpha == Some(p.alpha) {
                let ring = Mark::circle(at, CHOSEN).stroke(self.series.colour, 1.4);
                marks.push(ring.class("chosen"));
            }
            let tip = format!(
                "{name}α = {}: mean {:.2} % (n = {})",
                alpha_label(p.alpha),
                100.0 * mean,
                p.seeds.n
            );
            marks.push(mark(at).class("mean").tip(tip));
        }
        marks
    }

    /// The prior's mean and interval at `x`.
    pub fn prior(&self, x: f64, cap: f64) -> Vec<Mark> {
        let with_mean = |seeds: &SeedStatistics| Some((seeds.mean?, seeds.n, seeds.ci95));
        let Some((mean, n, ci95)) = self.curve.prior.as_ref().and_then(with_mean) else {
            return Vec::new();
        };
        let tip = format!("{}, prior: mean {:.2} % (n = {n})", self.name, 100.0 * mean);
        let bar = ci95.map(|interval| self.bar(x, interval, cap));
        let marker = self.series.mark([x, self.y(mean)]);
        bar.into_iter()
            .chain([marker.class("prior").tip(tip)])
            .collect()
    }

    fn is_dense(&self) -> bool {
        self.curve.points.len() >= MANY
    }

    fn x(&self, alpha: f64) -> f64 {
        self.alpha.x(alpha) + self.shift
    }

    fn y(&self, value: f64) -> f64 {
        self.range.place(value, self.area.bottom, self.area.top)
    }

    fn at(&self, alpha: f64, value: f64) -> Point {
        [self.x(alpha), self.y(value)]
    }

    /// Neighbouring points of one part of the axis that have a quantity, with
    /// their horizontal position.
    fn runs<T>(&self, quantity: impl Fn(&CurvePoint) -> Option<T>) -> Vec<Vec<(f64, T)>> {
        let parts = self
            .curve
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

/// A vertical bar with a cap at both ends, not painted yet.
pub fn interval_bar(x: f64, [y1, y2]: [f64; 2], cap: f64) -> Mark {
    Mark::lines([
        [[x - cap, y1], [x + cap, y1]],
        [[x - cap, y2], [x + cap, y2]],
        [[x, y1], [x, y2]],
    ])
}

/// One row of × from `corner` on per curve with a diverged trial; a count stands right of its
/// × where there is room, and in the tooltip.
pub fn rows(series: &[Marks<'_>], [left, top]: Point, height: f64, style: &Style) -> Vec<Mark> {
    let with_diverged = series
        .iter()
        .filter(|one| diverged(one.curve).next().is_some());
    let mut marks = Vec::new();
    for (row, one) in with_diverged.enumerate() {
        let y = top + (row as f64 + 0.5) * height;
        if row == 0 {
            marks.push(strip_name([left, y], style));
        }
        let points: Vec<&CurvePoint> = diverged(one.curve).collect();
        for (i, p) in points.iter().enumerate() {
            let x = one.x(p.alpha);
            let (failed, trials) = (p.seeds.diverged.len(), p.seeds.trials());
            let tip = format!(
                "{}, α = {}: {failed} of {trials} trials diverged",
                one.name,
                alpha_label(p.alpha)
            );
            let cross = cross([x, y], ARM, one.series.colour);
            marks.push(cross.class("diverged").tip(tip));
            let count = format!("{failed}/{trials}");
            let next = points
                .get(i + 1)
                .map_or(one.area.right + ARM, |p| one.x(p.alpha));
            if next - x > width(&count, style.small, Face::Regular) + 4.0 * ARM {
                let at = [x + 2.0 * ARM, y + 0.36 * style.small];
                marks.push(Mark::text(at, style.small, count).fill(GREY));
            }
        }
    }
    marks
}
