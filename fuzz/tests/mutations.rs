//! Seeds and random mutations of them through every parser: none panics.

use imlp_fuzz::seeds::{TARGETS, Target};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Bytes to which formats give a meaning: bounds, digits, separators.
const BYTES: &[u8] = b"\x00\x01\x1b\x7f\x80\xff0129-.,:=xX[]{}()\"'\n #";

/// Texts to which formats give a meaning: numbers at the bounds of their types, keywords.
const TEXTS: &[&str] = &[
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "65536",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "\"\"",
    "[]",
    "{}",
    "same",
    "true",
];

/// Runs a target on its seeds and on `mutations` random mutations of them.
fn replay(name: &str, mutations: usize) {
    let target = Target::named(name);
    let (mut seeds, refused) = ((target.valid)(), (target.refused)());
    let show = |input: &[u8]| String::from_utf8_lossy(input).into_owned();
    for input in &seeds {
        assert!((target.parse)(input), "refused: {}", show(input));
    }
    for input in &refused {
        assert!(!(target.parse)(input), "accepted: {}", show(input));
    }
    let regressions = target.regressions().expect("readable files");
    regressions.iter().for_each(|input| {
        (target.parse)(input);
    });
    seeds.extend(refused);
    seeds.extend(regressions);

    let mut rng = StdRng::seed_from_u64(0);
    for i in 0..mutations {
        let mut input = seeds[i % seeds.len()].clone();
        for _ in 0..rng.random_range(1..=4) {
            mutate(&mut input, &seeds, &mut rng);
        }
        let outcome = std::panic::catch_unwind(|| (target.parse)(&input));
        assert!(outcome.is_ok(), "{name} panics on {}", input.escape_ascii());
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=input.len());
    let end = rng.random_range(at..=input.len().min(at + 16));
    match rng.random_range(0..8) {
        0 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
        1 if at < input.len() => input[at] = *BYTES.choose(rng).expect("not empty"),
        2 => input.truncate(at),
        3 => {
            input.drain(at..end);
        }
        4 => {
            let copy = input[at..end].to_vec();
            input.splice(at..at, copy);
        }
        5 => {
            let text = TEXTS.choose(rng).expect("not empty");
            input.splice(at..end, text.bytes());
        }
        6 => {
            // Numbers as wholes: their digits alone rarely make a new one.
            let starts = (0..input.len()).filter(|&i| input[i].is_ascii_digit());
            if let Some(&at) = starts.collect::<Vec<_>>().choose(rng) {
                let digits = input[at..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let text = TEXTS.choose(rng).expect("not empty");
                input.splice(at..at + digits, text.bytes());
            }
        }
        _ => {
            let other = seeds.choose(rng).expect("not empty");
            let from = rng.random_range(0..=other.len());
            let to = rng.random_range(from..=other.len().min(from + 64));
            input.splice(at..end, other[from..to].iter().copied());
        }
    }
}

#[test]
fn every_target_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz_targets");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, TARGETS.map(|target| format!("{}.rs", target.name)));
}

#[test]
fn annotations() {
    replay("annotations", 4000);
}

#[test]
fn archives() {
    replay("archive", 1500);
}

#[test]
fn cifar_records() {
    replay("cifar", 2000);
}

#[test]
fn cifar_pickles() {
    replay("cifar_pickle", 4000);
}

#[test]
fn cifar_sheets_and_labels() {
    replay("cifar_sheets", 4000);
}

#[test]
fn gzip_files() {
    replay("gzip", 1500);
}

#[test]
fn idx_files() {
    replay("idx", 4000);
}

#[test]
fn layers() {
    replay("layer", 8000);
}

#[test]
fn networks() {
    replay("network", 5000);
}

#[test]
fn recipes() {
    replay("recipe", 3000);
}

#[test]
fn tensor_files() {
    replay("tensor_file", 5000);
}
