//! Arguments of `imlp plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use imlp_lab::figure::{Kind, Medium, Width};

#[derive(Debug, Args)]
pub struct PlotArguments {
    /// Folders of experiments; curve and compute overlay several
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// What the figure shows
    #[arg(long, value_enum, default_value_t = FigureName::Curve)]
    pub figure: FigureName,
    /// Format of the file: svg (letters as outlines), png (300 dpi) or pdf (fonts in it)
    /// [default: as --out ends, else pdf]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<FigureFormat>,
    /// For what it is made: on paper a caption has title and notes
    #[arg(long, value_enum, default_value_t = StyleName::Paper)]
    pub style: StyleName,
    /// One column (8.5 cm; of a slide, half) or two (17.5 cm; a slide)
    /// [default: single; of a slide, double]
    #[arg(long, value_enum)]
    pub width: Option<WidthName>,
    /// One configuration, by its label in imlp status and the report [default: all]
    #[arg(long, value_name = "LABEL")]
    pub configuration: Option<String>,
    /// Of --figure layers, the α whose schedule is shown
    /// [default: the one chosen on validation, or where that is 0 the largest below 1]
    #[arg(long)]
    pub alpha: Option<f64>,
    /// The file [default: EXPERIMENT-FIGURE.FORMAT in the working directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl PlotArguments {
    /// The width, which depends on the style where none is given.
    pub fn width(&self) -> WidthName {
        self.width.unwrap_or(match self.style {
            StyleName::Paper => WidthName::Single,
            StyleName::Slide => WidthName::Double,
        })
    }
}

/// What a figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FigureName {
    /// Accuracy against α
    Curve,
    /// Loss and accuracy by epoch, a line per α
    Learning,
    /// α of every layer by epoch
    Layers,
    /// First-layer weights of the prior and of the twins, as images
    Weights,
    /// Accuracy against floating-point operations of training
    Compute,
}

impl From<FigureName> for Kind {
    fn from(name: FigureName) -> Self {
        match name {
            FigureName::Curve => Self::Curve,
            FigureName::Learning => Self::Learning,
            FigureName::Layers => Self::Layers,
            FigureName::Weights => Self::Weights,
            FigureName::Compute => Self::Compute,
        }
    }
}

/// Format of a figure's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FigureFormat {
    /// Lines and outlines
    Svg,
    /// Pixels
    Png,
    /// A page of the figure's size
    Pdf,
}

/// For what a figure is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StyleName {
    /// A printed page
    Paper,
    /// A slide of 16:9
    Slide,
}

impl From<StyleName> for Medium {
    fn from(name: StyleName) -> Self {
        match name {
            StyleName::Paper => Self::Paper,
            StyleName::Slide => Self::Slide,
        }
    }
}

/// How much of a page's width a figure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WidthName {
    /// One column of two
    Single,
    /// Both columns
    Double,
}

impl From<WidthName> for Width {
    fn from(name: WidthName) -> Self {
        match name {
            WidthName::Single => Self::Single,
            WidthName::Double => Self::Double,
        }
    }
}
