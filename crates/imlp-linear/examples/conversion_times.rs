//! Times the conversions of a convolution C→C, 3×3, padding 1, for
//! `bench/conversion.py`: one round per line of standard input, answered by
//! lines `NAME SECONDS` and a last line `.`.
//!
//! ```text
//! echo | cargo run --release -p imlp-linear --example conversion_times -- 16 32
//! ```

use std::time::Instant;

use imlp_linear::{Conv2d, Conv2dConfig, Padding, Parameters, SparseEquivalent, StructuredMap};

/// The dense equivalent is timed up to this size.
const MOST_DENSE_BYTES: u64 = 4 << 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).flat_map(|a| a.parse()).collect();
    let &[channels, side] = sizes.as_slice() else {
        return Err("usage: conversion_times CHANNELS SIDE".into());
    };
    let map = Conv2d::new(Conv2dConfig {
        padding: Padding::symmetric([1, 1]),
        bias: false,
        ..Conv2dConfig::new([channels, side, side], channels, [3, 3])
    })?;
    // Any finite values do; zeros could be special.
    let weight: Vec<f32> = (0..map.weight_len())
        .map(|k| (k % 7) as f32 - 2.5)
        .collect();
    let p = Parameters {
        weight: &weight,
        bias: None,
    };
    for line in std::io::stdin().lines() {
        line?;
        let sparse = time("sparse", || map.sparse(p))?;
        let entries = sparse.values.len() as u64;
        let bytes = SparseEquivalent::bytes(entries, map.out_len());
        println!("sparse_bytes {bytes}");
        if map.dense_bytes() <= MOST_DENSE_BYTES {
            let mut twin = time("dense", || map.dense(p))?;
            time("scatter_add", || {
                map.scatter_add(p, 1e-3, &mut twin.weight, None)
            })?;
            time("project", || map.project(&twin.weight, None))?;
        }
        println!(".");
    }
    Ok(())
}

/// Prints the seconds that `work` takes.
fn time<T, E>(name: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let start = Instant::now();
    let result = work()?;
    println!("{name} {:.6}", start.elapsed().as_secs_f64());
    Ok(result)
}
