//! `imlp analyse` on folders that are written by hand, so that every number is known.

mod common;

use std::collections::BTreeMap;

use common::python::python_with;
use common::{Scratch, TINY, expect_success, stderr};
use imlp_lab::analysis::Analysis;
use imlp_lab::analysis::diagnosis::Diagnosis;
use imlp_lab::analysis::shape::Shape;
use insta::assert_snapshot;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ALPHAS: [f64; 7] = [0.0, 0.01, 0.03, 0.1, 0.3, 0.9, 1.0];

/// Accuracy in points by α: a valley, and a prior that is better than the plain MLP.
const VALLEY: [f64; 7] = [60.0, 59.0, 57.5, 55.0, 57.0, 61.0, 62.0];

/// An experiment's folder, to be written.
struct Folder {
    seeds: u64,
    /// The epochs that set each configuration apart, if any, and its accuracies by α.
    configurations: Vec<(Option<u32>, [f64; 7])>,
    /// Whether a trial (configuration, α, seed) is finished.
    is_finished: fn(usize, f64, u64) -> bool,
    /// Whether it diverged, after epoch 4.
    is_diverged: fn(f64, u64) -> bool,
}

impl Default for Folder {
    fn default() -> Self {
        Self {
            seeds: 5,
            configurations: vec![(None, VALLEY)],
            is_finished: |_, _, _| true,
            is_diverged: |_, _| false,
        }
    }
}

/// A whole number from -50 to 50, as good as random (SplitMix64).
fn noise(numbers: [u64; 3]) -> f64 {
    let [a, b, c] = numbers;
    let mut mixed = (a << 40 | b << 20 | c).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) % 101) as f64 - 50.0
}

/// A share of 10,000 images near `points`.
fn accuracy(points: f64, key: [u64; 3]) -> f64 {
    (100.0 * points + noise(key)).round() / 10_000.0
}

fn metrics(accuracy: f64) -> Value {
    json!({ "accuracy": accuracy, "loss": 1.5 })
}

/// A name of a trial or a prior.
fn name(kind: u64, numbers: [u64; 3]) -> String {
    let [a, b, c] = numbers;
    format!("{:016x}", kind << 48 | a << 32 | b << 16 | c)
}

impl Folder {
    fn write(&self, scratch: &Scratch) {
        let mut listed = Vec::new();
        std::fs::create_dir_all(scratch.path("o/priors")).unwrap();
        std::fs::create_dir_all(scratch.path("o/trials")).unwrap();
        for (index, (_, points)) in self.configurations.iter().enumerate() {
            for (level, alpha) in ALPHAS.into_iter().enumerate() {
                for seed in 0..self.seeds {
                    let key = [index as u64, level as u64, seed];
                    let prior = name(2, [index as u64, 0, seed]);
                    let id = name(1, key);
                    if (self.is_finished)(index, alpha, seed) {
                        let record = self.record(alpha, seed, points[level], key);
                        write_result(scratch, &format!("o/trials/{id}"), &record);
                    }
                    listed.push(json!({
                        "id": id, "prior": prior, "configuration": index,
                        "alpha": alpha, "seed": seed,
                    }));
                    if level == 0 {
                        let end = [index as u64, 6, seed];
                        let record = prior_record(seed, accuracy(points[6], end));
                        write_result(scratch, &format!("o/priors/{prior}"), &record);
                    }
                }
            }
        }
        let configurations = self.configurations.iter().map(|(epochs, _)| {
            let assignments = epochs.iter();
            let assignments =
                assignments.map(|epochs| json!({ "key": "train.epochs", "value": epochs }));
            json!({
                "assignments": assignments.collect::<Vec<_>>(),
                "config": { "interpolation": { "biases": true } },
            })
        });
        let manifest = json!({
            "command": "imlp sweep --out=o",
            "configurations": configurations.collect::<Vec<_>>(),
            "trials": listed,
            "max_attempts": 3,
        });
        scratch.write("o/experiment.json", &manifest.to_string());
    }

