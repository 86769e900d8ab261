//! The checked interpolation rule of one twin: α for each epoch and layer
//! (arXiv 2410.09655).

use imlp_linear::Alpha;

use crate::interpolation::optimizer_state::OptimizerState;
use crate::interpolation::schedule::Schedule;

/// A checked interpolation rule for one twin.
#[derive(Clone, Debug)]
pub struct InterpolationRule {
    pub(super) alpha: Alpha,
    pub(super) schedule: Schedule,
    /// The share of α that each linear layer gets.
    pub(super) multipliers: Vec<Alpha>,
    pub(super) biases: bool,
    pub(super) optimizer_state: OptimizerState,
    pub(super) epochs: u32,
}

impl InterpolationRule {
    /// α_i at `epoch`, for every linear layer.
    pub fn alphas(&self, epoch: u32) -> Vec<Alpha> {
        self.allocate(self.schedule.at(self.alpha, epoch, self.epochs))
    }

    /// α_i for every linear layer where the schedule gives all of α.
    pub fn peak_alphas(&self) -> Vec<Alpha> {
        self.allocate(self.alpha)
    }

    fn allocate(&self, alpha: Alpha) -> Vec<Alpha> {
        self.multipliers
            .iter()
            .map(|m| Alpha::new(alpha.get() * m.get()).expect("a product of two values in [0, 1]"))
            .collect()
    }

    /// Whether biases are interpolated.
    pub fn biases(&self) -> bool {
        self.biases
    }

    /// What becomes of the optimiser's state.
    pub fn optimizer_state(&self) -> OptimizerState {
        self.optimizer_state
    }
}
