use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};

use super::*;
use crate::bf16::rounded;
use crate::operands::Operands;

/// Values that repeat for no dimension of the test.
fn wave(len: usize, speed: f64) -> Vec<f32> {
    (0..len).map(|i| (i as f64 * speed).sin() as f32).collect()
}

/// An operand as the kernel sees it, in f64.
fn seen(kernel: Kernel, value: f32) -> f64 {
    f64::from(match kernel.operands() {
        Operands::F32 => value,
        Operands::Bf16 | Operands::EmulatedBf16 => rounded(value),
    })
}

/// `Σ_k a(k)·b(k)` in f64, and the sum of the products' sizes.
fn dot(kernel: Kernel, depth: usize, factors: impl Fn(usize) -> (f32, f32)) -> (f64, f64) {
    let products = (0..depth).map(|k| {
        let (a, b) = factors(k);
        seen(kernel, a) * seen(kernel, b)
    });
    products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()))
}

struct Collect {
    columns: usize,
    values: Vec<Option<f32>>,
}

impl GradientSink for Collect {
    fn targets(&self, row: usize, column: usize) -> [&[f32]; 3] {
        assert!(row * self.columns + column < self.values.len());
        [&[]; 3]
    }

    fn take(
        &mut self,
        (row, column): (usize, usize),
        (rows, columns): (usize, usize),
        block: &[f32],
        stride: usize,
    ) {
        for r in 0..rows {
            for c in 0..columns {
                let entry = &mut self.values[(row + r) * self.columns + column + c];
                assert!(entry.is_none(), "entry {r}, {c} twice");
                *entry = Some(block[r * stride + c]);
            }
        }
    }
}

/// With zeros as after a ReLU, in places that repeat for no dimension of the test.
fn with_zeros(mut values: Vec<f32>) -> Vec<f32> {
    for (i, value) in values.iter_mut().enumerate() {
        if (i as f64 * i as f64 * 0.377).sin() < 0.3 {
            *value = 0.0;
        }
    }
    values
}

fn check(kernel: Kernel, samples: usize, inputs: usize, outputs: usize) {
    // One after the other in the same memory: nothing may be left from before.
    let mut products = Products::new(kernel);
    for operand in [
        |values| values,
        with_zeros,
        |values: Vec<f32>| vec![0.0; values.len()],
    ] {
        check_of(&mut products, samples, inputs, outputs, operand);
    }
}

#[test]
fn one_input_or_one_output_is_enough() {
    for kernel in Kernel::all_and_plain() {
        for (samples, inputs, outputs) in [(64, 1, 2), (65, 2, 1), (70, 1, 1), (64, 1, 33)] {
            check(kernel, samples, inputs, outputs);
        }
    }
}

fn check_of(
    products: &mut Products,
    samples: usize,
    inputs: usize,
    outputs: usize,
    operand: fn(Vec<f32>) -> Vec<f32>,
) {
    let kernel = products.kernel();
    let layout = Panels {
        samples,
        features: inputs,
        width: kernel.panel_width(),
    };
    let of_outputs = layout.with_features(outputs);
    let weight = wave(outputs * inputs, 0.731);
    let bias = wave(outputs, 2.17);
    let rows = operand(wave(samples * inputs, 1.113));
    let slopes = operand(wave(samples * outputs, 0.419));
    let mut x = vec![0.0; layout.len()];
    layout.from_rows(&rows, &mut x);
    let close = |got: f32, (sum, size): (f64, f64), what: &str| {
        // Sums of f32 in any order (Higham 2002), with room for the registers'.
        let bound = 1e-6 * size + 1e-7;
        assert!(
            (f64::from(got) - sum).abs() < bound,
            "{kernel:?} {what}: {got} is not {sum}"
        );
    };

    for relu in [false, true] {
        let mut y = vec![f32::NAN; of_outputs.len()];
        products.forward(layout, (&weight, &bias), relu, &x, &mut y);
        let mut got = vec![0.0; samples * outputs];
        of_outputs.to_rows(&y, &mut got);
        assert!(y.iter().all(|y| y.is_finite()), "padding");
        for s in 0..samples {
            for o in 0..outputs {
                let (sum, size) = dot(kernel, inputs, |k| {
                    (weight[o * inputs + k], rows[s * inputs + k])
                });
                let sum = sum + f64::from(bias[o]);
                let sum = if relu { sum.max(0.0) } else { sum };
                close(got[s * outputs + o], (sum, size + 1.0), "forward");
            }
        }
    }

    let mut dy = vec![0.0; of_outputs.len()];
    of_outputs.from_rows(&slopes, &mut dy);
    let mut dx = vec![f32::NAN; layout.len()];
    products.backward(of_outputs, &weight, inputs, &dy, &mut dx);
    let mut got = vec![0.0; samples * inputs];
    layout.to_rows(&dx, &mut got);
    let mut live = vec![0.0; layout.len()];
    layout.from_rows(&got, &mut live);
    assert_eq!(dx, live, "padding is 0");
    for s in 0..samples {
        for i in 0..inputs {
            let expected = dot(kernel, outputs, |k| {
                (weight[k * inputs + i], slopes[s * outputs + k])
            });
            close(got[s * inputs + i], expected, "backward");
        }
    }

    let mut sink = Collect {
        columns: inputs,
        values: vec![None; outputs * inputs],
    };
    products.gradient(layout, outputs, &x, &dy, &mut sink);
    for o in 0..outputs {
        for i in 0..inputs {
            let expected = dot(kernel, samples, |k| {
                (slopes[k * outputs + o], rows[k * inputs + i])
            });
            let got = sink.values[o * inputs + i].expect("every entry comes");
            close(got, expected, "gradient");
        }
    }
}

