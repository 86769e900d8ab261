//! Stopping a sweep, kindly or not, loses and repeats nothing.
#![cfg(unix)]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Scratch, TINY, expect_success, results};

const SWEEP: &[&str] = &[
    "sweep",
    "--alphas=0.1,0.5",
    "--seeds=3",
    "--jobs=2",
    "--out=o",
];

fn start(scratch: &Scratch) -> Child {
    scratch
        .command(&[SWEEP, TINY].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Waits until `count` trials are there; false when the program ended first.
fn wait_for_trials(scratch: &Scratch, child: &mut Child, count: usize) -> bool {
    loop {
        let there = std::fs::read_dir(scratch.path("o/trials")).map_or(0, |folders| {
            let paths = folders.map(|folder| folder.unwrap().path());
            paths
                .filter(|path| path.join("result.json").exists())
                .count()
        });
        if there >= count {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn undisturbed() -> Vec<Vec<String>> {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    results(&scratch.path("o"))
}

#[test]
fn ctrl_c_stops_cleanly_and_the_same_command_continues() {
    let scratch = Scratch::new();
    let mut child = start(&scratch);
    assert!(wait_for_trials(&scratch, &mut child, 2));
    signal(&child, "-INT");
    let status = child.wait().unwrap();
    // 130 unless it had just finished.
    assert!(status.code() == Some(130) || status.success(), "{status}");
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), undisturbed());
}

#[test]
fn kill_9_at_any_moment_leaves_whole_files() {
    let scratch = Scratch::new();
    for trials in [0, 1, 3, 5, 8] {
        let mut child = start(&scratch);
        wait_for_trials(&scratch, &mut child, trials);
        // It may have ended by itself by now.
        child.kill().ok();
        child.wait().unwrap();
    }
    // What a kill in the middle of a write leaves.
    let unfinished = scratch.write("o/trials/.writing-a1b2c3", "{\"alpha\": 0.");
    let file = std::fs::File::options()
        .write(true)
        .open(unfinished)
        .unwrap();
    let then = std::time::SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    file.set_modified(then).unwrap();
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), undisturbed());
    expect_success(&scratch.run(&["clean", "o", "--yes"]));
    assert!(!scratch.path("o/trials/.writing-a1b2c3").exists());
}

/// Starts a sweep for which `sh` ignores a signal, as `nohup` and `&` do.
fn start_ignoring(scratch: &Scratch, signal: &str) -> Child {
    let sweep = scratch.command(&[SWEEP, TINY].concat());
    let mut command = Command::new("sh");
    let script = format!("trap '' {signal}; exec \"$@\"");
    command.args(["-c", &script, "sh"]);
    command.arg(sweep.get_program()).args(sweep.get_args());
    command.current_dir(sweep.get_current_dir().unwrap());
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    for signal_name in ["HUP", "INT", "TERM"] {
        let scratch = Scratch::new();
        let mut child = start_ignoring(&scratch, signal_name);
        assert!(wait_for_trials(&scratch, &mut child, 1));
        // Twice would end it at once.
        for _ in 0..2 {
            signal(&child, &format!("-{signal_name}"));
        }
        let status = child.wait().unwrap();
        assert!(status.success(), "{signal_name}: {status}");
        assert_eq!(results(&scratch.path("o")).len(), 12);
    }
}

#[test]
fn the_end_of_the_terminal_stops_like_ctrl_c() {
    let scratch = Scratch::new();
    // Another signal is ignored, so that the shell's own dispositions do not matter.
    let mut child = start_ignoring(&scratch, "USR1");
    assert!(wait_for_trials(&scratch, &mut child, 1));
    signal(&child, "-HUP");
    let status = child.wait().unwrap();
    assert!(status.code() == Some(130) || status.success(), "{status}");
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), undisturbed());
}
