//! Scatter-add and interpolation against the dense equivalent.

use imlp_linear::{Alpha, Parameters};
use rand::Rng;

use crate::harness::{Case, Random, U, assert_close, bits, for_every_kind};
use imlp_linear::Sampler;

/// `a·x + b·y` elementwise in double precision, rounded as `a·x + b·y` of f32
/// may be: both coefficients, both products and the sum.
#[track_caller]
fn assert_mean(what: &str, got: &[f32], (a, x): (f64, &[f32]), (b, y): (f64, &[f32])) {
    let got: Vec<f64> = got.iter().map(|&v| v.into()).collect();
    let terms = x.iter().zip(y);
    let terms = terms.map(|(&x, &y)| (a * f64::from(x), b * f64::from(y)));
    let (want, tolerance): (Vec<_>, Vec<_>) = terms
        .map(|(l, r)| (l + r, 4.0 * U * (l.abs() + r.abs())))
        .unzip();
    assert_close(what, &got, &want, &tolerance);
}

/// [`assert_mean`] of dense weights. Where an entry of the dense equivalent is
/// a sum, its terms may be rounded one by one: at most one per input.
#[track_caller]
fn assert_combination(case: &Case, got: &[f32], (a, x): (f64, &[f32]), (b, y): (f64, &[f32])) {
    if !case.sums_in_entries() {
        return assert_mean("W", got, (a, x), (b, y));
    }
    let magnitudes = case.magnitudes();
    let roundings = case.map.in_len() as f64 + 4.0;
    for (i, got) in got.iter().enumerate() {
        let (x, y) = (a * f64::from(x[i]), b * f64::from(y[i]));
        let size = x.abs() + (b * f64::from(magnitudes[i])).abs();
        let error = (f64::from(*got) - x - y).abs();
        assert!(
            error <= roundings * U * size,
            "W[{i}] = {got}, expected {}",
            x + y
        );
    }
}

/// As [`bits`], with all NaN alike.
fn numbers(values: &[f32]) -> Vec<u32> {
    let number = |v: &f32| if v.is_nan() { f32::NAN } else { *v }.to_bits();
    values.iter().map(number).collect()
}

fn transpose(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns;
    let entry = |i: usize| matrix[(i % rows) * columns + i / rows];
    (0..matrix.len()).map(entry).collect()
}

/// Puts NaN, infinity and −0 at random places.
fn poison(random: &mut Random, values: &mut [f32]) {
    for special in [f32::NAN, f32::NEG_INFINITY, -0.0, f32::NAN] {
        let i = random.between(0, values.len() - 1);
        values[i] = special;
    }
}

#[test]
fn scatter_add_adds_the_dense_equivalent() {
    for_every_kind(|mut case| {
        let (weight, bias) = case.twin();
        let alpha = case.random.0.random_range(-2.0f32..2.0);
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        case.map
            .scatter_add(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let dense = case.map.dense(p).unwrap();
        let alpha = f64::from(alpha);
        assert_combination(&case, &w, (1.0, &weight), (alpha, &dense.weight));
        assert_mean("b", &b, (1.0, &bias), (alpha, &dense.bias));
    });
}

#[test]
fn interpolation_is_the_weighted_mean() {
    for_every_kind(|mut case| {
        let (weight, bias) = case.twin();
        let alpha = case.random.alpha();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let dense = case.map.dense(p).unwrap();
        let (kept, added) = (1.0 - alpha.get(), alpha.get());
        assert_combination(&case, &w, (kept, &weight), (added, &dense.weight));
        assert_mean("b", &b, (kept, &bias), (added, &dense.bias));

        let mut without_bias = weight.clone();
        case.map
            .interpolate(p, alpha, &mut without_bias, None)
            .unwrap();
        assert_eq!(bits(&without_bias), bits(&w));
    });
}

#[test]
fn alpha_zero_changes_no_bit() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        poison(&mut case.random, &mut weight);
        poison(&mut case.random, &mut bias);
        let (mut w, mut b) = (weight.clone(), bias.clone());
        let p = case.parameters();
        let alpha = Alpha::ZERO;
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!((bits(&w), bits(&b)), (bits(&weight), bits(&bias)));
        case.map
            .interpolate_transposed(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!((bits(&w), bits(&b)), (bits(&weight), bits(&bias)));
    });
}

