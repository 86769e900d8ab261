//! The legend: one row (or more) between the title and the plot area.

use maud::{Markup, html};

use super::diverged::{ARM, cross};
use super::series::Series;
use super::style::{BLUE, INK, PAPER, TEXT_SIZE, VERMILLION, line_height, px};
use super::text::{Face, width};

/// From an entry's sign to its words.
const SPACE: f64 = 7.0;
/// Free space between entries.
const GAP: f64 = 20.0;

/// What an entry explains.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A dot.
    Seed,
    /// Line and ring.
    Mean,
    /// Band.
    Interval,
    /// ×.
    Diverged,
    /// The line and marker of one curve of several, by name.
    Curve(String, Series),
}

impl Entry {
    fn words(&self) -> &str {
        match self {
            Entry::Seed => "one seed",
            Entry::Mean => "mean over seeds",
            Entry::Interval => "95 % interval of the mean",
            Entry::Diverged => "diverged (k of n seeds)",
            Entry::Curve(name, _) => name,
        }
    }

    /// Width of the sign, px.
    fn width(&self) -> f64 {
        match self {
            Entry::Seed | Entry::Diverged => 8.0,
            Entry::Mean | Entry::Interval => 20.0,
            Entry::Curve(..) => 30.0,
        }
    }

    fn sign(&self, x: f64, y: f64) -> Markup {
        let middle = x + self.width() / 2.0;
        html! {
            @match self {
                Entry::Seed => {
                    circle cx=(px(middle)) cy=(px(y)) r="2.9" fill=(BLUE) fill-opacity="0.45" {}
                }
                Entry::Mean => {
                    line x1=(px(x)) x2=(px(x + self.width())) y1=(px(y)) y2=(px(y)) stroke=(BLUE)
                        stroke-width="2.2" {}
                    circle cx=(px(middle)) cy=(px(y)) r="4.2" fill=(PAPER) stroke=(BLUE)
                        stroke-width="1.8" {}
                }
                Entry::Interval => {
                    rect x=(px(x)) y=(px(y - 6.0)) width=(px(self.width())) height="12"
                        fill=(BLUE) fill-opacity="0.16" {}
                }
                Entry::Diverged => { (cross(middle, y, ARM, VERMILLION, None)) }
                Entry::Curve(_, series) => {
                    line x1=(px(x)) x2=(px(x + self.width())) y1=(px(y)) y2=(px(y))
                        stroke=(series.colour) stroke-width="2.2"
                        stroke-dasharray=[series.dash] {}
                    (series.marker(middle, y, ""))
                }
            }
        }
    }
}

/// Entries placed in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    /// Entry, left edge and row.
    placed: Vec<(Entry, f64, usize)>,
    /// Height of all rows, px.
    pub height: f64,
}

impl Legend {
    /// Places entries from `left` on, in rows that end before `right` px.
    pub fn new(entries: &[Entry], left: f64, right: f64) -> Self {
        let mut placed = Vec::new();
        let (mut x, mut row) = (left, 0);
        for entry in entries {
            let wide = entry.width() + SPACE + width(entry.words(), TEXT_SIZE, Face::Regular);
            if x > left && x + wide > right {
                (x, row) = (left, row + 1);
            }
            placed.push((entry.clone(), x, row));
            x += wide + GAP;
        }
        let rows = placed.last().map_or(0, |(_, _, row)| row + 1);
        Self {
            placed,
            height: rows as f64 * line_height(TEXT_SIZE),
        }
    }

    /// Draws the rows from `top` px down.
    pub fn draw(&self, top: f64) -> Markup {
        let step = line_height(TEXT_SIZE);
        html! {
            g class="legend" {
                @for (entry, x, row) in &self.placed {
                    @let y = top + (*row as f64 + 0.5) * step;
                    (entry.sign(*x, y))
                    text x=(px(x + entry.width() + SPACE)) y=(px(y + TEXT_SIZE * 0.36)) font-size=(TEXT_SIZE)
                        fill=(INK) { (entry.words()) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_take_a_new_row_when_there_is_no_room() {
        let all = [Entry::Seed, Entry::Mean, Entry::Interval, Entry::Diverged];
        let wide = Legend::new(&all, 78.0, 784.0);
        assert!(wide.placed.iter().all(|(_, _, row)| *row == 0));
        let narrow = Legend::new(&all, 78.0, 300.0);
        assert!(narrow.placed.last().unwrap().2 >= 2);
        assert!(narrow.height > wide.height);
        assert_eq!(Legend::new(&[], 78.0, 300.0).height, 0.0);
    }
}
