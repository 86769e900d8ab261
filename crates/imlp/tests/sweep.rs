//! What `imlp sweep` writes, and what running it again does.

mod common;

use common::{Scratch, TINY, expect_refusal, expect_success, results, stderr};

#[test]
fn a_sweep_writes_its_files_and_names_them() {
    let scratch = Scratch::new();
    let printed = expect_success(&scratch.tiny(&["sweep", "--alphas=0.5", "--seeds=2", "--out=o"]));
    for name in [
        "results.csv",
        "summary.json",
        "curve.svg",
        "curve.png",
        "report.html",
    ] {
        assert!(printed.contains(name), "{printed}");
        assert!(scratch.path("o").join(name).metadata().unwrap().len() > 100);
    }
    assert!(
        printed.contains("prior") && printed.contains('±'),
        "{printed}"
    );

    let csv = std::fs::read_to_string(scratch.path("o/results.csv")).unwrap();
    assert!(csv.starts_with(
        "alpha,seed,status,val_accuracy_before,val_accuracy_after,test_accuracy_before,\
         test_accuracy_after,prior_test_accuracy,effective_prior_share,epochs,train_seconds"
    ));
    // α = 0, 0.5, 1 with two seeds.
    let rows = results(&scratch.path("o"));
    assert_eq!(rows.len(), 6);
    for row in rows.iter().filter(|row| row[0] == "1.0") {
        assert_eq!(row[6], row[7], "at α = 1 the twin is the prior");
    }

    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scratch.path("o/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["config"]["train"]["epochs"], 1);
    assert_eq!(summary["data_checksum"].as_str().unwrap().len(), 64);
    assert_eq!(summary["test"]["points"][1]["alpha"], 0.5);
    assert_eq!(summary["test"]["points"][1]["n"], 2);
    assert!(summary["test"]["points"][1]["ci95"][0].is_number());
    assert!(
        summary["command"]
            .as_str()
            .unwrap()
            .starts_with("imlp sweep --alphas=0.5")
    );
}

#[test]
fn results_do_not_depend_on_the_number_of_jobs() {
    let scratch = Scratch::new();
    let sweep = |out: &str, jobs: &str| {
        expect_success(&scratch.tiny(&["sweep", "--alphas=0.1", "--seeds=3", out, jobs]));
    };
    sweep("--out=one", "--jobs=1");
    sweep("--out=four", "--jobs=4");
    assert_eq!(
        results(&scratch.path("one")),
        results(&scratch.path("four"))
    );
}

#[test]
fn a_second_run_repeats_nothing_and_more_alphas_reuse_all() {
    let scratch = Scratch::new();
    let first = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    expect_success(&scratch.tiny(&first));
    let record = record(&scratch);
    let written = record.metadata().unwrap().modified().unwrap();

    let mut command = scratch.command(&[&first, &TINY[..TINY.len() - 1]].concat());
    let again = command.output().unwrap();
    expect_success(&again);
    assert!(stderr(&again).contains("finished before, not repeated: 3 trials"));

    let more = ["sweep", "--alphas=0.5,0.9", "--seeds=2", "--out=o"];
    let more = scratch.run(&[&more, &TINY[..TINY.len() - 1]].concat());
    expect_success(&more);
    let said = stderr(&more);
    assert!(said.contains("prior, seed 0 read ("), "{said}");
    assert!(said.contains("prior, seed 1 done ("), "{said}");
    assert_eq!(results(&scratch.path("o")).len(), 8);
    assert_eq!(record.metadata().unwrap().modified().unwrap(), written);
}

#[test]
fn another_configuration_in_the_same_folder_is_refused_by_key() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    expect_success(&scratch.tiny(&sweep));
    let changed = [
        "--set=train.learning_rate=0.02",
        "--set=interpolation.biases=false",
    ];
    let message = expect_refusal(&scratch.tiny(&[&sweep[..], &changed].concat()));
    for part in [
        "train.learning_rate: there 0.01, now 0.02",
        "interpolation.biases: there true, now false",
        "--out",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(results(&scratch.path("o")).len(), 3, "what was there stays");
}

/// The result of the trial α = 0.5, seed 0.
fn record(scratch: &Scratch) -> std::path::PathBuf {
    let rows = results(&scratch.path("o"));
    let row = rows.iter().find(|row| row[..2] == ["0.5", "0"]).unwrap();
    scratch.path(&format!("o/trials/{}/result.json", row.last().unwrap()))
}

#[test]
fn a_damaged_record_is_named_and_done_again() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    expect_success(&scratch.tiny(&sweep));
    let before = results(&scratch.path("o"));
    let record = record(&scratch);
    let whole = std::fs::read(&record).unwrap();
    std::fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let again = scratch.tiny(&sweep);
    expect_success(&again);
    let message = stderr(&again);
    for part in ["result.json is damaged", "set aside"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(results(&scratch.path("o")), before);
}

#[test]
fn a_folder_that_forgot_its_experiment_keeps_its_results() {
    let scratch = Scratch::new();
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    expect_success(&scratch.tiny(&sweep));
    let identity = scratch.path("o/experiment.json");
    std::fs::write(&identity, "{").unwrap();
    // Results are named by what decides them, and are found without it.
    let written = || record(&scratch).metadata().unwrap().modified().unwrap();
    let before = written();
    let again = scratch.tiny(&sweep);
    expect_success(&again);
    let message = stderr(&again);
    assert!(message.contains("experiment.json is damaged"), "{message}");
    assert_eq!(written(), before);
    // It is written again as it was, also where it is gone.
    let whole = std::fs::read(&identity).unwrap();
    std::fs::remove_file(&identity).unwrap();
    expect_success(&scratch.tiny(&sweep));
    assert_eq!(written(), before);
    assert!(std::fs::read(&identity).unwrap() == whole);
    // Another recipe may be that of another experiment.
    std::fs::write(&identity, "{").unwrap();
    let other = [&sweep[..], &["--set=train.batch_size=50"]].concat();
    let message = expect_refusal(&scratch.tiny(&other));
    assert!(message.contains("does not ask for trials/"), "{message}");
}

#[test]
fn numbers_with_many_digits_come_back_from_the_store() {
    let scratch = Scratch::new();
    let sweep = [
        "sweep",
        "--alphas=0.9452706955539223,1e-300",
        "--no-ends",
        "--seeds=1",
        "--out=o",
        "--set=interpolation.allocation=[0.94527069555392239,0.1234567890123456789]",
    ];
    for _ in 0..2 {
        expect_success(&scratch.tiny(&sweep));
    }
    assert_eq!(results(&scratch.path("o")).len(), 2);
}

#[test]
fn a_diverged_trial_is_reported_and_in_no_average() {
    let scratch = Scratch::new();
    let printed = expect_success(&scratch.tiny(&[
        "sweep",
        "--alphas=0.5",
        "--seeds=2",
        "--out=o",
        "--set=train.learning_rate=1e9",
        "--set=prior.learning_rate=0.01",
    ]));
    assert!(printed.contains("0 of 2"), "{printed}");
    let told = "4 of 6 trials diverged, at α = 0 (seeds 0, 1;";
    assert!(printed.contains(told), "{printed}");
    for row in results(&scratch.path("o")) {
        let diverged = row[0] != "1.0";
        assert_eq!(row[2] == "diverged", diverged, "{row:?}");
        assert_eq!(row[6].is_empty(), diverged, "{row:?}");
    }
}

#[test]
fn test_time_steps_and_mixer_priors_run() {
    let scratch = Scratch::new();
    let tiny_mixer = [
        "--prior=mixer",
        "--set=prior.patch=14",
        "--set=prior.channels=4",
        "--set=prior.token_hidden=3",
        "--set=prior.channel_hidden=5",
        "--set=prior.blocks=1",
    ];
    for (i, keys) in [
        vec!["--set=interpolation.timing=test-time"],
        vec![
            "--set=interpolation.every=20",
            "--set=interpolation.schedule=exponential",
        ],
        vec!["--set=prior.training=frozen", "--set=prior.epochs=2"],
        vec![
            "--set=prior.training=untrained",
            "--set=interpolation.allocation=first",
        ],
        vec![
            "--set=train.optimizer=adamw",
            "--set=train.learning_rate=0.001",
            "--set=data.augmentation=crop-flip",
            "--set=train.label_smoothing=0.1",
            "--set=train.learning_rate_schedule=cosine",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("--out=o{i}");
        let head = [
            "sweep",
            "--alphas=0.5",
            "--seeds=1",
            "--epochs=1",
            "--quiet",
            &out,
        ];
        scratch.succeed(&[&head, &tiny_mixer[..], &keys].concat());
        assert_eq!(results(&scratch.path(&format!("o{i}"))).len(), 3);
    }
}

/// The commands that a sweep prints for training its best α again.
fn printed_commands(printed: &str) -> Vec<Vec<String>> {
    // As a shell joins their lines.
    let printed = printed.replace(" \\\n    ", " ");
    let commands = printed
        .lines()
        .filter_map(|line| line.strip_prefix("  imlp "));
    // No word of these tests has a space but in quotes.
    let words = |command: &str| {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in command.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                other => words.last_mut().unwrap().push(other),
            }
        }
        words
    };
    commands.map(words).collect()
}

