//! Measuring and fitting text with the fonts that the crate ships.
//!
//! A browser may draw the figure in another family. DejaVu Sans is wider than
//! Helvetica and Arial, so text that fits here fits there.

use resvg::usvg::fontdb;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::number::number;

/// DejaVu Sans, subset to Latin, Greek, Cyrillic and mathematical signs.
const REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");
/// DejaVu Sans Bold, the same subset.
const BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold-subset.ttf");

/// The fonts for the rasteriser: no font of the system is used.
pub fn font_database() -> fontdb::Database {
    let mut database = fontdb::Database::new();
    database.load_font_data(REGULAR.to_vec());
    database.load_font_data(BOLD.to_vec());
    database.set_sans_serif_family("DejaVu Sans");
    database
}

/// A face of the shipped family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Face {
    /// DejaVu Sans.
    Regular,
    /// DejaVu Sans Bold.
    Bold,
}

impl Face {
    /// The font file.
    pub fn data(self) -> &'static [u8] {
        match self {
            Self::Regular => REGULAR,
            Self::Bold => BOLD,
        }
    }

    /// The font.
    pub fn font(self) -> FontRef<'static> {
        FontRef::new(self.data()).expect("the shipped fonts are whole; a test reads both")
    }
}

/// A letter of a line of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// Its number in the font; 0, an empty box, for a character that the font has not.
    pub id: GlyphId,
    /// The character.
    pub character: char,
    /// To the next letter, in units.
    pub advance: f64,
}

/// The letters of one line of text at `size`.
pub fn glyphs(text: &str, size: f64, face: Face) -> impl Iterator<Item = Glyph> {
    let font = face.font();
    let (charmap, metrics) = (
        font.charmap(),
        font.glyph_metrics(Size::new(size as f32), LocationRef::default()),
    );
    text.chars().map(move |character| {
        let id = charmap.map(character).unwrap_or_default();
        Glyph {
            id,
            character,
            advance: f64::from(metrics.advance_width(id).unwrap_or_default()),
        }
    })
}

/// Width of one line of text at `size`, in units.
pub fn width(text: &str, size: f64, face: Face) -> f64 {
    glyphs(text, size, face).map(|glyph| glyph.advance).sum()
}

/// The outlines of one line of text that begins at the origin, as SVG path data.
pub fn outline(text: &str, size: f64, face: Face) -> String {
    let outlines = face.font().outline_glyphs();
    let mut pen = PathPen::default();
    for glyph in glyphs(text, size, face) {
        let settings = DrawSettings::unhinted(Size::new(size as f32), LocationRef::default());
        if let Some(outline) = outlines.get(glyph.id) {
            // A glyph of the shipped fonts can be drawn.
            let _ = outline.draw(settings, &mut pen);
        }
        pen.x += glyph.advance;
    }
    pen.path
}

/// Writes outlines as path data, `x` units to the right; the font's y grows upward.
#[derive(Default)]
struct PathPen {
    x: f64,
    path: String,
}

impl PathPen {
    fn add<const N: usize>(&mut self, command: char, points: [(f32, f32); N]) {
        self.path.push(command);
        for (index, (x, y)) in points.into_iter().enumerate() {
            if index > 0 {
                self.path.push(' ');
            }
            self.path += &number(self.x + f64::from(x));
            self.path.push(' ');
            self.path += &number(-f64::from(y));
        }
    }
}

impl OutlinePen for PathPen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.add('M', [(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.add('L', [(x, y)]);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.add('Q', [(cx, cy), (x, y)]);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.add('C', [(cx0, cy0), (cx1, cy1), (x, y)]);
    }

    fn close(&mut self) {
        self.path.push('Z');
    }
}

/// The text without characters that XML forbids, that break a line or that turn its direction.
pub fn clean(text: &str) -> String {
    let spaced = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced
        .filter(|c| {
            let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}');
            !c.is_control() && !turns && !matches!(c, '\u{fffe}' | '\u{ffff}')
        })
        .collect()
}

/// Shortens to `limit` units, with an ellipsis where something was cut.
pub fn shorten(text: &str, limit: f64, size: f64, face: Face) -> String {
    if width(text, size, face) <= limit {
        return text.into();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while !kept.is_empty() {
        kept.pop();
        let candidate: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&candidate, size, face) <= limit {
            return candidate;
        }
    }
    String::new()
}

