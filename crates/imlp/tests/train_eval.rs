//! One trial, its weights, and their accuracy.

mod common;

use common::{Scratch, expect_refusal, expect_success, results};

fn record(scratch: &Scratch, path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(scratch.path(path)).unwrap()).unwrap()
}

#[test]
fn saved_weights_have_the_accuracy_of_the_record() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--seed=4", "--out=t"]));
    for (weights, record) in [
        (
            "t/twin.safetensors",
            &record(&scratch, "t/record.json")["after"]["test"],
        ),
        (
            "t/prior.safetensors",
            &record(&scratch, "t/prior.json")["test"],
        ),
    ] {
        let printed = scratch.succeed(&["eval", weights]);
        let expected = format!("{:.2} %", 100.0 * record["accuracy"].as_f64().unwrap());
        let test = printed.lines().find(|l| l.starts_with("test")).unwrap();
        assert!(
            test.contains(&expected),
            "{weights}: {printed} is not {expected}"
        );
    }
    let message = expect_refusal(&scratch.tiny(&["train", "--alpha=0.3", "--out=t"]));
    assert!(message.contains("already holds a trial"), "{message}");
}

#[test]
fn a_trial_of_train_is_the_trial_of_a_sweep() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.5", "--seed=1", "--out=t"]));
    expect_success(&scratch.tiny(&["sweep", "--alphas=0.5", "--seeds=0,1", "--out=o"]));
    let of_train = record(&scratch, "t/record.json");
    let rows = results(&scratch.path("o"));
    let row = rows.iter().find(|row| row[..2] == ["0.5", "1"]).unwrap();
    let name = row.last().unwrap();
    let of_sweep = record(&scratch, &format!("o/trials/{name}/result.json"));
    assert_eq!(of_train["points"], of_sweep["content"]["result"]["points"]);
}

#[test]
fn equal_trials_write_equal_files() {
    let scratch = Scratch::new();
    for out in ["--out=a", "--out=b"] {
        expect_success(&scratch.tiny(&["train", "--alpha=0.5", out]));
    }
    for file in ["twin.safetensors", "prior.safetensors"] {
        let read = |folder: &str| std::fs::read(scratch.path(folder).join(file)).unwrap();
        assert!(read("a") == read("b"), "{file} differs");
    }
}

#[test]
fn truncated_weights_are_refused_by_name() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--out=t"]));
    let path = scratch.path("t/twin.safetensors");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 7, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let message = scratch.refuse(&["eval", "t/twin.safetensors"]);
        assert!(message.contains("twin.safetensors"), "{message}");
    }
}
