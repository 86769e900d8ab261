//! The commands around the folder of an experiment, and single trials.

mod common;

use common::{Scratch, TINY, expect_success, results, stderr};
use serde_json::Value;

const SWEEP: &[&str] = &["sweep", "--alphas=0.5", "--seeds=2", "--out=o"];

#[test]
fn more_configurations_reuse_what_exists() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let grid = "--set=sweep.grid={ \"interpolation.optimizer_state\" = [\"reset\", \"keep\"] }";
    let more = [SWEEP, &TINY[..TINY.len() - 1], &[grid][..]].concat();
    let more = scratch.run(&more);
    expect_success(&more);
    // All six trials of the first configuration, and α = 0 of the second.
    let said = stderr(&more);
    assert!(
        said.contains("finished before, not repeated: 6 trials"),
        "{said}"
    );
    assert_eq!(results(&scratch.path("o")).len(), 12);
    assert!(scratch.path("o/configurations").is_dir());
}

#[test]
fn status_counts_by_state_and_tells_what_failed() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let status = scratch.succeed(&["status", "o"]);
    assert!(status.contains("trials            6"), "{status}");
    assert!(status.contains("done            6"), "{status}");
    let message = scratch.refuse(&["status", "."]);
    assert!(message.contains("holds no experiment"), "{message}");
}

#[test]
fn a_trial_that_times_out_is_given_up_and_retried_on_request() {
    let scratch = Scratch::new();
    let hurried = ["--trial-timeout=1e-9s", "--max-attempts=2"];
    let output = scratch.tiny(&[SWEEP, &hurried].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("given up after 2 attempts"), "{said}");
    assert!(said.contains("timed out"), "{said}");
    let status = scratch.succeed(&["status", "o"]);
    assert!(status.contains("timed out"), "{status}");
    let retried = scratch.succeed(&["retry", "o"]);
    assert!(retried.contains("will run again"), "{retried}");
    expect_success(&scratch.tiny(SWEEP));
    let status = scratch.succeed(&["status", "o"]);
    assert!(status.contains("done            6"), "{status}");
}

#[test]
fn clean_removes_only_what_it_lists() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let before = results(&scratch.path("o"));
    let clean = scratch.succeed(&["clean", "o"]);
    assert!(clean.contains("nothing to remove"), "{clean}");
    scratch.write("o/trials/.writing-a1b2c3", "{\"alpha\": 0.");
    let clean = scratch.succeed(&["clean", "o"]);
    assert!(clean.contains("nothing was removed"), "{clean}");
    assert!(scratch.path("o/trials/.writing-a1b2c3").exists());
    scratch.succeed(&["clean", "o", "--yes"]);
    assert!(!scratch.path("o/trials/.writing-a1b2c3").exists());

    // α = 0.5 has left the recipe.
    let fewer = ["sweep", "--alphas=0.1", "--seeds=2", "--out=o"];
    expect_success(&scratch.tiny(&fewer));
    let clean = scratch.succeed(&["clean", "o", "--unlisted", "--yes"]);
    assert!(clean.contains("removed 2 leftovers"), "{clean}");
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), before);
}

#[test]
fn export_gives_the_rows_of_the_table() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let table = std::fs::read_to_string(scratch.path("o/results.csv")).unwrap();
    assert_eq!(scratch.succeed(&["export", "o"]), table);
    let lines = scratch.succeed(&["export", "o", "--format=jsonl"]);
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0]["status"], "done");
    scratch.succeed(&["export", "o", "--out=t.csv"]);
    assert_eq!(
        std::fs::read_to_string(scratch.path("t.csv")).unwrap(),
        table
    );
}

#[test]
fn a_trial_prints_one_line_of_json_and_is_found_again() {
    let scratch = Scratch::new();
    let keys = &TINY[..TINY.len() - 1];
    let trial = |more: &[&str]| {
        let head = ["train", "--json", "--alpha=0.5", "--seed=1"];
        let output = scratch.run(&[&head, more, keys].concat());
        let text = expect_success(&output);
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let alone = trial(&[]);
    assert_eq!(alone["alpha"], 0.5);
    assert_eq!(alone["seed"], 1);
    assert_eq!(alone["status"], "done");
    assert!(alone["val_accuracy_after"].as_f64().unwrap() > 0.2);
    let kept = trial(&["--out=o"]);
    assert_eq!(kept["trial"], alone["trial"]);
    assert_eq!(kept["test_accuracy_after"], alone["test_accuracy_after"]);
    // Even its seconds: it was read, not run.
    assert_eq!(trial(&["--out=o"]), kept);

    // One that fails says so in the same place, and by the exit code.
    let hurried = ["train", "--json", "--alpha=0.5", "--trial-timeout=1e-9s"];
    let output = scratch.run(&[&hurried[..], &["--max-attempts=1"], keys].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["status"], "failed");
    assert!(line["val_accuracy_after"].is_null());
}

#[test]
fn check_predicts_and_writes_nothing() {
    let scratch = Scratch::new();
    let keys = &TINY[..TINY.len() - 1];
    let grid = "--set=sweep.grid={ \"train.epochs\" = [1, 2] }";
    let head = ["check", "--alphas=0.5", "--seeds=2", grid];
    let text = scratch.succeed(&[&head, keys].concat());
    for part in [
        "12 trials and 4 priors",
        "FLOPs",
        "of memory",
        "time    about",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!scratch.path("imlp-out").exists());
    let bad = "--set=sweep.grid={ \"train.lerning_rate\" = [1] }";
    let message = scratch.refuse(&[&["check", bad], keys].concat());
    assert!(message.contains("`learning_rate`"), "{message}");
}

#[test]
fn the_schema_of_a_recipe_is_printed() {
    let scratch = Scratch::new();
    let schema: Value = serde_json::from_str(&scratch.succeed(&["schema"])).unwrap();
    assert_eq!(schema["title"], "A recipe of imlp");
    assert!(schema["properties"]["sweep"].is_object());
}

#[test]
fn completions_and_pages_name_the_commands() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = scratch.succeed(&["completions", shell]);
        assert!(script.contains("sweep"), "{shell}");
    }
    scratch.succeed(&["man", "--out=man"]);
    let page = std::fs::read_to_string(scratch.path("man/imlp-sweep.1")).unwrap();
    assert!(page.contains("checkpoint"), "{page}");
}

#[test]
fn the_log_is_lines_of_json_on_request() {
    let scratch = Scratch::new();
    let head = [
        SWEEP,
        &[
            "-v",
            "--log-format=json",
            "--trial-timeout=1e-9s",
            "--max-attempts=2",
        ],
    ];
    let output = scratch.tiny(&head.concat());
    let said = stderr(&output);
    let logged = said.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = logged
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!lines.is_empty(), "{said}");
    assert!(lines.iter().all(|line| line["level"] == "INFO"), "{said}");
}
