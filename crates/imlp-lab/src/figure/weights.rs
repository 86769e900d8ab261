//! What units of the first layer see: a row per unit, columns the prior and the twins by α.

use imlp_suggest::counted;

use super::axis::Range;
use super::colour::{Colour, GREY, INK, diverging};
use super::colour_bar;
use super::course;
use super::error::FigureError;
use super::frame::{Layout, frame};
use super::kind::Kind;
use super::legend::Legend;
use super::named::Named;
use super::scene::{Anchor, Area, Image, Mark, Scene, Shape};
use super::style::{HALF_LETTER, Height, Style, line_height};
use super::text::{Face, clean, shorten, width, wrap};
use crate::curve::alpha_label;
use crate::view::FirstLayerView;

/// Between two images.
const GAP: f64 = 4.0;
/// Least width of an image.
const LEAST: f64 = 30.0;
/// Least height of all images, beside which the colour bar has its name.
const LEAST_HEIGHT: f64 = 64.0;
/// Largest width of an image.
const MOST: f64 = 90.0;
/// Share of the page that the names of units may take.
const NAMES: f64 = 0.22;
/// Images have as many pixels as a print has dots, so that no viewer smooths them.
const PIXELS_PER_UNIT: f64 = 2.5;

/// A column: its name, and a row of weights per unit.
type Column<'a> = (String, &'a [Vec<f32>]);

/// Draws the first layers of one configuration.
pub fn scene(named: &Named<'_>, style: &Style) -> Result<Scene, FigureError> {
    let lacking = |reason: &str| FigureError::Lacking {
        kind: Kind::Weights.name(),
        reason: reason.to_owned(),
    };
    let Some(view) = &named.configuration.first_layer else {
        return Err(lacking(
            "no first layers of a prior and its twins were kept; α = 0 alone has no prior, a \
             trial that diverged has nothing to show, a running sweep keeps them as trials \
             finish, and an earlier version of imlp kept none",
        ));
    };
    let [channels, height, width] = view.shape;
    let numbers = channels * height * width;
    if !matches!(channels, 1 | 3) || numbers == 0 || view.units.is_empty() {
        return Err(lacking(
            "the first layer does not see images of 1 or 3 channels",
        ));
    }
    let fits = |rows: &[Vec<f32>]| {
        let finite = |row: &Vec<f32>| row.len() == numbers && row.iter().all(|w| w.is_finite());
        rows.len() == view.units.len() && rows.iter().all(finite)
    };
    if !fits(&view.prior) {
        return Err(lacking(
            "the prior's weights are not finite images of its units",
        ));
    }
    let twins = view.twins.iter().filter(|twin| fits(&twin.rows));
    let twins: Vec<Column<'_>> = twins
        .map(|twin| (format!("α = {}", alpha_label(twin.alpha)), &*twin.rows))
        .collect();
    let left_out = view.twins.len() - twins.len();
    Ok(draw(named, view, &twins, left_out, style))
}

