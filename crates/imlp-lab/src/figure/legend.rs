//! The legend: one row (or more) between the title and the plot area.

use super::colour::{BLUE, Colour, INK, PAPER, VERMILLION};
use super::diverged::{ARM, cross};
use super::scene::{Area, Mark, Shape};
use super::series::Series;
use super::style::{HALF_LETTER, Style, line_height};
use super::text::{Face, clean, shorten_inside, width, wrap};

/// From an entry's sign to its words.
const SPACE: f64 = 7.0;
/// Free space between entries.
const GAP: f64 = 16.0;
/// Maximum number of rows of an entry: of a longer name the middle is left out.
const ROWS: usize = 3;

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

/// An entry in its place.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    entry: Entry,
    /// A line of words per row.
    words: Vec<String>,
    left: f64,
    /// The first.
    row: usize,
}

/// Entries placed in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    placed: Vec<Placed>,
    /// Height of all rows.
    pub height: f64,
}

impl Legend {
    /// Places entries from `left` on, in rows that end before the page does. A name that is
    /// too long for a row has the rows that it needs to itself.
    pub fn new(entries: &[Entry], left: f64, style: &Style) -> Self {
        let right = style.width - style.edge;
        let mut placed = Vec::new();
        // Where the next entry can stand, and the number of rows that have one.
        let (mut x, mut rows) = (left, 0);
        for entry in entries {
            let limit = right - left - entry.width() - SPACE;
            // A key and its value stay together.
            let name = clean(entry.words()).replace(" = ", "\u{a0}=\u{a0}");
            let words = wrap(
                &name,
                limit,
                ROWS,
                style.text,
                Face::Regular,
                shorten_inside,
            );
            let words: Vec<_> = words.iter().map(|w| w.replace('\u{a0}', " ")).collect();
            let widths = words
                .iter()
                .map(|line| width(line, style.text, Face::Regular));
            let wide = entry.width() + SPACE + widths.fold(0.0, f64::max);
            let taken = words.len().max(1);
            if rows == 0 || taken > 1 || x + wide > right {
                (x, rows) = (left, rows + taken);
            }
            placed.push(Placed {
                entry: entry.clone(),
                words,
                left: x,
                row: rows - taken,
            });
            x = if taken > 1 { right } else { x + wide + GAP };
        }
        Self {
            placed,
            height: rows as f64 * line_height(style.text),
        }
    }

    /// The rows from `top` down.
    pub fn marks(&self, top: f64, style: &Style) -> Vec<Mark> {
        let step = line_height(style.text);
        let mut marks = Vec::new();
        for placed in &self.placed {
            let y = |row: usize| top + (row as f64 + 0.5) * step;
            marks.extend(placed.entry.sign(placed.left, y(placed.row)));
            let x = placed.left + placed.entry.width() + SPACE;
            for (row, words) in (placed.row..).zip(&placed.words) {
                let at = [x, y(row) + HALF_LETTER * style.text];
                marks.push(Mark::text(at, style.text, words).fill(INK));
            }
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
        assert!(wide.placed.iter().all(|placed| placed.row == 0));
        let page = Style {
            width: 316.0,
            ..Style::SCREEN
        };
        let narrow = Legend::new(&all, 78.0, &page);
        assert!(narrow.placed.last().unwrap().row >= 2);
        assert!(narrow.height > wide.height);
        assert_eq!(Legend::new(&[], 78.0, &page).height, 0.0);
    }

    #[test]
    fn a_long_name_has_rows_of_its_own() {
        let name = |training: &str| {
            let name = format!("allocation = [0.25, 0.5, 0.75, 1], training = {training}");
            Entry::Marker(name, Series::new(0))
        };
        let entries = [Entry::Seed, name("frozen"), name("co-trained"), Entry::Seed];
        let page = Style {
            width: 316.0,
            ..Style::SCREEN
        };
        let legend = Legend::new(&entries, 78.0, &page);
        let mut rows = Vec::new();
        for placed in &legend.placed {
            assert_eq!(placed.left, 78.0);
            assert_eq!(placed.row, rows.len(), "{placed:?}");
            rows.extend(placed.words.clone());
        }
        assert_eq!(legend.height, rows.len() as f64 * line_height(page.text));
        let said = rows.join(" ");
        assert!(
            said.contains("0.75, 1], training = frozen allocation"),
            "{said}"
        );
        assert!(!said.contains('…'), "{said}");
    }
}
