//! What of the prior is in a twin after the interpolations so far.

use imlp_linear::Alpha;

use crate::network::parameters::{ParameterSpec, Role};

/// The prior's share of each linear layer after interpolations with α_s and no gradient
/// in between: `1 − Π(1−α_s)`, to rounding for every α: the difference itself cancels for
/// a small one.
#[derive(Clone, Debug)]
pub(super) struct PriorShare {
    /// Number of weights of each layer.
    weights: Vec<usize>,
    /// Σ ln(1−α_s) of each layer.
    kept: Vec<f64>,
}

impl PriorShare {
    /// The share in a twin with these parameters after `applied`: α of every layer at each
    /// interpolation.
    pub(super) fn new(specs: &[ParameterSpec], applied: &[Vec<Alpha>]) -> Self {
        let weights = specs.iter().filter(|spec| spec.role == Role::Weight);
        Self::of(weights.map(ParameterSpec::len).collect(), applied)
    }

    fn of(weights: Vec<usize>, applied: &[Vec<Alpha>]) -> Self {
        let mut share = Self {
            // The neutral element of addition, with the sign that gives a share of +0.
            kept: vec![-0.0; weights.len()],
            weights,
        };
        for alphas in applied {
            share.add(alphas);
        }
        share
    }

    /// Adds an interpolation with these α of the layers; none where there is none.
    pub(super) fn add(&mut self, alphas: &[Alpha]) {
        for (kept, alpha) in self.kept.iter_mut().zip(alphas) {
            *kept += (-alpha.get()).ln_1p();
        }
    }

    /// Number of weights of each layer.
    pub(super) fn weights(&self) -> &[usize] {
        &self.weights
    }

    /// The share of each layer, in [0, 1].
    pub(super) fn layers(&self) -> Vec<f64> {
        self.kept.iter().map(|kept| -kept.exp_m1()).collect()
    }

    /// Their mean, weighted by the layers' weights.
    pub(super) fn mean(&self) -> f64 {
        let layers = self.layers();
        let weighted = layers.iter().zip(&self.weights);
        let weighted: f64 = weighted.map(|(share, &n)| share * n as f64).sum();
        let total: usize = self.weights.iter().sum();
        weighted / total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of one layer after these α.
    fn share(alphas: &[f64]) -> f64 {
        let alphas = alphas.iter().map(|&alpha| vec![Alpha::new(alpha).unwrap()]);
        PriorShare::of(vec![7], &alphas.collect::<Vec<_>>()).layers()[0]
    }

    #[test]
    fn the_prior_share_follows_its_closed_form() {
        assert!((share(&[0.5, 0.2, 0.0]) - 0.6).abs() < 1e-12);
        assert!((share(&[0.1; 10]) - (1.0 - 0.9f64.powi(10))).abs() < 1e-12);
        assert_eq!(share(&[1.0]), 1.0);
        for none in [&[][..], &[0.0; 3]] {
            let share = share(none);
            assert!(share == 0.0 && share.is_sign_positive());
        }
        assert_eq!(share(&[1.0, 0.5, 1.0]), 1.0);
    }

    #[test]
    fn a_small_alpha_leaves_its_share() {
        for alpha in [5e-324f64, 1e-300, 1e-20, 1e-9] {
            // 1 − (1−α)³ = 3α − 3α² + α³.
            let expected = 3.0 * alpha - 3.0 * alpha * alpha + alpha.powi(3);
            let got = share(&[alpha; 3]);
            assert!((got / expected - 1.0).abs() < 1e-14, "{alpha:e}: {got:e}");
        }
    }

    #[test]
    fn layers_count_by_their_weights() {
        let alphas = [0.5, 0.0].map(|alpha| Alpha::new(alpha).unwrap()).to_vec();
        let mut share = PriorShare::of(vec![30, 10], std::slice::from_ref(&alphas));
        assert!((share.mean() - 0.5 * 30.0 / 40.0).abs() < 1e-15);
        share.add(&[]);
        share.add(&alphas);
        assert!((share.mean() - 0.75 * 30.0 / 40.0).abs() < 1e-15);
    }
}