#[test]
fn the_printed_command_trains_the_best_alpha_again() {
    let scratch = Scratch::new();
    let recipe = "[train]\nlearning_rate = 0.03\n[data]\nvalidation_fraction = 0.3\n";
    scratch.write("my recipe.toml", recipe);
    let sweep = [
        "sweep",
        "my recipe.toml",
        "--alphas=0.3,0.7",
        "--no-ends",
        "--seeds=4,2",
        "--out=o",
        "--set=sweep.ends=false",
        "--set=train.batch_size=100",
        "--set=interpolation.alpha=0.9",
    ];
    let printed = expect_success(&scratch.tiny(&sweep));
    let commands = printed_commands(&printed);
    let [command] = &commands[..] else {
        panic!("{printed}");
    };
    // By hand: the highest mean over both seeds on the validation split.
    let rows = results(&scratch.path("o"));
    let mean = |alpha: &str| {
        let rows = rows.iter().filter(|row| row[0] == alpha);
        rows.map(|row| row[4].parse::<f64>().unwrap()).sum::<f64>() / 2.0
    };
    let best = if mean("0.7") > mean("0.3") {
        "0.7"
    } else {
        "0.3"
    };
    assert!(printed.contains(&format!("best α = {best} by the validation split")));
    let row = rows.iter().find(|row| row[..2] == [best, "4"]).unwrap();
    assert!(
        command.contains(&format!("--set=interpolation.alpha={best}")),
        "{command:?}"
    );
    assert!(
        !command.iter().any(|word| word.contains("sweep")),
        "{command:?}"
    );

    // In the sweep's folder, and in one that knows nothing of it.
    for out in ["--out=o", "--out=elsewhere"] {
        let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
        assert_eq!(words.pop(), Some("--out=o"));
        words.extend([out, "--quiet"]);
        let said = expect_success(&scratch.run(&words));
        let test: f64 = row[6].parse().unwrap();
        let twin = format!("twin {:.2} %", 100.0 * test);
        assert!(said.contains(&twin), "{said} lacks {twin}");
        let folder = out.strip_prefix("--out=").unwrap();
        let weights = scratch.path(folder).join("twin.safetensors");
        let measured = scratch.succeed(&["eval", weights.to_str().unwrap()]);
        assert!(
            measured.contains(&format!("{:.2} %", 100.0 * test)),
            "{measured}"
        );
    }
}

