//! `imlp reproduce`: records outlive the experiment, and the page follows from them.

mod common;

use std::path::Path;

use common::{Scratch, expect_refusal, expect_success, stderr};

/// The study of one claim with networks of a few hundred weights.
const REPRODUCE: &[&str] = &[
    "reproduce",
    "v-curve",
    "fraction",
    "--reading=frozen",
    "--set=prior.channels=[1, 2]",
    "--set=train.epochs=1",
    "--set=evaluation.train_images=100",
    "--quiet",
];

fn reproduce(scratch: &Scratch, more: &[&str]) -> std::process::Output {
    scratch.run(&[REPRODUCE, more].concat())
}

fn read(scratch: &Scratch, name: &str) -> Vec<u8> {
    let path = scratch.path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_the_records_know_is_not_trained_again_and_the_page_follows_from_them() {
    let scratch = Scratch::new();
    let seeds = "--set=sweep.seeds=[1, 2, 3]";
    let first = expect_success(&reproduce(&scratch, &[seeds]));
    let study = "results/v-curve/smoke-frozen";
    for claim in ["v-curve", "logarithmic-sides", "fraction"] {
        assert!(
            first.contains(&format!("{claim} (smoke, frozen; cosine rate 0.01")),
            "{first}"
        );
    }
    let page = read(&scratch, "docs/results.md");
    let text = String::from_utf8(page.clone()).unwrap();
    for part in [
        "## v-curve",
        "](../results/v-curve/smoke-frozen/curve-1.svg)",
        "27 trials in",
        "Not run yet.",
        "imlp reproduce v-curve --scale smoke --reading frozen --set 'prior.channels=[1, 2]'",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let records = read(&scratch, &format!("{study}/records.jsonl.gz"));

    // Without the experiment's folder: only the records know.
    std::fs::remove_dir_all(scratch.path("imlp-out")).unwrap();
    let judged = ["reproduce", "--judge-only"];
    assert_eq!(scratch.succeed(&judged), first);
    assert_eq!(read(&scratch, "docs/results.md"), page);
    expect_success(&reproduce(&scratch, &[seeds]));
    assert_eq!(
        read(&scratch, &format!("{study}/records.jsonl.gz")),
        records
    );
    assert_eq!(read(&scratch, "docs/results.md"), page);

    // A further seed is trained, and no other.
    std::fs::remove_dir_all(scratch.path("imlp-out")).unwrap();
    expect_success(&reproduce(&scratch, &["--set=sweep.seeds=[1, 2, 3, 4]"]));
    let text = String::from_utf8(read(&scratch, "docs/results.md")).unwrap();
    assert!(
        text.contains("27 trials in") && text.contains("9 trials in"),
        "{text}"
    );

    // Other keys are other trials, whose records would replace these.
    let refused = expect_refusal(&reproduce(&scratch, &[seeds, "--set=train.epochs=2"]));
    assert!(refused.contains("records of 36 trials"), "{refused}");
    assert!(refused.contains("--results"), "{refused}");
}

#[test]
fn a_verdict_names_the_variation() {
    let scratch = Scratch::new();
    let sets = [
        "--scale=cpu",
        "--variation=3-epochs",
        "--set=data.name=fashion-mini",
        "--set=data.train_images=500",
        "--set=sweep.seeds=[1, 2]",
    ];
    let said = expect_success(&reproduce(&scratch, &sets));
    assert!(said.contains("fraction (cpu, frozen, 3-epochs; "), "{said}");
}

#[test]
fn damaged_records_are_refused_by_name() {
    let scratch = Scratch::new();
    let folder = scratch.path("results/mixer/cpu-frozen");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("records.jsonl.gz");
    for content in [&b""[..], b"\x1f\x8b\x08", b"no archive"] {
        std::fs::write(&path, content).unwrap();
        let refused = scratch.refuse(&["reproduce", "--judge-only"]);
        assert!(refused.contains("records.jsonl.gz is damaged"), "{refused}");
        assert!(
            !Path::new(&scratch.path("docs")).exists(),
            "nothing is written"
        );
    }
}

#[test]
fn unknown_claims_and_variations_are_refused_with_the_nearest() {
    let scratch = Scratch::new();
    let output = scratch.run(&["reproduce", "v-curv"]);
    let message = stderr(&output);
    assert!(message.contains("did you mean `v-curve`?"), "{message}");
    let message = scratch.refuse(&["reproduce", "v-curve", "--variation=nothing"]);
    assert!(
        message.contains("--variation: there is no such variation"),
        "{message}"
    );
    let message = scratch.refuse(&["reproduce", "--partition=x"]);
    let jobs = scratch.refuse(&["reproduce", "--executor=slurm", "--jobs=2"]);
    assert!(jobs.contains("--jobs is for this machine"), "{jobs}");
    assert!(
        message.contains("--partition needs --executor slurm"),
        "{message}"
    );
}
