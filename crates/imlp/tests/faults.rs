//! Processes that are killed, files that are cut short, folders that are shared
//! or may not be written to: nothing is lost, repeated or mixed up.
#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{Scratch, TINY, expect_success, results, stderr};

const SWEEP: &[&str] = &[
    "sweep",
    "--alphas=0.1,0.5",
    "--seeds=3",
    "--jobs=2",
    "--out=o",
    "--checkpoint-every=0.001s",
    // A kill costs an attempt, and there are many.
    "--max-attempts=1000",
];

/// Trials of [`SWEEP`]: α = 0, 0.1, 0.5 and 1 with three seeds.
const TRIALS: usize = 12;

fn start(scratch: &Scratch) -> Child {
    scratch
        .command(&[SWEEP, TINY].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn undisturbed() -> Vec<Vec<String>> {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    results(&scratch.path("o"))
}

/// The files of that name in all folders of trials and priors.
fn files(store: &Path, name: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for kind in ["trials", "priors"] {
        let Ok(folders) = std::fs::read_dir(store.join(kind)) else {
            continue;
        };
        for folder in folders {
            let inside = std::fs::read_dir(folder.unwrap().path()).unwrap();
            let paths = inside.map(|entry| entry.unwrap().path());
            files.extend(paths.filter(|path| {
                let file = path.file_name().unwrap().to_string_lossy();
                file.starts_with(name)
            }));
        }
    }
    files.sort();
    files
}

/// Whole numbers below `n` that look like noise (Numerical Recipes).
fn noise(state: &mut u32, n: u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (state.wrapping_shr(8)) % n
}

#[test]
fn workers_that_are_killed_at_random_moments_lose_nothing() {
    const KILLS: u32 = 20;
    const LONGEST_LIFE_MS: u32 = 400;
    let scratch = Scratch::new();
    let mut state = 7;
    let mut workers: Vec<Child> = (0..3).map(|_| start(&scratch)).collect();
    for kill in 0..KILLS {
        let life = noise(&mut state, LONGEST_LIFE_MS);
        std::thread::sleep(Duration::from_millis(life.into()));
        let victim = &mut workers[(kill % 3) as usize];
        victim.kill().ok();
        victim.wait().unwrap();
        *victim = start(&scratch);
    }
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    expect_success(&scratch.tiny(SWEEP));
    assert_eq!(results(&scratch.path("o")), undisturbed());
    let published = files(&scratch.path("o"), "result.json");
    assert_eq!(published.len(), TRIALS + 3, "{published:?}");
    // A kill between the result and what follows it leaves something to clear.
    expect_success(&scratch.run(&["clean", "o", "--yes"]));
    assert_eq!(files(&scratch.path("o"), "checkpoint-"), [] as [PathBuf; 0]);
    let clean = expect_success(&scratch.run(&["clean", "o"]));
    assert!(clean.contains("nothing to remove"), "{clean}");
}

#[test]
fn processes_that_share_a_folder_share_the_work() {
    let scratch = Scratch::new();
    let workers: Vec<Child> = (0..2).map(|_| start(&scratch)).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(results(&scratch.path("o")), undisturbed());
    // One attempt at each trial and prior published; one that came to a trial
    // in the moment of its end went away again.
    let ends = files(&scratch.path("o"), "attempt-")
        .into_iter()
        .map(|path| {
            let attempt: serde_json::Value =
                serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            attempt["ended"]["how"].as_str().unwrap().to_owned()
        });
    let (published, other): (Vec<_>, Vec<_>) = ends.partition(|how| how == "published");
    assert_eq!(published.len(), TRIALS + 3);
    assert!(other.iter().all(|how| how == "superseded"), "{other:?}");
}

#[test]
fn files_that_were_cut_short_are_told_from_whole_ones() {
    let scratch = Scratch::new();
    expect_success(&scratch.tiny(SWEEP));
    let store = scratch.path("o");
    let cut = |path: &Path| {
        let whole = std::fs::read(path).unwrap();
        std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
    };
    let found = files(&store, "result.json");
    let attempts = files(&store, "attempt-");
    let snapshots = files(&store, "snapshots-");
    // A result, a lease, a lease with its result, and a prior's parameters.
    cut(&found[0]);
    cut(&attempts[1]);
    cut(&found[2]);
    cut(&attempts[2]);
    cut(&snapshots[0]);
    std::fs::remove_file(&found[3]).unwrap();
    let again = scratch.tiny(SWEEP);
    expect_success(&again);
    assert!(stderr(&again).contains("set aside"), "{}", stderr(&again));
    assert_eq!(results(&store), undisturbed());
}

#[test]
fn a_folder_that_may_not_be_written_to_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let folder = scratch.path("locked");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // For the superuser only some file systems are locked.
    let out = match std::fs::write(folder.join("probe"), "") {
        Ok(()) => PathBuf::from("/sys/imlp"),
        Err(_) => folder.join("o"),
    };
    let option = format!("--out={}", out.display());
    let message = scratch.refuse(&["sweep", "--quiet", &option]);
    assert!(message.contains(out.to_str().unwrap()), "{message}");
    assert!(message.contains("--out"), "{message}");
}
