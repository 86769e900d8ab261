//! Figures: of α-curves for the files of a sweep, and of all there is to see for print.
//!
//! A figure is a [`Scene`]: marks on a page, in sizes that a [`Style`] gives. [`svg`], [`pdf`]
//! and [`png()`] write it. All figures share the axes, the legend and the page of `frame.rs`;
//! colours are Okabe & Ito's, a perceptual ramp for ordered things and a diverging one for
//! weights. `docs/decisions/figure.md` says why no plotting library draws them.

mod alpha_axis;
mod alpha_ticks;
mod axis;
mod colour;
mod colour_bar;
mod compute;
mod course;
mod curve;
mod diverged;
mod error;
mod frame;
mod kind;
mod layers;
mod learning;
mod legend;
mod named;
mod number;
mod pdf;
mod pixels;
mod raster;
mod reference_lines;
mod request;
mod scene;
mod series;
mod style;
mod svg;
mod text;
mod weights;

pub use curve::MOST_CURVES;
pub use error::FigureError;
pub use kind::Kind;
pub use pdf::pdf;
pub use raster::{PNG_WIDTH, PRINT_DPI, png, svg_to_png};
pub use request::Request;
pub use scene::Scene;
pub use style::{Medium, Style, Width};
pub use svg::{Letters, svg};

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
    overlay(&curve.title, &curve.subtitle, &[("", curve)])
}

/// Draws curves of one metric, each with its name, as an SVG document 800 user units wide;
/// [`svg_to_png`] makes the PNG. Title and subtitle may be empty. The first [`MOST_CURVES`]
/// are drawn, and the figure says how many are not.
///
/// The text is as that of [`render_svg`].
///
/// # Errors
/// [`FigureError`] without a curve, when their metrics differ, or as [`render_svg`].
pub fn overlay(
    title: &str,
    subtitle: &str,
    curves: &[(&str, &Curve)],
) -> Result<String, FigureError> {
    let scene = of_curves(title, subtitle, curves, None, &Style::SCREEN)?;
    Ok(svg(&scene, Letters::Text))
}

/// The figure of curves of one metric, each with its name; as [`overlay`]. `missing` says what
/// is not in them.
fn of_curves(
    title: &str,
    subtitle: &str,
    curves: &[(&str, &Curve)],
    missing: Option<String>,
    style: &Style,
) -> Result<Scene, FigureError> {
    let Some((_, first)) = curves.first() else {
        return Err(FigureError::Empty);
    };
    for (_, curve) in curves {
        check(curve)?;
        if curve.metric != first.metric {
            return Err(FigureError::Metrics {
                first: first.metric.clone(),
                other: curve.metric.clone(),
            });
        }
    }
    let drawn = &curves[..curves.len().min(MOST_CURVES)];
    let all = curves.len();
    Ok(curve::scene(title, subtitle, drawn, all, missing, style))
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
mod print_tests;
#[cfg(test)]
mod tests;
