//! Tells the program from which commit it is built, so that a record can say so.

use std::path::Path;
use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = output.status.success().then_some(output.stdout)?;
        Some(String::from_utf8(text).ok()?.trim().to_owned())
    };
    // Not that of a repository in which the sources of a release were unpacked.
    let tracked = git(&["ls-files", "--error-unmatch", "build.rs"]).is_some();
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|_| tracked);
    if let Some(commit) = commit {
        println!("cargo::rustc-env=IMLP_COMMIT={commit}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    // Every commit and checkout adds a line to it.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
}