    fn record(&self, alpha: f64, seed: u64, points: f64, key: [u64; 3]) -> Value {
        let unmeasured = json!({ "train": null, "validation": null, "test": null });
        let test = accuracy(points, key);
        let after = json!({
            "train": metrics(test + 0.04),
            // Other noise than on the test set.
            "validation": metrics(accuracy(points, [key[0] + 40, key[1], key[2]])),
            "test": metrics(test),
        });
        let alphas = if alpha == 0.0 { vec![] } else { vec![alpha; 2] };
        let mut record = json!({
            "alpha": alpha, "seed": seed, "state": "done",
            "points": [{
                "epoch": 10, "step": 100, "alphas": alphas, "train_loss": 1.0,
                "before": unmeasured, "after": after,
            }],
            "before": after, "after": after,
            "layer_prior_shares": [alpha, alpha],
            "effective_prior_share": 1.0 - (1.0 - alpha).powi(10),
            "budget": 2.0 * alpha, "interpolated_weights": 1000, "restored_epochs": 0,
            "epochs": 10, "train_seconds": 1.0, "interpolation_seconds": 0.1,
            "images_per_second": 1e4,
        });
        if (self.is_diverged)(alpha, seed) {
            record["state"] = "diverged".into();
            record["epoch"] = 4.into();
            record["after"] = unmeasured;
        }
        record
    }
}

fn prior_record(seed: u64, test: f64) -> Value {
    json!({
        "record": {
            "seed": seed, "diverged_epoch": null, "epochs": [],
            "validation": metrics(test), "test": metrics(test), "train_seconds": 1.0,
        },
        "snapshots": "snapshots-0001.safetensors", "snapshots_sha256": "", "count": 10,
    })
}

/// A result under its checksum, in a folder of its own.
fn write_result(scratch: &Scratch, folder: &str, result: &Value) {
    let content = json!({
        "attempt": 1,
        "process": { "host": "here", "machine": null, "pid": 1, "start": null },
        "began": 1_000, "at": 1_010, "result": result,
    });
    let sha256 = format!("{:x}", Sha256::digest(content.to_string().as_bytes()));
    std::fs::create_dir_all(scratch.path(folder)).unwrap();
    let sealed = json!({ "sha256": sha256, "content": content });
    scratch.write(&format!("{folder}/result.json"), &sealed.to_string());
}

/// What `imlp analyse o` prints, each line of which fits a terminal.
#[track_caller]
fn analysed(folder: &Folder) -> (Scratch, String) {
    let scratch = Scratch::new();
    folder.write(&scratch);
    let output = scratch.run(&["analyse", "o"]);
    let text = expect_success(&output);
    assert_eq!(stderr(&output), "");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    (scratch, text)
}

