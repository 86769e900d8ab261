//! The commands around the folder of an experiment, and single trials.

mod common;

use std::path::{Path, PathBuf};
use std::process::Stdio;

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
    let unfinished = ["o/trials", "o/tensorboard/prior,seed=0"].map(|folder| {
        let path = format!("{folder}/.writing-a1b2c3");
        scratch.write(&path, "{\"alpha\": 0.")
    });
    let clean = scratch.succeed(&["clean", "o"]);
    assert!(clean.contains("nothing to remove"), "just written: {clean}");
    unfinished.iter().for_each(|path| make_old(path));
    let clean = scratch.succeed(&["clean", "o"]);
    assert!(clean.contains("nothing was removed"), "{clean}");
    assert!(unfinished.iter().all(|path| path.exists()));
    scratch.succeed(&["clean", "o", "--yes"]);
    assert!(!unfinished.iter().any(|path| path.exists()));

    // α = 0.5 has left the recipe.
    let fewer = ["sweep", "--alphas=0.1", "--seeds=2", "--out=o"];
    expect_success(&scratch.tiny(&fewer));
    let clean = scratch.succeed(&["clean", "o", "--unlisted", "--yes"]);
    assert!(clean.contains("removed 2 leftovers"), "{clean}");
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), before);
}

/// As if it had been written two days ago.
fn make_old(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 60 * 60);
    file.set_modified(then).unwrap();
}

/// The names in a folder and below, sorted.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(everything(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[cfg(unix)]
#[test]
fn clean_touches_nothing_that_is_not_of_this_program() {
    use std::os::unix::fs::symlink;

    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    // What it would remove, at the end of links.
    let elsewhere = scratch.path("elsewhere");
    for folder in ["workers", "trial", "job"] {
        std::fs::create_dir_all(elsewhere.join(folder)).unwrap();
    }
    let old = [
        "elsewhere/workers/host-1-2-3.beat",
        "elsewhere/trial/.writing-a1b2c3",
        "elsewhere/trial/result.damaged-17",
        "elsewhere/file",
    ];
    for path in old {
        make_old(&scratch.write(path, "0\n"));
    }
    std::fs::remove_dir(scratch.path("o/workers")).unwrap();
    symlink(elsewhere.join("workers"), scratch.path("o/workers")).unwrap();
    symlink(
        elsewhere.join("trial"),
        scratch.path("o/trials/00000000000000aa"),
    )
    .unwrap();
    symlink(elsewhere.join("file"), scratch.path("o/.writing-a1b2c4")).unwrap();
    // A trial that is not asked for, by a link.
    let trials = everything(&scratch.path("o/trials"));
    let identity = trials
        .iter()
        .find(|p| p.ends_with("identity.json"))
        .unwrap();
    let trial = identity.parent().unwrap();
    let moved = elsewhere.join("job").join(trial.file_name().unwrap());
    std::fs::rename(trial, &moved).unwrap();
    symlink(&moved, trial).unwrap();
    // Files of other people.
    for path in [
        "o/trials/my-notes/notes.txt",
        "o/trials/0123456789abcdef/notes.txt",
        "o/trials/.writing-my-thesis",
        "o/priors/README",
        "o/.writing-todo",
        "o/experiment.damaged-by-the-cat",
    ] {
        let path = scratch.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "mine\n").unwrap();
        make_old(&path);
    }
    let before = (everything(&scratch.path("o")), everything(&elsewhere));
    // No trial of this folder is asked for any more.
    let manifest = scratch.path("o/experiment.json");
    let mut asked: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    asked["trials"] = Value::Array(Vec::new());
    std::fs::write(&manifest, asked.to_string()).unwrap();
    scratch.succeed(&["clean", "o", "--yes"]);
    assert_eq!(
        (everything(&scratch.path("o")), everything(&elsewhere)),
        before
    );

    // A removal that was cut short goes on; with a note in it, it does not.
    let job = trials
        .iter()
        .rfind(|path| path.ends_with("result.json"))
        .unwrap();
    let job = job.parent().unwrap();
    assert_ne!(job, trial);
    let half = scratch.path("o/trials/.removing-00000000000000ab");
    let noted = scratch.path("o/trials/.removing-00000000000000ac");
    std::fs::rename(job, &half).unwrap();
    std::fs::create_dir(&noted).unwrap();
    std::fs::write(noted.join("notes.txt"), "mine\n").unwrap();
    let clean = scratch.succeed(&["clean", "o", "--yes"]);
    assert!(clean.contains("removed 1 leftover"), "{clean}");
    assert!(!half.exists() && noted.join("notes.txt").exists());

    // One note in the folder of a trial keeps the folder.
    let kept = trials.iter().filter(|path| path.ends_with("result.json"));
    let kept = kept
        .map(|path| path.parent().unwrap())
        .find(|folder| *folder != trial);
    let kept = kept.unwrap();
    std::fs::write(kept.join("notes.txt"), "mine\n").unwrap();
    let clean = scratch.succeed(&["clean", "o", "--yes", "--unlisted"]);
    // Six trials and two priors, without the one that is gone, the one behind a link and
    // the one with notes.
    assert!(clean.contains("removed 5 leftovers"), "{clean}");
    assert_eq!(everything(&elsewhere), before.1);
    for path in [
        "trials/my-notes/notes.txt",
        "trials/0123456789abcdef/notes.txt",
    ] {
        assert!(scratch.path("o").join(path).exists(), "{path}");
    }
    let left = everything(kept);
    assert!(left.iter().any(|path| path.ends_with("result.json")));

    // Somebody's folder that happens to hold `trials`.
    std::fs::create_dir_all(scratch.path("court/trials")).unwrap();
    let message = scratch.refuse(&["clean", "court", "--yes"]);
    assert!(message.contains("holds no experiment"), "{message}");
}

