//! Each map against its oracle: apply, dense equivalent, sizes.

use std::collections::BTreeSet;

use imlp_linear::REGISTRY;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::harness::{Random, assert_close, for_every_kind};
use crate::oracles::ORACLES;

#[test]
fn every_registered_kind_has_one_oracle_and_every_oracle_one_kind() {
    let registered: Vec<_> = REGISTRY.iter().map(|r| r.kind).collect();
    let tested: Vec<_> = ORACLES.iter().map(|o| o.kind).collect();
    let unique = |kinds: &[&'static str]| kinds.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(unique(&registered).len(), registered.len());
    assert_eq!(unique(&tested).len(), tested.len());
    assert_eq!(unique(&registered), unique(&tested));
}

#[test]
fn samples_are_of_their_kind_with_and_without_bias() {
    for registration in REGISTRY {
        let mut random = Random(StdRng::seed_from_u64(7));
        let samples: Vec<_> = (0..64)
            .map(|_| (registration.sample)(&mut random))
            .collect();
        assert!(samples.iter().all(|map| map.kind() == registration.kind));
        let with_bias = samples.iter().filter(|map| map.has_bias()).count();
        if samples[0].bias_len() > 0 {
            assert!((1..64).contains(&with_bias), "{}", registration.kind);
        } else {
            assert_eq!(with_bias, 0, "{}", registration.kind);
        }
        assert!(!registration.source.is_empty());
    }
}

#[test]
fn apply_is_the_layer() {
    for_every_kind(|mut case| {
        let x = case.random.vector(case.map.in_len());
        let (want, tolerance) = case.expected(&x);
        let mut y = vec![f32::NAN; case.map.out_len()];
        case.map.apply(case.parameters(), &x, &mut y);
        let y: Vec<_> = y.into_iter().map(f64::from).collect();
        assert_close("y", &y, &want, &tolerance);
    });
}

#[test]
fn the_dense_equivalent_is_the_layer() {
    for_every_kind(|mut case| {
        let x = case.random.vector(case.map.in_len());
        let (want, tolerance) = case.expected(&x);
        let dense = case.map.dense(case.parameters()).unwrap();
        let row = |o: usize| {
            let terms = dense.row(o).iter().zip(&x);
            let sum: f64 = terms.map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
            sum + f64::from(dense.bias[o])
        };
        let y: Vec<_> = (0..dense.out_len).map(row).collect();
        assert_close("W·x + b", &y, &want, &tolerance);
    });
}

#[test]
fn sizes_are_those_of_the_layer() {
    for_every_kind(|case| {
        let (weight, bias) = (case.oracle.lengths)(&*case.map);
        assert_eq!(case.map.weight_len(), weight);
        assert_eq!(case.map.bias_len(), bias);
        let present = if case.map.has_bias() { bias } else { 0 };
        assert_eq!(case.map.parameter_count(), weight + present);
        let dense = case.map.dense(case.parameters()).unwrap();
        let values = dense.weight.len() + dense.bias.len();
        assert_eq!(case.map.dense_bytes(), 4 * values as u64);
        // Nothing is computed to reorder.
        if !case.map.kind().ends_with("permutation") {
            assert!(case.map.flops() >= case.map.out_len() as u64 / 4);
        }
    });
}

#[test]
fn add_row_touches_only_the_support() {
    for_every_kind(|mut case| {
        let (out, inputs) = (case.map.out_len(), case.map.in_len());
        let support = case.support();
        // Adding anything, even 0, to −0 changes its sign; NaN spreads.
        case.weight.fill(f32::NAN);
        for row in 0..out {
            for alpha in [0.0, 1.0] {
                let mut line = vec![-0.0f32; inputs];
                case.map.add_row(case.parameters(), row, alpha, &mut line);
                for (i, v) in line.iter().enumerate() {
                    let touched = v.to_bits() != (-0.0f32).to_bits();
                    let structure = support[row * inputs + i];
                    // Which of its positions a permutation takes, its scores say.
                    if case.map.kind() != "learned-permutation" {
                        assert_eq!(touched, structure, "row {row}, column {i}");
                    }
                }
            }
        }
    });
}
