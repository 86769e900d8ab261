//! What stands around a plot: title, legend, axes, notes.

use super::alpha_axis::{AlphaAxis, Scale};
use super::alpha_ticks::{AlphaTicks, Tick};
use super::axis::Range;
use super::colour::{FAINT, GREY, INK, PAPER};
use super::legend::Legend;
use super::scene::{Anchor, Area, Mark, Scene};
use super::style::{HALF_LETTER, Height, Style, line_height};
use super::text::{Face, clean, shorten, width, wrap};

/// The least height of a plot on a page of fixed height.
const LEAST_HEIGHT: f64 = 150.0;
/// Half the height and the slant of a break's strokes.
const BREAK_SIZE: f64 = 5.0;
/// Free space above the notes.
const NOTES_GAP: f64 = 5.0;
/// From the axis to the labels of its ticks.
const LABEL_GAP: f64 = 8.0;

/// What a figure says beside its plot, and what room the plot needs.
pub struct Layout<'a> {
    /// What the figure is, see [`Scene::kind`].
    pub kind: &'static str,
    /// Its name; may be empty.
    pub title: &'a str,
    /// A line below; may be empty.
    pub subtitle: &'a str,
    /// The figure in words.
    pub description: String,
    /// What the marks mean.
    pub legend: Legend,
    /// Facts that a reader could overlook.
    pub notes: Vec<String>,
    /// From the page's edge to the plot.
    pub left: f64,
    /// From the plot to the page's edge.
    pub right: f64,
    /// Height of the plot where the style does not decide the page's.
    pub plot: f64,
    /// Height of what stands between the plot and the notes.
    pub below: f64,
}

/// Lays out a page from top to bottom: the scene with what stands around the plot, and the
/// plot's area.
pub fn frame(style: &Style, layout: Layout<'_>) -> (Scene, Area) {
    let text_width = style.width - 2.0 * style.edge;
    let heading = |text: &str, lines, size, face| match style.headed {
        true => wrap(&clean(text), text_width, lines, size, face, shorten),
        false => Vec::new(),
    };
    let title = heading(layout.title, 3, style.title, Face::Bold);
    let subtitle = heading(layout.subtitle, 3, style.text, Face::Regular);
    let notes: Vec<String> = layout
        .notes
        .iter()
        .flat_map(|note| heading(note, 3, style.small, Face::Regular))
        .collect();
    let title_bottom = style.edge + title.len() as f64 * line_height(style.title);
    let subtitle_bottom = title_bottom + subtitle.len() as f64 * line_height(style.text);
    let legend_top = subtitle_bottom + if style.headed { 10.0 } else { 0.0 };
    let top = legend_top + layout.legend.height + LABEL_GAP;
    let below = layout.below + if notes.is_empty() { 0.0 } else { NOTES_GAP };
    let foot = below + notes.len() as f64 * line_height(style.small) + style.edge;
    let bottom = match style.height {
        Height::Plot(_) => top + layout.plot,
        Height::Page(height) => (height - foot).max(top + LEAST_HEIGHT),
    };
    let mut scene = Scene {
        kind: layout.kind,
        title: clean(layout.title),
        description: layout.description,
        width: style.width,
        height: bottom + foot,
        unit: style.unit,
        notes: layout.notes,
        marks: Vec::new(),
    };
    let bold = paragraph(&title, style.edge, style.edge, style.title);
    scene.marks.extend(bold.map(|m| m.bold().fill(INK)));
    let lines = paragraph(&subtitle, style.edge, title_bottom, style.text);
    scene.marks.extend(lines.map(|m| m.fill(GREY)));
    scene.marks.extend(layout.legend.marks(legend_top, style));
    let lines = paragraph(&notes, style.edge, bottom + below, style.small);
    scene.marks.extend(lines.map(|m| m.fill(GREY)));
    let plot = Area {
        left: layout.left,
        top,
        right: style.width - layout.right,
        bottom,
    };
    (scene, plot)
}

/// Lines of text from `top` down.
fn paragraph(lines: &[String], x: f64, top: f64, size: f64) -> impl Iterator<Item = Mark> {
    let baseline = move |i: usize| top + i as f64 * line_height(size) + size;
    let lines = lines.iter().enumerate();
    lines.map(move |(i, line)| Mark::text([x, baseline(i)], size, line))
}

/// What the axis of values takes left of the plot, with its name.
pub fn value_margin(range: &Range, style: &Style) -> f64 {
    let labels = range.ticks().into_iter();
    let widest = labels.map(|(_, label)| width(&label, style.text, Face::Regular));
    style.edge + line_height(style.axis) + 4.0 + widest.fold(0.0, f64::max) + LABEL_GAP
}

/// Grid, labels and the name that fits of the axis of values, which takes `margin` with the page's edge
/// left of the plot.
pub fn value_axis(
    area: Area,
    range: &Range,
    names: &[&str],
    margin: f64,
    style: &Style,
) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut last = f64::INFINITY;
    for (value, label) in range.ticks() {
        let y = range.place(value, area.bottom, area.top);
        marks.push(Mark::line([[area.left, y], [area.right, y]]).stroke(FAINT, 1.0));
        if last - y < style.text {
            continue;
        }
        last = y;
        let at = [area.left - LABEL_GAP, y + HALF_LETTER * style.text];
        marks.push(label_of(at, label, Anchor::End, style).class("value-tick"));
    }
    let name = clean(fitting(names, area.height(), style));
    let name = shorten(&name, area.height(), style.axis, Face::Regular);
    let at = [
        area.left - margin + style.edge + style.axis,
        area.centre()[1],
    ];
    let name = Mark::text(at, style.axis, name).anchor(Anchor::Middle);
    marks.push(name.upright().fill(INK));
    marks
}

