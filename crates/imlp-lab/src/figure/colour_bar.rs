//! What the colours of cells mean, as a bar right of them.

use super::axis::Range;
use super::colour::{Colour, INK};
use super::scene::{Anchor, Area, Image, Mark, Shape};
use super::style::{HALF_LETTER, Style, line_height};
use super::text::{Face, width};

/// From the cells to the bar.
const GAP: f64 = 12.0;
/// Width of the bar.
const THICK: f64 = 10.0;
/// From the bar to its labels.
const LABEL_GAP: f64 = 7.0;
/// Colours that are told apart.
const STEPS: usize = 128;

/// What bar, labels and name need right of the cells.
pub fn margin(range: &Range, style: &Style) -> f64 {
    let labels = range.ticks().into_iter();
    let widest = labels.map(|(_, label)| width(&label, style.text, Face::Regular));
    let name = line_height(style.axis);
    GAP + THICK + LABEL_GAP + widest.fold(0.0, f64::max) + 4.0 + name + style.edge
}

/// The bar right of cells that are as high as `area`; `colour` is of numbers in the range.
pub fn marks(
    area: Area,
    range: &Range,
    colour: impl Fn(f64) -> Colour,
    name: &str,
    style: &Style,
) -> Vec<Mark> {
    let left = area.right + GAP;
    let bar = Area {
        left,
        right: left + THICK,
        ..area
    };
    let (low, high) = range.ends();
    let value = |step: usize| high - (step as f64 + 0.5) / STEPS as f64 * (high - low);
    let image = Image {
        width: 1,
        height: STEPS,
        pixels: (0..STEPS).map(|step| colour(value(step))).collect(),
    };
    let mut marks = vec![
        Mark::new(Shape::Image(bar, image)),
        Mark::new(Shape::Rectangle(bar)).stroke(INK, 0.8),
    ];
    let mut last = f64::INFINITY;
    for (value, label) in range.ticks() {
        let y = range.place(value, bar.bottom, bar.top);
        marks.push(Mark::line([[bar.right, y], [bar.right + 4.0, y]]).stroke(INK, 0.8));
        if last - y < style.text {
            continue;
        }
        last = y;
        let at = [bar.right + LABEL_GAP, y + HALF_LETTER * style.text];
        marks.push(Mark::text(at, style.text, label).fill(INK));
    }
    let x = area.right + margin(range, style) - style.edge - 3.0;
    let name = Mark::text([x, area.centre()[1]], style.axis, name).anchor(Anchor::Middle);
    marks.push(name.upright().fill(INK));
    marks
}
