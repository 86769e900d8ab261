//! What becomes of the optimiser's state of a parameter that was interpolated.

use imlp_linear::Alpha;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the optimiser's state of a layer that was interpolated.
///
/// The momentum was built up by the weights before interpolation; keeping it
/// pushes the new weights along a direction that belonged to the old ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerState {
    /// Left as it is.
    Keep,
    /// Momentum (AdamW: first moment) times 1−α_i, as the weights it belongs
    /// to; at α_i = 1 as `reset`.
    Scale,
    /// Forgotten: as at the start of training.
    #[default]
    Reset,
}

/// A change of the optimiser's state of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StateChange {
    /// None.
    Keep,
    /// The first moment times this factor.
    ScaleFirst(f64),
    /// As at the start of training.
    Reset,
}

impl OptimizerState {
    /// The change after an interpolation with `alpha`.
    pub(crate) fn change(self, alpha: Alpha) -> StateChange {
        match self {
            _ if alpha.is_zero() => StateChange::Keep,
            Self::Keep => StateChange::Keep,
            // Nothing of the old weights is left at α = 1, so nothing of their
            // state: a product with 0 would keep a NaN.
            Self::Scale if !alpha.is_one() => StateChange::ScaleFirst(1.0 - alpha.get()),
            Self::Scale | Self::Reset => StateChange::Reset,
        }
    }
}