fn draw(
    named: &Named<'_>,
    view: &FirstLayerView,
    twins: &[Column<'_>],
    left_out: usize,
    style: &Style,
) -> Scene {
    let scale = largest(view, twins);
    let range = Range::exactly(-scale, scale);
    let names = names(view, style);
    let widest = names.iter().flatten();
    let widest = widest.map(|line| width(line, style.small, Face::Regular));
    let left = style.edge + widest.fold(0.0, f64::max) + 6.0;
    let right = colour_bar::margin(&range, style);
    let room = style.width - left - right;
    let (columns, least) = columns_within(room, view, twins, style);

    let shown = columns.len() - 1;
    let ratio = ratio(view);
    let header = header(style);
    let title = format!("What the first layer ({}) sees", view.layer);
    let page = |rows: usize, cell: f64| {
        let layout = Layout {
            kind: "weights",
            title: &title,
            subtitle: named.view.subject(),
            description: format!(
                "Weights of {} of the layer {} as images: of the prior and of {}.",
                counted(rows, "unit"),
                clean(&view.layer),
                counted(shown, "twin")
            ),
            legend: Legend::new(&[], left, style),
            notes: notes(
                named,
                view,
                twins.len() - shown,
                view.units.len() - rows,
                left_out,
            ),
            left,
            right,
            plot: (header + rows as f64 * (cell * ratio + GAP)).max(header + LEAST_HEIGHT),
            below: line_height(style.small),
        };
        frame(style, layout)
    };
    let most = (room / columns.len() as f64 - GAP).min(MOST);
    let (cell, rows) = match style.height {
        Height::Plot(_) => (most, view.units.len()),
        Height::Page(_) => {
            // The notes of a page that leaves units out are the longest.
            let height = page(0, most).1.height() - header;
            let rows = (height / (LEAST * ratio + GAP)) as usize;
            let rows = rows.clamp(1, view.units.len());
            (most.min((height / rows as f64 - GAP) / ratio), rows)
        }
    };
    let (mut scene, area) = page(rows, cell);
    let grid = Grid {
        left: area.left,
        top: area.top + header,
        cell: [cell, cell * ratio],
        // Heads of columns may be wider than small images.
        step: [(cell + GAP).max(least), cell * ratio + GAP],
        columns: columns.len(),
        rows,
    };
    scene.marks.extend(heads(&grid, &columns, area.top, style));
    scene.marks.extend(images(&grid, &columns, view, scale));
    scene.marks.extend(unit_names(&grid, &names, style));
    let coloured = |value: f64| match view.shape[0] {
        1 => diverging(value / scale),
        _ => grey(value / scale),
    };
    let bar = colour_bar::marks(grid.area(), &range, coloured, "weight", style);
    scene.marks.extend(bar);
    scene
}

/// Where the images stand.
struct Grid {
    left: f64,
    top: f64,
    /// Width and height of an image.
    cell: [f64; 2],
    /// From one image to the next, right and down.
    step: [f64; 2],
    columns: usize,
    rows: usize,
}

impl Grid {
    /// The middle of a column.
    fn middle(&self, column: usize) -> f64 {
        self.left + column as f64 * self.step[0] + (self.step[0] - GAP) / 2.0
    }

    /// The upper edge of a row.
    fn row(&self, row: usize) -> f64 {
        self.top + row as f64 * self.step[1]
    }

    /// The place of an image.
    fn place(&self, column: usize, row: usize) -> Area {
        let ([width, height], middle, top) = (self.cell, self.middle(column), self.row(row));
        Area {
            left: middle - width / 2.0,
            top,
            right: middle + width / 2.0,
            bottom: top + height,
        }
    }

    /// The place of all images, or what a colour bar beside them needs.
    fn area(&self) -> Area {
        Area {
            left: self.left,
            top: self.top,
            right: self.left + self.columns as f64 * self.step[0] - GAP,
            bottom: self.top + (self.rows as f64 * self.step[1] - GAP).max(LEAST_HEIGHT),
        }
    }
}

/// The largest weight's size: one scale for all.
fn largest(view: &FirstLayerView, twins: &[Column<'_>]) -> f64 {
    let rows = twins.iter().flat_map(|(_, rows)| rows.iter());
    let weights = rows.chain(&view.prior).flatten();
    let largest = weights.fold(0.0f32, |most, w| most.max(w.abs()));
    // All zero: any scale does.
    if largest > 0.0 {
        f64::from(largest)
    } else {
        1.0
    }
}

/// Height over width of an image; very flat and very high ones are drawn in a cell that is not.
fn ratio(view: &FirstLayerView) -> f64 {
    let [_, high, wide] = view.shape;
    (high as f64 / wide as f64).clamp(0.25, 4.0)
}

/// Height of the columns' names.
fn header(style: &Style) -> f64 {
    line_height(style.small) + 2.0
}

/// As many columns as have room, and the least width of one.
fn columns_within<'a>(
    room: f64,
    view: &'a FirstLayerView,
    twins: &[Column<'a>],
    style: &Style,
) -> (Vec<Column<'a>>, f64) {
    let least = |columns: &[Column<'_>]| {
        let heads = columns.iter();
        let heads = heads.map(|(name, _)| width(name, style.small, Face::Regular));
        heads.fold(LEAST, f64::max) + GAP
    };
    let columns = (1..=twins.len())
        .rev()
        .map(|shown| some(twins, shown, view))
        .find(|columns| columns.len() as f64 * least(columns) <= room)
        .unwrap_or_else(|| some(twins, 0, view));
    let least = least(&columns);
    (columns, least)
}

/// The columns' names.
fn heads(grid: &Grid, columns: &[Column<'_>], top: f64, style: &Style) -> Vec<Mark> {
    let head = |(index, (head, _)): (usize, &Column<'_>)| {
        let at = [grid.middle(index), top + style.small];
        let head = Mark::text(at, style.small, head).anchor(Anchor::Middle);
        head.fill(INK)
    };
    columns.iter().enumerate().map(head).collect()
}

/// The units of every column as framed images.
fn images(grid: &Grid, columns: &[Column<'_>], view: &FirstLayerView, scale: f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (column, (_, rows)) in columns.iter().enumerate() {
        for (row, weights) in rows.iter().take(grid.rows).enumerate() {
            let place = grid.place(column, row);
            let image = image(weights, view.shape, scale, grid.cell[0]);
            let unit = Mark::new(Shape::Image(place, image)).class("unit");
            marks.push(unit.tip(clean(&view.units[row])));
            marks.push(Mark::new(Shape::Rectangle(place)).stroke(GREY, 0.5));
        }
    }
    marks
}

/// The units' names, left of their rows.
fn unit_names(grid: &Grid, names: &[Vec<String>], style: &Style) -> Vec<Mark> {
    let mut marks = Vec::new();
    let step = line_height(style.small);
    for (row, lines) in names.iter().take(grid.rows).enumerate() {
        let middle = grid.row(row) + grid.cell[1] / 2.0;
        // A second line has no room beside a low image.
        let lines = &lines[..lines.len().min((grid.step[1] / step).max(1.0) as usize)];
        for (i, line) in lines.iter().enumerate() {
            let y = middle + (i as f64 - (lines.len() - 1) as f64 / 2.0) * step;
            let at = [grid.left - 6.0, y + HALF_LETTER * style.small];
            let name = Mark::text(at, style.small, line).anchor(Anchor::End);
            marks.push(name.fill(INK));
        }
    }
    marks
}

/// The names of units in at most two lines.
fn names(view: &FirstLayerView, style: &Style) -> Vec<Vec<String>> {
    let limit = NAMES * style.width;
    let wrapped = |unit: &String| wrap(&clean(unit), limit, 2, style.small, Face::Regular, shorten);
    view.units.iter().map(wrapped).collect()
}

/// The prior and some of the twins, from the first to the last.
fn some<'a>(twins: &[Column<'a>], most: usize, view: &'a FirstLayerView) -> Vec<Column<'a>> {
    let shown = twins.len().min(most);
    let step = (twins.len().max(1) - 1) as f64 / (shown.max(2) - 1) as f64;
    let mut columns: Vec<Column<'a>> = vec![("prior".to_owned(), &view.prior)];
    columns.extend((0..shown).map(|i| twins[(i as f64 * step).round() as usize].clone()));
    columns
}

/// Weights as colours, every one a square of pixels.
fn image(weights: &[f32], [channels, height, width]: [usize; 3], scale: f64, size: f64) -> Image {
    let enlarged = (size * PIXELS_PER_UNIT / width as f64)
        .ceil()
        .clamp(1.0, 64.0) as usize;
    let plane = height * width;
    let share = |index: usize| f64::from(weights[index]) / scale;
    let colour = |pixel: usize| match channels {
        1 => diverging(share(pixel)),
        _ => Colour(std::array::from_fn(|c| level(share(c * plane + pixel)))),
    };
    let mut pixels = Vec::new();
    for y in 0..height * enlarged {
        for x in 0..width * enlarged {
            pixels.push(colour(y / enlarged * width + x / enlarged));
        }
    }
    Image {
        width: width * enlarged,
        height: height * enlarged,
        pixels,
    }
}

/// A weight from −1 to 1 as the strength of its own channel's colour.
fn level(share: f64) -> u8 {
    (127.5 * (share + 1.0)).round() as u8
}

fn grey(share: f64) -> Colour {
    Colour([level(share); 3])
}

fn notes(
    named: &Named<'_>,
    view: &FirstLayerView,
    columns: usize,
    rows: usize,
    left_out: usize,
) -> Vec<String> {
    let mut notes = vec![format!(
        "Layer {} at the end of training, seed {}; one scale for all.",
        view.layer, view.seed
    )];
    if view.shape[0] == 3 {
        notes.push("Red, green and blue are the weights of those channels; grey is 0.".to_owned());
    }
    if columns > 0 {
        notes.push(format!(
            "Values of α between the ends that have no room: {columns}."
        ));
    }
    if rows > 0 {
        notes.push(format!("Units that have no room: {rows}."));
    }
    if left_out > 0 {
        notes.push(format!(
            "Trials left out, whose weights are not finite: {left_out}."
        ));
    }
    notes.extend(course::diverged(std::slice::from_ref(named)));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_the_weight_on_the_scale_of_all() {
        // One channel of 1×2 at twice the largest weight's scale.
        let one = image(&[2.0, -4.0], [1, 1, 2], 4.0, 0.8);
        assert_eq!((one.width, one.height), (2, 1));
        assert_eq!(one.pixels, [diverging(0.5), diverging(-1.0)]);
        // Three channels of one pixel: −1 is 0, 0 is 128, 1 is 255.
        let three = image(&[-4.0, 0.0, 4.0], [3, 1, 1], 4.0, 0.4);
        assert_eq!(three.pixels, [Colour([0, 128, 255])]);
        let large = image(&[2.0, -4.0], [1, 1, 2], 4.0, 1.6);
        assert_eq!((large.width, large.height), (4, 2));
        assert_eq!(large.pixels[1], diverging(0.5));
        assert_eq!(large.pixels[6], diverging(-1.0));
    }
}
