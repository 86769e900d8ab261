use proptest::prelude::*;

use super::*;
use crate::Operands;

fn wave(len: usize, speed: f64) -> Vec<f32> {
    (0..len).map(|i| (i as f64 * speed).sin() as f32).collect()
}

/// `count` different numbers below `below`, in an order that depends on `seed`.
fn choose(count: usize, below: usize, seed: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..below as u32).collect();
    all.sort_by_key(|&i| (i as usize * 7919 + seed * 104_729) % 10_007);
    all.truncate(count);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn sites_match_sums_in_f64(
        samples in 1usize..40,
        rows in 1usize..18,
        columns in 1usize..12,
        sites in 1usize..5,
        seed in 0usize..1000,
    ) {
        for kernel in Kernel::all_and_plain() {
            if kernel.operands() == Operands::F32 {
                check(kernel, samples, (rows, columns), sites, seed);
            }
        }
    }
}

fn check(
    kernel: Kernel,
    samples: usize,
    (rows, columns): (usize, usize),
    sites: usize,
    seed: usize,
) {
    let (inputs, outputs) = (columns + 5, rows * sites + 2);
    // Sites may read the same features, but write different ones.
    let reads: Vec<u32> = (0..sites)
        .flat_map(|s| choose(columns, inputs, seed + s))
        .collect();
    let writes = choose(rows * sites, outputs, seed + 77);
    let layout = Panels {
        samples,
        features: inputs,
        lanes: kernel.lanes(),
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
    let mut map = Sites::new(
        kernel,
        (rows, columns),
        (inputs, &reads),
        (outputs, &writes),
    )
    .unwrap();
    map.set(&matrix);

    let mut expected_y = vec![9.0f64; samples * outputs];
    let mut expected_dx = vec![0.5f64; samples * inputs];
    let mut expected_gradient = vec![0.0f64; rows * columns];
    for s in 0..samples {
        for site in 0..sites {
            for r in 0..rows {
                let o = s * outputs + writes[site * rows + r] as usize;
                let mut sum = f64::from(bias[r]);
                for c in 0..columns {
                    let i = s * inputs + reads[site * columns + c] as usize;
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
    // Rows that no site writes stay as they are.
    let mut y = vec![9.0; of_outputs.len()];
    map.forward(layout, Some(&bias), &x, &mut y);
    let mut got = vec![0.0; samples * outputs];
    of_outputs.to_rows(&y, &mut got);
    close(&got, &expected_y, "forward");

    let mut dx = vec![0.5; layout.len()];
    map.backward(layout, &dy, &mut dx);
    let mut got = vec![0.0; samples * inputs];
    layout.to_rows(&dx, &mut got);
    close(&got, &expected_dx, "backward");

    let mut gradient = vec![f32::NAN; rows * columns];
    map.gradient(layout, &x, &dy, &mut gradient);
    close(&gradient, &expected_gradient, "gradient");
}

#[test]
#[should_panic(expected = "twice")]
fn a_site_that_reads_a_feature_twice_is_refused() {
    let kernel = Kernel::all_and_plain()[0];
    Sites::new(kernel, (1, 2), (3, &[1, 1]), (1, &[0]));
}
