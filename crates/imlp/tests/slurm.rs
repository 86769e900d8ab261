//! A real Slurm on this machine: what it does to tasks, and what comes of it.
//!
//! Each test starts a cluster of its own (`slurm/cluster.sh`), which needs root
//! and the Debian packages slurmctld, slurmd, slurm-client and munge. Without
//! them the tests say so and do nothing, unless `IMLP_REQUIRE_SLURM` is set.
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Scratch, TINY, expect_success, results, stderr};
use serde_json::Value;

const SUBMIT: &[&str] = &["sweep", "--executor=slurm", "--out=o"];

/// One trial that takes some seconds, and keeps checkpoints.
const LONG: &[&str] = &[
    "--alphas=0.5",
    "--no-ends",
    "--seeds=1",
    "--checkpoint-every=0.2s",
    "--set=train.epochs=40",
];

/// Longer than any wait of these tests takes on a busy machine.
const AT_MOST: Duration = Duration::from_secs(240);

struct Cluster {
    scratch: Scratch,
    folder: PathBuf,
}

impl Cluster {
    /// None where there can be no cluster.
    fn start() -> Option<Self> {
        let scratch = Scratch::new();
        let folder = scratch.path("cluster");
        let there = |program: &str| {
            let mut places = ["/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin"].iter();
            places.any(|place| Path::new(place).join(program).exists())
        };
        let missing = ["slurmctld", "slurmd", "munged", "sbatch"]
            .into_iter()
            .find(|program| !there(program));
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let why = match missing {
            Some(program) => format!("{program} is not installed"),
            None if !root => "it needs root".to_owned(),
            None => {
                let cluster = Self { scratch, folder };
                let up = cluster.script("up");
                assert!(up.success(), "the cluster does not come up");
                return Some(cluster);
            }
        };
        assert!(
            std::env::var_os("IMLP_REQUIRE_SLURM").is_none(),
            "no test with Slurm: {why}"
        );
        eprintln!("no test with Slurm: {why}");
        None
    }

    fn script(&self, what: &str) -> std::process::ExitStatus {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slurm/cluster.sh");
        Command::new(script)
            .arg(what)
            .arg(&self.folder)
            .stdin(Stdio::null())
            .status()
            .unwrap()
    }

    fn imlp(&self, arguments: &[&str]) -> Command {
        let mut command = self.scratch.command(arguments);
        command.env("SLURM_CONF", self.folder.join("slurm.conf"));
        command
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) -> String {
        expect_success(&self.imlp(arguments).output().unwrap())
    }

