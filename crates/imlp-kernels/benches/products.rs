//! The products of a full matrix on one core; the throughput is in multiply-adds.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imlp_kernels::{GradientSink, Kernel, Panels, Products};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

struct Discard;

impl GradientSink for Discard {
    fn targets(&self, _: usize, _: usize) -> [&[f32]; 3] {
        [&[]; 3]
    }

    fn take(&mut self, _: (usize, usize), _: (usize, usize), block: &[f32], _: usize) {
        std::hint::black_box(block);
    }
}

/// Measures the three products by every kernel. `operand` makes activations and gradients
/// of a length.
fn bench_shape(
    criterion: &mut Criterion,
    name: String,
    (samples, inputs, outputs): (usize, usize, usize),
    mut operand: impl FnMut(usize) -> Vec<f32>,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements((samples * inputs * outputs) as u64));
    group.sample_size(20);
    for kernel in Kernel::all() {
        let layout = Panels {
            samples,
            features: inputs,
            width: kernel.panel_width(),
        };
        let of_outputs = layout.with_features(outputs);
        let weight = vec![0.01; inputs * outputs];
        let bias = vec![0.1; outputs];
        let (x, dy) = (operand(layout.len()), operand(of_outputs.len()));
        let (mut y, mut dx) = (dy.clone(), x.clone());
        let mut products = Products::new(kernel);
        group.bench_function(format!("forward {kernel:?}"), |b| {
            b.iter(|| products.forward(layout, (&weight, &bias), true, &x, &mut y));
        });
        group.bench_function(format!("backward {kernel:?}"), |b| {
            b.iter(|| products.backward(of_outputs, &weight, inputs, &dy, &mut dx));
        });
        group.bench_function(format!("gradient {kernel:?}"), |b| {
            b.iter(|| products.gradient(layout, outputs, &x, &dy, &mut Discard));
        });
    }
}

fn dense(criterion: &mut Criterion) {
    for (samples, inputs, outputs) in [(256, 3072, 1024), (256, 1024, 1024), (64, 1024, 1024)] {
        let name = format!("{inputs}-{outputs}, batch {samples}");
        bench_shape(criterion, name, (samples, inputs, outputs), |len| {
            vec![1.0; len]
        });
    }
}

/// The share of zeros from which on it pays to skip them: the throughput counts them.
fn sparse(criterion: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(7);
    for percent in [100, 69, 50, 33, 10] {
        let name = format!("{percent} % of values");
        bench_shape(criterion, name, (256, 1024, 1024), |len| {
            let mut value = || {
                if rng.random_ratio(percent, 100) {
                    1.0
                } else {
                    0.0
                }
            };
            (0..len).map(|_| value()).collect()
        });
    }
}

criterion_group!(benches, dense, sparse);
criterion_main!(benches);
