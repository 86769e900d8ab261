//! Rebuilds the embedded data set `fashion-mini` from the official Fashion-MNIST files:
//!
//! `cargo run --release -p imlp-data --example build_fashion_mini -- <IDX folder> <output folder>`
//!
//! The IDX folder holds the four files, plain or `.gz` (Debian: `/usr/share/datasets/fashion-mnist`
//! of the package `dataset-fashion-mnist`). The output folder of the repository is
//! `crates/imlp-data/data`. The checksum printed at the end is that of the IDX selection; the test
//! `the_content_is_pinned` compares it with what is compiled in.

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

use imlp_data::{Cache, Dataset, FetchOptions, ImageSet, LoadOptions, stratified_split};

/// Seed of the draw.
const SEED: u64 = 20_170_825; // the day Fashion-MNIST was published
const CLASSES: usize = 10;
const SIDE: usize = 28;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [idx, out] = arguments.as_slice() else {
        return Err("usage: build_fashion_mini <IDX folder> <output folder>".into());
    };
    // Fetching into a scratch cache verifies the checksums of the official files.
    let scratch = tempfile::tempdir()?;
    let cache = Cache::at(scratch.path());
    let options = FetchOptions {
        from: Some(idx.clone()),
        progress: &mut |_| {},
    };
    cache.fetch("fashion-mnist", options)?;
    let whole = cache.load("fashion-mnist", &LoadOptions::default())?;

    std::fs::create_dir_all(out)?;
    let train = choose(&whole.train, 10_000)?;
    let test = choose(&whole.test, 2_000)?;
    for (set, file) in [
        (&train, "fashion-mini-train.png"),
        (&test, "fashion-mini-test.png"),
    ] {
        let path = out.join(file);
        write_sheet(set, &path)?;
        println!(
            "{}: {} bytes",
            path.display(),
            std::fs::metadata(&path)?.len()
        );
    }
    println!(
        "{}",
        Dataset::new("fashion-mini", train, test, whole.class_names)?.checksum
    );
    Ok(())
}

/// Draws `images` images at random, the same number of each class, ordered so that classes alternate.
fn choose(set: &ImageSet, images: usize) -> Result<ImageSet, Box<dyn Error>> {
    let fraction = images as f64 / set.len() as f64;
    let chosen = stratified_split(set.labels(), CLASSES, fraction, SEED)?.validation;
    let mut by_class = vec![Vec::new(); CLASSES];
    for i in chosen {
        by_class[usize::from(set.label(i as usize))].push(i as usize);
    }
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for row in 0..images / CLASSES {
        for class in &by_class {
            let i = *class.get(row).ok_or("a class has too few images")?;
            pixels.extend_from_slice(set.image(i));
            labels.push(set.label(i));
        }
    }
    Ok(ImageSet::new(set.shape(), CLASSES, pixels, labels)?)
}

/// Writes a sheet with one column of images for each class.
fn write_sheet(set: &ImageSet, path: &Path) -> Result<(), Box<dyn Error>> {
    let (width, height) = (SIDE * CLASSES, SIDE * set.len() / CLASSES);
    let mut sheet = vec![0; width * height];
    for i in 0..set.len() {
        let (grid_row, column) = (i / CLASSES, i % CLASSES);
        for (row, pixels) in set.image(i).chunks_exact(SIDE).enumerate() {
            let start = (grid_row * SIDE + row) * width + column * SIDE;
            sheet[start..start + SIDE].copy_from_slice(pixels);
        }
    }
    let mut encoder = png::Encoder::new(File::create(path)?, width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    // A filter chosen for each row saves 1 % more; one filter keeps the file easy to reproduce.
    encoder.set_filter(png::Filter::Paeth);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&sheet)?;
    writer.finish()?;
    Ok(())
}
