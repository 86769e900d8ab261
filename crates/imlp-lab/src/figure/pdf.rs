//! A figure as PDF, a page of its size: lines and letters stay lines and letters, the fonts
//! are in the file.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{
    CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};

use super::colour::{Colour, PAPER};
use super::pixels::rgb;
use super::scene::{Area, Image, Mark, Point, Scene, Shape, Stroke, Text};
use super::text::{Face, clean, glyphs};

/// Distance of a circle's control points from its points, in radii.
const ARC: f64 = 0.552_284_75;

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFORMATION: Ref = Ref::new(5);
/// The first number after the fixed ones.
const FIRST_FREE: i32 = 6;

const SYSTEM: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Writes a figure.
pub fn pdf(scene: &Scene) -> Vec<u8> {
    let all = Area {
        left: 0.0,
        top: 0.0,
        right: scene.width,
        bottom: scene.height,
    };
    let paper = Mark::new(Shape::Rectangle(all)).fill(PAPER);
    let mut page = Page {
        content: Content::new(),
        faces: Vec::new(),
        opacities: Vec::new(),
        images: Vec::new(),
    };
    let (width, height) = (scene.width * scene.unit, scene.height * scene.unit);
    // From units that grow downward to points that grow upward.
    page.content
        .transform([scene.unit, 0.0, 0.0, -scene.unit, 0.0, height].map(|v| v as f32));
    page.mark(&paper);
    for mark in &scene.marks {
        page.mark(mark);
    }
    page.file(scene, Rect::new(0.0, 0.0, width as f32, height as f32))
}

/// The content of the page, and what it refers to.
struct Page<'a> {
    content: Content,
    faces: Vec<Face>,
    /// In thousandths.
    opacities: Vec<u16>,
    images: Vec<&'a Image>,
}

impl<'a> Page<'a> {
    fn mark(&mut self, mark: &'a Mark) {
        self.content.save_state();
        if let Some(area) = mark.clip {
            self.rectangle(area);
            self.content.clip_nonzero().end_path();
        }
        if mark.opacity < 1.0 {
            let index = index_of(&mut self.opacities, (1000.0 * mark.opacity) as u16);
            self.content
                .set_parameters(Name(format!("G{index}").as_bytes()));
        }
        if let Some(colour) = mark.fill {
            let [r, g, b] = components(colour);
            self.content.set_fill_rgb(r, g, b);
        }
        if let Some(stroke) = mark.stroke {
            self.stroke(stroke);
        }
        match &mark.shape {
            Shape::Text(text) => self.text(text),
            Shape::Image(area, image) => self.image(*area, image),
            shape => {
                self.outline(shape);
                match (mark.fill, mark.stroke) {
                    (Some(_), Some(_)) => self.content.fill_nonzero_and_stroke(),
                    (Some(_), None) => self.content.fill_nonzero(),
                    (None, Some(_)) => self.content.stroke(),
                    (None, None) => self.content.end_path(),
                };
            }
        }
        self.content.restore_state();
    }

    fn stroke(&mut self, stroke: Stroke) {
        let [r, g, b] = components(stroke.colour);
        let cap = match stroke.round {
            true => LineCapStyle::RoundCap,
            false => LineCapStyle::ButtCap,
        };
        self.content
            .set_stroke_rgb(r, g, b)
            .set_line_width(stroke.width as f32)
            .set_line_cap(cap)
            .set_line_join(LineJoinStyle::RoundJoin)
            .set_dash_pattern(stroke.dash.iter().map(|l| *l as f32), 0.0);
    }

    fn outline(&mut self, shape: &Shape) {
        match shape {
            Shape::Lines(parts) => parts.iter().for_each(|part| self.lines(part)),
            Shape::Polygon(points) => {
                self.lines(points);
                self.content.close_path();
            }
            Shape::Rectangle(area) => self.rectangle(*area),
            Shape::Circle { centre, radius } => self.circle(*centre, *radius),
            Shape::Text(_) | Shape::Image(..) => {}
        }
    }

    fn lines(&mut self, points: &[Point]) {
        for (index, point) in points.iter().enumerate() {
            let [x, y] = point.map(|v| v as f32);
            match index {
                0 => self.content.move_to(x, y),
                _ => self.content.line_to(x, y),
            };
        }
    }

    fn rectangle(&mut self, area: Area) {
        let [x, y, w, h] = [area.left, area.top, area.width(), area.height()].map(|v| v as f32);
        self.content.rect(x, y, w, h);
    }

    /// Four Bézier curves.
    fn circle(&mut self, [x, y]: Point, r: f64) {
        let at = |dx: f64, dy: f64| [(x + r * dx) as f32, (y + r * dy) as f32];
        let [sx, sy] = at(1.0, 0.0);
        self.content.move_to(sx, sy);
        let quarters = [
            [(1.0, ARC), (ARC, 1.0), (0.0, 1.0)],
            [(-ARC, 1.0), (-1.0, ARC), (-1.0, 0.0)],
            [(-1.0, -ARC), (-ARC, -1.0), (0.0, -1.0)],
            [(ARC, -1.0), (1.0, -ARC), (1.0, 0.0)],
        ];
        for quarter in quarters {
            let [[ax, ay], [bx, by], [cx, cy]] = quarter.map(|(dx, dy)| at(dx, dy));
            self.content.cubic_to(ax, ay, bx, by, cx, cy);
        }
        self.content.close_path();
    }