fn label_of(at: [f64; 2], words: impl Into<String>, anchor: Anchor, style: &Style) -> Mark {
    Mark::text(at, style.text, words).anchor(anchor).fill(INK)
}

/// Both spines.
pub fn spines(area: Area) -> Mark {
    let corner = [area.left, area.bottom];
    Mark::line([[area.left, area.top], corner, [area.right, area.bottom]]).stroke(INK, 1.1)
}

/// Height of an axis of numbers below the plot, with its name.
pub fn number_axis_height(style: &Style) -> f64 {
    6.0 + line_height(style.text) + 4.0 + line_height(style.axis)
}

/// Ticks, labels and name of an axis of numbers below the plot.
pub fn number_axis(area: Area, range: &Range, names: &[&str], style: &Style) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut free = f64::NEG_INFINITY;
    for (value, label) in range.ticks() {
        let x = range.place(value, area.left, area.right);
        marks.push(Mark::line([[x, area.bottom], [x, area.bottom + 6.0]]).stroke(INK, 1.1));
        let half = width(&label, style.text, Face::Regular) / 2.0;
        // A long label of a tick at the edge would leave the page.
        if x - half >= free && x + half <= style.width {
            free = x + half + style.small / 2.0;
            let at = [x, area.bottom + 7.0 + style.text];
            marks.push(label_of(at, label, Anchor::Middle, style));
        }
    }
    let below = area.bottom + 6.0 + line_height(style.text) + 2.0 + style.axis;
    marks.push(axis_name(area, names, below, style));
    marks
}

/// The name of an axis below the plot.
fn axis_name(area: Area, names: &[&str], y: f64, style: &Style) -> Mark {
    let name = fitting(names, area.width(), style);
    Mark::text([area.centre()[0], y], style.axis, name)
        .anchor(Anchor::Middle)
        .fill(INK)
}

/// The first name of an axis that is no longer than it, else the last.
fn fitting<'a>(names: &[&'a str], length: f64, style: &Style) -> &'a str {
    let fits = |name: &&&str| width(name, style.axis, Face::Regular) <= length;
    let name = names.iter().find(fits).or(names.last());
    name.copied().unwrap_or_default()
}

/// Height of the axis of α below the plot, with its name.
pub fn alpha_axis_height(ticks: &AlphaTicks, style: &Style) -> f64 {
    9.0 + line_height(style.text) + ticks.extra_height + 4.0 + line_height(style.axis)
}

/// Both spines, the breaks, α's ticks and its name; `base` is where the axis is.
pub fn alpha_axis(
    area: Area,
    base: f64,
    alpha: &AlphaAxis,
    ticks: &AlphaTicks,
    style: &Style,
) -> Vec<Mark> {
    let tick = |x: f64, length: f64| [[x, base], [x, base + length]];
    let minor = alpha.minor_ticks().into_iter().map(|x| tick(x, 3.0));
    let major = ticks.ticks.iter().map(|t| tick(t.x, 6.0));
    let mut marks = vec![
        spines(Area {
            bottom: base,
            ..area
        }),
        Mark::lines(minor).stroke(INK, 0.8),
        Mark::lines(major).stroke(INK, 1.1),
    ];
    marks.extend(alpha.breaks().into_iter().flat_map(|x| axis_break(x, base)));
    let labelled = ticks.ticks.iter().filter(|tick| !tick.label.is_empty());
    marks.extend(labelled.map(|tick| tick_label(tick, ticks.upright, base, style)));
    let names: &[&str] = match alpha.scale {
        Scale::Log => &[
            "interpolation weight α (log scale)",
            "interpolation weight α",
            "α",
        ],
        Scale::TwoSided => &[
            "interpolation weight α (log scale toward both 0 and 1)",
            "interpolation weight α (log at both ends)",
            "interpolation weight α",
            "α",
        ],
    };
    let y = base + alpha_axis_height(ticks, style) - line_height(style.axis) + style.axis - 2.0;
    marks.push(axis_name(area, names, y, style));
    marks
}

/// The label of a tick below the axis at `base`; of a sampled α in ink, of another in grey.
fn tick_label(tick: &Tick, upright: bool, base: f64, style: &Style) -> Mark {
    let mark = if upright {
        // The middle of the small letters is beside the tick.
        let at = [tick.x + HALF_LETTER * style.text, base + 9.0];
        Mark::text(at, style.text, &tick.label)
            .anchor(Anchor::End)
            .upright()
    } else {
        let y = base + 7.5 + style.text + tick.row as f64 * line_height(style.text);
        Mark::text([tick.x, y], style.text, &tick.label).anchor(Anchor::Middle)
    };
    mark.class("alpha-tick")
        .fill(if tick.sampled { INK } else { GREY })
}

/// Two slanted strokes with nothing between them.
fn axis_break(x: f64, y: f64) -> [Mark; 2] {
    let stroke = |x: f64| {
        [
            [x - BREAK_SIZE / 2.0, y + BREAK_SIZE],
            [x + BREAK_SIZE / 2.0, y - BREAK_SIZE],
        ]
    };
    [
        Mark::line([[x - 3.0, y], [x + 3.0, y]]).stroke(PAPER, 3.0),
        Mark::lines([stroke(x - 3.0), stroke(x + 3.0)])
            .stroke(INK, 1.1)
            .class("axis-break"),
    ]
}