#[test]
fn clean_knows_the_processes_that_may_need_a_file() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let beat = |host: &str, machine: &str, pid: u32| {
        format!(
            r#"{{ "count": 3, "seconds": 10.0, "process": {{ "host": "{host}", "machine": {machine},
                 "pid": {pid}, "start": 1 }} }}"#
        )
    };
    let elsewhere = scratch.write("o/workers/far-1-2-3.beat", &beat("far", "null", 1));
    scratch.write("o/workers/README", "heartbeats\n");
    let clean = scratch.succeed(&["clean", "o", "--yes"]);
    assert!(clean.contains("nothing to remove"), "{clean}");
    let message = scratch.refuse(&["clean", "o", "--yes", "--unlisted"]);
    assert!(message.contains("process 1 on far"), "{message}");
    // Silent for two days.
    make_old(&elsewhere);
    let clean = scratch.succeed(&["clean", "o", "--yes", "--unlisted"]);
    assert!(clean.contains("removed 1 leftover"), "{clean}");
    assert!(scratch.path("o/workers/README").exists());
}

#[cfg(unix)]
#[test]
fn results_that_were_not_fetched_are_named_and_not_computed_again() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let before = results(&scratch.path("o"));
    let trials = everything(&scratch.path("o/trials"));
    let result = trials.iter().find(|p| p.ends_with("result.json")).unwrap();
    let annex = scratch.path("annexed");
    std::fs::rename(result, &annex).unwrap();
    std::os::unix::fs::symlink("../../.git/annex/objects/x", result).unwrap();
    for _ in 0..2 {
        let output = scratch.tiny(SWEEP);
        let message = common::expect_refusal(&output);
        assert!(message.contains("git annex get"), "{message}");
        assert!(message.contains("result.json"), "{message}");
    }
    let attempts = everything(result.parent().unwrap());
    let attempts = attempts
        .iter()
        .filter(|p| p.to_string_lossy().contains("attempt-"));
    assert_eq!(attempts.count(), 1);
    let status = scratch.succeed(&["status", "o"]);
    assert!(status.contains("not fetched     1"), "{status}");
    assert!(status.contains("git annex get"), "{status}");
    scratch.succeed(&["clean", "o", "--yes"]);
    std::fs::remove_file(result).unwrap();
    std::fs::rename(&annex, result).unwrap();
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), before);
}

