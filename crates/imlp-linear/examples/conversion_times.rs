//! Times one conversion after the other, for `bench/conversion.py`: a round
//! for each line that it reads, each answered by lines `NAME SECONDS` and a
//! last one, `.`.
//!
//! ```text
//! echo | cargo run --release -p imlp-linear --example conversion_times -- 'conv2d(in=16,out=16,kernel=3,padding=1,input=32)'
//! ```

use std::time::Instant;

use imlp_linear::{Parameters, SparseEquivalent, parse_layer};

/// The dense equivalent is timed up to this size.
const MOST_DENSE_BYTES: u64 = 4 << 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = std::env::args()
        .nth(1)
        .ok_or("usage: conversion_times LAYER")?;
    let map = parse_layer(&layer, false)?;
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
