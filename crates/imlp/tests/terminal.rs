//! What a terminal of 80×24 shows, told by an emulator of one (the Python package pyte).
#![cfg(unix)]

mod common;

use common::Scratch;
use common::python::python_with;
use serde_json::Value;

/// What the screen shows in the end, and the exit code.
struct Shown {
    lines: Vec<String>,
    code: i64,
}

fn show(python: &str, scratch: &Scratch, key_after: usize, arguments: &[&str]) -> Shown {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/terminal.py");
    let output = std::process::Command::new(python)
        .args(["-B", script])
        .arg(scratch.path(""))
        .arg(key_after.to_string())
        .arg(env!("CARGO_BIN_EXE_imlp"))
        .args(arguments)
        .output()
        .unwrap();
    let shown: Value = serde_json::from_str(&common::expect_success(&output)).unwrap();
    let lines = shown["lines"].as_array().unwrap();
    Shown {
        lines: lines
            .iter()
            .map(|l| l.as_str().unwrap().to_owned())
            .collect(),
        code: shown["code"].as_i64().unwrap(),
    }
}

#[test]
fn ctrl_c_is_answered_at_once_and_leaves_no_bar() {
    let Some(python) = python_with("pyte", "IMLP_REQUIRE_PYTHON_TOOLS") else {
        return;
    };
    let scratch = Scratch::new();
    let sweep = [
        "sweep",
        "--epochs=6",
        "--set=data.train_images=3000",
        "--alphas=0,0.1,1",
        "--no-ends",
        "--seeds=1",
        "--jobs=1",
        "--out=o",
    ];
    let stopped = show(&python, &scratch, 600, &sweep);
    let text = stopped.lines.join("\n");
    assert_eq!(stopped.code, 130, "{text}");
    assert!(
        !text.contains('━') && !text.contains("^C"),
        "a stale bar: {text}"
    );
    // Where all stops before anyone could read that it will, nothing says so.
    let answer = [
        "stopping, saving checkpoints",
        "interrupted; finished trials are kept",
    ];
    assert!(answer.iter().any(|part| text.contains(part)), "{text}");

    let resumed = show(&python, &scratch, 0, &sweep);
    let text = resumed.lines.join("\n");
    assert_eq!(resumed.code, 0, "{text}");
    assert!(
        text.contains("goes on from a checkpoint in epoch"),
        "{text}"
    );
    assert!(!text.contains('━'), "{text}");
    // The chart, its legend and the table; any time later, the chart and all tests.
    for part in ["┄ MLP", "● mean", "Δ vs α = 0", "diagnosis: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let analysed = show(&python, &scratch, 0, &["analyse", "o"])
        .lines
        .join("\n");
    for part in ["┄ MLP", "● mean", "no verdict on the shape"] {
        assert!(analysed.contains(part), "{part}: {analysed}");
    }
    // A line of the terminal that goes on in the next one is full.
    let broken: Vec<&String> = resumed
        .lines
        .iter()
        .filter(|line| line.chars().count() == 80 && !line.starts_with(['─', '═']))
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
}
