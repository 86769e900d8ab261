//! The legend: one row (or more) between the title and the plot area.

use super::colour::{BLUE, Colour, INK, PAPER, VERMILLION};
use super::diverged::{ARM, cross};
use super::scene::{Area, Mark, Shape};
use super::series::Series;
use super::style::{HALF_LETTER, Style, line_height};
use super::text::{Face, clean, shorten_inside, width};

/// From an entry's sign to its words.
const SPACE: f64 = 7.0;
/// Free space between entries.
const GAP: f64 = 16.0;

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
    /// A line of a colour, by name.
    Line(String, Colour, &'static [f64]),
    /// A marker, by name.
    Marker(String, Series),
}

impl Entry {
    fn words(&self) -> &str {
        match self {
            Self::Seed => "one seed",
            Self::Mean => "mean over seeds",
            Self::Interval => "95 % interval of the mean",
            Self::Diverged => "diverged (k of n seeds)",
            Self::Curve(name, _) | Self::Line(name, ..) | Self::Marker(name, _) => name,
        }
    }

    /// Width of the sign.
    fn width(&self) -> f64 {
        match self {
            Self::Seed | Self::Diverged | Self::Marker(..) => 9.0,
            Self::Mean | Self::Interval => 20.0,
            Self::Line(..) => 16.0,
            Self::Curve(..) => 30.0,
        }
    }

    fn sign(&self, x: f64, y: f64) -> Vec<Mark> {
        let middle = [x + self.width() / 2.0, y];
        let line = |colour| Mark::line([[x, y], [x + self.width(), y]]).stroke(colour, 2.2);
        match self {
            Self::Seed => vec![Mark::circle(middle, 2.9).fill(BLUE).opacity(0.45)],
            Self::Mean => {
                let ring = Mark::circle(middle, 4.2).fill(PAPER).stroke(BLUE, 1.8);
                vec![line(BLUE), ring]
            }
            Self::Interval => {
                let area = Area {
                    left: x,
                    top: y - 6.0,
                    right: x + self.width(),
                    bottom: y + 6.0,
                };
                let band = Mark::new(Shape::Rectangle(area));
                vec![band.fill(BLUE).opacity(0.16)]
            }
            Self::Diverged => vec![cross(middle, ARM, VERMILLION)],
            Self::Curve(_, series) => {
                let line = line(series.colour).dash(series.dash);
                vec![line, series.mark(middle)]
            }
            Self::Line(_, colour, dash) => vec![line(*colour).dash(dash)],
            Self::Marker(_, series) => vec![series.mark(middle)],
        }
    }
}

/// Entries placed in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    /// Entry, its words, left edge and row.
    placed: Vec<(Entry, String, f64, usize)>,
    /// Height of all rows.
    pub height: f64,
}

impl Legend {
    /// Places entries from `left` on, in rows that end before the page does.
    pub fn new(entries: &[Entry], left: f64, style: &Style) -> Self {
        let right = style.width - style.edge;
        let mut placed = Vec::new();
        let (mut x, mut row) = (left, 0);
        for entry in entries {
            let limit = right - left - entry.width() - SPACE;
            let words = shorten_inside(&clean(entry.words()), limit, style.text, Face::Regular);
            let wide = entry.width() + SPACE + width(&words, style.text, Face::Regular);
            if x > left && x + wide > right {
                (x, row) = (left, row + 1);
            }
            placed.push((entry.clone(), words, x, row));
            x += wide + GAP;
        }
        let rows = placed.last().map_or(0, |(.., row)| row + 1);
        Self {
            placed,
            height: rows as f64 * line_height(style.text),
        }
    }

    /// The rows from `top` down.
    pub fn marks(&self, top: f64, style: &Style) -> Vec<Mark> {
        let step = line_height(style.text);
        let mut marks = Vec::new();
        for (entry, words, x, row) in &self.placed {
            let y = top + (*row as f64 + 0.5) * step;
            marks.extend(entry.sign(*x, y));
            let at = [x + entry.width() + SPACE, y + HALF_LETTER * style.text];
            marks.push(Mark::text(at, style.text, words).fill(INK));
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_take_a_new_row_when_there_is_no_room() {
        let all = [Entry::Seed, Entry::Mean, Entry::Interval, Entry::Diverged];
        let wide = Legend::new(&all, 78.0, &Style::SCREEN);
        assert!(wide.placed.iter().all(|(.., row)| *row == 0));
        let page = Style {
            width: 316.0,
            ..Style::SCREEN
        };
        let narrow = Legend::new(&all, 78.0, &page);
        assert!(narrow.placed.last().unwrap().3 >= 2);
        assert!(narrow.height > wide.height);
        assert_eq!(Legend::new(&[], 78.0, &page).height, 0.0);
    }
}