/// Shortens to `limit` units by an ellipsis in the middle: names differ at either end.
pub fn shorten_inside(text: &str, limit: f64, size: f64, face: Face) -> String {
    if width(text, size, face) <= limit {
        return text.into();
    }
    let letters: Vec<char> = text.chars().collect();
    (1..letters.len())
        .rev()
        .map(|kept| {
            let (front, back) = (kept.div_ceil(2), kept / 2);
            let ends = (&letters[..front], &letters[letters.len() - back..]);
            let [front, back] = [ends.0, ends.1].map(|part| part.iter().collect::<String>());
            format!("{}…{}", front.trim_end(), back.trim_start())
        })
        .find(|candidate| width(candidate, size, face) <= limit)
        .unwrap_or_default()
}

/// Breaks into at most `lines` lines of at most `limit` units; the last one
/// is shortened by `cut` when the text is longer.
pub fn wrap(
    text: &str,
    limit: f64,
    lines: usize,
    size: f64,
    face: Face,
    cut: fn(&str, f64, f64, Face) -> String,
) -> Vec<String> {
    // Not at a no-break space.
    let words = text.split(' ').filter(|word| !word.is_empty());
    let mut words: Vec<&str> = words.rev().collect();
    let mut wrapped: Vec<String> = Vec::new();
    while let Some(word) = words.pop() {
        if wrapped.len() + 1 >= lines {
            let mut rest = vec![word];
            rest.extend(words.iter().rev());
            wrapped.push(cut(&rest.join(" "), limit, size, face));
            break;
        }
        let mut line = word.to_owned();
        while let Some(next) = words.last() {
            let longer = format!("{line} {next}");
            if width(&longer, size, face) > limit {
                break;
            }
            line = longer;
            words.pop();
        }
        // A single word wider than the limit is cut, not broken.
        wrapped.push(cut(&line, limit, size, face));
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_come_from_the_font() {
        // DejaVu Sans: 2048 units per em, a digit advances 1303.
        let expected = 10.0 * 1303.0 / 2048.0;
        assert!((width("7", 10.0, Face::Regular) - expected).abs() < 0.01);
        assert!(width("abc", 10.0, Face::Bold) > width("abc", 10.0, Face::Regular));
        assert_eq!(width("", 10.0, Face::Regular), 0.0);
    }

    #[test]
    fn an_outline_is_the_letter_where_it_stands() {
        // The minus of DejaVu Sans as fontTools reads it: M217 727H1499V557H217Z, advance 1716.
        let bar = "M217 -727L1499 -727L1499 -557L217 -557Z";
        let next = "M1933 -727L3215 -727L3215 -557L1933 -557Z";
        let path = outline("−−", 2048.0, Face::Regular);
        assert_eq!(path, format!("{bar}{next}"));
        assert_eq!(outline(" ", 10.0, Face::Regular), "");
    }

    #[test]
    fn the_signs_of_the_figure_are_in_the_font() {
        let font = FontRef::new(REGULAR).unwrap();
        for c in "α±×%−–…⁻⁰¹²³⁴⁵⁶⁷⁸⁹·≥é".chars() {
            assert!(font.charmap().map(c).is_some(), "{c}");
        }
    }

    #[test]
    fn wrapping_keeps_to_the_limit() {
        let long = "Accuracy against the interpolation weight for a very long name ".repeat(9);
        let lines = wrap(&long, 300.0, 3, 17.0, Face::Bold, shorten);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…'));
        for line in &lines {
            assert!(width(line, 17.0, Face::Bold) <= 300.0, "{line}");
        }
        assert_eq!(
            wrap("one two", 300.0, 3, 17.0, Face::Bold, shorten),
            ["one two"]
        );
        assert!(wrap("", 300.0, 3, 17.0, Face::Bold, shorten).is_empty());
        let word = "w".repeat(500);
        assert!(wrap(&word, 300.0, 3, 17.0, Face::Bold, shorten)[0].ends_with('…'));
    }

    #[test]
    fn forbidden_characters_are_dropped() {
        assert_eq!(clean("a\u{0}b\tc\u{1b}"), "ab c");
    }

    #[test]
    fn an_ellipsis_inside_keeps_both_ends() {
        let text = "allocation = all, momentum = 0.9";
        assert_eq!(shorten_inside(text, 1e9, 12.0, Face::Regular), text);
        for limit in [40.0, 80.0, 150.0] {
            let short = shorten_inside(text, limit, 12.0, Face::Regular);
            assert!(width(&short, 12.0, Face::Regular) <= limit);
            let (front, back) = short.split_once('…').unwrap();
            assert!(text.starts_with(front) && text.ends_with(back), "{short}");
            assert!(front.len().abs_diff(back.len()) <= 3, "{short}");
        }
        assert_eq!(shorten_inside(text, 1.0, 12.0, Face::Regular), "");
    }

    #[test]
    fn text_keeps_its_direction() {
        assert_eq!(clean("a\u{202e}b\u{2067}c\td\u{1b}"), "abc d");
    }
}
