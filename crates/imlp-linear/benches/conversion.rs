//! Time of the dense equivalent, its sparse form, projection, scatter-add and
//! interpolation.
//!
//! Throughput counts each value of the dense weight once read and once
//! written (8 bytes), so it compares with the machine's copy bandwidth, which
//! `scale` (the same pass without a prior) measures.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imlp_linear::{Alpha, Conv2d, Conv2dConfig, Padding, Parameters, StructuredMap};

fn layer(image: [usize; 3], out_channels: usize, stride: usize) -> Conv2d {
    Conv2d::new(Conv2dConfig {
        stride: [stride; 2],
        padding: Padding::symmetric([1, 1]),
        ..Conv2dConfig::new(image, out_channels, [3, 3])
    })
    .expect("a valid layer")
}

fn interpolation(c: &mut Criterion) {
    let layers = [
        ("3→4, stride 2, 32×32", layer([3, 32, 32], 4, 2)),
        ("16→16, 16×16", layer([16, 16, 16], 16, 1)),
        ("16→16, 32×32", layer([16, 32, 32], 16, 1)),
    ];
    for (name, conv) in layers {
        let kernel = vec![0.1; conv.weight_len()];
        let offset = vec![0.1; conv.bias_len()];
        let p = Parameters {
            weight: &kernel,
            bias: Some(&offset),
        };
        let alpha = Alpha::new(0.1).expect("within range");
        let mut weight = vec![0.5f32; conv.out_len() * conv.in_len()];
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(8 * weight.len() as u64));
        group.sample_size(10);
        // Alternates, so that the values neither vanish nor grow.
        let mut factors = [0.5f32, 2.0].into_iter().cycle();
        group.bench_function("scale", |b| {
            b.iter(|| {
                let factor = factors.next().expect("endless");
                black_box(&mut weight).iter_mut().for_each(|w| *w *= factor);
            });
        });
        group.bench_function("interpolate", |b| {
            b.iter(|| conv.interpolate(p, alpha, black_box(&mut weight), None));
        });
        group.bench_function("interpolate_transposed", |b| {
            b.iter(|| conv.interpolate_transposed(p, alpha, black_box(&mut weight), None));
        });
        group.bench_function("interpolate, alpha 1", |b| {
            b.iter(|| conv.interpolate(p, Alpha::ONE, black_box(&mut weight), None));
        });
        group.bench_function("scatter_add", |b| {
            b.iter(|| conv.scatter_add(p, 1e-3, black_box(&mut weight), None));
        });
        group.bench_function("dense", |b| b.iter(|| conv.dense(black_box(p))));
        group.bench_function("sparse", |b| b.iter(|| conv.sparse(black_box(p))));
        group.bench_function("project", |b| {
            b.iter(|| conv.project(black_box(&weight), None))
        });
        group.finish();
    }
}

criterion_group!(benches, interpolation);
criterion_main!(benches);