    /// What a program of Slurm prints.
    fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .env("SLURM_CONF", self.folder.join("slurm.conf"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The folder of the only trial, once it has an attempt of that number.
    fn attempted(&self, number: u32) -> PathBuf {
        let trials = self.scratch.path("o/trials");
        let name = format!("attempt-{number:04}.json");
        let mut found = None;
        wait_for("an attempt", || {
            let folders = std::fs::read_dir(&trials).into_iter().flatten();
            found = folders
                .map(|folder| folder.unwrap().path())
                .find(|folder| folder.join(&name).exists());
            found.is_some()
        });
        found.unwrap()
    }

    /// Tasks that were queued again are held for two minutes; these are not. A
    /// node refuses a task that starts in the second in which it was stopped
    /// there ("credential revoked"), so not at once either.
    fn hurry(&self) {
        let held = self.slurm("squeue", &["-h", "-r", "-t", "PD", "-o", "%A"]);
        if held.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_secs(3));
        for task in held.lines() {
            let job = format!("JobId={task}");
            self.slurm("scontrol", &["update", &job, "StartTime=now"]);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nothing of it may outlive the test.
        self.slurm("scancel", &["-u", "root", "-s", "KILL"]);
        self.script("down");
    }
}

#[track_caller]
fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < AT_MOST, "{what}: in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// What an undisturbed run on this machine gives.
fn undisturbed(arguments: &[&str]) -> Vec<Vec<String>> {
    let scratch = Scratch::new();
    expect_success(&scratch.run(&[&["sweep", "--out=o"], arguments, TINY].concat()));
    results(&scratch.path("o"))
}

/// The row of the only trial, collected by submitting once more.
fn collected(cluster: &Cluster, arguments: &[&str]) -> Vec<Vec<String>> {
    cluster.succeed(&[SUBMIT, arguments, TINY].concat());
    results(&cluster.scratch.path("o"))
}

fn processes(of: &str) -> Vec<String> {
    let output = Command::new("pgrep").args(["-f", of]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn signal(name: &str, pid: &str) {
    let status = Command::new("kill").args([name, pid]).status();
    assert!(status.unwrap().success());
}

/// How far the experiment of a page is; nothing of a page that is being replaced.
fn state(page: &str) -> Option<Value> {
    let (_, data) = page.split_once("id=\"data\">")?;
    let (data, _) = data.split_once("</script>")?;
    let data: Value = serde_json::from_str(data).ok()?;
    Some(data["views"][0]["state"].clone())
}

#[test]
fn arrays_do_what_is_missing_and_no_more_than_asked_at_a_time() {
    const AT_ONCE: usize = 2;
    let Some(cluster) = Cluster::start() else {
        return;
    };
    // Eight trials, where an array has six at most.
    let sweep = ["--alphas=0.1,0.5", "--seeds=2"];
    let expected = undisturbed(&sweep);
    let submit = [SUBMIT, &sweep, &["--max-parallel=2", "--wait"], TINY].concat();
    let mut waiting: Child = cluster
        .imlp(&submit)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut most, mut pages) = (0, 0);
    let mut status = None;
    wait_for("the arrays", || {
        let running = cluster.slurm("squeue", &["-h", "-r", "-t", "R", "-o", "%i"]);
        most = most.max(running.lines().count());
        // A task that ends leaves a page that is read again, because others will run.
        let page = std::fs::read_to_string(cluster.scratch.path("o/report.html"));
        if let Some(state) = page.ok().and_then(|page| state(&page)) {
            pages += 1;
            assert!(state["running"] == true || state["done"] == 8, "{state}");
        }
        status = waiting.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success());
    assert!((1..=AT_ONCE).contains(&most), "{most} at a time");
    assert!(pages > 0, "no page while the tasks ran");
    assert_eq!(results(&cluster.scratch.path("o")), expected);

    let again = cluster.succeed(&submit);
    assert!(again.contains("finished: 8 trials"), "{again}");
    assert!(!again.contains("submitted"), "{again}");

    // Two results are gone: two tasks, which have the indices they had.
    let first = json(&cluster.scratch.path("o/batch/0001/submission.json"));
    let task = |array: &Value, at: usize| array["tasks"][at].clone();
    let trials: Vec<&Value> = first["arrays"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|array| array["label"].as_str().unwrap().starts_with("trials"))
        .collect();
    assert_eq!(trials.len(), 2);
    let gone = [task(trials[0], 3), task(trials[1], 1)];
    for task in &gone {
        let trial = task["work"][0].as_str().unwrap();
        std::fs::remove_dir_all(cluster.scratch.path("o/trials").join(trial)).unwrap();
    }
    let again = cluster.succeed(&submit);
    assert!(again.contains("finished: 6 trials"), "{again}");
    let second = json(&cluster.scratch.path("o/batch/0002/submission.json"));
    assert_eq!(
        second["arrays"][0]["tasks"],
        Value::from(vec![gone[0].clone()])
    );
    assert_eq!(
        second["arrays"][1]["tasks"],
        Value::from(vec![gone[1].clone()])
    );
    assert_eq!(results(&cluster.scratch.path("o")), expected);
}

#[test]
fn trials_that_fail_are_told_and_stop_no_other() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let sweep = ["--alphas=0.1,0.5", "--seeds=1", "--cpus=2"];
    // Every trial is stopped at once, and given up.
    let hurried = ["--trial-timeout=1e-9s", "--max-attempts=1", "--wait"];
    let output = cluster
        .imlp(&[SUBMIT, &sweep, &hurried, TINY].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("given up after 1 attempt"));
    cluster.succeed(&["retry", "o"]);

    // The folder of one trial is something else: its task ends with an error.
    let record = json(&cluster.scratch.path("o/batch/0001/submission.json"));
    let mut arrays = record["arrays"].as_array().unwrap().iter();
    let trials = arrays.find(|array| array["label"] == "trials-0").unwrap();
    let broken = trials["tasks"][0]["work"][0].as_str().unwrap();
    let identity = cluster
        .scratch
        .path("o/trials")
        .join(broken)
        .join("identity.json");
    let mut other = json(&identity);
    other["seed"] = 77.into();
    std::fs::write(&identity, other.to_string()).unwrap();
    let output = cluster
        .imlp(&[SUBMIT, &sweep[..2], &["--wait"], TINY].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("without a result or a job: 1 trial;"));
    let status = cluster.succeed(&["status", "o"]);
    assert!(status.contains("done            3"), "{status}");
    let said = cluster.scratch.path("o/batch/0002/logs");
    let logs = std::fs::read_dir(said).unwrap();
    let logs: String = logs
        .map(|log| std::fs::read_to_string(log.unwrap().path()).unwrap())
        .collect();
    assert!(logs.contains("it describes another trial"), "{logs}");
}

#[test]
fn a_task_that_is_queued_again_goes_on_from_its_checkpoint() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let expected = undisturbed(LONG);
    let submit = [SUBMIT, LONG, TINY].concat();
    cluster.succeed(&submit);
    let trial = cluster.attempted(1);
    // Submitting twice is harmless.
    let twice = cluster.succeed(&submit);
    assert!(twice.contains("in the queue: 1 trial\n"), "{twice}");
    let status = cluster.succeed(&["status", "o"]);
    assert!(status.contains("1 running"), "{status}");
    let job = cluster.slurm("squeue", &["-h", "-r", "-t", "R", "-o", "%A"]);
    cluster.slurm("scontrol", &["requeue", &job]);
    let ended = || json(&trial.join("attempt-0001.json"))["ended"].clone();
    wait_for("the first attempt's end", || !ended().is_null());
    assert_eq!(ended()["how"], "interrupted");
    assert_eq!(ended()["kept"], true);
    wait_for("a second result", || {
        cluster.hurry();
        trial.join("result.json").exists()
    });
    assert_eq!(json(&trial.join("result.json"))["content"]["attempt"], 2);
    assert_eq!(collected(&cluster, LONG), expected);

    // A longer one is cancelled, and continues in a terminal.
    let more = [LONG, &["--alphas=0.25"]].concat();
    let more: Vec<&str> = more.into_iter().filter(|a| *a != "--alphas=0.5").collect();
    cluster.succeed(&[SUBMIT, &more, TINY].concat());
    let interrupted = || {
        let status = cluster.succeed(&["status", "o"]);
        status.contains("interrupted")
    };
    wait_for("the trial", || {
        cluster.succeed(&["status", "o"]).contains("running:")
    });
    let cancelled = cluster.succeed(&["cancel", "o"]);
    assert!(cancelled.contains("cancelled: "), "{cancelled}");
    wait_for("the interruption", interrupted);
    let local = [&["sweep", "--out=o"], &more[..], TINY].concat();
    cluster.succeed(&local);
    assert_eq!(results(&cluster.scratch.path("o")), undisturbed(&more));
}

#[test]
fn two_copies_of_a_task_publish_one_result() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let expected = undisturbed(LONG);
    // Nobody is taken for gone: the first copy lives.
    let patient = [LONG, &["--stale-after=600s"]].concat();
    cluster.succeed(&[SUBMIT, &patient, TINY].concat());
    let trial = cluster.attempted(1);
    let pid = json(&trial.join("attempt-0001.json"))["process"]["pid"].to_string();
    signal("-STOP", &pid);
    let node = cluster.slurm("squeue", &["-h", "-r", "-t", "R", "-o", "%N"]);
    let daemon = cluster.folder.join(format!("run/slurmd.{node}.pid"));
    signal("-KILL", std::fs::read_to_string(daemon).unwrap().trim());
    // Slurm takes the node for dead, and starts the task on the other one.
    let label = cluster.scratch.path("o/batch/0001").display().to_string();
    wait_for("a second copy", || {
        cluster.hurry();
        processes(&label).len() == 2
    });
    assert!(!trial.join("result.json").exists());
    // It has seen that another is at it, and waits.
    std::thread::sleep(Duration::from_secs(2));
    assert!(!trial.join("attempt-0002.json").exists());
    signal("-CONT", &pid);
    wait_for("the end of both", || processes(&label).is_empty());
    assert_eq!(json(&trial.join("result.json"))["content"]["attempt"], 1);
    assert!(!trial.join("attempt-0002.json").exists());
    assert_eq!(collected(&cluster, LONG), expected);
}

#[test]
fn a_task_stops_before_its_time_ends_and_goes_on_later() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let expected = undisturbed(LONG);
    let time = ["--time=1", "--stop-before=45s"];
    cluster.succeed(&[SUBMIT, LONG, &time, TINY].concat());
    let trial = cluster.attempted(1);
    // So that the warning finds it at work, however fast the machine is.
    let pid = json(&trial.join("attempt-0001.json"))["process"]["pid"].to_string();
    signal("-STOP", &pid);
    let ended = || !json(&trial.join("attempt-0001.json"))["ended"].is_null();
    wait_for("the warning", || ended() || usr1_is_pending(&pid));
    if !ended() {
        signal("-CONT", &pid);
    }
    wait_for("the result", || {
        cluster.hurry();
        trial.join("result.json").exists()
    });
    let first = json(&trial.join("attempt-0001.json"))["ended"].clone();
    assert_eq!(first["how"], "interrupted");
    assert_eq!(first["kept"], true);
    assert_eq!(json(&trial.join("result.json"))["content"]["attempt"], 2);
    assert_eq!(collected(&cluster, LONG), expected);
}

