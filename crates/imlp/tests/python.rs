//! What other programs make of this one's files and output: TensorBoard, Optuna,
//! PyArrow; and the published verdicts by NumPy and SciPy.
//!
//! Skipped where a package is absent. `IMLP_PYTHON` names the interpreter
//! (`python3` by default); with `IMLP_REQUIRE_PYTHON_TOOLS=1` a skip fails.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::python::python_with;
use common::{Scratch, TINY, expect_success, stderr};
use serde_json::Value;

/// The interpreter, if it has `package`.
fn python(package: &str) -> Option<String> {
    python_with(package, "IMLP_REQUIRE_PYTHON_TOOLS")
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for run in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(run.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            files.push((path.display().to_string(), bytes));
        }
    }
    files.sort();
    files
}

#[test]
fn tensorboard_reads_what_the_records_say() {
    let Some(python) = python("tensorboard") else {
        return;
    };
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.3", "--seeds=2", "--out=o"];
    let more = [
        "--epochs=2",
        "--set=evaluation.test=\"always\"",
        "--set=interpolation.every=40",
    ];
    let command = [&sweep, &TINY[1..], &more].concat();
    expect_success(&scratch.run(&command));
    let said = ask(&python, "tensorboard_events.py", &scratch.path("o"));
    assert!(said.contains("6 runs, 2 priors"), "{said}");

    // The same command again writes nothing anew.
    let runs = scratch.path("o/tensorboard");
    let before = files(&runs);
    expect_success(&scratch.run(&command));
    assert_eq!(files(&runs), before);
    // What is lost is written again from the records alone, but for the times.
    let scalars = ask(&python, "tensorboard_scalars.py", &scratch.path("o"));
    std::fs::remove_dir_all(&runs).unwrap();
    expect_success(&scratch.run(&command));
    assert_eq!(files(&runs).len(), before.len());
    assert_eq!(
        ask(&python, "tensorboard_scalars.py", &scratch.path("o")),
        scalars
    );
}

/// What a script of `tests/python` prints about a folder.
fn ask(python: &str, script: &str, folder: &Path) -> String {
    expect_success(&script_on(python, script, folder))
}

fn script_on(python: &str, script: &str, folder: &Path) -> Output {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    Command::new(python)
        .arg("-B")
        .arg(scripts.join(script))
        .arg(folder)
        .output()
        .unwrap()
}

#[test]
fn tensorboard_reads_runs_that_were_killed_and_went_on() {
    let Some(python) = python("tensorboard") else {
        return;
    };
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.3", "--seeds=1", "--jobs=1", "--out=o"];
    // Each epoch leaves a checkpoint; the trial shares no trunk, so that it begins at once.
    let more = [
        "--epochs=12",
        "--checkpoint-every=1",
        "--set=interpolation.every=40",
    ];
    let command = [&sweep, &TINY[1..], &more].concat();
    // Files come and go meanwhile.
    let seen = |folder: &Path| -> u64 {
        let inside = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let runs = inside(folder).map(|run| run.path());
        let files = runs.flat_map(|run| inside(&run).collect::<Vec<_>>());
        files
            .filter_map(|file| Some(file.metadata().ok()?.len()))
            .sum()
    };
    let runs = scratch.path("o/tensorboard");
    let mut interrupted = 0;
    // Killed whenever some more events are there.
    for step in 1..=5 {
        let mut child = scratch
            .command(&command)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while seen(&runs) < 6000 * step && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        interrupted += usize::from(child.try_wait().unwrap().is_none());
        child.kill().ok();
        child.wait().unwrap();
        ask(&python, "tensorboard_scalars.py", &scratch.path("o"));
    }
    assert!(interrupted > 0, "every run ended before it was killed");
    expect_success(&scratch.run(&command));
    let said = ask(&python, "tensorboard_events.py", &scratch.path("o"));
    assert!(said.contains("3 runs, 1 priors"), "{said}");

    let whole = Scratch::new();
    expect_success(&whole.run(&command));
    assert_eq!(
        ask(&python, "tensorboard_scalars.py", &scratch.path("o")),
        ask(&python, "tensorboard_scalars.py", &whole.path("o"))
    );
}

