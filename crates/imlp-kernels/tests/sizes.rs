//! Sizes whose product wraps to the length of a slice are refused. A release build does not
//! check arithmetic, so that only there a missing check reaches out of the slices: these
//! tests run in both.

use std::panic::{UnwindSafe, catch_unwind};

use imlp_kernels::elementwise::{ParameterUpdate, UpdateRule};
use imlp_kernels::elementwise::{cross_entropy, layer_norm, layer_norm_backward, sum_samples};
use imlp_kernels::{IndirectGemm, Kernel, Panels, Products};

/// What a size says that no slice can have.
const TOO_MANY: &str = "values are more than memory can hold";

/// Fails unless `call` panics with a message that contains `expected`.
fn refuses(expected: &str, call: impl FnOnce() + UnwindSafe) {
    let panic = catch_unwind(call).expect_err("not refused");
    let message = match panic.downcast_ref::<String>() {
        Some(message) => message.as_str(),
        None => panic.downcast_ref::<&str>().unwrap(),
    };
    assert!(message.contains(expected), "{message}");
}

/// A number that, times `by`, wraps to `to`.
fn wrapping(to: u128, by: u128) -> usize {
    let wrapped = (1..=by).map(|turns| (turns << usize::BITS) + to);
    let mut exact = wrapped.filter(|size| size.is_multiple_of(by));
    usize::try_from(exact.next().unwrap() / by).unwrap()
}

#[test]
fn panels_of_wrapped_sizes() {
    let layout = Panels {
        samples: 16,
        features: 30,
        width: wrapping(508, 30),
    };
    assert_eq!(layout.width.wrapping_mul(layout.features), 508);
    refuses(TOO_MANY, || layout.from_rows(&[1.0; 480], &mut [0.0; 508]));
    refuses(TOO_MANY, || layout.to_rows(&[0.0; 508], &mut [1.0; 480]));
    refuses(TOO_MANY, || {
        sum_samples(layout, &[1.0; 508], &mut [0.0; 30])
    });
    refuses(TOO_MANY, || {
        cross_entropy(layout, &[0; 16], 0.0, &mut [0.0; 508]);
    });
    let many = Panels {
        samples: wrapping(32, 3),
        features: 3,
        width: 1,
    };
    refuses(TOO_MANY, || many.from_rows(&[1.0; 32], &mut [0.0; 32]));
    refuses(TOO_MANY, || many.to_rows(&[1.0; 32], &mut [0.0; 32]));
}

#[test]
fn norms_of_panels_that_are_too_wide() {
    for kernel in Kernel::all() {
        let width = wrapping(8, 3);
        let (of_channels, x) = ([1.0; 3], [1.0; 8]);
        refuses("panel width", || {
            layer_norm(
                kernel,
                width,
                &of_channels,
                &of_channels,
                1e-5,
                &x,
                &mut [0.0; 8],
            );
        });
        refuses("panel width", || {
            let sums = (&mut [0.0; 8][..], &mut [0.0; 8][..]);
            layer_norm_backward(kernel, width, &of_channels, 1e-5, &x, &mut [0.0; 8], sums);
        });
    }
}

#[test]
fn products_of_wrapped_sizes() {
    for kernel in Kernel::all() {
        let width = kernel.panel_width();
        // Panels and weights of no values, by sizes whose products wrap to 0.
        let layout = Panels {
            samples: 4,
            features: 1 << (usize::BITS - 2),
            width,
        };
        let few = layout.with_features(4);
        refuses(TOO_MANY, || {
            let weights = (&[][..], &[0.0; 4][..]);
            let mut y = vec![0.0; few.len()];
            Products::new(kernel).forward(layout, weights, false, &[], &mut y);
        });
        refuses(TOO_MANY, || {
            let dy = vec![0.0; few.len()];
            Products::new(kernel).backward(few, &[], layout.features, &dy, &mut []);
        });
        for (layout, outputs) in [(layout, 4), (few, layout.features)] {
            refuses(TOO_MANY, || {
                let mut update = ParameterUpdate {
                    rule: UpdateRule::Sgd {
                        rate: 1.0,
                        momentum: 0.0,
                        decay: 0.0,
                    },
                    kernel,
                    value: &mut [],
                    first: &mut [],
                    second: &mut [],
                    columns: layout.features,
                };
                let panels = vec![0.0; few.len()];
                let (x, dy) = match outputs {
                    4 => (&[][..], &panels[..]),
                    _ => (&panels[..], &[][..]),
                };
                Products::new(kernel).gradient(layout, outputs, x, dy, &mut update);
            });
        }
    }
}

#[test]
fn indirect_products_of_wrapped_sizes() {
    for kernel in Kernel::all() {
        refuses("no position", || {
            let size = (1 << (usize::BITS - 31), 1 << 31);
            let gemm = IndirectGemm::new(kernel, size, (1, &[]), (1, &[]));
            let layout = Panels {
                samples: 1,
                features: 1,
                width: kernel.panel_width(),
            };
            let panel = vec![0.0; layout.len()];
            gemm.unwrap().gradient(layout, &panel, &panel, &mut []);
        });
        refuses("positions", || {
            let rows = 1 << (usize::BITS - 1);
            IndirectGemm::new(kernel, (rows, 1), (1, &[0, 0]), (1, &[]));
        });
        assert!(IndirectGemm::new(kernel, (1, 1), (1 << 40, &[0]), (1, &[0])).is_none());
        let mut gemm = IndirectGemm::new(kernel, (1, 1), (2, &[0]), (2, &[0])).unwrap();
        gemm.set(&[1.0]);
        // As many panels as make no value of two features each.
        let layout = Panels {
            samples: 1 << (usize::BITS - 1),
            features: 2,
            width: kernel.panel_width(),
        };
        refuses(TOO_MANY, || gemm.forward(layout, None, &[], &mut []));
        refuses(TOO_MANY, || gemm.backward(layout, &[], &mut []));
        let mut gemm = gemm.clone();
        refuses(TOO_MANY, move || {
            gemm.gradient(layout, &[], &[], &mut [0.0])
        });
    }
}
