//! One trial, its weights, and their accuracy.

mod common;

use std::path::PathBuf;

use common::{Scratch, TINY, expect_refusal, expect_success, results, stderr};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The row that `imlp train` prints for a program.
fn row(scratch: &Scratch, arguments: &[&str]) -> Value {
    let output = scratch.tiny(&[&["train", "--json"], arguments].concat());
    let text = expect_success(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(stderr(&output), "");
    serde_json::from_str(&text).unwrap()
}

/// The result file of the only trial in a folder.
fn result(scratch: &Scratch, folder: &str) -> PathBuf {
    let mut trials = std::fs::read_dir(scratch.path(folder).join("trials")).unwrap();
    let trial = trials.next().unwrap().unwrap().path();
    assert!(trials.next().is_none());
    trial.join("result.json")
}

fn read(scratch: &Scratch, path: &str) -> Vec<u8> {
    std::fs::read(scratch.path(path)).unwrap()
}

#[test]
fn saved_weights_have_the_accuracy_of_the_record() {
    let scratch = Scratch::new();
    let trial = ["--alpha=0.3", "--seed=4", "--out=t"];
    let said = expect_success(&scratch.tiny(&[&["train"], &trial[..]].concat()));
    let row = row(&scratch, &trial);
    for (weights, accuracy) in [
        ("t/twin.safetensors", &row["test_accuracy_after"]),
        ("t/prior.safetensors", &row["prior_test_accuracy"]),
    ] {
        assert!(said.contains(weights), "{said}");
        let printed = scratch.succeed(&["eval", weights]);
        let expected = format!("{:.2} %", 100.0 * accuracy.as_f64().unwrap());
        assert!(said.contains(&expected), "{said}");
        let test = printed.lines().find(|l| l.starts_with("test")).unwrap();
        assert!(
            test.contains(&expected),
            "{weights}: {printed} is not {expected}"
        );
    }
}

#[test]
fn weights_of_another_trial_are_not_replaced() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--out=t"]));
    let before = read(&scratch, "t/twin.safetensors");
    let other = ["train", "--alpha=0.4", "--out=t"];
    let message = expect_refusal(&scratch.tiny(&other));
    for part in ["t/twin.safetensors", "another trial", "--no-weights"] {
        assert!(message.contains(part), "{message}");
    }
    // Nothing was trained; without weights the folder takes any number of trials.
    result(&scratch, "t");
    expect_success(&scratch.tiny(&[&other[..], &["--no-weights"]].concat()));
    assert_eq!(row(&scratch, &["--alpha=0.4", "--out=t"])["status"], "done");
    assert!(read(&scratch, "t/twin.safetensors") == before);
}

#[test]
fn weights_that_were_not_kept_are_made_again() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--out=fresh"]));
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--out=t", "--no-weights"]));
    assert!(!scratch.path("t/twin.safetensors").exists());
    let result = result(&scratch, "t");
    let written = result.metadata().unwrap().modified().unwrap();
    let loud = &TINY[..TINY.len() - 1];
    let again = [&["train", "--alpha=0.3", "--out=t"], loud].concat();
    let output = scratch.run(&again);
    expect_success(&output);
    let said = stderr(&output);
    assert!(said.contains("training it again"), "{said}");
    for file in ["twin.safetensors", "prior.safetensors"] {
        let of = |folder: &str| read(&scratch, &format!("{folder}/{file}"));
        assert!(of("t") == of("fresh"), "{file} differs");
    }
    assert_eq!(result.metadata().unwrap().modified().unwrap(), written);
    // With both there, nothing is trained; a file that is gone is written again.
    std::fs::remove_file(scratch.path("t/prior.safetensors")).unwrap();
    let output = scratch.run(&again);
    expect_success(&output);
    let said = stderr(&output);
    assert!(!said.contains("training it again"), "{said}");
    assert!(scratch.path("t/prior.safetensors").exists());
}