#[test]
fn parquet_holds_the_rows_of_the_table() {
    let Some(python) = python("pyarrow.parquet") else {
        return;
    };
    let scratch = Scratch::new();
    let grid = "--set=sweep.grid={ \"interpolation.optimizer_state\" = [\"reset\", \"keep\"], \
                \"train.batch_size\" = [64, 128] }";
    // The test set is read after the last epoch only.
    let epochs = "--set=train.epochs=2";
    let sweep = [
        "sweep",
        "--alphas=0.5",
        "--seeds=1",
        "--out=o",
        grid,
        epochs,
    ];
    expect_success(&scratch.tiny(&sweep));
    // One trial less: its numbers are missing.
    let trial = std::fs::read_dir(scratch.path("o/trials")).unwrap().next();
    std::fs::remove_dir_all(trial.unwrap().unwrap().path()).unwrap();
    for (table, missing) in [
        (&[][..], "test_accuracy_after"),
        (&["--epochs"], "test_accuracy"),
    ] {
        same_in_parquet(&scratch, &python, table, missing);
    }
}

/// Compares the two forms of a table, in which the column `missing` lacks a number.
fn same_in_parquet(scratch: &Scratch, python: &str, table: &[&str], missing: &str) {
    let export = |more: &[&str]| scratch.succeed(&[&["export", "o"], table, more].concat());
    export(&["--format=parquet", "--out=t.parquet"]);
    let lines = export(&["--format=jsonl"]);
    let compare = "
import json, sys, pyarrow.parquet
rows = pyarrow.parquet.read_table('t.parquet').to_pylist()
lines = [json.loads(line) for line in sys.stdin]
assert rows == lines, (rows[0], lines[0])
assert any(row[sys.argv[1]] is None for row in rows)
print(len(rows))
";
    let mut child = Command::new(python)
        .args(["-c", compare, missing])
        .current_dir(scratch.path(""))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
    drop(stdin);
    let said = expect_success(&child.wait_with_output().unwrap());
    assert_eq!(said.trim().parse::<usize>().unwrap(), lines.lines().count());
}

#[test]
fn optuna_drives_single_trials() {
    let Some(python) = python("optuna") else {
        return;
    };
    let scratch = Scratch::new();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/optuna_search.py"
    );
    let program = concat!("--imlp=", env!("CARGO_BIN_EXE_imlp"));
    // `imlp train --json` is quiet by itself.
    let tiny = &TINY[..TINY.len() - 1];
    let search = || {
        let output = Command::new(&python)
            .args(["-B", script, program, "--trials=3", "--out=search", "--"])
            .args(tiny)
            .current_dir(scratch.path(""))
            .env("IMLP_DATA_DIR", scratch.path("data"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let best = search();
    assert!(best["val_accuracy"].as_f64().unwrap() > 0.2, "{best}");
    assert!(best["params"]["alpha"].is_number());
    assert_eq!(best["status"], "done");
    let attempts = || {
        std::fs::read_dir(scratch.path("search/trials"))
            .unwrap()
            .count()
    };
    assert_eq!(attempts(), 3);
    // Found again, not trained again: even the folder of TensorBoard tells them apart.
    assert_eq!(search(), best);
    assert_eq!(attempts(), 3);
    let runs = files(&scratch.path("search/tensorboard"));
    let of_priors = runs.iter().filter(|(path, _)| path.contains("/prior,"));
    assert_eq!(runs.len() - of_priors.count(), 3);
}

/// Statistics, intervals and verdicts of the page of results, from the records alone.
#[test]
fn published_verdicts_are_those_of_another_implementation() {
    let Some(python) = python("numpy, scipy") else {
        return;
    };
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let said = ask(&python, "verdicts.py", &results);
    let folders = said
        .lines()
        .filter(|line| line.ends_with("; 0 disagreements"));
    let folders = folders.count();
    assert!(folders >= 10, "{said}");
    assert!(
        said.ends_with(&format!("{folders} folders agree\n")),
        "{said}"
    );

    // One digit of one number.
    let scratch = Scratch::new();
    let study = "mixer/smoke-frozen";
    let changed = scratch.path(study);
    std::fs::create_dir_all(&changed).unwrap();
    let records = "records.jsonl.gz";
    std::fs::copy(results.join(study).join(records), changed.join(records)).unwrap();
    let verdict = std::fs::read_to_string(results.join(study).join("verdict.json")).unwrap();
    assert!(verdict.contains("V = 12.93"), "{verdict}");
    std::fs::write(
        changed.join("verdict.json"),
        verdict.replace("V = 12.93", "V = 12.92"),
    )
    .unwrap();
    let refused = script_on(&python, "verdicts.py", &scratch.path(""));
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("recomputed V = 12.927896, of"), "{said}");
}
