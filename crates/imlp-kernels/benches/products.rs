//! The products of a full matrix and of a convolution on one core; the throughput
//! is in multiply-adds.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imlp_kernels::{Kernel, Panels, Products, TileSink};

struct Nowhere;

impl TileSink for Nowhere {
    fn places(&self, _: usize, _: usize) -> [&[f32]; 3] {
        [&[]; 3]
    }

    fn take(&mut self, _: (usize, usize), _: (usize, usize), tile: &[f32], _: usize) {
        std::hint::black_box(tile);
    }
}

fn products(criterion: &mut Criterion) {
    for (samples, inputs, outputs) in [(256, 3072, 1024), (256, 1024, 1024), (64, 1024, 1024)] {
        let name = format!("{inputs}-{outputs}, batch {samples}");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements((samples * inputs * outputs) as u64));
        group.sample_size(20);
        for kernel in Kernel::all() {
            let layout = Panels {
                samples,
                features: inputs,
                lanes: kernel.lanes(),
            };
            let of_outputs = layout.with_features(outputs);
            let weight = vec![0.01; inputs * outputs];
            let bias = vec![0.1; outputs];
            let (mut x, mut y) = (vec![1.0; layout.len()], vec![1.0; of_outputs.len()]);
            let mut products = Products::new(kernel);
            group.bench_function(format!("forward {kernel:?}"), |b| {
                b.iter(|| products.forward(layout, (&weight, &bias), true, &x, &mut y));
            });
            group.bench_function(format!("backward {kernel:?}"), |b| {
                b.iter(|| products.backward(of_outputs, &weight, inputs, &y, &mut x));
            });
            group.bench_function(format!("gradient {kernel:?}"), |b| {
                b.iter(|| products.gradient(layout, outputs, &x, &y, &mut Nowhere));
            });
        }
    }
}

/// From how many zeros on it pays to leave them out: the throughput counts them.
fn zeros(criterion: &mut Criterion) {
    let (samples, inputs, outputs) = (256, 1024, 1024);
    let mut state = 7u32;
    for values_in_100 in [100, 69, 50, 33, 10] {
        let mut operand = |len: usize| -> Vec<f32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if (state >> 8) % 100 < values_in_100 {
                    1.0
                } else {
                    0.0
                }
            };
            (0..len).map(|_| next()).collect()
        };
        let mut group = criterion.benchmark_group(format!("{values_in_100} % of values"));
        group.throughput(Throughput::Elements((samples * inputs * outputs) as u64));
        group.sample_size(20);
        for kernel in Kernel::all() {
            let layout = Panels {
                samples,
                features: inputs,
                lanes: kernel.lanes(),
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
                b.iter(|| products.gradient(layout, outputs, &x, &dy, &mut Nowhere));
            });
        }
    }
}

criterion_group!(benches, products, zeros);
criterion_main!(benches);
