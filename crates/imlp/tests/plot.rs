//! `imlp plot`: every figure of a real experiment in every format, and what is refused.

mod common;

use common::{Scratch, expect_success, stderr};

/// A scratch folder with a small experiment.
fn experiment(out: &str, more: &[&str]) -> Scratch {
    let scratch = Scratch::new();
    sweep(&scratch, out, more);
    scratch
}

fn sweep(scratch: &Scratch, out: &str, more: &[&str]) {
    let out = format!("--out={out}");
    let sweep = [&["sweep", "--alphas=0.5", "--seeds=2", &out], more].concat();
    expect_success(&scratch.tiny(&sweep));
}

#[test]
fn every_figure_is_written_in_every_format() {
    let scratch = experiment("o", &[]);
    for figure in ["curve", "learning", "layers", "weights", "compute"] {
        for (format, begins) in [
            ("pdf", &b"%PDF-1.7"[..]),
            ("svg", b"<svg "),
            ("png", b"\x89PNG"),
        ] {
            let figure = format!("--figure={figure}");
            let format = format!("--format={format}");
            let said = scratch.succeed(&["plot", "o", &figure, &format]);
            let name = said.trim().rsplit(' ').next().unwrap();
            let first = std::fs::read(scratch.path(name)).unwrap();
            assert!(first.starts_with(begins), "{name}");
            // Again, in its place: the same bytes.
            scratch.succeed(&["plot", "o", &figure, &format]);
            assert_eq!(std::fs::read(scratch.path(name)).unwrap(), first, "{name}");
        }
    }
    let slide = [
        "plot",
        "o",
        "--style=slide",
        "--width=single",
        "--out=s.PNG",
    ];
    scratch.succeed(&slide);
    // 12.4 × 14.2875 cm at 300 dots per inch.
    let png = std::fs::read(scratch.path("s.PNG")).unwrap();
    let at = |i: usize| u32::from_be_bytes(png[i..i + 4].try_into().unwrap());
    assert_eq!((at(16), at(20)), (1465, 1688));
}

#[test]
fn several_experiments_are_one_plot() {
    let scratch = experiment("a", &[]);
    sweep(&scratch, "b", &["--set=train.learning_rate=0.02"]);
    for figure in ["--figure=curve", "--figure=compute"] {
        scratch.succeed(&["plot", "a", "b", figure, "--out=both.svg"]);
        let svg = std::fs::read_to_string(scratch.path("both.svg")).unwrap();
        for name in ["aria-label=\"a\"", "aria-label=\"b\""] {
            assert!(svg.contains(name), "{figure} {name}");
        }
    }
    let said = scratch.refuse(&["plot", "a", "b", "--figure=weights"]);
    assert!(said.contains("give one folder"), "{said}");
}

#[test]
fn one_configuration_of_several_is_chosen() {
    let grid = "--set=sweep.grid={ \"train.learning_rate\" = [0.01, 0.02] }";
    let scratch = experiment("o", &[grid]);
    scratch.succeed(&["plot", "o", "--out=o.svg"]);
    let svg = std::fs::read_to_string(scratch.path("o.svg")).unwrap();
    assert!(svg.contains("aria-label=\"learning_rate = 0.02\""));
    let said = scratch.refuse(&["plot", "o", "--figure=layers"]);
    assert!(said.contains("--configuration"), "{said}");
    let (_, label) = said.split_once("--configuration: '").unwrap();
    let label = label.split('\'').next().unwrap();
    scratch.succeed(&["plot", "o", "--figure=layers", "--configuration", label]);
    let said = scratch.refuse(&["plot", "o", "--configuration=no"]);
    assert!(said.contains("'no'") && said.contains(label), "{said}");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let scratch = experiment("o", &[]);
    scratch.write("file", "");
    for (arguments, expected) in [
        (&["plot", "none"][..], "none"),
        (&["plot", "file"], "file"),
        (&["plot", "o", "--format=png", "--out=f.svg"], "do not fit"),
        (&["plot", "o", "--figure=layers", "--alpha=0.3"], "0.5"),
        (&["plot", "o", "--figure=layers", "--alpha=nan"], "NaN"),
        (&["plot", "o", "--alpha=0.5"], "--figure layers"),
        (&["plot", "o", "--out=none/f.pdf"], "none"),
        (&["plot", "o", "--out=f.jpeg"], ".svg or .png or .pdf"),
    ] {
        let said = scratch.refuse(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(!scratch.path("f.svg").exists() && !scratch.path("f.jpeg").exists());
    // Alone in a folder, without a trial.
    std::fs::create_dir(scratch.path("empty")).unwrap();
    scratch.refuse(&["plot", "empty"]);
}

#[test]
fn what_is_no_figure_is_not_replaced() {
    let scratch = experiment("o", &[]);
    let trials = std::fs::read_dir(scratch.path("o/trials")).unwrap();
    let trial = trials.flatten().next().unwrap().file_name();
    let record = format!("o/trials/{}/result.json", trial.display());
    for name in ["o/experiment.json", "o/results.csv", &record] {
        let before = std::fs::read(scratch.path(name)).unwrap();
        let out = format!("--out={name}");
        let said = scratch.refuse(&["plot", "o", "--format=pdf", &out]);
        assert!(said.contains(name), "{said}");
        assert_eq!(std::fs::read(scratch.path(name)).unwrap(), before, "{name}");
    }
    // Nor by other commands, where it is a record.
    for name in ["o/experiment.json", &record] {
        let out = format!("--out={name}");
        let said = scratch.refuse(&["export", "o", "--format=csv", &out]);
        assert!(said.contains("a record of an experiment"), "{said}");
        scratch.succeed(&["status", "o"]);
    }
    // A figure is replaced by one of another format.
    scratch.succeed(&["plot", "o", "--out=f", "--format=svg"]);
    scratch.succeed(&["plot", "o", "--out=f", "--format=png"]);
}

#[test]
fn what_is_missing_is_said() {
    let scratch = experiment("o", &[]);
    let trials = std::fs::read_dir(scratch.path("o/trials")).unwrap();
    let trial = trials.flatten().next().unwrap().path();
    std::fs::write(trial.join("result.json"), "{").unwrap();
    for figure in ["curve", "learning", "compute"] {
        let figure = format!("--figure={figure}");
        let output = scratch.run(&["plot", "o", &figure, "--style=slide", "--out=f.svg"]);
        let told = "5 of 6 trials have a result; the others are missing.";
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
    std::fs::create_dir(scratch.path("x")).unwrap();
    sweep(&scratch, "x/o", &["--set=train.learning_rate=0.02"]);
    scratch.succeed(&["plot", "o", "x/o", "--out=both.svg"]);
    let svg = std::fs::read_to_string(scratch.path("both.svg")).unwrap();
    assert!(svg.contains("aria-label=\"o (1)\"") && svg.contains("aria-label=\"o (2)\""));
}
