//! Slurm, through its command-line programs (`sbatch`, `squeue`, `sacct`,
//! `scancel`, `scontrol`).

use std::ffi::OsString;
use std::time::Duration;

use super::call::call;
use super::scheduler::{ArrayJob, EndedTask, QueuedTask, Scheduler};
use crate::error::LabError;

/// The scheduler's name.
pub(super) const NAME: &str = "slurm";

/// Time limit of a query: longer than a busy controller needs, shorter than a person
/// waits.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Time limit of a submission, which a busy controller answers late.
const SUBMISSION_TIME_LIMIT: Duration = Duration::from_secs(60);

/// Options of `sbatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    /// `--partition`.
    pub partition: Option<String>,
    /// `--time`.
    pub time: Option<String>,
    /// `--gres`.
    pub gres: Option<String>,
    /// `--cpus-per-task`.
    pub cpus: Option<u32>,
    /// Seconds between the warning to a task, which then saves a checkpoint and queues
    /// again, and its time limit.
    pub warn_seconds: u32,
    /// More options, passed unchanged.
    pub more: Vec<String>,
}

/// Slurm.
#[derive(Clone, Debug, Default)]
pub struct Slurm {
    /// Options of `sbatch`.
    pub options: SlurmOptions,
}

impl Scheduler for Slurm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn index_variable(&self) -> &'static str {
        "SLURM_ARRAY_TASK_ID"
    }

    fn index_limit(&self) -> Result<u32, LabError> {
        let config = call("scontrol", ["show", "config"], TIME_LIMIT)?;
        match max_array_size(&config) {
            Some(0) => Err(LabError::Scheduler {
                program: "scontrol",
                reason: "this cluster allows no job arrays (MaxArraySize = 0)".to_owned(),
            }),
            Some(limit) => Ok(limit),
            None => Err(not_understood("scontrol", "no MaxArraySize in its answer")),
        }
    }

    fn submit(&self, array: &ArrayJob<'_>) -> Result<String, LabError> {
        let answer = call("sbatch", self.sbatch(array), SUBMISSION_TIME_LIMIT)?;
        submitted(&answer).ok_or_else(|| not_understood("sbatch", answer.trim()))
    }

    fn queue(&self, names: &[&str]) -> Result<Vec<QueuedTask>, LabError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let list = names.join(",");
        let arguments = ["-h", "-r", "-n", &list, "-o", "%j|%F|%K|%t|%r"];
        let answer = call("squeue", arguments, TIME_LIMIT)?;
        // Other lines are a site's greetings.
        let is_task = |line: &&str| {
            let name = line.trim().split('|').next();
            name.is_some_and(|name| names.contains(&name))
        };
        answer
            .lines()
            .filter(is_task)
            .map(|line| queued(line).ok_or_else(|| not_understood("squeue", line)))
            .collect()
    }

    fn ended(&self, jobs: &[&str]) -> Result<Vec<EndedTask>, LabError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let jobs = jobs.join(",");
        let arguments = ["-n", "-P", "-X", "-j", &jobs, "-o", "JobID,State,ExitCode"];
        match call("sacct", arguments, TIME_LIMIT) {
            Ok(answer) => Ok(answer.lines().filter_map(ended).collect()),
            // A cluster without accounting.
            Err(LabError::Scheduler { reason, .. }) if reason.contains("disabled") => {
                Ok(Vec::new())
            }
            Err(other) => Err(other),
        }
    }

    fn cancel(&self, jobs: &[&str]) -> Result<(), LabError> {
        call("scancel", jobs, TIME_LIMIT).map(|_| ())
    }

    fn this_task(&self) -> Option<String> {
        let of = |name: &str| std::env::var(name).ok();
        let (job, index) = of("SLURM_ARRAY_JOB_ID").zip(of("SLURM_ARRAY_TASK_ID"))?;
        Some(task_name(&job, index.parse().ok()?))
    }

    fn requeue_this_task(&self) -> Result<(), LabError> {
        let job = std::env::var("SLURM_JOB_ID").map_err(|_| LabError::Scheduler {
            program: "scontrol",
            reason: "SLURM_JOB_ID is not set: this is no task of Slurm".to_owned(),
        })?;
        call("scontrol", ["requeue", &job], TIME_LIMIT).map(|_| ())
    }
}