#[test]
fn a_result_that_training_again_does_not_repeat_gets_no_weights() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.3", "--out=t", "--no-weights"]));
    let rate = "--set=train.learning_rate=0.02";
    let other = ["train", "--alpha=0.3", rate, "--out=other", "--no-weights"];
    expect_success(&scratch.tiny(&other));
    // As if another instruction set had summed in another order.
    let sealed = |folder: &str| -> Value {
        serde_json::from_slice(&std::fs::read(result(&scratch, folder)).unwrap()).unwrap()
    };
    let mut content = sealed("t")["content"].clone();
    content["result"]["points"] = sealed("other")["content"]["result"]["points"].clone();
    let sha256: String = Sha256::digest(content.to_string())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let changed = json!({ "sha256": sha256, "content": content });
    std::fs::write(result(&scratch, "t"), changed.to_string()).unwrap();
    let message = expect_refusal(&scratch.tiny(&["train", "--alpha=0.3", "--out=t"]));
    assert!(message.contains("other numbers"), "{message}");
    assert!(!scratch.path("t/twin.safetensors").exists());
}

#[test]
fn a_program_keeps_weights_only_where_it_asks_for_them() {
    let scratch = Scratch::new();
    let trial = row(&scratch, &["--alpha=0.3"]);
    assert!(!scratch.path("imlp-out").exists());
    let kept = row(&scratch, &["--alpha=0.3", "--out=t", "--weights"]);
    assert_eq!(kept["trial"], trial["trial"]);
    assert!(scratch.path("t/twin.safetensors").exists());
    let message = expect_refusal(&scratch.tiny(&["train", "--json", "--weights"]));
    assert!(message.contains("--out"), "{message}");
}

#[test]
fn a_trial_of_train_is_the_trial_of_a_sweep() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0.5", "--seed=1", "--out=t"]));
    expect_success(&scratch.tiny(&["sweep", "--alphas=0.5", "--seeds=0,1", "--out=o"]));
    let rows = results(&scratch.path("o"));
    let row = rows.iter().find(|row| row[..2] == ["0.5", "1"]).unwrap();
    let name = row.last().unwrap();
    let record = |folder: &str| {
        let path = format!("{folder}/trials/{name}/result.json");
        serde_json::from_slice::<Value>(&read(&scratch, &path)).unwrap()
    };
    let points = |folder: &str| record(folder)["content"]["result"]["points"].clone();
    assert!(points("t").is_array());
    assert_eq!(points("t"), points("o"));
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

/// A tensor of a terabyte, which takes no room on the disk, is not given memory.
#[test]
fn weights_with_more_than_their_network_are_refused_by_size() {
    const HUGE: u64 = 1 << 40;
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(&["train", "--alpha=0", "--out=t"]));
    let whole = read(&scratch, "t/twin.safetensors");
    let (length, rest) = whole.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at(length);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let begin = data.len() as u64;
    header["more"] = serde_json::json!({
        "dtype": "F32",
        "shape": [HUGE / 4],
        "data_offsets": [begin, begin + HUGE],
    });
    let refused = |header: &Value, data: &[u8], part: &str| {
        let header = header.to_string();
        let start = [
            &(header.len() as u64).to_le_bytes(),
            header.as_bytes(),
            data,
        ]
        .concat();
        let path = scratch.path("huge.safetensors");
        std::fs::write(&path, &start).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len((start.len() - data.len()) as u64 + begin + HUGE)
            .unwrap();
        let message = expect_refusal(&scratch.run(&["eval", "huge.safetensors"]));
        assert!(message.contains(part), "{message}");
    };
    refused(
        &header,
        data,
        "huge.safetensors: holds 1.0 TiB of tensors, but its network has",
    );
    header["__metadata__"] = serde_json::json!({});
    refused(&header, data, "huge.safetensors: has no metadata `imlp`");
}

/// What a folder is called reaches neither the log nor a message as control characters.
#[cfg(unix)]
#[test]
fn the_log_shows_control_characters() {
    let scratch = Scratch::new();
    let folder = "o\u{1b}[2J\u{9b}\r\u{7}";
    let train = ["train", &format!("--out={folder}")];
    expect_success(&scratch.tiny(&train));
    for (format, shown) in [("text", "o\\x1b[2J"), ("json", "o\\u001b[2J")] {
        // A damaged result is set aside, with a warning that names it.
        std::fs::write(result(&scratch, folder), "{").unwrap();
        let format = format!("--log-format={format}");
        let output = scratch.tiny(&[&train[..], &[&format]].concat());
        let log = stderr(&output);
        let told = expect_success(&output) + &log;
        let hidden = told.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(hidden, None, "{told}");
        assert!(log.contains(shown) && log.contains("set aside"), "{log}");
    }
}
