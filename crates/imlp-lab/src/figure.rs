//! The figure of an α-curve: SVG text, and the same as PNG.
//!
//! Value in per cent against α on a logarithmic axis (see `figure/alpha_axis.rs`
//! for its ends, breaks and the two-sided form). Every finished seed is a dot;
//! the mean is a line and its 95 % interval a band; the prior and the plain MLP
//! are labelled reference lines; diverged trials are counted below the plot area
//! and have no value. Colours are Okabe & Ito's.
//! [`overlay`] draws the curves of several configurations in one plot.
//!
//! Text is measured with the embedded font, the SVG is a `maud` template (which
//! escapes text), and `resvg` makes the PNG. `docs/decisions/figure.md` says why no
//! plotting library draws it.

mod alpha_axis;
mod alpha_ticks;
mod diverged;
mod draw;
mod error;
mod legend;
mod marks;
mod overlay;
mod raster;
mod reference_lines;
mod series;
mod style;
mod text;
mod value_axis;

pub use error::FigureError;
pub use overlay::{MOST_CURVES, overlay};
pub use raster::{PNG_WIDTH, svg_to_png};

use crate::curve::Curve;

/// Draws a curve as an SVG document, 800 user units wide; the height follows
/// from the title and the diverged trials.
///
/// The text starts with `<svg` and holds no script, style or external
/// reference, so that it can stand in a page.
///
/// # Errors
/// [`FigureError`] when the curve has no point or holds numbers that cannot be
/// drawn (a curve from [`Curve::from_trials`] never does).
pub fn render_svg(curve: &Curve) -> Result<String, FigureError> {
    check(curve)?;
    Ok(draw::draw(curve).into_string())
}

fn check(curve: &Curve) -> Result<(), FigureError> {
    if curve.points.is_empty() {
        return Err(FigureError::Empty);
    }
    let mut last = f64::NEG_INFINITY;
    for p in &curve.points {
        if !(0.0..=1.0).contains(&p.alpha) || p.alpha <= last {
            return Err(FigureError::Alpha { alpha: p.alpha });
        }
        last = p.alpha;
    }
    let references = [&curve.prior, &curve.plain_mlp].into_iter().flatten();
    let of_references = references.clone().flat_map(|l| &l.values);
    let values = curve
        .points
        .iter()
        .flat_map(|p| &p.seeds.values)
        .chain(of_references);
    let means = curve.points.iter().filter_map(|p| p.seeds.mean);
    let means = means.chain(references.clone().filter_map(|l| l.mean));
    if let Some(value) = values
        .map(|v| v.value)
        .chain(means)
        .find(|v| !(0.0..=1.0).contains(v))
    {
        return Err(FigureError::Value { value });
    }
    let intervals = curve.points.iter().filter_map(|p| p.seeds.ci95);
    let mut ends = intervals.chain(references.filter_map(|l| l.ci95)).flatten();
    match ends.find(|v| !v.is_finite()) {
        Some(value) => Err(FigureError::Value { value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
