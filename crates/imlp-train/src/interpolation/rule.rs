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
/// gradient in between: `1 − Π(1−α_s)`, to rounding for every α: the difference itself
/// cancels for a small one.
pub fn effective_prior_share(alphas: impl IntoIterator<Item = Alpha>) -> f64 {
    let kept = alphas.into_iter().map(|alpha| (-alpha.get()).ln_1p());
    -kept.sum::<f64>().exp_m1()
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
        for none in [&[][..], &[Alpha::ZERO; 3]] {
            let share = effective_prior_share(none.iter().copied());
            assert!(share == 0.0 && share.is_sign_positive());
        }
        let mixed = [Alpha::ONE, Alpha::new(0.5).unwrap(), Alpha::ONE];
        assert_eq!(effective_prior_share(mixed), 1.0);
    }

    #[test]
    fn a_small_alpha_leaves_its_share() {
        for alpha in [5e-324f64, 1e-300, 1e-20, 1e-9] {
            // 1 − (1−α)³ = 3α − 3α² + α³.
            let expected = 3.0 * alpha - 3.0 * alpha * alpha + alpha.powi(3);
            let got = effective_prior_share([Alpha::new(alpha).unwrap(); 3]);
            assert!((got / expected - 1.0).abs() < 1e-14, "{alpha:e}: {got:e}");
        }
    }
}