proptest! {
    #![proptest_config(crate::test_config(24))]
    #[test]
    fn products_match_sums_in_f64(samples in 1usize..80, inputs in 1usize..70, outputs in 1usize..50) {
        for kernel in Kernel::all_and_plain() {
            check(kernel, samples, inputs, outputs);
        }
    }
}

/// More than one block of the depth, of the rows, and of the samples.
#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn products_match_across_blocks() {
    for kernel in Kernel::all_and_plain() {
        check(kernel, 37, 601, 29);
        check(kernel, 5, 17, 409);
        check(kernel, 643, 33, 31);
        check(kernel, 67, 205, 401);
    }
}

/// Zeros are skipped where that pays, which the tests above then cover.
#[test]
fn zeros_of_large_batches_are_skipped() {
    for kernel in Kernel::all_and_plain() {
        let skips_zeros = |samples: usize, values: Vec<f32>| {
            let layout = Panels {
                samples,
                features: values.len() / samples,
                width: kernel.panel_width(),
            };
            let mut x = vec![0.0; layout.len()];
            layout.from_rows(&values, &mut x);
            is_sparse(kernel, layout, &x)
        };
        let supported = kernel.operands() != Operands::EmulatedBf16;
        assert_eq!(skips_zeros(79, with_zeros(wave(79 * 50, 0.7))), supported);
        assert!(!skips_zeros(79, wave(79 * 50, 0.7)));
        assert!(!skips_zeros(3, with_zeros(wave(3 * 50, 0.7))));
    }
}

/// A NaN shows in every output of its sample and nowhere else.
#[test]
fn a_nan_is_not_skipped() {
    let (samples, inputs, outputs) = (64, 70, 5);
    for kernel in Kernel::all_and_plain() {
        let layout = Panels {
            samples,
            features: inputs,
            width: kernel.panel_width(),
        };
        let mut rows = with_zeros(wave(samples * inputs, 1.113));
        rows[7 * inputs + 66] = f32::NAN;
        let mut x = vec![0.0; layout.len()];
        layout.from_rows(&rows, &mut x);
        let of_outputs = layout.with_features(outputs);
        let (mut y, mut got) = (vec![0.0; of_outputs.len()], vec![0.0; samples * outputs]);
        let (weight, bias) = (wave(outputs * inputs, 0.731), wave(outputs, 2.17));
        Products::new(kernel).forward(layout, (&weight, &bias), true, &x, &mut y);
        of_outputs.to_rows(&y, &mut got);
        for (s, y) in got.chunks_exact(outputs).enumerate() {
            assert!(y.iter().all(|y| y.is_nan() == (s == 7)), "{kernel:?}: {s}");
        }
    }
}