#[test]
fn alpha_one_assigns_the_dense_equivalent_even_over_nan() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        poison(&mut case.random, &mut weight);
        poison(&mut case.random, &mut bias);
        let p = case.parameters();
        let dense = case.map.dense(p).unwrap();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        case.map
            .interpolate(p, Alpha::ONE, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!(
            (bits(&w), bits(&b)),
            (bits(&dense.weight), bits(&dense.bias))
        );
        let (mut w, mut b) = (weight, bias);
        case.map
            .interpolate_transposed(p, Alpha::ONE, &mut w, Some(&mut b))
            .unwrap();
        assert_eq!(bits(&w), bits(&transpose(&dense.weight, dense.in_len)));
        assert_eq!(bits(&b), bits(&dense.bias));
    });
}

#[test]
fn transposed_interpolation_is_interpolation_transposed() {
    for_every_kind(|mut case| {
        let (mut weight, bias) = case.twin();
        poison(&mut case.random, &mut weight);
        let alpha = case.random.alpha();
        let p = case.parameters();
        let (mut w, mut b) = (weight.clone(), bias.clone());
        case.map
            .interpolate(p, alpha, &mut w, Some(&mut b))
            .unwrap();
        let (mut t, mut b_t) = (transpose(&weight, case.map.in_len()), bias);
        case.map
            .interpolate_transposed(p, alpha, &mut t, Some(&mut b_t))
            .unwrap();
        let w = transpose(&w, case.map.in_len());
        if case.sums_in_entries() {
            // The sum is taken before it is added, or term by term: at most a term per weight
            // of the map, and three more roundings of the interpolation.
            let roundings = (case.weight.len() + 3) as f64;
            let magnitudes = transpose(&case.magnitudes(), case.map.in_len());
            let weight = transpose(&weight, case.map.in_len());
            for (i, (t, w)) in t.iter().zip(&w).enumerate() {
                let size = f64::from(weight[i].abs()) + f64::from(magnitudes[i]);
                let close = f64::from((t - w).abs()) <= roundings * U * size;
                assert!(
                    close || t.is_nan() && w.is_nan() || t == w,
                    "[{i}]: {t}, {w}"
                );
            }
        } else {
            assert_eq!(numbers(&t), numbers(&w));
        }
        assert_eq!(bits(&b), bits(&b_t));
    });
}

#[test]
fn wrong_lengths_are_refused_before_anything_is_written() {
    for_every_kind(|mut case| {
        let (mut weight, mut bias) = case.twin();
        let before = (bits(&weight), bits(&bias));
        let p = case.parameters();
        let longer = vec![0.0; p.weight.len() + 1];
        let wrong = Parameters {
            weight: &longer,
            ..p
        };
        let alpha = Alpha::new(0.5).unwrap();
        let map = &case.map;
        assert!(map.check(p).is_ok());
        assert!(
            map.interpolate(wrong, alpha, &mut weight, Some(&mut bias))
                .is_err()
        );
        assert!(
            map.scatter_add(wrong, 1.0, &mut weight, Some(&mut bias))
                .is_err()
        );
        assert!(map.dense(wrong).is_err());

        let extra = vec![0.0; map.bias_len()];
        let flipped = if map.has_bias() {
            None
        } else {
            Some(&extra[..])
        };
        let wrong = Parameters { bias: flipped, ..p };
        assert!(
            map.interpolate(wrong, alpha, &mut weight, Some(&mut bias))
                .is_err()
        );

        let shorter = &mut weight[1..];
        let error = map
            .interpolate(p, Alpha::ZERO, shorter, Some(&mut bias))
            .unwrap_err();
        assert!(error.to_string().contains(map.kind()));
        assert!(map.interpolate_transposed(p, alpha, shorter, None).is_err());
        let shorter = &mut bias[1..];
        assert!(
            map.interpolate(p, alpha, &mut weight, Some(shorter))
                .is_err()
        );
        assert_eq!(before, (bits(&weight), bits(&bias)));
    });
}
