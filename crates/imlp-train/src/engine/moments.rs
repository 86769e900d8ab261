//! The optimisers' state of every parameter, in the memory of the CPU.

use imlp_kernels::elementwise::{ParameterUpdate, UpdateRule};
use imlp_kernels::{Aligned, Kernel};

use super::memory::{aligned, to_host};
use crate::hyperparameters::optimizer::OptimizerRule;
use crate::interpolation::optimizer_state::StateChange;
use crate::model::ModelState;
use crate::network::parameters::HostParameters;

/// One optimiser's state of all parameters of a network. A state that was never
/// used or was reset is all zeros, which is what the rules start from.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    rule: OptimizerRule,
    /// One entry per parameter; empty vectors where the rule keeps nothing.
    first: Vec<Aligned>,
    second: Vec<Aligned>,
    /// Updates since the state was empty.
    updates: Vec<i32>,
}

impl Moments {
    /// Empty states for `parameters`.
    pub fn new(rule: OptimizerRule, parameters: &HostParameters) -> Self {
        let zeros = |needed: bool| {
            let of = |value: &Vec<f32>| Aligned::zeros(if needed { value.len() } else { 0 });
            parameters.iter().map(of).collect()
        };
        Self {
            first: zeros(!matches!(rule, OptimizerRule::Sgd { momentum: 0.0, .. })),
            second: zeros(matches!(rule, OptimizerRule::AdamW { .. })),
            updates: vec![0; parameters.len()],
            rule,
        }
    }

    /// The next update of parameter `index`, `[…, columns]`.
    pub fn update<'a>(
        &'a mut self,
        kernel: Kernel,
        index: usize,
        rate: f64,
        value: &'a mut [f32],
        columns: usize,
    ) -> ParameterUpdate<'a> {
        self.updates[index] += 1;
        let rule = match self.rule {
            OptimizerRule::Sgd {
                momentum,
                weight_decay,
            } => UpdateRule::Sgd {
                rate: rate as f32,
                momentum: momentum as f32,
                decay: weight_decay as f32,
            },
            OptimizerRule::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            } => {
                let bias = |beta: f64| 1.0 - beta.powi(self.updates[index]);
                UpdateRule::AdamW {
                    rate: (rate / bias(beta1)) as f32,
                    betas: (beta1 as f32, beta2 as f32),
                    correction: (1.0 / bias(beta2).sqrt()) as f32,
                    epsilon: epsilon as f32,
                    kept: (1.0 - rate * weight_decay) as f32,
                }
            }
        };
        ParameterUpdate {
            rule,
            kernel,
            value,
            first: &mut self.first[index],
            second: &mut self.second[index],
            columns,
        }
    }

    /// The moments of every parameter; the parameters themselves are left out.
    pub fn state(&self) -> ModelState {
        ModelState {
            parameters: Vec::new(),
            first: to_host(&self.first),
            second: to_host(&self.second),
            updates: self.updates.clone(),
        }
    }

    /// Goes on with the moments of `state`.
    pub fn restore(&mut self, state: &ModelState) {
        self.first = aligned(&state.first);
        self.second = aligned(&state.second);
        self.updates.clone_from(&state.updates);
    }

    /// Changes the state of parameter `index`.
    pub fn change_state(&mut self, index: usize, change: StateChange) {
        match change {
            StateChange::Keep => {}
            StateChange::ScaleFirst(factor) => {
                for m in &mut *self.first[index] {
                    *m *= factor as f32;
                }
            }
            StateChange::Reset => {
                self.first[index].fill(0.0);
                self.second[index].fill(0.0);
                self.updates[index] = 0;
            }
        }
    }
}
