//! `imlp data`.

mod common;

use common::Scratch;

#[test]
fn the_list_names_every_data_set_and_how_to_get_it() {
    let scratch = Scratch::new();
    let list = scratch.succeed(&["data", "list"]);
    for part in [
        "fashion-mini",
        "built in",
        "cifar10",
        "imlp data fetch cifar100",
        "mnist",
    ] {
        assert!(list.contains(part), "{list}");
    }
}

#[test]
fn the_built_in_set_verifies_and_an_absent_one_does_not() {
    let scratch = Scratch::new();
    assert!(
        scratch
            .succeed(&["data", "verify", "fashion-mini"])
            .contains("ok")
    );
    let message = scratch.refuse(&["data", "verify", "cifar10"]);
    assert!(message.contains("imlp data fetch cifar10"), "{message}");
    let path = scratch.succeed(&["data", "path", "cifar10"]);
    assert!(path.trim_end().ends_with("cifar10"), "{path}");
}

#[test]
fn a_folder_with_wrong_files_is_refused_and_leaves_nothing() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("from")).unwrap();
    scratch.write("from/test_batch.bin", "short");
    let message = scratch.refuse(&["data", "fetch", "cifar10", "--from=from"]);
    assert!(
        message.contains("data_batch_1.bin") || message.contains("test_batch.bin"),
        "{message}"
    );
    let left = scratch.succeed(&["data", "list"]);
    assert!(left.contains("imlp data fetch cifar10"), "{left}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    use std::process::Stdio;
    let scratch = Scratch::new();
    let mut child = scratch
        .command(&["data", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(!message.contains("panicked"), "{message}");
}
