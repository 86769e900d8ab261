//! The optimisers and their checked numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which optimiser trains a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// `torch.optim.SGD` without dampening or Nesterov:
    /// `g ← g + λw; v ← μv + g; w ← w − ηv`.
    #[default]
    Sgd,
    /// `torch.optim.AdamW` (Loshchilov & Hutter 2017, arXiv 1711.05101).
    Adamw,
}

/// Checked numbers of an optimiser.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OptimizerRule {
    /// Stochastic gradient descent.
    Sgd { momentum: f64, weight_decay: f64 },
    /// Adam with decoupled weight decay.
    AdamW {
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        weight_decay: f64,
    },
}

/// AdamW's `1 − βᵗ` after `updates` updates, to rounding for every β in [0, 1): the
/// difference itself cancels for a β next to 1.
pub(crate) fn bias_correction(beta: f64, updates: i32) -> f64 {
    -(f64::from(updates) * beta.ln()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_corrections_have_every_digit() {
        // By hand: 1 − 0.9³ = 0.271; of 1 − δ the binomial series tδ − t(t−1)/2·δ².
        let near = 2f64.powi(-53);
        for (beta, updates, expected) in [
            (0.0, 1, 1.0),
            (0.0, 7, 1.0),
            (0.5, 3, 0.875),
            (0.9, 3, 0.271),
            (1.0 - 2f64.powi(-30), 1, 2f64.powi(-30)),
            (
                1.0 - 2f64.powi(-30),
                4,
                4.0 * 2f64.powi(-30) - 6.0 * 2f64.powi(-60),
            ),
            (1.0 - near, 1, near),
            (1.0 - near, 5, 5.0 * near),
        ] {
            let got = bias_correction(beta, updates);
            assert!(
                (got / expected - 1.0).abs() < 1e-14,
                "{beta}, {updates}: {got}"
            );
        }
    }
}
