//! How fast batches are written: `cargo bench -p imlp-data`. One element is one image.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imlp_data::{
    Augmentation, BatchLoader, Cache, ImageSet, ImageShape, LoadOptions, Normalization,
};

const BATCH: usize = 128;

fn fill(c: &mut Criterion) {
    let shape = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
    };
    const IMAGES: usize = 10_000;
    let pixels = (0..IMAGES * shape.len())
        .map(|k| (k * 31 % 251) as u8)
        .collect();
    let set = ImageSet::new(shape, 10, pixels, vec![0; IMAGES]).unwrap();
    let norm = Normalization::of(&set, &[0, 1, 2]).unwrap();
    let order = imlp_data::epoch_order(&(0..IMAGES as u32).collect::<Vec<_>>(), 0, 0);
    let mut x = vec![0.0; BATCH * shape.len()];
    let mut y = vec![0i64; BATCH];

    let mut group = c.benchmark_group("fill 128 × 3×32×32");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, augmentation) in [
        ("none", Augmentation::None),
        ("crop-flip", Augmentation::CropFlip),
    ] {
        let loader = BatchLoader::new(shape, &norm, augmentation, 0).unwrap();
        let mut batches = order.chunks_exact(BATCH).cycle();
        group.bench_function(name, |b| {
            b.iter(|| {
                let Some(indices) = batches.next() else {
                    return;
                };
                loader
                    .fill(&set, indices, 0, black_box(&mut x), &mut y)
                    .unwrap();
            });
        });
    }
    group.finish();
}

fn load(c: &mut Criterion) {
    let cache = Cache::of_user().unwrap();
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    for name in imlp_data::dataset_names() {
        let options = LoadOptions::default();
        if cache.load(name, &options).is_err() {
            continue; // not installed
        }
        group.bench_function(name, |b| b.iter(|| cache.load(name, &options).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, fill, load);
criterion_main!(benches);
