//! Times one conversion after the other and prints seconds, one line each, for
//! `bench/conversion.py`:
//!
//! ```text
//! cargo run --release -p imlp-linear --example conversion_times -- 'conv2d(in=16,out=16,kernel=3,padding=1,input=32)' 3
//! ```

use std::time::Instant;

use imlp_linear::{Parameters, parse_layer};

/// The dense equivalent is timed up to this size.
const MOST_DENSE_BYTES: u64 = 4 << 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(layer), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: conversion_times LAYER ROUNDS".into());
    };
    let map = parse_layer(&layer, false)?;
    let rounds: usize = rounds.parse()?;
    // Any finite values do; zeros could be special.
    let weight: Vec<f32> = (0..map.weight_len())
        .map(|k| (k % 7) as f32 - 2.5)
        .collect();
    let p = Parameters {
        weight: &weight,
        bias: None,
    };
    if map.dense_bytes() <= MOST_DENSE_BYTES {
        let mut twin = map.dense(p)?;
        for _ in 0..rounds {
            time("dense", || map.dense(p).map(|d| d.weight.len()))?;
            time("scatter_add", || {
                let added = map.scatter_add(p, 1e-3, &mut twin.weight, None);
                added.map(|()| twin.weight.len())
            })?;
        }
        for _ in 0..rounds {
            time("project", || {
                map.project(&twin.weight, None).map(|p| p.weight.len())
            })?;
        }
    }
    for _ in 0..rounds {
        let entries = time("sparse", || map.sparse(p).map(|s| s.values.len()))?;
        println!(
            "sparse_bytes {}",
            imlp_linear::SparseEquivalent::bytes(entries as u64, map.out_len())
        );
    }
    Ok(())
}

/// Prints the seconds that `work` takes.
fn time<E>(name: &str, work: impl FnOnce() -> Result<usize, E>) -> Result<usize, E> {
    let start = Instant::now();
    let result = work()?;
    println!("{name} {:.6}", start.elapsed().as_secs_f64());
    Ok(result)
}