    fn text(&mut self, text: &Text) {
        let index = index_of(&mut self.faces, text.face);
        let shift = text.start_shift();
        let [x, y] = text.at;
        // The letters stand on their heads in a space that grows downward.
        let matrix = match text.upright {
            true => [0.0, -1.0, -1.0, 0.0, x, y - shift],
            false => [1.0, 0.0, 0.0, -1.0, x + shift, y],
        };
        let codes: Vec<u8> = glyphs(&text.words, text.size, text.face)
            .flat_map(|glyph| (glyph.id.to_u32() as u16).to_be_bytes())
            .collect();
        self.content
            .begin_text()
            .set_font(Name(format!("F{index}").as_bytes()), text.size as f32)
            .set_text_matrix(matrix.map(|v| v as f32))
            .show(Str(&codes))
            .end_text();
    }

    fn image(&mut self, area: Area, image: &'a Image) {
        let name = format!("I{}", self.images.len());
        self.images.push(image);
        let matrix = [
            area.width(),
            0.0,
            0.0,
            -area.height(),
            area.left,
            area.bottom,
        ];
        self.content
            .transform(matrix.map(|v| v as f32))
            .x_object(Name(name.as_bytes()));
    }

    /// The whole file.
    fn file(self, scene: &Scene, size: Rect) -> Vec<u8> {
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(PAGES);
        pdf.pages(PAGES).kids([PAGE]).count(1);
        // No dates: the same figure is the same bytes.
        pdf.document_info(INFORMATION)
            .title(TextStr(&clean(&scene.title)))
            .subject(TextStr(&clean(&scene.description)))
            .creator(TextStr("imlp"));
        let mut next = FIRST_FREE;
        let mut take = || {
            next += 1;
            Ref::new(next - 1)
        };
        let fonts: Vec<Ref> = self.faces.iter().map(|_| take()).collect();
        let images: Vec<Ref> = self.images.iter().map(|_| take()).collect();
        let mut page = pdf.page(PAGE);
        page.media_box(size).parent(PAGES).contents(CONTENT);
        let mut resources = page.resources();
        named(resources.fonts(), 'F', &fonts);
        named(resources.x_objects(), 'I', &images);
        let mut states = resources.ext_g_states();
        for (index, opacity) in self.opacities.iter().enumerate() {
            let opacity = f32::from(*opacity) / 1000.0;
            states
                .insert(Name(format!("G{index}").as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState<'_>>()
                .stroking_alpha(opacity)
                .non_stroking_alpha(opacity);
        }
        states.finish();
        resources.finish();
        page.finish();
        pdf.stream(CONTENT, &compressed(&self.content.finish()))
            .filter(Filter::FlateDecode);
        for (face, reference) in self.faces.iter().zip(fonts) {
            font(&mut pdf, *face, reference, [take(), take(), take(), take()]);
        }
        for (image, reference) in self.images.iter().zip(images) {
            let bytes = compressed(&rgb(image));
            let mut object = pdf.image_xobject(reference, &bytes);
            object.filter(Filter::FlateDecode);
            object.width(image.width as i32).height(image.height as i32);
            object.color_space().device_rgb();
            object.bits_per_component(8).interpolate(false);
        }
        pdf.finish()
    }
}

/// Names of a letter and a number for `references`.
fn named(mut names: pdf_writer::Dict<'_>, letter: char, references: &[Ref]) {
    for (index, reference) in references.iter().enumerate() {
        names.pair(Name(format!("{letter}{index}").as_bytes()), *reference);
    }
}

/// A face of the shipped family, whole, with what its glyphs mean.
fn font(pdf: &mut Pdf, face: Face, reference: Ref, [cid, descriptor, cmap, file]: [Ref; 4]) {
    let font = face.font();
    let metrics = font.metrics(Size::unscaled(), LocationRef::default());
    let widths = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let thousandths = |units: f32| units * 1000.0 / f32::from(metrics.units_per_em);
    // Six letters tell that the font is a subset.
    let (name, weight) = match face {
        Face::Regular => (Name(b"IMLPAA+DejaVuSans"), 80.0),
        Face::Bold => (Name(b"IMLPAB+DejaVuSans-Bold"), 140.0),
    };
    pdf.type0_font(reference)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(cmap);
    let mut glyphs = pdf.cid_font(cid);
    glyphs
        .subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(SYSTEM)
        .font_descriptor(descriptor)
        .cid_to_gid_map_predefined(Name(b"Identity"));
    let advances = (0..metrics.glyph_count)
        .map(|id| widths.advance_width(skrifa::GlyphId::from(id)))
        .map(|advance| thousandths(advance.unwrap_or_default()));
    glyphs.widths().consecutive(0, advances);
    glyphs.finish();
    let bounds = metrics.bounds.unwrap_or_default();
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(
            thousandths(bounds.x_min),
            thousandths(bounds.y_min),
            thousandths(bounds.x_max),
            thousandths(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(thousandths(metrics.ascent))
        .descent(thousandths(metrics.descent))
        .cap_height(thousandths(metrics.cap_height.unwrap_or(metrics.ascent)))
        .stem_v(weight)
        .font_file2(file);
    let mut characters = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
    for (character, id) in font.charmap().mappings() {
        if let Some(character) = char::from_u32(character) {
            characters.pair(id.to_u32() as u16, character);
        }
    }
    pdf.cmap(cmap, &characters.finish());
    let bytes = compressed(face.data());
    let mut stream = pdf.stream(file, &bytes);
    stream.filter(Filter::FlateDecode);
    stream.pair(Name(b"Length1"), face.data().len() as i32);
}

/// Where `item` is in `list`, to which it is added if need be.
fn index_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter()
        .position(|other| *other == item)
        .unwrap_or_else(|| {
            list.push(item);
            list.len() - 1
        })
}

fn components(colour: Colour) -> [f32; 3] {
    colour.0.map(|c| f32::from(c) / 255.0)
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes what is written")
}
