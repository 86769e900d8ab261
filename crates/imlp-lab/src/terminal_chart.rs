//! The α-curve in characters, for a terminal.

use crate::curve::{Curve, CurvePoint, SeedStatistics, alpha_label};

/// Height of the plot, in lines: the first, every third and the last have their values.
const ROWS: usize = 13;
/// Columns left of the plot, for values.
const LEFT: usize = 7;
/// Columns right of it, for the names of levels.
const RIGHT: usize = 10;
/// Most columns from one α to the next.
const WIDEST_STEP: usize = 9;
/// Fewest columns from one α to the next.
const NARROWEST_STEP: usize = 2;

/// Means with their 95 % intervals in per cent, one column for each α by rank, the prior and
/// the plain MLP as dotted lines; `None` where `width` columns are too few for the α, or no
/// trial has finished.
pub fn terminal_chart(curve: &Curve, width: usize) -> Option<String> {
    let points = &curve.points;
    let step = (width.checked_sub(LEFT + RIGHT)? / points.len()).min(WIDEST_STEP);
    if step < NARROWEST_STEP {
        return None;
    }
    let scale = Scale::of(curve)?;
    let mut grid = Grid::new(step * points.len());
    let levels = [("prior", &curve.prior), ("MLP", &curve.plain_mlp)];
    let levels = levels
        .into_iter()
        .filter_map(|(name, level)| Some((name, scale.row(level.as_ref()?.mean?))));
    for (name, row) in levels.clone() {
        grid.level(row, name);
    }
    for (i, point) in points.iter().enumerate() {
        let chosen = curve.chosen_alpha == Some(point.alpha);
        grid.mark(i * step + step / 2, point, chosen, &scale);
    }
    let mut lines: Vec<String> = (0..ROWS).map(|row| grid.line(row, &scale)).collect();
    lines.push(format!("{:LEFT$}└{}", "", "─".repeat(grid.columns)));
    lines.push(labels(points, step));
    lines.push(legend(curve));
    Some(lines.join("\n"))
}

/// From fractions to lines.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Holds every mean and every interval, as far as the latter lie within 0 and 1.
    fn of(curve: &Curve) -> Option<Self> {
        let levels = [&curve.prior, &curve.plain_mlp].into_iter().flatten();
        let all: Vec<&SeedStatistics> = curve
            .points
            .iter()
            .map(|p| &p.seeds)
            .chain(levels)
            .collect();
        let means = all.iter().filter_map(|s| s.mean);
        let ends = all.iter().filter_map(|s| s.ci95).flatten();
        let values: Vec<f64> = means.chain(ends.map(|v| v.clamp(0.0, 1.0))).collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        // One level alone stands in the middle.
        let margin = if high > low { 0.0 } else { 0.005 };
        Some(Self {
            low: low - margin,
            high: high + margin,
        })
    }

    /// The line of a value, from 0 at the top.
    fn row(&self, value: f64) -> usize {
        let from_top = (self.high - value) / (self.high - self.low);
        (from_top.clamp(0.0, 1.0) * (ROWS - 1) as f64).round() as usize
    }

    /// The value at the middle of a line.
    fn value(&self, row: usize) -> f64 {
        self.high - (self.high - self.low) * row as f64 / (ROWS - 1) as f64
    }
}

struct Grid {
    columns: usize,
    cells: Vec<char>,
    /// Names of levels, by line.
    names: [Vec<&'static str>; ROWS],
}

impl Grid {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            cells: vec![' '; columns * ROWS],
            names: Default::default(),
        }
    }

    fn put(&mut self, row: usize, column: usize, mark: char) {
        self.cells[row * self.columns + column] = mark;
    }

    fn level(&mut self, row: usize, name: &'static str) {
        for column in 0..self.columns {
            self.put(row, column, '┄');
        }
        self.names[row].push(name);
    }

    fn mark(&mut self, column: usize, point: &CurvePoint, chosen: bool, scale: &Scale) {
        let Some(mean) = point.seeds.mean else {
            // Every trial diverged.
            self.put(ROWS - 1, column, '×');
            return;
        };
        let mean = scale.row(mean);
        if let Some([low, high]) = point.seeds.ci95 {
            let (top, bottom) = (scale.row(high), scale.row(low));
            for row in top..=bottom {
                self.put(row, column, '│');
            }
            if top < mean {
                self.put(top, column, '┬');
            }
            if bottom > mean {
                self.put(bottom, column, '┴');
            }
        }
        self.put(mean, column, if chosen { '◆' } else { '●' });
    }

    fn line(&self, row: usize, scale: &Scale) -> String {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        let value = match row % 3 {
            0 => format!("{:>6.1} ", 100.0 * scale.value(row)),
            _ => " ".repeat(LEFT),
        };
        let cells: String = cells.iter().collect();
        let names = self.names[row].join("=");
        format!("{value}│{cells} {names}").trim_end().to_owned()
    }
}

