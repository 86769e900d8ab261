//! Sizes and spacings of a figure, as a value that is passed down.
//!
//! All figures are laid out in units in which text is 12.5 high; a style says how large a
//! unit is in print, and how many make the page's width. So a mark is as large beside its
//! label on a slide as in a column.

/// Points in a centimetre.
const CENTIMETRE: f64 = 72.0 / 2.54;

/// A line through the middle of small letters is this share of their size above the baseline.
pub const HALF_LETTER: f64 = 0.36;

/// How a figure is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Width of the page, units.
    pub width: f64,
    /// What decides the height of the page.
    pub height: Height,
    /// Size of a unit in points.
    pub unit: f64,
    /// Whether title, subtitle and notes are drawn; else a caption has them.
    pub headed: bool,
    /// Free space along the page's edges.
    pub edge: f64,
    /// Size of the title.
    pub title: f64,
    /// Size of axis names.
    pub axis: f64,
    /// Size of tick labels, legend, labels of reference lines, subtitle.
    pub text: f64,
    /// Size of counts and notes.
    pub small: f64,
}

/// What decides the height of a page, units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Height {
    /// The plot area has this height, the page what is needed.
    Plot(f64),
    /// The page has this height if it suffices, the plot area what is left.
    Page(f64),
}

/// For what a figure is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A printed page, where a caption says what the figure shows.
    Paper,
    /// A slide in 16:9.
    Slide,
}

/// How much of a page's width a figure takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One column of two: 8.5 cm of paper, about half a slide.
    Single,
    /// Both: 17.5 cm of paper, a whole slide.
    Double,
}

impl Style {
    /// For the pages and files of a sweep: 800 px wide.
    pub const SCREEN: Self = Self {
        width: 800.0,
        height: Height::Plot(330.0),
        // A CSS pixel is 1/96 inch.
        unit: 0.75,
        headed: true,
        edge: 16.0,
        title: 17.0,
        axis: 13.5,
        text: 12.5,
        small: 11.0,
    };

    /// For `medium`. On paper text is 7.0 to 7.8 pt high, on a slide 12.3 to 19 pt.
    pub fn of(medium: Medium, width: Width) -> Self {
        let centimetres = |cm: f64, unit: f64| cm * CENTIMETRE / unit;
        match medium {
            Medium::Paper => {
                let unit = 0.6;
                let (width, height) = match width {
                    Width::Single => (8.5, 240.0),
                    Width::Double => (17.5, 300.0),
                };
                Self {
                    width: centimetres(width, unit),
                    height: Height::Plot(height),
                    unit,
                    headed: false,
                    edge: 3.0,
                    axis: 13.0,
                    small: 11.7,
                    ..Self::SCREEN
                }
            }
            Medium::Slide => {
                let (width, unit) = match width {
                    Width::Single => (12.4, 1.0),
                    Width::Double => (25.4, 1.12),
                };
                Self {
                    width: centimetres(width, unit),
                    height: Height::Page(centimetres(25.4 * 9.0 / 16.0, unit)),
                    unit,
                    edge: 10.0,
                    ..Self::SCREEN
                }
            }
        }
    }
}

/// Baseline-to-baseline distance for a text size.
pub fn line_height(size: f64) -> f64 {
    (size * 1.35).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_sizes_that_they_say() {
        // 1 cm = 28.3465 pt.
        let points = |style: Style| style.width * style.unit;
        let of = |medium, width| Style::of(medium, width);
        assert!((points(of(Medium::Paper, Width::Single)) - 240.945).abs() < 0.01);
        assert!((points(of(Medium::Paper, Width::Double)) - 496.063).abs() < 0.01);
        let slide = of(Medium::Slide, Width::Double);
        let Height::Page(height) = slide.height else {
            panic!("a slide has a height");
        };
        assert!((slide.width / height - 16.0 / 9.0).abs() < 1e-9);
        assert_eq!(points(Style::SCREEN), 600.0);
        for width in [Width::Single, Width::Double] {
            let style = of(Medium::Paper, width);
            for size in [style.small, style.text, style.axis] {
                assert!((7.0..=8.0).contains(&(size * style.unit)), "{size}");
            }
        }
    }
}
