//! What trials share, as the command line tells it.

mod common;

use common::{Scratch, TINY, expect_success, results, stderr};

const ALPHAS: [&str; 2] = ["--alphas=0,0.5,1", "--seeds=2"];

#[test]
fn results_with_sharing_are_those_without() {
    let scratch = Scratch::new();
    let timing = "--set=interpolation.timing=test-time";
    let sweep = |out: &str, more: &[&str]| {
        let head = ["sweep", "--out", out, "--jobs=2", timing];
        expect_success(&scratch.tiny(&[&head, &ALPHAS[..], more].concat()));
        results(&scratch.path(out))
    };
    assert_eq!(sweep("shared", &[]), sweep("apart", &["--no-sharing"]));
    let trunks = |out: &str| std::fs::read_dir(scratch.path(out).join("trunks")).map(|f| f.count());
    assert_eq!(trunks("shared").unwrap(), 0, "they are removed");
    assert!(trunks("apart").is_err());
}

/// α = 0, 0.5 and 1 share one of two epochs: 2 of 6 epochs of a seed.
#[test]
fn check_predicts_what_sharing_saves() {
    let scratch = Scratch::new();
    let check = |more: &[&str]| {
        let network: Vec<&str> = TINY[1..4].to_vec();
        let told =
            scratch.succeed(&[&["check", "--epochs=2"], &ALPHAS[..], &network, more].concat());
        // A line that is too long for a terminal is broken.
        told.replace("\n        ", " ")
    };
    let number = |text: &str, before: &str, after: &str| -> f64 {
        let rest = text.split_once(before).unwrap().1;
        rest.split_once(after).unwrap().0.trim().parse().unwrap()
    };
    let with = check(&["--no-time"]);
    let saved = number(
        &with,
        "2 trunks that several trials begin with:",
        "FLOPs less",
    );
    // Of two more trials of each seed: a multiply-add is 2, with a gradient of the weights
    // twice that, and of the head's input thrice.
    let per_image = 2.0 * (2.0 * 784.0 * 98.0 + 3.0 * 98.0 * 10.0);
    let expected = 2.0 * 2.0 * 9000.0 * per_image;
    assert!((saved / expected - 1.0).abs() < 0.01, "{with}");
    // Weights and momentum of two twins.
    let bytes = number(&with, "at most ", " MiB on");
    let expected = 2.0 * 2.0 * 4.0 * 77_920.0 / f64::from(1 << 20);
    assert!((bytes / expected - 1.0).abs() < 0.1, "{with}");
    let without = check(&["--no-time", "--no-sharing"]);
    assert!(!without.contains("trunk"), "{without}");
    let with = check(&[]);
    assert!(with.contains("without sharing"), "{with}");
}

#[test]
fn status_tells_of_a_trunk_and_clean_leaves_it_alone() {
    let scratch = Scratch::new();
    let head = [
        "sweep",
        "--out=o",
        "--jobs=1",
        "--trial-timeout=1e-9s",
        "--max-attempts=1",
    ];
    let output = scratch.tiny(&[&head, &ALPHAS[..]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("its trials start from the beginning"),
        "{}",
        stderr(&output)
    );
    for unlisted in [&[][..], &["--unlisted"]] {
        let removed = scratch.succeed(&[&["clean", "o", "--yes"], unlisted].concat());
        assert!(!removed.contains("trunks/"), "{removed}");
    }
    scratch.succeed(&["retry", "o"]);
    expect_success(&scratch.tiny(&[&["sweep", "--out=o"], &ALPHAS[..]].concat()));
    assert_eq!(results(&scratch.path("o")).len(), 6);
    assert_eq!(scratch.path("o/trunks").read_dir().unwrap().count(), 0);
}
