//! SGD with momentum and AdamW on a device of Burn.
//!
//! Burn has both, but hides their state in records. Interpolation scales or resets the
//! state of single layers, so this module keeps it in the open. The update rules are
//! PyTorch's; tests compare them with Burn's own optimisers.

use burn::tensor::{Device, Tensor, TensorData};

use crate::hyperparameters::optimizer::{OptimizerRule, bias_correction};
use crate::interpolation::optimizer_state::StateChange;
use crate::model::ModelState;

/// The state of one parameter.
#[derive(Clone, Debug, Default)]
struct State {
    /// SGD's momentum buffer, Adam's first moment.
    first: Option<Tensor<1>>,
    /// Adam's second moment.
    second: Option<Tensor<1>>,
    /// Updates since the state was empty (Adam's bias correction).
    updates: i32,
}

/// An optimiser with the state of every parameter of one network.
#[derive(Clone, Debug)]
pub(crate) struct Optimizer {
    rule: OptimizerRule,
    states: Vec<State>,
}

impl Optimizer {
    pub fn new(rule: OptimizerRule, parameters: usize) -> Self {
        Self {
            rule,
            states: vec![State::default(); parameters],
        }
    }

    /// The new value of parameter `index`.
    pub fn update(
        &mut self,
        index: usize,
        value: Tensor<1>,
        gradient: Tensor<1>,
        rate: f64,
    ) -> Tensor<1> {
        let state = &mut self.states[index];
        match self.rule {
            OptimizerRule::Sgd {
                momentum,
                weight_decay,
            } => {
                let gradient = if weight_decay == 0.0 {
                    gradient
                } else {
                    gradient + value.clone() * weight_decay
                };
                if momentum == 0.0 {
                    return value - gradient * rate;
                }
                let velocity = match state.first.take() {
                    Some(velocity) => velocity * momentum + gradient,
                    None => gradient,
                };
                state.first = Some(velocity.clone());
                value - velocity * rate
            }
            OptimizerRule::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            } => {
                state.updates += 1;
                let blend = |old: Option<Tensor<1>>, beta: f64, new: Tensor<1>| match old {
                    Some(old) => old * beta + new * (1.0 - beta),
                    None => new * (1.0 - beta),
                };
                let first = blend(state.first.take(), beta1, gradient.clone());
                let second = blend(state.second.take(), beta2, gradient.clone() * gradient);
                let correction1 = bias_correction(beta1, state.updates);
                let correction2 = bias_correction(beta2, state.updates).sqrt();
                let denominator = second.clone().sqrt() / correction2 + epsilon;
                let step = first.clone() / denominator * (rate / correction1);
                state.first = Some(first);
                state.second = Some(second);
                value * (1.0 - rate * weight_decay) - step
            }
        }
    }

    /// The moments of every parameter in device layout, without the parameters.
    pub fn state(&self) -> ModelState {
        let host = |moment: &Option<Tensor<1>>| {
            let data = moment.as_ref().map(|tensor| tensor.to_data());
            data.map_or(Vec::new(), |data| {
                data.try_into_vec().expect("moments are f32")
            })
        };
        ModelState {
            parameters: Vec::new(),
            first: self.states.iter().map(|s| host(&s.first)).collect(),
            second: self.states.iter().map(|s| host(&s.second)).collect(),
            updates: self.states.iter().map(|s| s.updates).collect(),
        }
    }

    /// Continues with the moments of `state`.
    pub fn restore(&mut self, state: &ModelState, device: &Device) {
        let moment = |values: &Vec<f32>| {
            let data = TensorData::new(values.clone(), [values.len()]);
            (!values.is_empty()).then(|| Tensor::from_data(data, device))
        };
        for (index, own) in self.states.iter_mut().enumerate() {
            own.first = moment(&state.first[index]);
            own.second = moment(&state.second[index]);
            own.updates = state.updates[index];
        }
    }

    /// Changes the state of parameter `index`.
    pub fn change_state(&mut self, index: usize, change: StateChange) {
        let state = &mut self.states[index];
        match change {
            StateChange::Keep => {}
            StateChange::ScaleFirst(factor) => {
                state.first = state.first.take().map(|m| m * factor);
            }
            StateChange::Reset => *state = State::default(),
        }
    }
}

#[cfg(test)]
mod against_burn;

#[cfg(test)]
mod tests {
    use imlp_linear::Alpha;

    use super::*;
    use crate::interpolation::optimizer_state::OptimizerState;

