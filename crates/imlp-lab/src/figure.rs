//! The figure of an α-curve: SVG text, and the same as PNG.
//!
//! Value in per cent against α on a logarithmic axis (see `figure/alpha_axis.rs`
//! for its ends, breaks and the two-sided form). Every finished seed is a dot;
//! the mean is a line and its 95 % interval a band; the prior and the plain MLP
//! are labelled levels; diverged trials are counted below the plot area and
//! never have a value. Colours are Okabe & Ito's.
//!
//! No plotting library is used for the drawing itself: axes broken on both
//! ends, a strip for trials without a value, and labels that keep out of the
//! data are what the figure consists of. Text is measured with the embedded
//! font, SVG is written as a `maud` template (which escapes), and `resvg` makes
//! the PNG.

mod alpha_axis;
mod diverged;
mod draw;
mod legend;
mod levels;
mod marks;
mod raster;
mod style;
mod text;
mod value_axis;

pub use raster::{PNG_WIDTH, svg_to_png};

use crate::curve::Curve;

/// Why a curve has no figure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// The curve has no point.
    #[error("the curve has no point to draw")]
    Empty,
    /// The points do not increase in α, or an α is outside [0, 1].
    #[error("α = {alpha} is out of order or outside [0, 1]; build the curve with Curve::from_rows")]
    Alpha {
        /// The offending α.
        alpha: f64,
    },
    /// A value, mean or interval is not a number that can be drawn.
    #[error("a value of the curve is {value}, not a fraction from 0 to 1")]
    Value {
        /// The offending value.
        value: f64,
    },
    /// The text given for rasterising is not an SVG.
    #[error("the figure's SVG cannot be read: {0}")]
    Svg(String),
    /// The SVG's shape cannot be drawn.
    #[error("an SVG of {width} × {height} px cannot be drawn as a PNG")]
    Size {
        /// Width in px.
        width: f32,
        /// Height in px.
        height: f32,
    },
    /// The PNG cannot be encoded.
    #[error("the figure's PNG cannot be encoded: {0}")]
    Png(String),
}

/// Draws a curve as an SVG document, 800 user units wide; the height follows
/// from the title and the diverged trials.
///
/// The text starts with `<svg` and holds no script, style or external
/// reference, so that it can stand in a page.
///
/// # Errors
/// [`FigureError`] when the curve has no point or holds numbers that cannot be
/// drawn (a curve from [`Curve::from_rows`] never does).
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
    let levels = [&curve.prior, &curve.plain_mlp].into_iter().flatten();
    let of_levels = levels.clone().flat_map(|l| &l.values);
    let values = curve.points.iter().flat_map(|p| &p.values).chain(of_levels);
    let means = curve.points.iter().filter_map(|p| p.mean);
    let means = means.chain(levels.clone().filter_map(|l| l.mean));
    if let Some(value) = values
        .map(|v| v.value)
        .chain(means)
        .find(|v| !(0.0..=1.0).contains(v))
    {
        return Err(FigureError::Value { value });
    }
    let intervals = curve.points.iter().filter_map(|p| p.ci95);
    let mut ends = intervals.chain(levels.filter_map(|l| l.ci95)).flatten();
    match ends.find(|v| !v.is_finite()) {
        Some(value) => Err(FigureError::Value { value }),
        None => Ok(()),
    }
}

/// A coordinate with at most two decimals.
fn px(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
mod tests;
