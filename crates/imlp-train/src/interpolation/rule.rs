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

/// The prior's share of the weights after interpolations with `alphas` and no
/// gradient in between: `1 − Π(1−α_s)`.
pub fn effective_prior_share(alphas: impl IntoIterator<Item = Alpha>) -> f64 {
    1.0 - alphas
        .into_iter()
        .map(|alpha| 1.0 - alpha.get())
        .product::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_share_follows_its_closed_form() {
        let alphas = [0.5, 0.2, 0.0].map(|a| Alpha::new(a).unwrap());
        assert!((effective_prior_share(alphas) - 0.6).abs() < 1e-12);
        let constant = [Alpha::new(0.1).unwrap(); 10];
        assert!((effective_prior_share(constant) - (1.0 - 0.9f64.powi(10))).abs() < 1e-12);
        assert_eq!(effective_prior_share([Alpha::ONE]), 1.0);
        assert_eq!(effective_prior_share([]), 0.0);
    }
}
