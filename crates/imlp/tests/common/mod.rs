//! Running the program in a scratch folder.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod python;
pub mod tensors;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scratch folder that is also the working directory of every run.
pub struct Scratch {
    folder: tempfile::TempDir,
}

/// Keys that make a trial take a fraction of a second: a network of 784 → 98 →
/// 10, one epoch, few images to measure on.
pub const TINY: &[&str] = &[
    "--epochs=1",
    "--prior=custom",
    "--set=prior.layers=[{type=\"conv2d\",name=\"conv\",channels=2,kernel=4,stride=4},{type=\"relu\"},{type=\"linear\",name=\"head\"}]",
    "--set=evaluation.train_images=100",
    "--quiet",
];

impl Scratch {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imlp"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("IMLP_DATA_DIR", self.path("data"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a tiny trial or sweep: `head`, then [`TINY`].
    pub fn tiny(&self, head: &[&str]) -> Output {
        self.run(&[head, TINY].concat())
    }

    /// Runs what must succeed; gives standard output.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> String {
        expect_success(&self.run(arguments))
    }

    /// Runs what must be refused with exit code 1; gives the message.
    #[track_caller]
    pub fn refuse(&self, arguments: &[&str]) -> String {
        expect_refusal(&self.run(arguments))
    }
}

#[track_caller]
pub fn expect_success(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
pub fn expect_refusal(output: &Output) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.starts_with("error: ") || message.contains("\nerror: "),
        "{message}"
    );
    assert!(!message.contains("panicked"), "{message}");
    message
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A table of `results.csv`, without the columns that depend on time.
pub fn results(folder: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.join("results.csv")).unwrap();
    let timed: Vec<bool> = reader
        .headers()
        .unwrap()
        .iter()
        .map(|h| h.contains("second"))
        .collect();
    reader
        .records()
        .map(|record| {
            record
                .unwrap()
                .iter()
                .zip(&timed)
                .filter(|(_, timed)| !**timed)
                .map(|(cell, _)| cell.to_owned())
                .collect()
        })
        .collect()
}
