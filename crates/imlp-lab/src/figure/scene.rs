//! What a figure is made of: marks on a page, which [`svg`](super::svg) and
//! [`pdf`](super::pdf) write.
//!
//! Lengths are in units, y grows downward; a unit's physical size is the page's.

use super::colour::Colour;
use super::text::Face;

/// A point in units.
pub type Point = [f64; 2];

/// A rectangle in units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Area {
    /// From left to right.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From top to bottom.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Its centre.
    pub fn centre(&self) -> Point {
        [
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        ]
    }
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What it is: distinguishes its identifiers from those of another figure on a page.
    pub kind: &'static str,
    /// Its name.
    pub title: String,
    /// The figure in words, for those who cannot see it.
    pub description: String,
    /// Width in units.
    pub width: f64,
    /// Height in units.
    pub height: f64,
    /// Size of a unit in points, 1/72 inch.
    pub unit: f64,
    /// Facts that a reader could overlook; drawn unless the style leaves them to a caption.
    pub notes: Vec<String>,
    /// The marks, the lowest first.
    pub marks: Vec<Mark>,
}

/// A shape, how it is painted, and what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The shape.
    pub shape: Shape,
    /// Colour inside.
    pub fill: Option<Colour>,
    /// Line around it or along it.
    pub stroke: Option<Stroke>,
    /// 0 to 1.
    pub opacity: f64,
    /// Nothing is painted outside.
    pub clip: Option<Area>,
    /// What kind of mark it is, for programs that read the SVG.
    pub class: Option<&'static str>,
    /// Shown where the pointer rests on it.
    pub tip: Option<String>,
}

/// A mark's shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Straight lines through points, in one or more parts.
    Lines(Vec<Vec<Point>>),
    /// A polygon.
    Polygon(Vec<Point>),
    /// A rectangle.
    Rectangle(Area),
    /// A circle.
    Circle {
        /// Its centre.
        centre: Point,
        /// Its radius.
        radius: f64,
    },
    /// A line of text.
    Text(Text),
    /// An image that fills an area.
    Image(Area, Image),
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// On the baseline.
    pub at: Point,
    /// What `at` is the place of.
    pub anchor: Anchor,
    /// Size of the letters.
    pub size: f64,
    /// The face.
    pub face: Face,
    /// Whether it is turned to run upward about `at`.
    pub upright: bool,
    /// The words.
    pub words: String,
}

/// A place in a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Where it begins.
    Start,
    /// Its middle.
    Middle,
    /// Where it ends.
    End,
}

/// Pixels, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `width · height` colours.
    pub pixels: Vec<Colour>,
}

/// A line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width.
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dash: &'static [f64],
    /// Whether its ends are round.
    pub round: bool,
}

impl Mark {
    /// A shape that is not painted yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            fill: None,
            stroke: None,
            opacity: 1.0,
            clip: None,
            class: None,
            tip: None,
        }
    }

    /// Straight lines through `points`.
    pub fn line(points: impl IntoIterator<Item = Point>) -> Self {
        Self::new(Shape::Lines(vec![points.into_iter().collect()]))
    }

    /// Lines apart from each other.
    pub fn lines(parts: impl IntoIterator<Item = [Point; 2]>) -> Self {
        let parts = parts.into_iter().map(Vec::from);
        Self::new(Shape::Lines(parts.collect()))
    }

    /// A circle.
    pub fn circle(centre: Point, radius: f64) -> Self {
        Self::new(Shape::Circle { centre, radius })
    }

    /// A line of text with its baseline at `at`.
    pub fn text(at: Point, size: f64, words: impl Into<String>) -> Self {
        Self::new(Shape::Text(Text {
            at,
            anchor: Anchor::Start,
            size,
            face: Face::Regular,
            upright: false,
            words: words.into(),
        }))
    }

    /// Paints the inside.
    pub fn fill(mut self, colour: Colour) -> Self {
        self.fill = Some(colour);
        self
    }

    /// Paints the line.
    pub fn stroke(mut self, colour: Colour, width: f64) -> Self {
        self.stroke = Some(Stroke {
            colour,
            width,
            dash: &[],
            round: false,
        });
        self
    }

    /// Dashes the line, after [`stroke`](Self::stroke).
    pub fn dash(mut self, dash: &'static [f64]) -> Self {
        self.stroke = self.stroke.map(|stroke| Stroke { dash, ..stroke });
        self
    }

    /// Rounds the line's ends, after [`stroke`](Self::stroke).
    pub fn round(mut self) -> Self {
        self.stroke = self.stroke.map(|stroke| Stroke {
            round: true,
            ..stroke
        });
        self
    }

    /// Lets what is below shine through.
    pub fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = opacity;
        self
    }

    /// Cuts it at `area`.
    pub fn clip(mut self, area: Area) -> Self {
        self.clip = Some(area);
        self
    }

    /// Says what kind of mark it is.
    pub fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }

    /// Says what it shows.
    pub fn tip(mut self, words: impl Into<String>) -> Self {
        self.tip = Some(words.into());
        self
    }

    /// Places a text by another of its places.
    pub fn anchor(self, anchor: Anchor) -> Self {
        self.of_text(|text| text.anchor = anchor)
    }

    /// Makes a text bold.
    pub fn bold(self) -> Self {
        self.of_text(|text| text.face = Face::Bold)
    }

    /// Turns a text to run upward.
    pub fn upright(self) -> Self {
        self.of_text(|text| text.upright = true)
    }

    fn of_text(mut self, change: impl FnOnce(&mut Text)) -> Self {
        if let Shape::Text(text) = &mut self.shape {
            change(text);
        }
        self
    }
}