/// No result depends on what the padding holds.
#[test]
fn padding_does_not_matter() {
    for kernel in Kernel::all_and_plain() {
        let layout = Panels {
            samples: 3,
            features: 4,
            width: kernel.panel_width(),
        };
        let mut x = vec![7.0; layout.len()];
        let dy = vec![1.0; layout.len()];
        let mut sums = Vec::new();
        for padding in [5.0, -3.0] {
            for row in x.chunks_exact_mut(layout.width) {
                row[3..].fill(padding);
            }
            let mut sink = Collect {
                columns: 4,
                values: vec![None; 16],
            };
            Products::new(kernel).gradient(layout, 4, &x, &dy, &mut sink);
            sums.push(sink.values);
        }
        assert_eq!(sums[0], sums[1]);
        assert_eq!(sums[0][0], Some(21.0));
    }
}

/// Of operands rounded to bfloat16: against the product of the operands as they
/// are, in the norm of the whole result.
#[test]
fn products_of_rounded_operands_are_within_a_hundredth() {
    let (samples, inputs, outputs) = (70, 130, 45);
    // Noise: the sums of a wave nearly cancel, so that their errors say nothing.
    let mut rng = StdRng::seed_from_u64(7);
    let mut noise =
        |len: usize| -> Vec<f32> { (0..len).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let (weight, rows) = (noise(outputs * inputs), noise(samples * inputs));
    let slopes = noise(samples * outputs);
    let exact = |n: usize, m: usize, depth: usize, f: &dyn Fn(usize, usize, usize) -> f64| {
        let at = |i: usize| (0..depth).map(|k| f(i / m, i % m, k)).sum();
        (0..n * m).map(at).collect::<Vec<f64>>()
    };
    let of = |v: &[f32], i: usize| f64::from(v[i]);
    let y64 = exact(samples, outputs, inputs, &|s, o, k| {
        of(&weight, o * inputs + k) * of(&rows, s * inputs + k)
    });
    let dx64 = exact(samples, inputs, outputs, &|s, i, k| {
        of(&weight, k * inputs + i) * of(&slopes, s * outputs + k)
    });
    let dw64 = exact(outputs, inputs, samples, &|o, i, k| {
        of(&slopes, k * outputs + o) * of(&rows, k * inputs + i)
    });
    for kernel in Kernel::all_and_plain() {
        let error = |got: &[f32], exact: &[f64]| {
            let square = |v: f64| v * v;
            let off = got
                .iter()
                .zip(exact)
                .map(|(g, e)| square(f64::from(*g) - e));
            (off.sum::<f64>() / exact.iter().map(|e| square(*e)).sum::<f64>()).sqrt()
        };
        let layout = Panels {
            samples,
            features: inputs,
            width: kernel.panel_width(),
        };
        let of_outputs = layout.with_features(outputs);
        let (mut x, mut y) = (vec![0.0; layout.len()], vec![0.0; of_outputs.len()]);
        let mut dy = y.clone();
        layout.from_rows(&rows, &mut x);
        of_outputs.from_rows(&slopes, &mut dy);
        let mut products = Products::new(kernel);
        let mut got = vec![0.0; samples * outputs];
        products.forward(layout, (&weight, &vec![0.0; outputs]), false, &x, &mut y);
        of_outputs.to_rows(&y, &mut got);
        let mut sink = Collect {
            columns: inputs,
            values: vec![None; outputs * inputs],
        };
        products.gradient(layout, outputs, &x, &dy, &mut sink);
        let dw: Vec<f32> = sink.values.into_iter().flatten().collect();
        products.backward(of_outputs, &weight, inputs, &dy, &mut x);
        let mut dx = vec![0.0; samples * inputs];
        layout.to_rows(&x, &mut dx);
        let bound = match kernel.operands() {
            Operands::F32 => 1e-6,
            Operands::Bf16 | Operands::EmulatedBf16 => 1e-2,
        };
        for (got, exact) in [(&got, &y64), (&dx, &dx64), (&dw, &dw64)] {
            let error = error(got, exact);
            assert!(error < bound, "{kernel:?}: {error}");
            // Rounding shows: the operands are what they are said to be.
            assert_eq!(
                error > 1e-4,
                kernel.operands() != Operands::F32,
                "{kernel:?}: {error}"
            );
        }
    }
}
