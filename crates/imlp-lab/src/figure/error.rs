//! Why a curve has no figure.

/// Why a curve has no figure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// The curve has no point.
    #[error("the curve has no point to draw")]
    Empty,
    /// The points do not increase in α, or an α is outside [0, 1].
    #[error(
        "α = {alpha} is out of order or outside [0, 1]; build the curve with Curve::from_trials"
    )]
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
    /// Curves of different metrics cannot share an axis.
    #[error("curves of {first} and of {other} cannot share an axis; draw them apart")]
    Metrics {
        /// The metric of the first curve.
        first: String,
        /// Another curve's.
        other: String,
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
