//! What the commands print: help, tables, errors. After a wanted change, review and
//! accept the new texts with `cargo insta review`, or `INSTA_UPDATE=always cargo test
//! -p imlp --test messages`.

mod common;

use common::{Scratch, TINY, expect_refusal, expect_success, stderr};
use insta::assert_snapshot;

/// `text` with every number that `is_redacted` names replaced by `#`.
fn redact(text: &str, is_redacted: impl Fn(&str) -> bool) -> String {
    let mut redacted = String::new();
    let mut number = String::new();
    // A separator at the end closes a number there.
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || (c == '.' && !number.is_empty()) {
            number.push(c);
            continue;
        }
        redacted.push_str(if is_redacted(&number) { "#" } else { &number });
        number.clear();
        redacted.push(c);
    }
    redacted.pop();
    redacted
}

/// Accuracies, which depend on the processor; not values of α such as 0.5.
fn is_accuracy(number: &str) -> bool {
    number.len() > 3 && number.contains('.')
}

#[test]
fn help_of_every_command() {
    let scratch = Scratch::new();
    let help = |arguments: &[&str]| {
        let mut command = scratch.command(arguments);
        expect_success(&command.env("COLUMNS", "100").output().unwrap())
    };
    let top = help(&["--help"]);
    assert_snapshot!("help", top);
    let commands: Vec<&str> = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Other lines continue a description.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 10, "{top}");
    for command in commands {
        assert_snapshot!(format!("help-{command}"), help(&[command, "--help"]));
    }
    for command in ["list", "fetch", "verify", "inspect", "path"] {
        let text = help(&["data", command, "--help"]);
        assert_snapshot!(format!("help-data-{command}"), text);
    }
    assert_snapshot!("help-worker", help(&["worker", "--help"]));
}

/// The text with `…` for the best α, which the accuracies decide.
fn without_best(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for before in ["best α = ", "--set=interpolation.alpha="] {
            if let Some((head, rest)) = line.split_once(before) {
                let (_, tail) = rest.split_once(' ').unwrap();
                line = format!("{head}{before}… {tail}");
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn a_tiny_sweep() {
    let scratch = Scratch::new();
    let loud = &TINY[..TINY.len() - 1];
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--jobs=1", "--out=o"];
    let output = scratch.run(&[&sweep, loud].concat());
    let table = expect_success(&output);
    for text in [&table, &stderr(&output)] {
        // Commands and paths are for copying.
        for line in text.lines().filter(|line| !line.starts_with("  ")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    // Accuracies also decide widths, signs and which row has the best.
    let table: Vec<String> = without_best(&redact(&table, is_accuracy))
        .lines()
        .map(|line| {
            let line = line.replace("-#", "#").replace("+#", "#").replace('─', "");
            let words = line.split_whitespace().filter(|word| *word != "*");
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_snapshot!("sweep-output", table.join("\n"));
    // Seconds, and a prediction of memory that depends on the processor.
    let said = stderr(&output)
        .lines()
        .map(|line| match line.split_once(" after ") {
            Some((job, _)) => format!("{} after …", redact(job, is_accuracy)),
            None => match line.rsplit_once(", about ") {
                Some((plan, _)) => format!("{plan}, about …"),
                None => line.to_owned(),
            },
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert_snapshot!("sweep-progress", said);
    // The pace is in whole seconds.
    let status = scratch.succeed(&["status", "o"]);
    let status: Vec<String> = status
        .lines()
        .map(|line| match line.split_once(" per trial") {
            Some((_, rest)) => format!("… per trial{rest}"),
            None => line.to_owned(),
        })
        .collect();
    assert_snapshot!("status", status.join("\n"));
    assert_snapshot!("clean", scratch.succeed(&["clean", "o"]));
    assert_snapshot!("retry", scratch.succeed(&["retry", "o"]));
}

#[test]
fn a_tiny_trial() {
    let scratch = Scratch::new();
    let printed = expect_success(&scratch.tiny(&["train", "--alpha=0.5", "--out=t"]));
    let folder = std::fs::read_dir(scratch.path("t/trials")).unwrap().next();
    let name = folder.unwrap().unwrap().file_name();
    // The name holds the version of Burn and of the results.
    let printed = printed.replace(name.to_str().unwrap(), "ID");
    assert_snapshot!("train-output", redact(&printed, is_accuracy));
}

#[test]
fn a_status_of_trials_that_failed() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--no-ends", "--seeds=1", "--out=o"];
    let hurried = ["--trial-timeout=1e-9s", "--max-attempts=1"];
    let output = scratch.tiny(&[&sweep[..], &hurried].concat());
    assert_eq!(output.status.code(), Some(3));
    assert_snapshot!("sweep-failed", stderr(&output));
    assert_snapshot!("status-failed", scratch.succeed(&["status", "o"]));
}

#[test]
fn errors() {
    let scratch = Scratch::new();
    scratch.write("notes.txt", "");
    scratch.write("unknown.toml", "[train]\nlerning_rate = 0.1");
    expect_success(&scratch.tiny(&["train", "--alpha=0.5", "--out=t"]));
    for (name, arguments) in [
        ("unknown-key", &["sweep", "unknown.toml"][..]),
        ("unknown-data", &["sweep", "--data=cifra10"]),
        ("alpha-out-of-range", &["sweep", "--alphas=0,2"]),
        ("kernel-too-large", &["sweep", "--set=prior.kernel=40"]),
        ("output-is-a-file", &["sweep", "--out=notes.txt"]),
        ("no-experiment", &["status", "."]),
        ("slurm-option-without-slurm", &["sweep", "--partition=p"]),
        ("nothing-submitted", &["cancel", "t"]),
        (
            "weights-of-another-trial",
            &["train", "--alpha=0.4", "--out=t", "--quiet"],
        ),
        (
            "json-weights-without-folder",
            &["train", "--json", "--weights"],
        ),
        (
            "no-submission",
            &["worker", "t", "--array=trials-0", "--index=0"],
        ),
    ] {
        let message = expect_refusal(&scratch.run(arguments));
        assert_snapshot!(format!("error-{name}"), message);
    }
}
