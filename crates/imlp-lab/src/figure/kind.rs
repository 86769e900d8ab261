//! The kinds of figures.

/// What a figure shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Accuracy against α.
    Curve,
    /// Loss and accuracy by epoch.
    Learning,
    /// α of every layer by epoch.
    Layers,
    /// What the first layer sees.
    Weights,
    /// Accuracy against floating-point operations of training.
    Compute,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curve => "curve",
            Self::Learning => "learning",
            Self::Layers => "layers",
            Self::Weights => "weights",
            Self::Compute => "compute",
        }
    }
}
