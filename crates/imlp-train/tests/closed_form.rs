//! Without gradients, T interpolations leave `W_T = (1−s)·W_0 + s·W_P` with
//! `s = 1 − Π(1−α_s)`.
//!
//! The twin's learning rate is 1e-30, so that no weight moves in single
//! precision and the biases, which start at 0, stay below 1e-25.

mod common;

use common::{CNN, MIXER, dense_equivalents, prior, setup, trial};
use imlp_train::{HostParameters, ParameterSpec, Role, Setup, Trial};

/// Half a unit in the last place of f32, relative.
const U: f64 = f32::EPSILON as f64 / 2.0;

const STILL: &str = "
    train.epochs = 3
    train.learning_rate = 1e-30
    prior.learning_rate = 0.05
";
const FROZEN: &str = "prior.training = \"frozen\"\n";

/// Asserts that every parameter is `expected(spec, start, target)` of f64, up
/// to the roundings of `interpolations` weighted means.
#[track_caller]
fn assert_parameters(
    trial: &Trial,
    (start, target): (&HostParameters, &HostParameters),
    interpolations: usize,
    expected: impl Fn(&ParameterSpec, f64, f64) -> f64,
) {
    let roundings = 4.0 * interpolations as f64;
    for (i, spec) in trial.specs.iter().enumerate() {
        let pairs = start[i].iter().zip(&target[i]);
        for (got, (&w, &p)) in trial.parameters[i].iter().zip(pairs) {
            let (w, p) = (f64::from(w), f64::from(p));
            let want = expected(spec, w, p);
            let tolerance = roundings * U * (w.abs() + p.abs()) + 1e-25;
            assert!(
                (f64::from(*got) - want).abs() <= tolerance,
                "{}: {got}, expected {want} (from {w} toward {p})",
                spec.name
            );
        }
    }
}

fn share(alphas: &[f64]) -> f64 {
    1.0 - alphas.iter().map(|a| 1.0 - a).product::<f64>()
}

/// Initial weights, the dense equivalents of the one snapshot, and a trial with
/// α = 0.3 between them.
fn ends(setup: &Setup, seed: u64) -> (HostParameters, HostParameters, Trial) {
    let prior = prior(setup, seed);
    let target = dense_equivalents(setup.prior(), &prior.snapshots[0]);
    let start = trial(setup, 0.0, seed, None).parameters;
    (start, target, trial(setup, 0.3, seed, Some(&prior)))
}

