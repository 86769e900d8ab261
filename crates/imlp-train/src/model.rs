//! The trait of a network in training, whatever computes it.

use imlp_linear::{Alpha, LinearError, Parameters, StructuredMap};

use crate::interpolation::optimizer_state::StateChange;
use crate::network::parameters::HostParameters;

/// A network with its parameters and the state of its optimiser.
pub(crate) trait Model {
    /// One optimiser step on `images`, `[labels.len(), features]` row-major; returns
    /// the mean loss before it.
    fn step(&mut self, images: &[f32], labels: &[u8], rate: f64) -> f64;

    /// Logits `[count, classes]` of `images`, `[count, features]`, both
    /// row-major.
    fn logits(&mut self, images: &[f32], count: usize) -> Vec<f32>;

    /// Interpolates parameter `index`: `(1−α)·value + α·target`.
    ///
    /// # Errors
    /// The prior's parameters do not fit its map.
    fn interpolate(
        &mut self,
        index: usize,
        alpha: Alpha,
        target: InterpolationTarget<'_>,
    ) -> Result<(), LinearError>;

    /// Changes the optimiser's state of parameter `index`.
    fn change_optimizer_state(&mut self, index: usize, change: StateChange);

    /// Everything that later steps depend on.
    fn state(&self) -> ModelState;

    /// Continues from the `state` of a model with the same network and optimiser.
    fn restore(&mut self, state: ModelState);

    /// Whether every parameter is finite.
    fn is_finite(&self) -> bool;

    /// The parameters in PyTorch layout.
    fn parameters(&self) -> HostParameters;
}

/// A network and its optimiser between two steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelState {
    /// The parameters in PyTorch layout.
    pub parameters: HostParameters,
    /// The optimiser's moments of each parameter; empty where there are none (yet).
    pub first: HostParameters,
    pub second: HostParameters,
    /// Updates since the moments were empty.
    pub updates: Vec<i32>,
}

/// What a parameter of the dense twin is interpolated toward.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InterpolationTarget<'a> {
    /// The matrix of a structured map.
    Weight(&'a dyn StructuredMap, Parameters<'a>),
    /// Its bias.
    Bias(&'a dyn StructuredMap, Parameters<'a>),
    /// These values.
    Values(&'a [f32]),
}
