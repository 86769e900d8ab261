//! Standard output and standard error that nobody can read.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus, Output, Stdio};

use common::{Scratch, TINY, results, stderr};

/// A sweep that tells its progress on the standard error.
fn talkative() -> Vec<&'static str> {
    let keys = TINY.iter().filter(|argument| **argument != "--quiet");
    let sweep = ["sweep", "--alphas=0.5", "--seeds=2", "--out=o", "-vv"];
    sweep.into_iter().chain(keys.copied()).collect()
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe whose reader has gone.
fn gone() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    OwnedFd::from(writer).into()
}

/// Runs `command` with that standard output.
fn to(stdout: Stdio, mut command: Command) -> Output {
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    child.unwrap().wait_with_output().unwrap()
}

/// Runs `command` without the descriptor, as `2>&-` does.
fn without(descriptor: u32, command: &Command) -> ExitStatus {
    let mut shell = Command::new("sh");
    let script = format!("exec \"$@\" {descriptor}>&-");
    shell.args(["-c", &script, "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    shell.stdout(Stdio::null()).status().unwrap()
}

#[test]
fn what_cannot_be_told_does_not_end_the_work() {
    for log_format in ["--log-format=text", "--log-format=json"] {
        for nobody in [full, gone] {
            let scratch = Scratch::new();
            let arguments = [&talkative()[..], &[log_format]].concat();
            let mut command = scratch.command(&arguments);
            let command = command.stdout(Stdio::null()).stderr(nobody());
            assert_eq!(command.status().unwrap().code(), Some(0));
            assert_eq!(results(&scratch.path("o")).len(), 6);
        }
    }
    let scratch = Scratch::new();
    let command = scratch.command(&talkative());
    assert_eq!(without(2, &command).code(), Some(0));
    assert_eq!(results(&scratch.path("o")).len(), 6);
}

#[test]
fn an_error_that_nobody_reads_keeps_its_exit_code() {
    let scratch = Scratch::new();
    for (arguments, code) in [
        (&["status", "nowhere"][..], 1),
        (&["sweep", "--no-such-option"], 2),
        (
            &[
                "sweep",
                "--alphas=0.5",
                "--trial-timeout=1e-9s",
                "--max-attempts=1",
            ],
            3,
        ),
    ] {
        let keys = if code == 3 { TINY } else { &[] };
        for nobody in [full, gone] {
            let mut command = scratch.command(&[arguments, keys].concat());
            let status = command.stderr(nobody()).status().unwrap();
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
    }
}

#[test]
fn a_reader_who_has_gone_is_no_error() {
    let scratch = Scratch::new();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["data", "list"],
        &["schema"],
    ] {
        let output = to(gone(), scratch.command(arguments));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
    // The results are written although their table has no reader.
    let status = scratch
        .command(&talkative())
        .stdout(gone())
        .stderr(gone())
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert_eq!(results(&scratch.path("o")).len(), 6);
    // One that goes away in the middle, with both at once.
    let scratch = Scratch::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = scratch.command(&talkative());
    let both = (writer.try_clone().unwrap(), writer);
    let mut child = command.stdout(both.0).stderr(both.1).spawn().unwrap();
    // The command has its own copies of the writing end.
    drop(command);
    reader.read_exact(&mut [0; 10]).unwrap();
    drop(reader);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(results(&scratch.path("o")).len(), 6);
}

#[test]
fn a_full_disk_behind_the_standard_output_is_an_error() {
    let scratch = Scratch::new();
    for arguments in [
        &["--help"][..],
        &["sweep", "--help"],
        &["--version"],
        &["data", "list"],
        &["schema"],
        &["completions", "bash"],
    ] {
        let output = to(full(), scratch.command(arguments));
        let message = common::expect_refusal(&output);
        assert!(message.contains("standard output"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
