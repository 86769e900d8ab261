use proptest::prelude::*;

use super::*;
use crate::operands::Operands;

fn wave(len: usize, speed: f64) -> Vec<f32> {
    (0..len).map(|i| (i as f64 * speed).sin() as f32).collect()
}

/// `count` different features below `below`, in an order that depends on `seed`.
fn choose(count: usize, below: usize, seed: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..below as u32).collect();
    all.sort_by_key(|&i| (i as usize * 7919 + seed * 104_729) % 10_007);
    all.truncate(count);
    all
}

proptest! {
    #![proptest_config(crate::test_config(40))]
    #[test]
    fn indirect_products_match_sums_in_f64(
        samples in 1usize..40,
        rows in 1usize..18,
        columns in 1usize..12,
        positions in 1usize..5,
        seed in 0usize..1000,
    ) {
        for kernel in Kernel::all_and_plain() {
            if kernel.operands() == Operands::F32 {
                check(kernel, samples, (rows, columns), positions, seed);
            }
        }
    }
}

fn check(
    kernel: Kernel,
    samples: usize,
    (rows, columns): (usize, usize),
    positions: usize,
    seed: usize,
) {
    let (inputs, outputs) = (columns + 5, rows * positions + 2);
    // Positions may gather the same features, but scatter to different ones.
    let gather: Vec<u32> = (0..positions)
        .flat_map(|s| choose(columns, inputs, seed + s))
        .collect();
    let scatter = choose(rows * positions, outputs, seed + 77);
    let layout = Panels {
        samples,
        features: inputs,
        width: kernel.panel_width(),
    };
    let of_outputs = layout.with_features(outputs);
    let matrix = wave(rows * columns, 0.731);
    let bias = wave(rows, 2.17);
    let x_rows = wave(samples * inputs, 1.113);
    let slopes = wave(samples * outputs, 0.419);
    let mut x = vec![0.0; layout.len()];
    layout.from_rows(&x_rows, &mut x);
    let mut dy = vec![0.0; of_outputs.len()];
    of_outputs.from_rows(&slopes, &mut dy);
    let mut gemm = IndirectGemm::new(
        kernel,
        (rows, columns),
        (inputs, &gather),
        (outputs, &scatter),
    )
    .unwrap();
    gemm.set(&matrix);

    let mut expected_y = vec![9.0f64; samples * outputs];
    let mut expected_dx = vec![0.5f64; samples * inputs];
    let mut expected_gradient = vec![0.0f64; rows * columns];
    for s in 0..samples {
        for position in 0..positions {
            for r in 0..rows {
                let o = s * outputs + scatter[position * rows + r] as usize;
                let mut sum = f64::from(bias[r]);
                for c in 0..columns {
                    let i = s * inputs + gather[position * columns + c] as usize;
                    let w = f64::from(matrix[r * columns + c]);
                    sum += w * f64::from(x_rows[i]);
                    expected_dx[i] += w * f64::from(slopes[o]);
                    expected_gradient[r * columns + c] +=
                        f64::from(slopes[o]) * f64::from(x_rows[i]);
                }
                expected_y[o] = sum;
            }
        }
    }
    let close = |got: &[f32], expected: &[f64], what: &str| {
        for (got, expected) in got.iter().zip(expected) {
            assert!(
                (f64::from(*got) - expected).abs() < 1e-4,
                "{kernel:?} {what}"
            );
        }
    };
    // Rows that no position scatters to stay as they are.
    let mut y = vec![9.0; of_outputs.len()];
    gemm.forward(layout, Some(&bias), &x, &mut y);
    let mut got = vec![0.0; samples * outputs];
    of_outputs.to_rows(&y, &mut got);
    close(&got, &expected_y, "forward");

    let mut dx = vec![0.5; layout.len()];
    gemm.backward(layout, &dy, &mut dx);
    let mut got = vec![0.0; samples * inputs];
    layout.to_rows(&dx, &mut got);
    close(&got, &expected_dx, "backward");

    let mut gradient = vec![f32::NAN; rows * columns];
    gemm.gradient(layout, &x, &dy, &mut gradient);
    close(&gradient, &expected_gradient, "gradient");
}

#[test]
#[should_panic(expected = "twice")]
fn a_position_that_gathers_a_feature_twice_is_refused() {
    let kernel = Kernel::all_and_plain()[0];
    IndirectGemm::new(kernel, (1, 2), (3, &[1, 1]), (1, &[0]));
}
