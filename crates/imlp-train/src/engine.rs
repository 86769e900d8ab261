//! A network in training on one core of the CPU, by the products of
//! [`imlp_kernels`].
//!
//! The same networks, losses and update rules as through Burn
//! ([`BurnModel`](crate::burn::model::BurnModel)), which is what the tests compare
//! with, but:
//! - every buffer is made once; a step allocates nothing;
//! - activations stay in the layout that products load, whatever the layer;
//! - bias and ReLU belong to the product before them;
//! - the gradient of a full matrix never exists as a whole: each block of it updates its
//!   weights while it is in the first-level cache.

use imlp_kernels::elementwise::cross_entropy;
use imlp_kernels::{Aligned, Kernel, Panels};
use imlp_linear::{Alpha, LinearError};

use crate::hyperparameters::Hyperparameters;
use crate::interpolation::optimizer_state::StateChange;
use crate::model::{InterpolationTarget, Model, ModelState};
use crate::network::Network;
use crate::network::parameters::HostParameters;

mod chain;
mod memory;
mod moments;
mod structured;

use chain::{Chain, Pass, Workspace};
use memory::{aligned, replace, to_host};
use moments::Moments;

/// A network, its parameters and its optimiser in the memory of the CPU.
pub(crate) struct Engine {
    chain: Chain,
    values: Vec<Aligned>,
    moments: Moments,
    workspace: Workspace,
    label_smoothing: f64,
    input: Panels,
    classes: usize,
    /// The images of the batch in panels.
    images: Aligned,
}

impl Engine {
    /// `network` with these parameters and a fresh optimiser; `None`
    /// if the engine cannot express one of its maps.
    pub fn new(
        network: &Network,
        training: Hyperparameters,
        parameters: &HostParameters,
        kernel: Kernel,
    ) -> Option<Self> {
        Some(Self {
            chain: Chain::new(network.layers(), network.input().len(), kernel)?,
            moments: Moments::new(training.rule, parameters),
            values: aligned(parameters),
            workspace: Workspace::new(kernel),
            label_smoothing: training.label_smoothing,
            input: Panels {
                samples: 0,
                features: network.input().len(),
                width: kernel.panel_width(),
            },
            classes: network.classes(),
            images: Aligned::default(),
        })
    }

    /// Lays out `count` images and takes them through the network.
    fn forward(&mut self, images: &[f32], count: usize) {
        self.input.samples = count;
        self.images.set_len(self.input.len());
        self.input.from_rows(images, &mut self.images);
        let mut pass = Pass {
            layout: self.input,
            products: &mut self.workspace.products,
        };
        self.chain.forward(&mut pass, &self.values, &self.images);
    }

    fn logits_layout(&self) -> Panels {
        self.input.with_features(self.classes)
    }
}

impl Model for Engine {
    fn step(&mut self, images: &[f32], labels: &[u8], rate: f64) -> f64 {
        self.forward(images, labels.len());
        let layout = self.logits_layout();
        let mut slopes = self.workspace.take(layout.len());
        slopes.copy_from_slice(self.chain.output(self.input, &self.images));
        let loss = cross_entropy(layout, labels, self.label_smoothing, &mut slopes);
        let mut pass = chain::Backward {
            layout: self.input,
            workspace: &mut self.workspace,
            values: &mut self.values,
            moments: &mut self.moments,
            rate,
        };
        let slopes = self.chain.backward(&mut pass, &self.images, slopes, false);
        self.workspace.give(slopes);
        loss
    }

    fn logits(&mut self, images: &[f32], count: usize) -> Vec<f32> {
        self.forward(images, count);
        let layout = self.logits_layout();
        let mut rows = vec![0.0; count * self.classes];
        layout.to_rows(self.chain.output(self.input, &self.images), &mut rows);
        rows
    }

    fn interpolate(
        &mut self,
        index: usize,
        alpha: Alpha,
        target: InterpolationTarget<'_>,
    ) -> Result<(), LinearError> {
        let value = &mut self.values[index];
        match target {
            InterpolationTarget::Weight(map, parameters) => {
                map.interpolate(parameters, alpha, value, None)
            }
            InterpolationTarget::Bias(map, parameters) => {
                map.interpolate_bias(parameters, alpha, value)
            }
            InterpolationTarget::Values(values) => {
                alpha.interpolate(value, |i| values[i]);
                Ok(())
            }
        }
    }

    fn change_optimizer_state(&mut self, index: usize, change: StateChange) {
        self.moments.change_state(index, change);
    }

    fn state(&self) -> ModelState {
        let mut state = self.moments.state();
        state.parameters = self.parameters();
        state
    }

    fn restore(&mut self, mut state: ModelState) {
        replace(&mut self.values, std::mem::take(&mut state.parameters));
        self.moments.restore(state);
    }

    fn is_finite(&self) -> bool {
        let mut values = self.values.iter().flat_map(|values| values.iter());
        values.all(|value| value.is_finite())
    }

    fn parameters(&self) -> HostParameters {
        to_host(&self.values)
    }
}

#[cfg(test)]
mod tests;