#[test]
fn each_configuration_has_its_command() {
    let scratch = Scratch::new();
    let grid = "[sweep.grid]\ntrain.batch_size = [100, 200]\n[sweep.zip]\ntrain.momentum = [0.5]\n\
                [[sweep.list]]\ntwin.initialization = \"kaiming-uniform\"\n\
                [data]\nvalidation_fraction = 0\n";
    scratch.write("grid.toml", grid);
    let sweep = ["sweep", "grid.toml", "--alphas=0.5", "--seeds=1", "--out=o"];
    let printed = expect_success(&scratch.tiny(&sweep));
    assert!(
        printed.contains("by the test set, for want of a validation split"),
        "{printed}"
    );
    let commands = printed_commands(&printed);
    assert_eq!(commands.len(), 2, "{printed}");
    for (command, batch) in commands.iter().zip(["100", "200"]) {
        let folder = format!(
            "o/configurations/train.batch_size={batch},train.momentum=0.5,\
             twin.initialization=kaiming-uniform"
        );
        let rows = results(&scratch.path(&folder));
        let best = rows.iter().map(|row| row[6].parse::<f64>().unwrap());
        let best = best.fold(0.0, f64::max);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let said = expect_success(&scratch.run(&[&words[..], &["--quiet"]].concat()));
        let twin = format!("test        twin {:.2} %", 100.0 * best);
        assert!(said.contains(&twin), "{said} lacks {twin}");
    }
}

#[test]
fn event_files_that_cannot_be_written_cost_no_result() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("o")).unwrap();
    scratch.write("o/tensorboard", "a file where a folder should be");
    let sweep = ["sweep", "--alphas=0.5", "--seeds=1", "--out=o"];
    let output = scratch.tiny(&sweep);
    expect_success(&output);
    assert!(
        stderr(&output).contains("TensorBoard"),
        "{}",
        stderr(&output)
    );
    assert_eq!(results(&scratch.path("o")).len(), 3);
    assert!(scratch.path("o/report.html").is_file());
}
