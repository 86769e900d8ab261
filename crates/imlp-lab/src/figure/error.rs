//! Why there is no figure.

/// Why there is no figure.
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
    /// An epoch is not a number that can be drawn.
    #[error("a course has a point at epoch {epoch}, which has no place on an axis")]
    Epoch {
        /// The offending number.
        epoch: f64,
    },
    /// Curves of different metrics cannot share an axis.
    #[error("curves of {first} and of {other} cannot share an axis; draw them apart")]
    Metrics {
        /// The metric of the first curve.
        first: String,
        /// Another curve's.
        other: String,
    },
    /// No trial has finished.
    #[error("no trial has finished; imlp status DIR says why")]
    NothingFinished,
    /// A figure of one experiment was asked for several.
    #[error("the figure {kind} shows one experiment; give one folder")]
    OneExperiment {
        /// Name of the figure.
        kind: &'static str,
    },
    /// A figure of one configuration was asked for several.
    #[error(
        "the figure {kind} shows one configuration; choose it with --configuration: {}",
        quoted(labels)
    )]
    OneConfiguration {
        /// Name of the figure.
        kind: &'static str,
        /// The configurations.
        labels: Vec<String>,
    },
    /// No configuration has that label.
    #[error(
        "no configuration is called {}; there {}",
        visible(label),
        there(others)
    )]
    NoConfiguration {
        /// The label that was asked for.
        label: String,
        /// Those that there are.
        others: Vec<String>,
    },
    /// What the figure shows was not recorded.
    #[error("the figure {kind} cannot be drawn: {reason}")]
    Lacking {
        /// Name of the figure.
        kind: &'static str,
        /// What is missing, and why.
        reason: String,
    },
    /// No trial has that α.
    #[error("no trial with α = {alpha} has a course to show; there are α = {}", others.join(", "))]
    NoAlpha {
        /// What was asked for.
        alpha: f64,
        /// What there is.
        others: Vec<String>,
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

/// Labels from a folder, as arguments.
fn quoted(labels: &[String]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| visible(label)).collect();
    quoted.join(", ")
}

fn there(labels: &[String]) -> String {
    match labels.iter().all(String::is_empty) {
        true => "is one alone, without a label".to_owned(),
        false => format!("are {}", quoted(labels)),
    }
}

/// A label that any terminal shows, in quotes.
fn visible(label: &str) -> String {
    format!("'{}'", imlp_suggest::one_line(label))
}
