//! A figure as PNG, with the fonts that the crate ships.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::error::FigureError;
use super::pixels::encoded;
use super::scene::Scene;
use super::svg::{Letters, svg};
use super::text::font_database;

/// Width in px of the PNG of a sweep; twice the SVG's, sharp in print at 17 cm (240 dpi).
pub const PNG_WIDTH: u32 = 1600;

/// Dots per inch of a figure for print.
pub const PRINT_DPI: f64 = 300.0;

/// Maximum height of the PNG, px: rejects an SVG that is not a figure.
const MOST_HEIGHT: u32 = 20_000;

/// Renders a figure at [`PRINT_DPI`], which the PNG states.
///
/// # Errors
/// As [`svg_to_png`].
pub fn png(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let width = scene.width * scene.unit / 72.0 * PRINT_DPI;
    rendered(
        &svg(scene, Letters::Text),
        width.round() as u32,
        Some(PRINT_DPI),
    )
}

/// Renders an SVG as a PNG, [`PNG_WIDTH`] px wide.
///
/// Text needs no system font: DejaVu Sans is embedded. Files that the SVG names
/// are not read.
///
/// # Errors
/// [`FigureError::Svg`] when the text is not an SVG, [`FigureError::Size`] when
/// its shape cannot be drawn, [`FigureError::Png`] when encoding fails.
pub fn svg_to_png(svg: &str) -> Result<Vec<u8>, FigureError> {
    rendered(svg, PNG_WIDTH, None)
}

fn rendered(svg: &str, width: u32, dpi: Option<f64>) -> Result<Vec<u8>, FigureError> {
    let mut options = usvg::Options {
        fontdb: Arc::new(font_database()),
        font_family: "DejaVu Sans".into(),
        ..usvg::Options::default()
    };
    options.image_href_resolver.resolve_string = Box::new(|_, _| None);
    let tree = usvg::Tree::from_str(svg, &options).map_err(|e| FigureError::Svg(e.to_string()))?;
    let scale = width as f32 / tree.size().width();
    let height = (tree.size().height() * scale).round();
    let size = || FigureError::Size {
        width: tree.size().width(),
        height: tree.size().height(),
    };
    if !(height >= 1.0 && height <= MOST_HEIGHT as f32) {
        return Err(size());
    }
    let mut pixmap = tiny_skia::Pixmap::new(width, height as u32).ok_or_else(size)?;
    // A last row of which the page covers a part must not be dark.
    pixmap.fill(tiny_skia::Color::WHITE);
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    // The page is opaque, so its colours are as they are.
    let rgb: Vec<u8> = pixmap
        .pixels()
        .iter()
        .flat_map(|p| [p.red(), p.green(), p.blue()])
        .collect();
    encoded(pixmap.width(), pixmap.height(), &rgb, dpi).map_err(|e| FigureError::Png(e.to_string()))
}