impl Slurm {
    /// The arguments of `sbatch`. They come before the script, whose lines have
    /// no quoting that suits every path.
    fn sbatch(&self, array: &ArrayJob<'_>) -> Vec<OsString> {
        let options = &self.options;
        // The tasks of a failed node run again, and must not overwrite their earlier
        // output.
        let mut arguments: Vec<OsString> = ["--parsable", "--requeue", "--open-mode=append"]
            .map(OsString::from)
            .to_vec();
        let mut add =
            |option: &str, value: &str| arguments.push(format!("{option}={value}").into());
        add("--job-name", array.name);
        let mut indices = ranges(array.indices);
        if let Some(max_parallel) = array.max_parallel {
            indices.push_str(&format!("%{max_parallel}"));
        }
        add("--array", &indices);
        if !array.after.is_empty() {
            add(
                "--dependency",
                &format!("afterany:{}", array.after.join(":")),
            );
        }
        for (option, value) in [
            ("--partition", &options.partition),
            ("--time", &options.time),
            ("--gres", &options.gres),
        ] {
            if let Some(value) = value {
                add(option, value);
            }
        }
        if let Some(cpus) = options.cpus {
            add("--cpus-per-task", &cpus.to_string());
        }
        if options.time.is_some() {
            // `B`: to the process of the script, which is the worker.
            add("--signal", &format!("B:USR1@{}", options.warn_seconds));
        }
        // In file names % has a meaning.
        let logs = array.logs.to_string_lossy().replace('%', "%%");
        add("--output", &format!("{logs}/%x-%a.txt"));
        arguments.extend(options.more.iter().map(OsString::from));
        arguments.push(array.script.into());
        arguments
    }
}

/// `12_3`, as Slurm writes it.
fn task_name(job: &str, index: u32) -> String {
    format!("{job}_{index}")
}

fn not_understood(program: &'static str, answer: &str) -> LabError {
    LabError::Scheduler {
        program,
        reason: format!("its answer is not understood: {}", answer.escape_debug()),
    }
}

/// The job's number in the answer of `sbatch --parsable`: the last line of the form `JOB`
/// or `JOB;CLUSTER`, which a site's greetings may surround.
fn submitted(answer: &str) -> Option<String> {
    let mut lines = answer.lines().rev().map(str::trim);
    lines.find_map(|line| {
        let (job, cluster) = line.split_once(';').unwrap_or((line, ""));
        let is_job = !job.is_empty() && job.bytes().all(|b| b.is_ascii_digit());
        let is_name = !cluster.contains(char::is_whitespace);
        (is_job && is_name).then(|| job.to_owned())
    })
}

/// `0-2,5`: increasing indices, as `--array` takes them.
fn ranges(indices: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &index in indices {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => ranges.push((index, index)),
        }
    }
    let ranges: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        })
        .collect();
    ranges.join(",")
}

fn max_array_size(config: &str) -> Option<u32> {
    config.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "MaxArraySize").then(|| value.trim().parse().ok())?
    })
}

/// A line of `squeue`: name, job, index, state, reason.
fn queued(line: &str) -> Option<QueuedTask> {
    let mut fields = line.trim().splitn(5, '|');
    let array = fields.next()?.to_owned();
    let job = fields.next()?.to_owned();
    let index = fields.next()?.parse().ok()?;
    // Pending, also while it is held or waits after it was queued again; all
    // other states have a node.
    let running = fields.next()? != "PD";
    let reason = fields.next()?.to_owned();
    Some(QueuedTask {
        task: task_name(&job, index),
        array,
        index,
        job,
        running,
        reason,
    })
}