    fn tensor(values: &[f32]) -> Tensor<1> {
        Tensor::from_data(
            TensorData::new(values.to_vec(), [values.len()]),
            &Device::flex(),
        )
    }

    fn values(tensor: &Tensor<1>) -> Vec<f32> {
        tensor.to_data().try_to_vec().unwrap()
    }

    const SGD: OptimizerRule = OptimizerRule::Sgd {
        momentum: 0.9,
        weight_decay: 0.01,
    };
    const ADAMW: OptimizerRule = OptimizerRule::AdamW {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
    };

    /// PyTorch's update rules, scalar by scalar in f64.
    fn oracle(rule: OptimizerRule, start: f64, gradients: &[f64], rate: f64) -> f64 {
        let (mut w, mut m, mut v) = (start, 0.0, 0.0);
        for (t, &g) in gradients.iter().enumerate() {
            match rule {
                OptimizerRule::Sgd {
                    momentum,
                    weight_decay,
                } => {
                    m = momentum * m + g + weight_decay * w;
                    w -= rate * m;
                }
                OptimizerRule::AdamW {
                    beta1,
                    beta2,
                    epsilon,
                    weight_decay,
                } => {
                    w -= rate * weight_decay * w;
                    m = beta1 * m + (1.0 - beta1) * g;
                    v = beta2 * v + (1.0 - beta2) * g * g;
                    let t = t as i32 + 1;
                    let (m_hat, v_hat) = (m / (1.0 - beta1.powi(t)), v / (1.0 - beta2.powi(t)));
                    w -= rate * m_hat / (v_hat.sqrt() + epsilon);
                }
            }
        }
        w
    }

    #[test]
    fn updates_follow_the_published_rules() {
        let gradients = [0.5, -0.25, 1.5, 0.0, -2.0];
        for rule in [SGD, ADAMW] {
            let mut optimizer = Optimizer::new(rule, 1);
            let mut w = tensor(&[0.3, -0.7]);
            for g in gradients {
                w = optimizer.update(0, w, tensor(&[g as f32, -g as f32]), 0.05);
            }
            let flipped = gradients.map(|g| -g);
            let expected = [
                oracle(rule, 0.3, &gradients, 0.05),
                oracle(rule, -0.7, &flipped, 0.05),
            ];
            for (got, e) in values(&w).into_iter().zip(expected) {
                assert!((f64::from(got) - e).abs() < 1e-6, "{rule:?}: {got} {e}");
            }
        }
    }

    #[test]
    fn the_state_is_kept_scaled_or_reset() {
        let half = Alpha::new(0.5).unwrap();
        let momentum = OptimizerRule::Sgd {
            momentum: 0.9,
            weight_decay: 0.0,
        };
        // One step with gradient 1 leaves velocity 1; the next, with gradient
        // 0 and rate 1, moves the weight by 0.9·(what is left of it).
        for (policy, alpha, moved) in [
            (OptimizerState::Keep, half, 0.9),
            (OptimizerState::Scale, half, 0.45),
            (OptimizerState::Scale, Alpha::ONE, 0.0),
            (OptimizerState::Reset, half, 0.0),
            (OptimizerState::Reset, Alpha::ZERO, 0.9),
            (OptimizerState::Scale, Alpha::ZERO, 0.9),
        ] {
            let mut optimizer = Optimizer::new(momentum, 1);
            let w = optimizer.update(0, tensor(&[0.0]), tensor(&[1.0]), 0.0);
            optimizer.change_state(0, policy.change(alpha));
            let w = optimizer.update(0, w, tensor(&[0.0]), 1.0);
            assert!((values(&w)[0] + moved).abs() < 1e-6, "{policy:?} {alpha}");
        }
    }

    #[test]
    fn a_nan_state_does_not_survive_alpha_one_unless_kept() {
        for (policy, survives) in [
            (OptimizerState::Keep, true),
            (OptimizerState::Scale, false),
            (OptimizerState::Reset, false),
        ] {
            for rule in [SGD, ADAMW] {
                let mut optimizer = Optimizer::new(rule, 1);
                optimizer.update(0, tensor(&[0.0]), tensor(&[f32::NAN]), 0.1);
                optimizer.change_state(0, policy.change(Alpha::ONE));
                let w = optimizer.update(0, tensor(&[1.0]), tensor(&[1.0]), 0.1);
                assert_eq!(values(&w)[0].is_nan(), survives, "{policy:?} {rule:?}");
            }
        }
    }
}
