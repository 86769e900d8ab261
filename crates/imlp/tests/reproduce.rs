//! `imlp reproduce`: records outlive the experiment, and the page follows from them.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Scratch, expect_refusal, expect_success, stderr};
use serde_json::Value;

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
        "Nothing was run in both readings yet.",
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
fn a_verdict_names_variation_and_precision() {
    let scratch = Scratch::new();
    let sets = [
        "--scale=cpu",
        "--variation=3-epochs",
        "--precision=bf16-emulated",
        "--set=data.name=fashion-mini",
        "--set=data.train_images=500",
        "--set=sweep.seeds=[1, 2]",
    ];
    let said = expect_success(&reproduce(&scratch, &sets));
    assert!(said.contains("fraction (cpu, frozen, 3-epochs; "), "{said}");
    assert!(
        said.contains("; in bf16-emulated; other settings than the recipe's): "),
        "{said}"
    );
    let page = String::from_utf8(read(&scratch, "docs/results.md")).unwrap();
    let command = "--variation 3-epochs --precision bf16-emulated --set ";
    assert!(page.contains(command), "{page}");
}

/// A command that is left as soon as one of its 18 trials has ended.
#[cfg(unix)]
fn started(scratch: &Scratch, out: &str) -> std::process::Child {
    let child = scratch
        .command(&[REPRODUCE, EIGHTEEN, &[&format!("--out={out}"), "--jobs=1"]].concat())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let trials = scratch.path(out).join("smoke/v-curve-frozen/trials");
    let ended = || {
        let entries = std::fs::read_dir(&trials).into_iter().flatten();
        let mut results = entries.map(|entry| entry.unwrap().path().join("result.json"));
        results.any(|result| result.exists())
    };
    while !ended() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child
}

/// Eighteen trials that take a moment.
#[cfg(unix)]
const EIGHTEEN: &[&str] = &["--set=train.epochs=3", "--set=sweep.seeds=[1, 2]"];