/// Whether USR1 was sent to a process that is stopped, see proc(5).
fn usr1_is_pending(pid: &str) -> bool {
    const USR1: u64 = 10;
    // Slurm may let it continue before it warns, and then it may have ended.
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    let pending = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
    };
    (pending("SigPnd:") | pending("ShdPnd:")) & (1 << (USR1 - 1)) != 0
}

#[test]
fn a_path_that_no_script_can_name_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    // No cluster is needed: nothing is asked for.
    let scratch = Scratch::new();
    let mut command = scratch.command(&[&["sweep", "--executor=slurm"], TINY].concat());
    command.arg(OsStr::from_bytes(b"--out=caf\xe9"));
    let message = common::expect_refusal(&command.output().unwrap());
    assert!(message.contains("UTF-8"), "{message}");
    assert!(
        !scratch
            .path("")
            .read_dir()
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().as_bytes().starts_with(b"caf") })
    );
}

#[test]
fn greetings_and_paths_with_spaces_do_no_harm() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    // A site's `sbatch` and `squeue`, which greet first.
    let bin = cluster.scratch.path("bin");
    std::fs::create_dir(&bin).unwrap();
    for program in ["sbatch", "squeue"] {
        let place = cluster.slurm("sh", &["-c", &format!("command -v {program}")]);
        let script = format!("#!/bin/sh\necho '*** 3 nodes are down ***'\n{place} \"$@\"\n");
        std::fs::write(bin.join(program), script).unwrap();
        let made = Command::new("chmod")
            .arg("+x")
            .arg(bin.join(program))
            .status();
        assert!(made.unwrap().success());
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let out = "--out=it's a folder";
    let sweep = [
        "sweep",
        "--executor=slurm",
        out,
        "--alphas=0.5",
        "--seeds=1",
    ];
    let submit = [&sweep[..], TINY].concat();
    let said = cluster.imlp(&submit).env("PATH", &path).output().unwrap();
    let said = expect_success(&said);
    assert!(said.contains(r"`imlp status 'it'\''s a folder'`"), "{said}");
    let waiting = [&submit[..], &["--wait"]].concat();
    expect_success(&cluster.imlp(&waiting).env("PATH", &path).output().unwrap());
    assert_eq!(results(&cluster.scratch.path("it's a folder")).len(), 3);
}

#[test]
fn without_a_controller_the_folder_is_still_read() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let sweep = ["--alphas=0.5", "--seeds=1"];
    let submit = [SUBMIT, &sweep, TINY].concat();
    cluster.succeed(&[&submit[..], &["--wait"]].concat());
    let pid = std::fs::read_to_string(cluster.folder.join("run/ctld.pid")).unwrap();
    signal("-KILL", pid.trim());
    let began = Instant::now();
    let more = ["--alphas=0.25", "--seeds=1"];
    let output = cluster
        .imlp(&[SUBMIT, &more, TINY].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("error: scontrol: "), "{said}");
    assert!(said.contains("Nothing is lost"), "{said}");
    let status = cluster.succeed(&["status", "o"]);
    assert!(
        status.contains("the status below is that of the folder alone"),
        "{status}"
    );
    assert!(status.contains("done            2"), "{status}");
    assert!(began.elapsed() < Duration::from_secs(120));
}
