//! SVG → PNG with the fonts that the crate ships.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::error::FigureError;
use super::text::font_database;

/// Width of the PNG in px; twice the SVG's, sharp in print at 17 cm (240 dpi).
pub const PNG_WIDTH: u32 = 1600;

/// Maximum height of the PNG, px: rejects an SVG that is not a figure.
const MOST_HEIGHT: u32 = 20_000;

/// Renders an SVG as a PNG, [`PNG_WIDTH`] px wide.
///
/// Text needs no system font: DejaVu Sans is embedded. Files that the SVG names
/// are not read.
///
/// # Errors
/// [`FigureError::Svg`] when the text is not an SVG, [`FigureError::Size`] when
/// its shape cannot be drawn, [`FigureError::Png`] when encoding fails.
pub fn svg_to_png(svg: &str) -> Result<Vec<u8>, FigureError> {
    let mut options = usvg::Options {
        fontdb: Arc::new(font_database()),
        font_family: "DejaVu Sans".into(),
        ..usvg::Options::default()
    };
    options.image_href_resolver.resolve_string = Box::new(|_, _| None);
    let tree = usvg::Tree::from_str(svg, &options).map_err(|e| FigureError::Svg(e.to_string()))?;
    let scale = PNG_WIDTH as f32 / tree.size().width();
    let height = (tree.size().height() * scale).round();
    let size = || FigureError::Size {
        width: tree.size().width(),
        height: tree.size().height(),
    };
    if !(height >= 1.0 && height <= MOST_HEIGHT as f32) {
        return Err(size());
    }
    let mut pixmap = tiny_skia::Pixmap::new(PNG_WIDTH, height as u32).ok_or_else(size)?;
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    pixmap
        .encode_png()
        .map_err(|e| FigureError::Png(e.to_string()))
}
