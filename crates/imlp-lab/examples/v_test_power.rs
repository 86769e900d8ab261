//! Size and power of the V-test by simulation, and how long its critical values take.
//!
//! ```text
//! cargo run --release -p imlp-lab --example v_test_power            # 20,000 draws, minutes
//! cargo run --release -p imlp-lab --example v_test_power -- 2000    # a look
//! ```
//!
//! Noise in points differs from level to level: 0.4, 1.2, 0.7, 1.0, 0.5 and again. The
//! tables are those of docs/analysis.md.

use std::time::Instant;

use imlp_lab::analysis;
use imlp_lab::analysis::v_test::{SIZE, critical_value, exceeding};
use imlp_lab::curve::{Curve, TrialValue};

const DEVIATIONS: [f64; 5] = [0.4, 1.2, 0.7, 1.0, 0.5];
const LEVELS: [usize; 4] = [7, 9, 11, 15];
const SEEDS: [usize; 4] = [5, 7, 8, 10];

/// A truth by level, from 0 to 1 along the grid.
type Truth = fn(f64) -> f64;

/// Truths without a valley, in points.
const NULLS: [(&str, Truth); 6] = [
    ("flat", |_| 0.0),
    ("rising", |x| 3.0 * x),
    ("falling", |x| -3.0 * x),
    ("hockey stick", |x| 10.0 * (x - 0.7).max(0.0)),
    ("hump", |x| -4.0 * (x - 0.6).abs()),
    ("drop, then flat", |x| if x == 0.0 { 20.0 } else { 0.0 }),
];

/// Truths with a valley or a hump; the sign says which is looked for.
const EFFECTS: [(&str, f64, Truth); 6] = [
    ("valley 0.5 deep, symmetric", 1.0, |x| valley(x, 0.5, 0.5)),
    ("valley 1 deep, symmetric", 1.0, |x| valley(x, 1.0, 1.0)),
    ("valley 2 deep, symmetric", 1.0, |x| valley(x, 2.0, 2.0)),
    ("valley 0.5 deep, 3 to the left", 1.0, |x| {
        valley(x, 3.0, 0.5)
    }),
    ("valley 1 deep, 3 to the left", 1.0, |x| valley(x, 3.0, 1.0)),
    ("hump 1.5 over the right end, 3 over the left", -1.0, |x| {
        -valley(x, 3.0, 1.5)
    }),
];

/// Down by `left` to the middle, up by `right` to the end.
fn valley(x: f64, left: f64, right: f64) -> f64 {
    let side = if x < 0.5 { left } else { right };
    side * (2.0 * x - 1.0).abs()
}

/// The share of experiments with this truth in which the test declares.
fn declared(truth: Truth, sign: f64, levels: usize, seeds: usize, draws: usize) -> f64 {
    let place = |level: usize| level as f64 / (levels - 1) as f64;
    let means: Vec<f64> = (0..levels)
        .map(|level| sign * truth(place(level)))
        .collect();
    let deviations: Vec<f64> = (0..levels).map(|i| DEVIATIONS[i % 5]).collect();
    let critical = critical_value(levels, seeds).expect("enough levels and seeds");
    exceeding(critical, &means, &deviations, seeds, draws)
}

/// A curve without any effect.
fn noise(levels: usize, seeds: u64) -> Curve {
    let all = (0..levels).flat_map(|level| (0..seeds).map(move |seed| (level, seed)));
    let trials: Vec<TrialValue> = all
        .map(|(level, seed)| TrialValue {
            alpha: level as f64 / (levels - 1) as f64,
            seed,
            value: Some(0.6 + 0.01 * ((1 + level * level) as f64 * (7 * seed + 3) as f64).sin()),
        })
        .collect();
    Curve::from_trials("Accuracy", &trials, &[]).expect("accuracies are fractions")
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:>8}")).collect();
    println!("{name:<46}{}", cells.concat());
}

fn main() {
    let draws = std::env::args().nth(1).map_or(20_000, |text| {
        text.parse().expect("the argument is the number of draws")
    });
    let seeds = || SEEDS.iter().map(|seeds| format!("{seeds}"));

    println!("Critical values at 5 %, by levels and seeds\n");
    row("levels", seeds());
    for levels in LEVELS {
        let value = |&seeds: &usize| critical_value(levels, seeds).expect("enough");
        row(
            &levels.to_string(),
            SEEDS.iter().map(|s| format!("{:.2}", value(s))),
        );
    }

    println!("\nSeconds for a critical value that is not known yet\n");
    for (levels, seeds) in [(12, 6), (12, 12), (21, 10), (41, 20), (101, 30)] {
        let start = Instant::now();
        critical_value(levels, seeds);
        println!(
            "{levels:>4} levels × {seeds:>2} seeds: {:.2} s",
            start.elapsed().as_secs_f64()
        );
    }

    println!("\nSeconds for the analysis of a curve, the first and the second time\n");
    for (levels, seeds) in [(11, 5), (21, 9), (101, 30)] {
        let curve = noise(levels, seeds);
        let seconds = || {
            let start = Instant::now();
            analysis::of(&curve);
            start.elapsed().as_secs_f64()
        };
        let (first, second) = (seconds(), seconds());
        println!("{levels:>4} levels × {seeds:>2} seeds: {first:.2} s, {second:.2} s");
    }

    println!("\nSize (%): declared valleys where there is none, {draws} draws\n");
    let mut largest: f64 = 0.0;
    for levels in LEVELS {
        row(&format!("{levels} levels"), seeds());
        for (name, truth) in NULLS {
            let shares = SEEDS.map(|seeds| declared(truth, 1.0, levels, seeds, draws));
            largest = shares.into_iter().fold(largest, f64::max);
            row(&format!("  {name}"), shares.into_iter().map(percent));
        }
    }
    println!("\nlargest: {}, nominal {}", percent(largest), percent(SIZE));

    println!("\nPower (%) with 11 levels\n");
    row("truth, in points", seeds());
    for (name, sign, truth) in EFFECTS {
        let shares = SEEDS.map(|seeds| declared(truth, sign, 11, seeds, draws));
        row(name, shares.into_iter().map(percent));
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
