//! What tells one of several curves from another: colour, marker and line.

use maud::{Markup, html};

use super::style::{BLUE, GREEN, GREY, INK, ORANGE, PAPER, PURPLE, SKY, VERMILLION, px};

/// Half the size of a marker.
const SIZE: f64 = 4.0;

const COLOURS: [&str; 8] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, GREY];

/// Number of different series.
pub const SERIES: usize = COLOURS.len();

/// A marker's shape.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

const SHAPES: [Shape; 4] = [
    Shape::Circle,
    Shape::Square,
    Shape::Triangle,
    Shape::Diamond,
];

/// How one curve of several looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series {
    /// Colour of its line, markers and intervals.
    pub colour: &'static str,
    /// Dash pattern of its line.
    pub dash: Option<&'static str>,
    shape: Shape,
    hollow: bool,
}

impl Series {
    /// The look of the curve at `index` < [`SERIES`]: the second half is dashed, with
    /// hollow markers, for readers who cannot tell the colours.
    pub fn new(index: usize) -> Self {
        let hollow = index >= SHAPES.len();
        Self {
            colour: COLOURS[index % SERIES],
            dash: hollow.then_some("6 3"),
            shape: SHAPES[index % SHAPES.len()],
            hollow,
        }
    }

    /// Its marker at (`x`, `y`) px, with a tooltip unless `words` is empty.
    pub fn marker(&self, x: f64, y: f64, words: &str) -> Markup {
        let corner = |dx: f64, dy: f64| format!("{},{}", px(x + dx * SIZE), px(y + dy * SIZE));
        let corners = match self.shape {
            Shape::Circle => vec![],
            Shape::Square => vec![(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Shape::Triangle => vec![(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
            Shape::Diamond => vec![(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let corners: Vec<String> = corners.into_iter().map(|(dx, dy)| corner(dx, dy)).collect();
        let fill = if self.hollow { PAPER } else { self.colour };
        let title = html! { @if !words.is_empty() { title { (words) } } };
        // Only marks of data are of a class, not the legend's.
        let class = (!words.is_empty()).then_some("mean");
        html! {
            @if corners.is_empty() {
                circle class=[class] cx=(px(x)) cy=(px(y)) r=(SIZE) fill=(fill)
                    stroke=(self.colour) stroke-width="1.6" { (title) }
            } @else {
                polygon class=[class] points=(corners.join(" ")) fill=(fill)
                    stroke=(self.colour) stroke-width="1.6" stroke-linejoin="round" { (title) }
            }
        }
    }
}