/// The α below their columns; one that would touch the label before it is left out.
fn labels(points: &[CurvePoint], step: usize) -> String {
    let mut line = " ".repeat(LEFT + 1);
    let mut length = line.len();
    for (i, point) in points.iter().enumerate() {
        let label = alpha_label(point.alpha);
        let middle = LEFT + 1 + i * step + step / 2;
        let start = middle.saturating_sub(label.len() / 2);
        if i > 0 && start < length + 1 {
            continue;
        }
        line.push_str(&" ".repeat(start.saturating_sub(length)));
        line.push_str(&label);
        length = start.max(length) + label.len();
    }
    line
}

fn legend(curve: &Curve) -> String {
    let any = |shown: fn(&CurvePoint) -> bool| curve.points.iter().any(shown);
    let mut legend = format!("{:LEFT$} {} (%) by α: ● mean", "", curve.metric);
    if curve.chosen().is_some_and(|p| p.seeds.mean.is_some()) {
        legend += ", ◆ chosen on validation";
    }
    if any(|p| p.seeds.ci95.is_some()) {
        legend += ", ┬┴ 95 %";
    }
    if any(|p| p.seeds.mean.is_none()) {
        legend += ", × diverged";
    }
    legend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;

    fn curve(levels: &[(f64, &[f64])]) -> Curve {
        let mut trials = Vec::new();
        for &(alpha, values) in levels {
            for (seed, &value) in values.iter().enumerate() {
                let value = (value > 0.0).then_some(value);
                let seed = seed as u64;
                trials.push(TrialValue { alpha, seed, value });
            }
        }
        let prior = [(0, Some(0.58)), (1, Some(0.58))];
        Curve::from_trials("Test accuracy", &trials, &prior).unwrap()
    }

    /// 13 lines from 60 % to 48 %: one point each.
    #[test]
    fn a_valley_between_two_levels() {
        let curve = curve(&[
            (0.0, &[0.55, 0.55]),
            (0.01, &[0.54]),
            (0.1, &[0.48]),
            (0.5, &[-1.0]),
            (1.0, &[0.60]),
        ]);
        let validation = curve.clone();
        let chart = terminal_chart(&curve.chosen_by(&validation), 60).unwrap();
        let expected = "
  60.0 │                                    ●
       │
       │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ prior
  57.0 │
       │
       │┄┄┄┄◆┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ MLP
  54.0 │            ●
       │
       │
  51.0 │
       │
       │
  48.0 │                    ●       ×
       └────────────────────────────────────────
            0     0.01     0.1     0.5      1
        Test accuracy (%) by α: ● mean, ◆ chosen on validation, ┬┴ 95 %, × diverged";
        assert_eq!(format!("\n{chart}"), expected);
    }

    #[test]
    fn an_interval_has_its_ends() {
        // Of 0.5 and 0.6 the interval is −0.09 to 1.19: cut at 0 and 1, 13 lines.
        let curve = curve(&[(0.0, &[0.5, 0.6]), (0.5, &[0.5]), (1.0, &[0.5])]);
        let chart = terminal_chart(&curve, 46).unwrap();
        let column: Vec<char> = chart
            .lines()
            .take(ROWS)
            .filter_map(|line| line.chars().nth(LEFT + 1 + 4))
            .collect();
        let column: String = column.into_iter().collect();
        assert_eq!(column, "┬││││●││││││┴");
    }

    #[test]
    fn lines_are_as_long_as_the_terminal_is_wide_at_most() {
        for count in [1, 2, 11, 13, 40, 80] {
            let levels: Vec<(f64, &[f64])> = (0..count)
                .map(|i| (i as f64 / 100.0, &[0.5_f64, 0.6][..]))
                .collect();
            for width in [40, 60, 80, 200] {
                let Some(chart) = terminal_chart(&curve(&levels), width) else {
                    assert!(count * NARROWEST_STEP + LEFT + RIGHT > width);
                    continue;
                };
                let mut lines: Vec<&str> = chart.lines().collect();
                lines.pop();
                for line in lines {
                    let length = line.chars().count();
                    assert!(length <= width, "{count} α: {length} > {width}\n{line}");
                }
            }
        }
        assert_eq!(terminal_chart(&curve(&[(0.0, &[-1.0])]), 10), None);
    }
}