#[test]
fn the_weights_follow_the_closed_form() {
    // 81 training images in batches of 16: 6 steps per epoch, so that every 4
    // steps means steps 4 | 8, 12 | 16 of epochs 1 | 2 | 3.
    let a = 0.3;
    for (rule, alphas) in [
        ("", vec![a, a, a]),
        (
            "interpolation.schedule = \"exponential\"\ninterpolation.decay = 0.25",
            vec![a, a / 4.0, a / 16.0],
        ),
        ("interpolation.every = 4", vec![a; 4]),
        (
            "interpolation.every = 4\ninterpolation.schedule = \"exponential\"",
            vec![a, a / 2.0, a / 2.0, a / 4.0],
        ),
        (
            "interpolation.schedule = \"linear\"\ninterpolation.to = 0.5",
            vec![a, 0.75 * a, 0.5 * a],
        ),
        ("interpolation.timing = \"test-time\"", vec![a]),
        (
            "interpolation.schedule = \"release\"\ninterpolation.release_epochs = 2",
            vec![a, a],
        ),
    ] {
        for recipe in [CNN, MIXER] {
            for training in [FROZEN, "prior.training = \"untrained\"\n"] {
                let setup = setup(&format!("{recipe}{STILL}{training}{rule}"));
                let (start, target, interpolated) = ends(&setup, 6);
                let s = share(&alphas);
                assert_parameters(&interpolated, (&start, &target), alphas.len(), |_, w, p| {
                    (1.0 - s) * w + s * p
                });
                let record = &interpolated.record;
                assert!((record.effective_prior_share - s).abs() < 1e-12, "{rule}");
                assert!(
                    record
                        .layer_prior_shares
                        .iter()
                        .all(|l| (l - s).abs() < 1e-12)
                );
                let layers = setup.twin().linear_layers().len();
                assert!((record.budget - a * layers as f64).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn an_allocation_gives_each_layer_its_share() {
    let a: f64 = 0.3;
    for (allocation, multipliers) in [
        ("\"first\"", [1.0, 0.0, 0.0]),
        ("[0.5, 0.0, 1.0]", [0.5, 0.0, 1.0]),
        ("{ from = 0.0, to = 1.0 }", [0.0, 0.5, 1.0]),
        ("{ layers = { conv2 = 0.25 } }", [0.0, 0.25, 0.0]),
    ] {
        let setup = setup(&format!(
            "{CNN}{STILL}{FROZEN}interpolation.allocation = {allocation}\n"
        ));
        let (start, target, interpolated) = ends(&setup, 7);
        let shares = multipliers.map(|m| share(&[a * m; 3]));
        assert_parameters(&interpolated, (&start, &target), 3, |spec, w, p| {
            let s = shares[spec.linear];
            (1.0 - s) * w + s * p
        });
        let record = &interpolated.record;
        for (got, want) in record.layer_prior_shares.iter().zip(shares) {
            assert!((got - want).abs() < 1e-12, "{allocation}");
        }
        // conv1 on 2×7×5 gives 3×4×3, conv2 4×2×2, then three classes.
        let weights = [70.0 * 36.0, 36.0 * 16.0, 16.0 * 3.0];
        let weighted = shares.iter().zip(weights).map(|(s, n)| s * n).sum::<f64>();
        let mean = weighted / weights.iter().sum::<f64>();
        assert!((record.effective_prior_share - mean).abs() < 1e-12);
        let budget = multipliers.iter().map(|m| a * m).sum::<f64>();
        assert!((record.budget - budget).abs() < 1e-12);
        let touched = multipliers.iter().zip(weights).filter(|(m, _)| **m > 0.0);
        let touched: f64 = touched.map(|(_, n)| n).sum();
        assert_eq!(record.interpolated_weights as f64, touched);
    }
}

/// A normalisation is interpolated with the α of the layer that follows it.
#[test]
fn a_normalisation_goes_with_the_layer_that_follows() {
    let layer = "interpolation.allocation = { layers = { \"blocks.0.token_mixing.fc1\" = 1.0 } }";
    let setup = setup(&format!("{MIXER}{STILL}{FROZEN}{layer}"));
    let (start, target, interpolated) = ends(&setup, 7);
    let s = share(&[0.3; 3]);
    let moved = |spec: &ParameterSpec| {
        spec.name.starts_with("blocks.0.token_mixing.fc1")
            || spec.name.starts_with("blocks.0.norm1")
    };
    let names = interpolated.specs.iter().filter(|spec| moved(spec));
    assert_eq!(names.count(), 4);
    assert_parameters(&interpolated, (&start, &target), 3, |spec, w, p| {
        let s = if moved(spec) { s } else { 0.0 };
        (1.0 - s) * w + s * p
    });
}

#[test]
fn excluded_biases_stay_and_included_ones_move() {
    for recipe in [CNN, MIXER] {
        let setup = setup(&format!(
            "{recipe}{STILL}{FROZEN}interpolation.biases = false\n"
        ));
        let (start, target, interpolated) = ends(&setup, 8);
        let s = share(&[0.3; 3]);
        let bias_like = |spec: &ParameterSpec| matches!(spec.role, Role::Bias | Role::Shift);
        assert_parameters(&interpolated, (&start, &target), 3, |spec, w, p| {
            let s = if bias_like(spec) { 0.0 } else { s };
            (1.0 - s) * w + s * p
        });
        // The prior's biases are not 0, so the exclusion is seen.
        let specs = interpolated.specs.iter().zip(&target);
        let moved = specs.filter(|(spec, p)| bias_like(spec) && p.iter().any(|p| p.abs() > 1e-4));
        assert!(moved.count() >= 3);
    }
}

#[test]
fn every_point_meets_the_prior_of_its_moment() {
    let a = 0.3;
    for every in ["\"epoch\"", "4"] {
        let setup = setup(&format!("{CNN}{STILL}interpolation.every = {every}\n"));
        let prior = prior(&setup, 9);
        let (plain, interpolated) = (
            trial(&setup, 0.0, 9, None),
            trial(&setup, a, 9, Some(&prior)),
        );
        let dense: Vec<_> = prior
            .snapshots
            .iter()
            .map(|snapshot| dense_equivalents(setup.prior(), snapshot))
            .collect();
        assert!(dense.len() >= 3);
        let mut want: Vec<Vec<f64>> = plain
            .parameters
            .iter()
            .map(|values| values.iter().map(|&v| v.into()).collect())
            .collect();
        for target in &dense {
            for (w, p) in want.iter_mut().zip(target) {
                for (w, &p) in w.iter_mut().zip(p) {
                    *w = (1.0 - a) * *w + a * f64::from(p);
                }
            }
        }
        let got = interpolated.parameters.iter().flatten();
        for (got, want) in got.zip(want.iter().flatten()) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{got} {want}");
        }
    }
}