/// A line of `sacct`: `12_3|OUT_OF_MEMORY|0:125`; none for other lines, such as
/// those of tasks that have not ended.
fn ended(line: &str) -> Option<EndedTask> {
    let mut fields = line.trim().split('|');
    let task = fields.next()?;
    let (job, index) = task.split_once('_')?;
    let (state, exit) = (fields.next()?, fields.next()?);
    if ["PENDING", "RUNNING", "REQUEUED", "SUSPENDED"].contains(&state) {
        return None;
    }
    Some(EndedTask {
        task: task.to_owned(),
        job: job.to_owned(),
        index: index.parse().ok()?,
        how: format!("{state}, exit code {exit}"),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn indices_are_written_as_ranges() {
        for (indices, text) in [
            (&[0u32][..], "0"),
            (&[0, 1, 2, 5], "0-2,5"),
            (&[1, 3, 4, 7, 8, 9], "1,3-4,7-9"),
        ] {
            assert_eq!(ranges(indices), text);
        }
    }

    #[test]
    fn what_sbatch_is_asked_for() {
        let slurm = Slurm {
            options: SlurmOptions {
                partition: Some("short".to_owned()),
                time: Some("1:00:00".to_owned()),
                gres: None,
                cpus: Some(4),
                warn_seconds: 90,
                more: vec!["--mail-type=END".to_owned()],
            },
        };
        let arguments = slurm.sbatch(&ArrayJob {
            name: "imlp-7",
            script: Path::new("/s p/a.sh"),
            indices: &[2, 3],
            max_parallel: Some(8),
            after: &["7".to_owned(), "9".to_owned()],
            logs: Path::new("/s p/100%"),
        });
        let arguments: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
        for expected in [
            "--array=2-3%8",
            "--dependency=afterany:7:9",
            "--partition=short",
            "--time=1:00:00",
            "--cpus-per-task=4",
            "--signal=B:USR1@90",
            "--output=/s p/100%%/%x-%a.txt",
            "--mail-type=END",
        ] {
            assert!(arguments.iter().any(|a| a == expected), "{arguments:?}");
        }
        assert_eq!(arguments.last().unwrap(), "/s p/a.sh");
        assert!(!arguments.iter().any(|a| a.starts_with("--gres")));
    }

    #[test]
    fn answers_are_read() {
        let config = "MailProg = /bin/mail\nMaxArraySize            = 1001\nMaxJobCount = 9";
        assert_eq!(max_array_size(config), Some(1001));
        for (answer, job) in [
            ("1234\n", Some("1234")),
            ("1234;cluster\n", Some("1234")),
            (
                "*** Welcome to 2026 ***\n3 nodes are down; sorry\n\n77;big\n",
                Some("77"),
            ),
            ("5\nThe queue is long today.\n", Some("5")),
            ("", None),
            ("Submitted batch job 12", None),
            ("12 13", None),
            (";cluster", None),
        ] {
            assert_eq!(submitted(answer).as_deref(), job, "{answer}");
        }
        let task = queued("imlp-7|12|3|PD|JobArrayTaskLimit").unwrap();
        assert_eq!((task.index, task.running), (3, false));
        assert_eq!((task.job.as_str(), task.array.as_str()), ("12", "imlp-7"));
        assert!(queued("imlp-7|12|3|CG|None").unwrap().running);
        assert_eq!(queued("imlp-7|12|N/A|R|None"), None);
        let how = ended("12_3|OUT_OF_MEMORY|0:125").unwrap().how;
        assert_eq!(how, "OUT_OF_MEMORY, exit code 0:125");
        assert_eq!(ended("12_3|RUNNING|0:0"), None);
        assert_eq!(ended("12_[4-7]|PENDING|0:0"), None);
    }
}
