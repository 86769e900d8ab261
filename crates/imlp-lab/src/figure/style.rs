//! Colours, sizes and spacings of the figure, in SVG user units (px at scale 1).

/// Okabe & Ito's palette, told apart with every common colour vision:
/// <https://jfly.uni-koeln.de/color/>.
pub const BLUE: &str = "#0072b2";
/// Okabe & Ito's bluish green: the prior.
pub const GREEN: &str = "#009e73";
/// Okabe & Ito's orange: the plain MLP.
pub const ORANGE: &str = "#e69f00";
/// Okabe & Ito's vermillion: diverged trials.
pub const VERMILLION: &str = "#d55e00";
/// Okabe & Ito's reddish purple.
pub const PURPLE: &str = "#cc79a7";
/// Okabe & Ito's sky blue.
pub const SKY: &str = "#56b4e9";

/// Text and axes.
pub const INK: &str = "#222222";
/// Secondary text.
pub const GREY: &str = "#595959";
/// Grid lines.
pub const FAINT: &str = "#e4e4e4";
/// The card that the figure is drawn on.
pub const PAPER: &str = "#ffffff";

/// Families in the order in which a viewer looks for them.
pub const FONT_FAMILY: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

/// Width of the whole figure.
pub const WIDTH: f64 = 800.0;
/// Left edge of the plot area, after the value axis's labels.
pub const PLOT_LEFT: f64 = 78.0;
/// Height of the plot area.
pub const PLOT_HEIGHT: f64 = 330.0;
/// Space right of the plot area without labels of reference lines.
pub const RIGHT_MARGIN: f64 = 28.0;
/// Space right of the plot area for the labels of reference lines.
pub const RIGHT_MARGIN_LABELS: f64 = 138.0;
/// Space above the title and below the last line.
pub const EDGE: f64 = 16.0;
/// Space between the frame and the outermost marks, and around an axis break.
pub const INSET: f64 = 18.0;
/// Width that an end of the axis (α = 0 or 1) and its break take.
pub const BREAK_WIDTH: f64 = 58.0;

/// Title.
pub const TITLE_SIZE: f64 = 17.0;
/// Axis names.
pub const AXIS_SIZE: f64 = 13.5;
/// Tick labels, legend, labels of reference lines, subtitle.
pub const TEXT_SIZE: f64 = 12.5;
/// Counts of diverged trials, notes.
pub const SMALL_SIZE: f64 = 11.0;

/// Baseline-to-baseline distance for a text size.
pub fn line_height(size: f64) -> f64 {
    (size * 1.35).round()
}

/// A coordinate as text, with at most two decimals.
pub fn px(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}