/// Two commands with one folder of results, of which one stops early: on two machines, say.
#[cfg(unix)]
#[test]
fn records_that_another_command_has_kept_are_not_lost() {
    let scratch = Scratch::new();
    let mut slow = started(&scratch, "slow");
    let signal = |name: &str| {
        let kill = std::process::Command::new("kill")
            .args([name, &slow.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    };
    signal("-STOP");
    let whole = expect_success(&reproduce(&scratch, &[EIGHTEEN, &["--out=fast"]].concat()));
    let table = read(&scratch, "results/v-curve/smoke-frozen/results.csv");
    assert_eq!(table.iter().filter(|byte| **byte == b'\n').count(), 1 + 18);
    signal("-INT");
    signal("-CONT");
    slow.wait().unwrap();
    assert_eq!(scratch.succeed(&["reproduce", "--judge-only"]), whole);
    assert_eq!(
        read(&scratch, "results/v-curve/smoke-frozen/results.csv"),
        table
    );
}

#[cfg(unix)]
#[test]
fn what_a_killed_command_has_trained_is_listed() {
    let scratch = Scratch::new();
    let mut killed = started(&scratch, "out");
    killed.kill().unwrap();
    killed.wait().unwrap();
    expect_success(&reproduce(&scratch, &[EIGHTEEN, &["--out=out"]].concat()));
    let page = String::from_utf8(read(&scratch, "docs/results.md")).unwrap();
    assert!(page.contains("at a time: 18 trials\n"), "{page}");
}

#[test]
fn a_schedule_is_compared_with_a_v_curve_of_its_settings_alone() {
    let scratch = Scratch::new();
    let run = |claim: &str, images: &str| {
        let sets = ["--set=sweep.seeds=[1, 2]", images];
        let words = [&["reproduce", claim], &REPRODUCE[3..], &sets].concat();
        expect_success(&scratch.run(&words))
    };
    let few = "--set=data.train_images=500";
    let alone = run("schedule", few);
    assert!(alone.contains("): unfinished"), "{alone}");
    let page = || String::from_utf8(read(&scratch, "docs/results.md")).unwrap();
    assert!(page().contains("run that claim too"), "{}", page());
    run("v-curve", "--set=data.train_images=600");
    assert!(page().contains("run both alike"), "{}", page());
    std::fs::remove_dir_all(scratch.path("results/v-curve")).unwrap();
    std::fs::remove_dir_all(scratch.path("imlp-out")).unwrap();
    let both = run("v-curve", few);
    let schedule = "schedule (smoke, frozen; cosine rate 0.01, prior 0.1; equal final prior share";
    let line = both.lines().find(|line| line.starts_with(schedule));
    assert!(
        line.is_some_and(|line| !line.ends_with("unfinished")),
        "{both}"
    );
}

#[test]
fn a_try_touches_neither_page_nor_experiments() {
    let scratch = Scratch::new();
    let sets = ["--set=sweep.seeds=[1, 2]", "--set=data.train_images=500"];
    expect_success(&reproduce(
        &scratch,
        &[&sets[..], &["--results=try"]].concat(),
    ));
    for there in ["try/results.md", "try/experiments/smoke/v-curve-frozen"] {
        assert!(scratch.path(there).exists(), "{there}");
    }
    for absent in ["docs", "results", "imlp-out"] {
        assert!(!scratch.path(absent).exists(), "{absent}");
    }
}

#[test]
fn a_page_is_not_replaced_by_one_of_nothing_nor_another_file_by_a_page() {
    let scratch = Scratch::new();
    let nothing = scratch.refuse(&["reproduce", "--judge-only", "--results=reslts"]);
    assert!(nothing.contains("reslts has no records"), "{nothing}");
    let ignored = scratch.run(&["reproduce", "mixer", "--judge-only"]);
    assert_eq!(ignored.status.code(), Some(2));
    std::fs::create_dir(scratch.path("docs")).unwrap();
    scratch.write("docs/results.md", "mine");
    let words = [&["reproduce", "mixer", "schedule"], &REPRODUCE[3..]].concat();
    let mine = scratch.refuse(&words);
    assert!(mine.contains("docs/results.md is not a page"), "{mine}");
    // A mixer takes one number: said before the other study is trained.
    std::fs::remove_file(scratch.path("docs/results.md")).unwrap();
    let words = [&["reproduce", "v-curve", "mixer"], &REPRODUCE[3..]].concat();
    let channels = scratch.refuse(&words);
    assert!(channels.contains("prior.channels"), "{channels}");
    assert!(!scratch.path("imlp-out").exists());
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
        assert!(
            refused.contains("records.jsonl.gz cannot be used"),
            "{refused}"
        );
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

/// The root of the repository, where the published results lie.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every verdict under `results/`.
fn published_verdicts() -> Vec<Value> {
    let mut all = Vec::new();
    for claim in std::fs::read_dir(root().join("results")).unwrap() {
        // The notes lie beside the folders of claims.
        let Ok(studies) = std::fs::read_dir(claim.unwrap().path()) else {
            continue;
        };
        for study in studies {
            let verdicts = std::fs::read(study.unwrap().path().join("verdict.json")).unwrap();
            let verdicts: Vec<Value> = serde_json::from_slice(&verdicts).unwrap();
            all.extend(verdicts);
        }
    }
    all
}

/// The published page, against the published verdicts.
#[test]
fn the_table_at_a_glance_has_the_mark_of_every_verdict() {
    let mut expected: BTreeMap<[String; 4], Vec<&str>> = BTreeMap::new();
    let verdicts = published_verdicts();
    for verdict in &verdicts {
        let key = ["scale", "reading", "variation", "claim"];
        let key = key.map(|key| verdict[key].as_str().unwrap_or("–").to_owned());
        expected
            .entry(key)
            .or_default()
            .push(match verdict["verdict"].as_str() {
                Some("reproduced") => "✓",
                Some("contradicted") => "✗",
                Some("not-shown") => "?",
                Some("unfinished") => "…",
                _ => panic!("{verdict}"),
            });
    }

    let page = std::fs::read_to_string(root().join("docs/results.md")).unwrap();
    let lines = page.lines().skip_while(|line| *line != "## At a glance");
    let mut rows = lines
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(str::trim)
                .collect::<Vec<_>>()
        });
    let head = rows.next().unwrap();
    let mut shown: BTreeMap<[String; 4], Vec<&str>> = BTreeMap::new();
    for row in rows.skip(1) {
        assert_eq!(row.len(), head.len(), "{row:?}");
        for (claim, marks) in head.iter().zip(row.iter()).skip(3) {
            let claim = claim.trim_start_matches('[').split(']').next().unwrap();
            let key = [row[0], row[1], row[2], claim].map(str::to_owned);
            if !marks.is_empty() {
                let twice = shown.insert(key, marks.split(' ').collect());
                assert_eq!(twice, None, "{row:?}");
            }
        }
    }
    assert_eq!(shown, expected);
}

/// The head of a recipe, against the published verdicts.
#[test]
fn the_recipe_of_a_claim_is_headed_by_its_result() {
    let mut expected: BTreeMap<[String; 2], Vec<String>> = BTreeMap::new();
    for verdict in published_verdicts() {
        if verdict["scale"] == "cpu" && verdict["variation"].is_null() {
            let text = |key| verdict[key].as_str().unwrap().to_owned();
            let words = text("verdict").replace("not-shown", "not shown here");
            let cases = expected.entry(["claim", "reading"].map(text)).or_default();
            cases.push(format!("{}: {words}", text("case")));
        }
    }
    assert_eq!(expected.len(), 14, "seven claims, two readings");

    for ([claim, reading], cases) in expected {
        let recipe = format!("recipes/paper/{claim}-{reading}.toml");
        let text = std::fs::read_to_string(root().join(&recipe)).unwrap();
        let (_, result) = text.split_once("\n# Expected ").unwrap();
        let (result, _) = result.split_once("\n\n").unwrap();
        let shown: Vec<&str> = result
            .lines()
            .map(|line| line.trim_start_matches('#').trim())
            .take_while(|line| *line != "numbers in docs/results.md")
            .collect();
        assert_eq!(shown, cases, "{recipe}");
    }
}