fn read(scratch: &Scratch, file: &str) -> Analysis {
    let bytes = std::fs::read(scratch.path(file)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_finished_experiment() {
    let (scratch, text) = analysed(&Folder::default());
    assert_snapshot!("analyse-finished", text);
    let analysis = read(&scratch, "o/analysis.json");
    assert_eq!(analysis.shape(), Some(Shape::Valley));
    assert_eq!(analysis.minimum.unwrap().alpha, 0.1);
    assert!(analysis.minimum.unwrap().chosen_on_validation);
    assert!(text.contains(&analysis.verdict.as_ref().unwrap().seeds.to_string()));

    // The same bytes again; as one line, which writes nothing.
    let first = std::fs::read(scratch.path("o/analysis.json")).unwrap();
    scratch.succeed(&["analyze", "o"]);
    assert_eq!(
        std::fs::read(scratch.path("o/analysis.json")).unwrap(),
        first
    );
    std::fs::remove_file(scratch.path("o/analysis.json")).unwrap();
    let line = scratch.succeed(&["analyse", "o", "--json"]);
    assert_eq!(line.lines().count(), 1);
    let line: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
    assert_eq!(line["configuration"], "");
    let printed: Analysis = serde_json::from_value(line["analysis"].clone()).unwrap();
    assert_eq!(printed, analysis);
    assert!(!scratch.path("o/analysis.json").exists());
}

#[test]
fn an_unfinished_experiment() {
    let folder = Folder {
        is_finished: |_, alpha, seed| seed < 3 || alpha < 0.2,
        ..Folder::default()
    };
    let (scratch, text) = analysed(&folder);
    assert_snapshot!("analyse-unfinished", text);
    let analysis = read(&scratch, "o/analysis.json");
    assert_eq!(
        (analysis.seeds, analysis.incomplete),
        (vec![0, 1, 2], vec![3, 4])
    );
}

#[test]
fn one_seed() {
    let folder = Folder {
        seeds: 1,
        ..Folder::default()
    };
    let (scratch, text) = analysed(&folder);
    assert_snapshot!("analyse-one-seed", text);
    assert_eq!(read(&scratch, "o/analysis.json").verdict, None);
}

#[test]
fn diverged_trials() {
    let folder = Folder {
        is_diverged: |alpha, seed| alpha == 0.9 || alpha == 0.3 && seed == 2,
        ..Folder::default()
    };
    let (scratch, text) = analysed(&folder);
    assert_snapshot!("analyse-diverged", text);
    let analysis = read(&scratch, "o/analysis.json");
    assert_eq!(analysis.diverged_at, [0.3, 0.9]);
    assert!(matches!(
        analysis.diagnoses[0],
        Diagnosis::Diverged {
            trials: 6,
            of: 35,
            ..
        }
    ));
}

#[test]
fn two_configurations_one_of_which_has_not_begun() {
    let flat = [60.0, 59.8, 59.9, 59.7, 59.5, 59.2, 59.0];
    let folder = Folder {
        configurations: vec![(Some(10), flat), (Some(20), VALLEY)],
        is_finished: |configuration, _, _| configuration == 0,
        ..Folder::default()
    };
    let (scratch, text) = analysed(&folder);
    assert_snapshot!("analyse-two-configurations", text);
    let file = "o/configurations/train.epochs=10/analysis.json";
    read(&scratch, file);
    assert!(!scratch.path("o/analysis.json").exists());
    let lines = scratch.succeed(&["analyse", "o", "--json"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines[0]["configuration"], "train.epochs=10");
    assert_eq!(
        lines[1],
        json!({ "configuration": "train.epochs=20", "analysis": null })
    );
}

#[test]
fn damaged_results_are_left_out_and_named() {
    let scratch = Scratch::new();
    Folder::default().write(&scratch);
    let id = name(1, [0, 3, 4]);
    scratch.write(&format!("o/trials/{id}/result.json"), "{ \"sha256\": \"");
    let output = scratch.run(&["analyse", "o"]);
    let text = expect_success(&output);
    let note = stderr(&output);
    assert!(
        note.starts_with(&format!("note: o/trials/{id}/result.json is damaged (")),
        "{note}"
    );
    assert!(
        note.ends_with("and left out; the same `imlp sweep` makes it again\n"),
        "{note}"
    );
    assert!(
        text.contains("1 trial has no result; the test of the shape leaves out seed 4"),
        "{text}"
    );
}

#[test]
fn folders_that_cannot_be_analysed() {
    let scratch = Scratch::new();
    assert_snapshot!(
        "error-analyse-no-experiment",
        scratch.refuse(&["analyse", "."])
    );
    let folder = Folder {
        is_finished: |_, _, _| false,
        ..Folder::default()
    };
    folder.write(&scratch);
    assert_snapshot!(
        "error-analyse-nothing-finished",
        scratch.refuse(&["analyse", "o"])
    );
    scratch.write("o/experiment.json", "{ \"command\": \"im");
    assert_snapshot!("error-analyse-damaged", scratch.refuse(&["analyse", "o"]));
    std::fs::remove_file(scratch.path("o/experiment.json")).unwrap();
    assert_snapshot!("error-analyse-unlisted", scratch.refuse(&["analyse", "o"]));
    assert!(!scratch.path("o/analysis.json").exists());
}

/// From the exported rows, by SciPy, statsmodels and NumPy; skipped where they are absent
/// (see `python.rs`).
#[test]
fn the_numbers_are_those_of_scipy() {
    let Some(python) = python_with("statsmodels", "IMLP_REQUIRE_PYTHON_TOOLS") else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/analysis.py");
    let diverged = Folder {
        is_diverged: |alpha, seed| alpha == 0.3 && seed == 2,
        ..Folder::default()
    };
    for (folder, expected) in [(Folder::default(), "6 and 6"), (diverged, "6 and 6")] {
        let (scratch, _) = analysed(&folder);
        let rows = scratch.succeed(&["export", "o", "--format=jsonl"]);
        let rows = scratch.write("rows.jsonl", &rows);
        let output = std::process::Command::new(&python)
            .args(["-B", script])
            .args([scratch.path("o"), rows])
            .output()
            .unwrap();
        let said = expect_success(&output);
        assert_eq!(said, format!("{expected} comparisons\n"));
    }
}

/// A sweep writes what `imlp analyse` writes, and tells the first of it.
#[test]
fn a_sweep_ends_with_the_same_analysis() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    let told = scratch.succeed(&[&sweep, TINY].concat());
    let analysis = read(&scratch, "o/analysis.json");
    let told_in_one_line = told.replace('\n', " ");
    let sentence = format!("diagnosis: {} ", analysis.sentence());
    assert!(told_in_one_line.contains(&sentence), "{told}");
    let summary = std::fs::read(scratch.path("o/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["diagnosis"], analysis.sentence());
    let report = std::fs::read_to_string(scratch.path("o/report.html")).unwrap();
    assert!(report.contains(&analysis.sentence()));
    let before = std::fs::read(scratch.path("o/analysis.json")).unwrap();
    scratch.succeed(&["analyse", "o"]);
    assert_eq!(
        std::fs::read(scratch.path("o/analysis.json")).unwrap(),
        before
    );
}
