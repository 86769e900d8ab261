//! The optimisers' state of every parameter, in the memory of the CPU.

use imlp_kernels::elementwise::{ParameterUpdate, UpdateRule};
use imlp_kernels::{Aligned, Kernel};

use super::memory::{replace, to_host};
use crate::hyperparameters::optimizer::{OptimizerRule, bias_correction};
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
                let bias = |beta| bias_correction(beta, self.updates[index]);
                UpdateRule::AdamW {
                    rate: (rate / bias(beta1)) as f32,
                    betas: (beta1 as f32, beta2 as f32),
                    complements: ((1.0 - beta1) as f32, (1.0 - beta2) as f32),
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
    pub fn restore(&mut self, state: ModelState) {
        replace(&mut self.first, state.first);
        replace(&mut self.second, state.second);
        self.updates = state.updates;
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

#[cfg(test)]
mod tests {
    use imlp_kernels::Operands;

    use super::*;

    /// Two weights under AdamW with rate 0.05, ε = 1e-8 and λ = 0.1, after each step.
    /// The second one's start and gradients have the opposite sign.
    fn weights(betas: (f64, f64)) -> Option<Vec<[f32; 2]>> {
        let kernel = Kernel::new(Operands::F32, None).ok()?;
        let rule = OptimizerRule::AdamW {
            beta1: betas.0,
            beta2: betas.1,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        let mut w = [0.3, -0.7];
        let mut moments = Moments::new(rule, &vec![w.to_vec()]);
        let steps = [0.5, -0.25, 1.5, 0.0, -2.0].map(|g| {
            moments.update(kernel, 0, 0.05, &mut w, 2).apply(&[g, -g]);
            w
        });
        Some(steps.into())
    }

    /// The numbers are those of `torch.optim.AdamW` (PyTorch 2.15) in f64.
    #[test]
    fn betas_near_one_lose_nothing() {
        for (betas, expected) in [
            (
                (0.9, 0.999999),
                [
                    [0.248500001, -0.646500001],
                    [0.23394264602856696, -0.6299526460285669],
                    [0.19923482847305024, -0.5932647784730503],
                    [0.17077314785677583, -0.5628329481067758],
                    [0.17673155997052362, -0.5668310612192736],
                ],
            ),
            (
                (0.9, 0.99999998),
                [
                    [0.248500001, -0.646500001],
                    [0.2339426479932634, -0.6299526479932633],
                    [0.1992348176073195, -0.5932647676073195],
                    [0.17077313327789997, -0.5628329335279],
                    [0.17673154924774517, -0.5668310504964952],
                ],
            ),
            (
                (0.999999, 0.999),
                [
                    [0.248500001, -0.646500001],
                    [0.23144376338611253, -0.6274537633861126],
                    [0.1987404065430947, -0.5927703565430947],
                    [0.17042012309788912, -0.5624799233478891],
                    [0.17174900634139975, -0.5618485075901498],
                ],
            ),
        ] {
            let Some(steps) = weights(betas) else { return };
            for (got, expected) in steps.iter().zip(expected) {
                for (&got, expected) in got.iter().zip(expected) {
                    let error: f64 = f64::from(got) - expected;
                    assert!(error.abs() < 1e-6, "{betas:?}: {got}, not {expected}");
                }
            }
        }
    }
}
