//! What tells one of several curves from another: colour, marker and line.

use super::colour::{BLUE, Colour, GREEN, GREY, INK, ORANGE, PAPER, PURPLE, SKY, VERMILLION};
use super::scene::{Mark, Point, Shape};

/// Half the size of a marker.
const SIZE: f64 = 4.0;

const COLOURS: [Colour; 8] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, GREY];

/// Number of different series.
pub const SERIES: usize = COLOURS.len();

/// A marker's shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
}

const MARKERS: [Marker; 4] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
];

/// How one curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series {
    /// Colour of its line, markers and intervals.
    pub colour: Colour,
    /// Dash pattern of its line.
    pub dash: &'static [f64],
    /// The shape of its markers.
    pub marker: Marker,
    /// Whether they are empty.
    pub hollow: bool,
}

impl Series {
    /// The look of the curve at `index`: the second half is dashed, with hollow markers, for
    /// readers who cannot tell the colours.
    pub fn new(index: usize) -> Self {
        let hollow = index % SERIES >= MARKERS.len();
        Self {
            colour: COLOURS[index % SERIES],
            dash: if hollow { &[6.0, 3.0] } else { &[] },
            marker: MARKERS[index % MARKERS.len()],
            hollow,
        }
    }

    /// Its marker at a point.
    pub fn mark(&self, [x, y]: Point) -> Mark {
        let corners: &[Point] = match self.marker {
            Marker::Circle => &[],
            Marker::Square => &[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
            Marker::Triangle => &[[0.0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
            Marker::Diamond => &[[0.0, -1.3], [1.3, 0.0], [0.0, 1.3], [-1.3, 0.0]],
        };
        let corners: Vec<Point> = corners
            .iter()
            .map(|[dx, dy]| [x + dx * SIZE, y + dy * SIZE])
            .collect();
        let mark = match corners.is_empty() {
            true => Mark::circle([x, y], SIZE),
            false => Mark::new(Shape::Polygon(corners)),
        };
        mark.fill(if self.hollow { PAPER } else { self.colour })
            .stroke(self.colour, 1.6)
    }
}
