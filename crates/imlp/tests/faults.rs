//! Processes that are killed, files that are cut short, folders that are shared
//! or may not be written to: nothing is lost, repeated or mixed up.
#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Scratch, TINY, expect_success, results, stderr};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

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

/// Trials of [`SWEEP`]: α = 0, 0.1, 0.5 and 1 with the three seeds of the default.
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

/// How often a process is killed; `scripts/reliability.sh` asks for more.
fn kills() -> u32 {
    const KILLS: u32 = 20;
    std::env::var("IMLP_FAULT_KILLS").map_or(KILLS, |text| text.parse().unwrap())
}

#[test]
fn workers_that_are_killed_at_random_moments_lose_nothing() {
    const LONGEST_LIFE_MS: u64 = 400;
    let kills = kills();
    // So many that work is left for every kill.
    let seeds = kills / 2;
    let seeds_option = format!("--seeds={seeds}");
    let others = SWEEP.iter().filter(|option| !option.starts_with("--seeds"));
    let others: Vec<&str> = others.copied().collect();
    let sweep: Vec<&str> = [&others[..], &[&seeds_option], TINY].concat();
    let start = |scratch: &Scratch| {
        let mut command = scratch.command(&sweep);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().unwrap()
    };
    let scratch = Scratch::new();
    let store = scratch.path("o");
    let mut rng = StdRng::seed_from_u64(7);
    let mut workers: Vec<Child> = (0..3).map(|_| start(&scratch)).collect();
    let mut killed = 0;
    for turn in 0..kills {
        let life = rng.random_range(0..LONGEST_LIFE_MS);
        std::thread::sleep(Duration::from_millis(life));
        let victim = &mut workers[(turn % 3) as usize];
        victim.kill().ok();
        killed += u32::from(victim.wait().unwrap().code().is_none());
        *victim = start(&scratch);
    }
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let lost = running(&store).len();
    expect_success(&scratch.run(&sweep));
    // A quarter and more of the kills found a process at work.
    assert!(killed >= kills / 4, "only {killed} of {kills} kills hit");

    let undisturbed = Scratch::new();
    expect_success(&undisturbed.run(&sweep));
    assert_eq!(results(&store), results(&undisturbed.path("o")));
    let published = files(&store, "result.json").len();
    assert_eq!(published, seeds as usize * (4 + 1), "4 trials and a prior");
    assert_eq!(files(&store, "result.damaged"), [] as [PathBuf; 0]);
    let attempts = files(&store, "attempt-").len();
    eprintln!(
        "{killed} processes killed; {published} results by {attempts} attempts, of which {lost} \
         were cut short without an end"
    );
    // A kill between the result and what follows it leaves something to clear.
    expect_success(&scratch.run(&["clean", "o", "--yes"]));
    assert_eq!(files(&store, "checkpoint-"), [] as [PathBuf; 0]);
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

/// Attempts that have not ended.
fn running(store: &Path) -> Vec<PathBuf> {
    let mut attempts = files(store, "attempt-");
    attempts.retain(|path| {
        let attempt: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        attempt["ended"].is_null()
    });
    attempts
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_process_that_was_taken_for_gone_publishes_nothing() {
    const IMPATIENT: &str = "--stale-after=1s";
    let scratch = Scratch::new();
    let store = scratch.path("o");
    let sweep = [SWEEP, &[IMPATIENT], TINY].concat();
    let mut command = scratch.command(&sweep);
    let mut old = command.stdout(Stdio::null()).spawn().unwrap();
    // Stopped in the middle of something, as far as others can see.
    while running(&store).is_empty() {
        assert!(old.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&old, "-STOP");
    let taken_over = running(&store);
    // Silence is the only sign: the process is there.
    expect_success(&scratch.run(&sweep));
    let before = files(&store, "result.json");
    let contents = || -> Vec<Vec<u8>> {
        let results = files(&store, "result.json");
        results.iter().map(|p| std::fs::read(p).unwrap()).collect()
    };
    let published = contents();
    signal(&old, "-CONT");
    assert!(old.wait().unwrap().success());
    assert_eq!(before.len(), TRIALS + 3);
    assert!(contents() == published, "a result was written over");
    for path in taken_over {
        assert!(path.with_file_name("attempt-0002.json").exists());
    }
    assert_eq!(results(&store), undisturbed());
}

#[test]
fn eight_workers_share_a_folder() {
    let scratch = Scratch::new();
    let workers: Vec<Child> = (0..8).map(|_| start(&scratch)).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(results(&scratch.path("o")), undisturbed());
    assert_eq!(files(&scratch.path("o"), "result.json").len(), TRIALS + 3);
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
    for (option, path) in [("--results", out.clone()), ("--page", out.join("p.md"))] {
        let option_and_path = format!("{option}={}", path.display());
        // Before anything is trained.
        let message = scratch.refuse(&["reproduce", "mixer", "--quiet", &option_and_path]);
        assert!(message.contains(out.to_str().unwrap()), "{message}");
        assert!(message.contains(option), "{message}");
        assert!(!scratch.path("imlp-out").exists(), "{option}");
    }
}

/// A small disk that is taken away again.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may not mount one.
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(&at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(at))
    }

    fn grow(&self) {
        let grown = Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(&self.0)
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::mount(scratch.path("disk")) else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    // The snapshots of three priors, and figures, do not fit.
    let sweep = ["sweep", "--alphas=0.5", "--out=disk/o"];
    let output = scratch.tiny(&sweep);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("free some space"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    disk.grow();
    expect_success(&scratch.tiny(&sweep));
    let undisturbed = Scratch::new();
    expect_success(&undisturbed.tiny(&["sweep", "--alphas=0.5", "--out=o"]));
    assert_eq!(results(&disk.0.join("o")), results(&undisturbed.path("o")));
}
