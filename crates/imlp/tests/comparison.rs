//! What a sweep over other keys than α says about its configurations.

mod common;

use common::{Scratch, expect_success, stderr};
use serde_json::Value;

const STATES: &str =
    "--set=sweep.grid={ \"interpolation.optimizer_state\" = [\"reset\", \"keep\"] }";

fn summary(scratch: &Scratch) -> Value {
    serde_json::from_slice(&std::fs::read(scratch.path("o/summary.json")).unwrap()).unwrap()
}

fn text(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.path(&format!("o/{name}"))).unwrap()
}

/// Test accuracies of the trials of `results.csv` at α and a configuration, by seed.
fn accuracies(scratch: &Scratch, alpha: f64, key: &str, value: &str) -> Vec<(String, f64)> {
    let mut reader = csv::Reader::from_path(scratch.path("o/results.csv")).unwrap();
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let mut rows: Vec<(String, f64)> = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| row[column("alpha")].parse() == Ok(alpha) && &row[column(key)] == value)
        .filter_map(|row| {
            let accuracy = row[column("test_accuracy_after")].parse().ok()?;
            Some((row[column("seed")].to_owned(), accuracy))
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[test]
fn a_grid_gives_one_figure_and_the_paired_differences() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--seeds=3", "--out=o", STATES];
    let printed = expect_success(&scratch.tiny(&sweep));
    for part in [
        "comparison of the configurations",
        "optimizer_state = keep − optimizer_state = reset",
        "at equal α",
        "Δ vs prior",
        "comparison.svg",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    assert!(scratch.path("o/comparison.png").metadata().unwrap().len() > 1000);
    let svg = text(&scratch, "comparison.svg");
    assert!(svg.contains(">optimizer_state = keep<"), "{svg}");
    assert!(svg.contains("the configurations differ in interpolation.optimizer_state"));
    let page = text(&scratch, "report.html");
    let shared = "pairs share the seed: the initial weights of the dense twin and the order of";
    assert!(
        printed.contains(shared) && page.contains(shared),
        "{printed}"
    );
    let sentence = &summary(&scratch)["comparison"]["sentences"][0];
    for part in [
        sentence.as_str().unwrap(),
        "<h2>interpolation.optimizer_state",
    ] {
        assert!(page.contains(part), "{part}");
    }

    // Against the table of trials.
    let comparison = &summary(&scratch)["comparison"];
    let differences = comparison["equal_alpha"].as_array().unwrap();
    let alphas: Vec<f64> = differences
        .iter()
        .map(|d| d["configuration_alpha"].as_f64().unwrap())
        .collect();
    assert_eq!(alphas, [0.0, 0.5, 1.0]);
    for (difference, alpha) in differences.iter().zip(alphas) {
        let key = "interpolation.optimizer_state";
        let keep = accuracies(&scratch, alpha, key, "keep");
        let reset = accuracies(&scratch, alpha, key, "reset");
        assert_eq!((keep.len(), reset.len()), (3, 3));
        let pairs = keep.iter().zip(&reset);
        let expected: f64 = pairs.map(|(k, r)| k.1 - r.1).sum::<f64>() / 3.0;
        let mean = difference["difference"].as_f64().unwrap();
        assert!((mean - expected).abs() < 1e-12, "{mean} {expected}");
        assert_eq!(difference["pairs"], 3);
        assert!(difference["p_holm"].as_f64() >= difference["p"].as_f64());
    }
    assert_eq!(comparison["chosen"][0]["choice"], "chosen");
    assert!(comparison["chosen"][0]["ci95"][0].is_number());
    // Among 0 < α < 1 there is only 0.5.
    assert_eq!(comparison["chosen"][1]["configuration_alpha"], 0.5);
    let csv = text(&scratch, "comparison.csv");
    assert_eq!(csv.lines().count(), 1 + 2 + 3, "{csv}");

    // Each configuration's own summary gives the difference from its prior.
    let folder = "configurations/interpolation.optimizer_state=keep/summary.json";
    let own: Value = serde_json::from_str(&text(&scratch, folder)).unwrap();
    let from_prior = own["differences_from_prior"].as_array().unwrap();
    assert_eq!(from_prior.len(), 3);
    assert_eq!(from_prior[2]["summary"]["mean"], 0.0, "α = 1 is the prior");

    // A second run writes the same files.
    expect_success(&scratch.tiny(&sweep));
    assert_eq!(text(&scratch, "comparison.svg"), svg);
    assert_eq!(text(&scratch, "comparison.csv"), csv);
}

#[test]
fn a_diverged_configuration_and_no_validation_split_are_said() {
    let scratch = Scratch::new();
    let printed = expect_success(&scratch.tiny(&[
        "sweep",
        "--alphas=0.5",
        "--seeds=2",
        "--out=o",
        "--set=data.validation_fraction=0",
        "--set=prior.learning_rate=0.01",
        "--set=sweep.grid={ \"train.learning_rate\" = [0.01, 1e9] }",
    ]));
    assert!(
        printed.contains("data.validation_fraction = 0"),
        "{printed}"
    );
    assert!(printed.contains("so no α is chosen"), "{printed}");
    let comparison = &summary(&scratch)["comparison"];
    assert_eq!(comparison["chosen"].as_array().unwrap().len(), 0);
    let at_half = &comparison["equal_alpha"][1];
    assert_eq!(at_half["pairs"], 0);
    assert!(at_half["difference"].is_null() && at_half["p"].is_null());
    let svg = text(&scratch, "comparison.svg");
    assert!(svg.contains("α = 0.5: 2 of 2 trials diverged"), "{svg}");
    assert!(!svg.contains("NaN"));
}

#[test]
fn configurations_without_a_result_are_left_out_and_counted() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--no-ends", "--seeds=2", "--out=o"];
    let hurried = ["--trial-timeout=1e-9s", "--max-attempts=1"];
    let states = |names: &str| {
        format!("--set=sweep.grid={{ \"interpolation.optimizer_state\" = [{names}] }}")
    };
    let one = states("\"reset\"");
    expect_success(&scratch.tiny(&[&sweep[..], &[one.as_str()]].concat()));
    assert!(!scratch.path("o/comparison.svg").exists());

    let two = states("\"reset\", \"keep\"");
    let output = scratch.tiny(&[&sweep[..], &hurried, &[two.as_str()]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(summary(&scratch)["comparison"].is_null());
    assert!(!scratch.path("o/comparison.svg").exists());

    scratch.succeed(&["retry", "o"]);
    expect_success(&scratch.tiny(&[&sweep[..], &[two.as_str()]].concat()));
    let three = states("\"reset\", \"keep\", \"scale\"");
    let output = scratch.tiny(&[&sweep[..], &hurried, &[three.as_str()]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let comparison = &summary(&scratch)["comparison"];
    assert_eq!(comparison["equal_alpha"].as_array().unwrap().len(), 1);
    let notes = comparison["notes"].to_string();
    assert!(
        notes.contains("1 configuration without a finished trial"),
        "{notes}"
    );
}

#[test]
fn names_with_odd_characters_are_shown_as_they_are() {
    let scratch = Scratch::new();
    let case = |name: &str| {
        format!(
            "{{ \"prior.layers\" = [{{type=\"conv2d\",name=\"{name}\",channels=2,kernel=4,stride=4}},\
             {{type=\"relu\"}},{{type=\"linear\",name=\"head\"}}] }}"
        )
    };
    let list = format!("--set=sweep.list=[{}, {}]", case("a"), case("b<i>&é"));
    let output = scratch.tiny(&["sweep", "--alphas=0.5", "--seeds=1", "--out=o", &list]);
    let printed = expect_success(&output);
    assert!(
        printed.contains("comparison of the configurations"),
        "{printed}"
    );
    assert!(!text(&scratch, "comparison.svg").contains("<i>"));
    let page = text(&scratch, "report.html");
    let (before, after) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    assert!(!before.contains("<i>") && !data.contains("<i>"));
    let mut reader = csv::Reader::from_path(scratch.path("o/comparison.csv")).unwrap();
    assert!(reader.records().all(|row| row.unwrap().len() == 13));
}

#[test]
fn pairs_of_other_data_share_the_seed_alone() {
    let scratch = Scratch::new();
    let images = "--set=sweep.grid={ \"data.train_images\" = [300, 400] }";
    let sweep = ["sweep", "--alphas=0.5", "--seeds=2", "--out=o", images];
    let printed = expect_success(&scratch.tiny(&sweep));
    let told = "a pair does not share its initial weights or its images";
    assert!(printed.contains(told), "{printed}");
    assert!(text(&scratch, "report.html").contains(told));
    assert!(!printed.contains("pairs share the seed"), "{printed}");
}
