//! A figure as SVG.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::colour::PAPER;
use super::number::number;
use super::pixels::image_png;
use super::scene::{Anchor, Area, Image, Mark, Point, Scene, Shape, Text};
use super::text::{Face, clean, outline, width};

/// Families in the order in which a viewer looks for them.
const FONT_FAMILY: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// As text: small, and read by screen readers; drawn in the viewer's own font where it
    /// has not DejaVu Sans.
    Text,
    /// As outlines of DejaVu Sans: the same in every viewer.
    Outlines,
}

/// Writes a figure. The text starts with `<svg` and holds no script, style or external
/// reference, so that it can stand in a page.
pub fn svg(scene: &Scene, letters: Letters) -> String {
    let id = |what: &str| format!("imlp-{}-{what}", scene.kind);
    let (title, description) = (id("title"), id("description"));
    let mut clips: Vec<Area> = Vec::new();
    for area in scene.marks.iter().filter_map(|mark| mark.clip) {
        if !clips.contains(&area) {
            clips.push(area);
        }
    }
    let clip_of = |mark: &Mark| {
        let index = clips.iter().position(|area| Some(*area) == mark.clip)?;
        Some(format!("url(#{})", id(&format!("clip-{index}"))))
    };
    // Pixels of 1/96 inch where the unit is one, else points.
    let length = |units: f64| match scene.unit {
        0.75 => number(units),
        unit => number(units * unit) + "pt",
    };
    let (w, h) = (number(scene.width), number(scene.height));
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(length(scene.width))
            height=(length(scene.height)) viewBox=(format!("0 0 {w} {h}")) role="img"
            aria-labelledby=(format!("{title} {description}"))
            font-family=[(letters == Letters::Text).then_some(FONT_FAMILY)] {
            title id=(title) { (clean(&scene.title)) }
            desc id=(description) { (clean(&scene.description)) }
            @if !clips.is_empty() {
                defs {
                    @for (index, area) in clips.iter().enumerate() {
                        clipPath id=(id(&format!("clip-{index}"))) {
                            rect x=(number(area.left)) y=(number(area.top))
                                width=(number(area.width())) height=(number(area.height())) {}
                        }
                    }
                }
            }
            rect width="100%" height="100%" fill=(PAPER) {}
            @for mark in &scene.marks {
                @match clip_of(mark) {
                    Some(clip) => { g clip-path=(clip) { (element(mark, letters)) } }
                    None => { (element(mark, letters)) }
                }
            }
        }
    };
    markup.into_string()
}

fn element(mark: &Mark, letters: Letters) -> Markup {
    let fill = mark.fill.map_or("none".to_owned(), |c| c.to_string());
    let stroke = mark.stroke.map(|s| s.colour.to_string());
    let line = mark.stroke.map(|s| number(s.width));
    let dash = mark.stroke.filter(|s| !s.dash.is_empty()).map(|s| {
        let lengths: Vec<String> = s.dash.iter().map(|l| number(*l)).collect();
        lengths.join(" ")
    });
    let cap = mark.stroke.filter(|s| s.round).map(|_| "round");
    let opacity = (mark.opacity < 1.0).then(|| number(mark.opacity));
    let class = mark.class;
    let tip = html! { @if let Some(tip) = &mark.tip { title { (clean(tip)) } } };
    html! {
        @match &mark.shape {
            Shape::Lines(parts) => {
                path class=[class] d=(path(parts, "")) fill=(fill) stroke=[stroke]
                    stroke-width=[line] stroke-dasharray=[dash] stroke-linecap=[cap]
                    stroke-linejoin="round" opacity=[opacity] { (tip) }
            }
            Shape::Polygon(points) => {
                path class=[class] d=(path(std::slice::from_ref(points), "Z")) fill=(fill)
                    stroke=[stroke] stroke-width=[line] stroke-linejoin="round"
                    opacity=[opacity] { (tip) }
            }
            Shape::Rectangle(area) => {
                rect class=[class] x=(number(area.left)) y=(number(area.top))
                    width=(number(area.width())) height=(number(area.height())) fill=(fill)
                    stroke=[stroke] stroke-width=[line] opacity=[opacity] { (tip) }
            }
            Shape::Circle { centre: [x, y], radius } => {
                circle class=[class] cx=(number(*x)) cy=(number(*y)) r=(number(*radius))
                    fill=(fill) stroke=[stroke] stroke-width=[line] opacity=[opacity] { (tip) }
            }
            Shape::Text(words) => { (text(words, &fill, class, letters)) }
            Shape::Image(area, image) => { (picture(*area, image, class, &tip)) }
        }
    }
}

fn text(text: &Text, fill: &str, class: Option<&'static str>, letters: Letters) -> Markup {
    let [x, y] = text.at.map(number);
    match letters {
        Letters::Text => {
            let anchor = match text.anchor {
                Anchor::Start => None,
                Anchor::Middle => Some("middle"),
                Anchor::End => Some("end"),
            };
            let turn = text.upright.then(|| format!("rotate(-90 {x} {y})"));
            let weight = (text.face == Face::Bold).then_some("700");
            html! {
                text class=[class] x=(x) y=(y) font-size=(number(text.size)) font-weight=[weight]
                    text-anchor=[anchor] transform=[turn] fill=(fill) { (text.words) }
            }
        }
        Letters::Outlines => {
            let shift = text.start_shift();
            let turn = if text.upright { " rotate(-90)" } else { "" };
            let place = format!("translate({x} {y}){turn} translate({} 0)", number(shift));
            html! {
                path class=[class] role="img" aria-label=(text.words) transform=(place)
                    d=(outline(&text.words, text.size, text.face)) fill=(fill) {}
            }
        }
    }
}

impl Text {
    /// From `at` to where the text begins, along the text.
    pub fn start_shift(&self) -> f64 {
        let width = width(&self.words, self.size, self.face);
        match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        }
    }
}

/// An image with its pixels in it.
fn picture(area: Area, image: &Image, class: Option<&'static str>, tip: &Markup) -> Markup {
    let data = format!(
        "data:image/png;base64,{}",
        STANDARD.encode(image_png(image))
    );
    html! {
        image class=[class] x=(number(area.left)) y=(number(area.top)) width=(number(area.width()))
            height=(number(area.height())) preserveAspectRatio="none"
            image-rendering="optimizeSpeed" href=(data) { (tip) }
    }
}

fn path(parts: &[Vec<Point>], end: &str) -> String {
    let mut path = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        for (index, [x, y]) in part.iter().enumerate() {
            path += if index == 0 { "M" } else { "L" };
            path += &format!("{} {}", number(*x), number(*y));
        }
        path += end;
    }
    path
}