#[test]
fn misplaced_results_and_a_damaged_manifest_need_no_hand() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let before = results(&scratch.path("o"));
    for kind in ["o/trials", "o/priors"] {
        let files = everything(&scratch.path(kind));
        let mut files = files.iter().filter(|p| p.ends_with("result.json"));
        std::fs::copy(files.next().unwrap(), files.next().unwrap()).unwrap();
    }
    scratch.write("o/experiment.json", "{ \"command\": \"im");
    let status = scratch.succeed(&["status", "o"]);
    assert!(status.contains("experiment.json is damaged"), "{status}");
    assert!(status.contains("damaged         1"), "{status}");
    let again = scratch.tiny(SWEEP);
    expect_success(&again);
    assert_eq!(
        stderr(&again).matches("set aside").count(),
        3,
        "{}",
        stderr(&again)
    );
    assert_eq!(results(&scratch.path("o")), before);
    // These three, and the snapshots of the prior that was trained again.
    let clean = scratch.succeed(&["clean", "o", "--yes"]);
    assert!(clean.contains("removed 4 leftovers"), "{clean}");
}

#[test]
fn trials_of_a_prior_that_was_given_up_are_told_to_wait_for_it() {
    let scratch = Scratch::new();
    let hurried = ["--trial-timeout=1e-9s", "--max-attempts=2"];
    let output = scratch.tiny(&[SWEEP, &hurried].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let status = scratch.succeed(&["status", "o"]);
    // α = 0 needs no prior: both seeds fail on their own.
    assert!(status.contains("failed          2"), "{status}");
    assert!(status.contains("waiting         4"), "{status}");
    assert!(!status.contains("pending"), "{status}");
    assert!(!status.contains("none running"), "{status}");
    let priors = status
        .lines()
        .filter(|line| line.starts_with("failed: prior "));
    let priors: Vec<&str> = priors.collect();
    assert_eq!(priors.len(), 2, "{status}");
    for line in priors {
        assert!(line.contains("given up after 2 attempts"), "{line}");
        assert!(line.ends_with("; 2 trials wait for it"), "{line}");
    }
}

#[test]
fn two_experiments_that_begin_at_once_do_not_share_a_folder() {
    let scratch = Scratch::new();
    for round in 0..5 {
        let out = format!("--out=race-{round}");
        let start = |batch: &str| {
            let head = [
                "sweep",
                "--alphas=0.5",
                "--no-ends",
                "--seeds=1",
                &out,
                batch,
            ];
            let mut command = scratch.command(&[&head[..], TINY].concat());
            command
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = ["--set=train.batch_size=50", "--set=train.batch_size=60"].map(start);
        let both = both.map(|child| child.wait_with_output().unwrap());
        let refused = both.iter().find(|output| !output.status.success());
        let message = common::expect_refusal(refused.expect("one is refused"));
        assert!(
            message.contains("results of another configuration"),
            "{message}"
        );
        assert!(both.iter().any(|output| output.status.success()));
    }
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
    for (name, content) in [("t.csv", table), ("t.JSONL", lines)] {
        scratch.succeed(&["export", "o", &format!("--out={name}")]);
        let written = std::fs::read_to_string(scratch.path(name)).unwrap();
        assert_eq!(written, content, "{name}");
    }
}

/// The table of epochs against the records that it is made from.
#[test]
fn export_gives_every_measurement_of_every_trial() {
    let scratch = Scratch::new();
    let keys = [
        "--set=train.epochs=3",
        "--set=evaluation.every=2",
        "--set=interpolation.every=20",
        "--set=train.learning_rate_schedule=cosine",
        "--set=sweep.grid={ \"interpolation.allocation\" = [\"all\", \"first\"] }",
    ];
    expect_success(&scratch.run(&[SWEEP, TINY, &keys].concat()));
    let lines = scratch.succeed(&["export", "o", "--epochs", "--format=jsonl"]);
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut seen = 0;
    let trials = scratch.path("o/trials");
    for folder in std::fs::read_dir(&trials).unwrap() {
        let folder = folder.unwrap();
        let bytes = std::fs::read(folder.path().join("result.json")).unwrap();
        let sealed: Value = serde_json::from_slice(&bytes).unwrap();
        let record = &sealed["content"]["result"];
        let name = folder.file_name().into_string().unwrap();
        let own = |allocation: &str| -> Vec<&Value> {
            let rows = rows.iter().filter(|row| row["trial"] == name.as_str());
            rows.filter(|row| row["interpolation.allocation"] == allocation)
                .collect()
        };
        let points = record["points"].as_array().unwrap();
        // Both allocations have the same trials at α = 0.
        for rows in [own("all"), own("first")] {
            if rows.is_empty() {
                continue;
            }
            assert_eq!(rows.len(), 2 * points.len());
            for (index, row) in rows.iter().enumerate() {
                let (point, moment) = (&points[index / 2], ["before", "after"][index % 2]);
                let measured = &point[moment];
                for (column, value) in [
                    ("alpha", &record["alpha"]),
                    ("seed", &record["seed"]),
                    ("epoch", &point["epoch"]),
                    ("step", &point["step"]),
                    ("moment", &Value::from(moment)),
                    ("train_loss_running", &point["train_loss"]),
                    ("train_accuracy", &measured["train"]["accuracy"]),
                    ("train_loss", &measured["train"]["loss"]),
                    ("val_accuracy", &measured["validation"]["accuracy"]),
                    ("val_loss", &measured["validation"]["loss"]),
                    ("test_accuracy", &measured["test"]["accuracy"]),
                    ("test_loss", &measured["test"]["loss"]),
                    (
                        "effective_prior_share",
                        &point[format!("prior_share_{moment}")],
                    ),
                    ("learning_rate", &point["learning_rate"]),
                    ("alpha_layer0", &point["alphas"][0]),
                    ("alpha_layer1", &point["alphas"][1]),
                ] {
                    assert_eq!(row[column], *value, "{column} of {row}");
                }
                let is_measured = point["epoch"] == 2 || index / 2 + 1 == points.len();
                assert_eq!(row["val_accuracy"].is_number(), is_measured, "{row}");
                assert!(row["learning_rate"].is_number() && row["train_loss_running"].is_number());
            }
            seen += rows.len();
        }
    }
    assert_eq!(rows.len(), seen);
    let csv = scratch.succeed(&["export", "o", "--epochs"]);
    assert!(csv.starts_with("alpha,seed,epoch,step,moment,train_loss_running,"));
    assert_eq!(csv.lines().count(), 1 + rows.len());
}

/// A folder of `imlp train` has no `experiment.json`; its trials still name their priors.
#[test]
fn export_finds_the_priors_of_single_trials() {
    let scratch = Scratch::new();
    for training in ["co-trained", "frozen"] {
        let training = format!("--set=prior.training={training}");
        expect_success(&scratch.tiny(&[
            "train",
            "--alpha=0.5",
            "--out=t",
            "--no-weights",
            &training,
        ]));
    }
    expect_success(&scratch.tiny(&["train", "--alpha=1", "--out=t", "--no-weights"]));
    let lines = scratch.succeed(&["export", "t", "--format=jsonl"]);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["prior_test_accuracy"].is_number(), "{row}");
        if row["alpha"] == 1.0 {
            assert_eq!(row["prior_test_accuracy"], row["test_accuracy_after"]);
        }
    }
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
    // One warns of the trunk, which is given up too.
    let (warnings, rest): (Vec<&Value>, _) = lines.iter().partition(|l| l["level"] == "WARN");
    assert!(
        warnings.iter().all(|l| l.to_string().contains("trunk")),
        "{said}"
    );
    assert!(rest.iter().all(|l| l["level"] == "INFO"), "{said}");
}
