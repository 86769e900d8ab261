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
