//! What a learner asks of a network in training, whoever computes it.

use imlp_linear::{Alpha, LinearError, Parameters, StructuredMap};

use crate::interpolation::config::OptimizerState;
use crate::network::parameters::HostParameters;
use crate::training::checkpoint::ModelState;

/// A network with its parameters and the state of its optimiser.
pub(crate) trait Model {
    /// One optimiser step on `images`, `[labels.len(), features]` row-major;
    /// gives the mean loss before it.
    fn step(&mut self, images: &[f32], labels: &[u8], rate: f64) -> f64;

    /// Logits `[count, classes]` of `images`, `[count, features]`, both
    /// row-major.
    fn logits(&mut self, images: &[f32], count: usize) -> Vec<f32>;

    /// Pulls parameter `index` toward a prior's.
    ///
    /// # Errors
    /// The prior's parameters do not fit its map.
    fn pull(&mut self, index: usize, alpha: Alpha, toward: Toward<'_>) -> Result<(), LinearError>;

    /// Applies the policy to the optimiser's state of parameter `index` after an
    /// interpolation with `alpha`.
    fn after_interpolation(&mut self, index: usize, alpha: Alpha, policy: OptimizerState);

    /// Everything that later steps depend on.
    fn state(&self) -> ModelState;

    /// Goes on from `state`, which a model of the same network and rule had.
    fn restore(&mut self, state: ModelState);

    /// Whether every parameter is finite.
    fn is_finite(&self) -> bool;

    /// The parameters in PyTorch layout.
    fn parameters(&self) -> HostParameters;
}

/// What a parameter of the dense twin is pulled toward.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Toward<'a> {
    /// The matrix of a structured map.
    Weight(&'a dyn StructuredMap, Parameters<'a>),
    /// Its bias.
    Bias(&'a dyn StructuredMap, Parameters<'a>),
    /// These values.
    Values(&'a [f32]),
}
