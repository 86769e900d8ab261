//! The same updates as Burn's own optimisers on the same gradients.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, Optimizer as BurnOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Optimizer, Rule};

const STEPS: usize = 12;
const LEN: usize = 37;

fn draw(rng: &mut StdRng, scale: f32) -> Tensor<1> {
    let values: Vec<f32> = (0..LEN).map(|_| rng.random_range(-scale..scale)).collect();
    Tensor::from_data(TensorData::new(values, [LEN]), &Device::flex())
}

#[track_caller]
fn assert_same_path(rule: Rule, burn: &impl BurnOptimizer, tolerance: f32) {
    let mut rng = StdRng::seed_from_u64(31);
    let start = draw(&mut rng, 1.0);
    // Index 1 of two: the state belongs to the index.
    let mut ours = Optimizer::new(rule, 2);
    let (mut a, mut b) = (start.clone(), start);
    let mut state = None;
    for step in 0..STEPS {
        let gradient = draw(&mut rng, 0.5 + step as f32);
        let rate = 0.02 / (1.0 + step as f64);
        let before = a.clone();
        a = ours.update(1, a, gradient.clone(), rate);
        (b, state) = burn.step(rate, b, gradient, state);
        let difference = (a.clone() - b.clone()).abs().max().into_scalar::<f32>();
        let moved = (a.clone() - before).abs().max().into_scalar::<f32>();
        assert!(
            difference <= tolerance && moved > 100.0 * tolerance,
            "step {step}: {difference} apart, moved {moved}"
        );
    }
}

#[test]
fn sgd_is_burn_s_without_dampening() {
    for (momentum, weight_decay) in [(0.9, 0.0), (0.5, 0.03)] {
        let mut config = SgdConfig::new().with_momentum(Some(MomentumConfig {
            momentum,
            dampening: 0.0,
            nesterov: false,
        }));
        if weight_decay > 0.0 {
            config = config.with_weight_decay(Some(WeightDecayConfig::new(weight_decay as f32)));
        }
        let rule = Rule::Sgd {
            momentum,
            weight_decay,
        };
        assert_same_path(rule, &config.build(), 2e-6);
    }
    let plain = Rule::Sgd {
        momentum: 0.0,
        weight_decay: 0.0,
    };
    assert_same_path(plain, &SgdConfig::new().build(), 2e-6);
}

#[test]
fn adamw_is_burn_s() {
    for (beta1, beta2, weight_decay) in [(0.9, 0.999, 0.0), (0.8, 0.95, 0.1)] {
        let epsilon = 1e-6;
        let config = AdamWConfig::new()
            .with_beta_1(beta1 as f32)
            .with_beta_2(beta2 as f32)
            .with_epsilon(epsilon as f32)
            .with_weight_decay(weight_decay as f32);
        let rule = Rule::AdamW {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        };
        // Burn holds β as f32: 1−β₂ = 0.001 is 1e-5 off, relatively.
        assert_same_path(rule, &config.build(), 5e-6);
    }
}
