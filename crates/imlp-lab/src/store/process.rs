//! A process on some machine, and whether it has certainly ended.

use serde::{Deserialize, Serialize};

/// A process as others see it through a shared folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Name of the machine, for people.
    pub host: String,
    /// The boot and the process namespace in which `pid` means something; none
    /// where the system does not report it.
    machine: Option<String>,
    /// Process number.
    pub pid: u32,
    /// When it began, in ticks since that boot: process numbers are used again.
    start: Option<u64>,
    /// The scheduler's task in which it runs, as the scheduler writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

impl Process {
    /// This process.
    pub fn this() -> Self {
        let pid = std::process::id();
        Self {
            host: host(),
            machine: machine(),
            pid,
            start: stat(pid).map(|stat| stat.start),
            task: None,
        }
    }

    /// Whether it has certainly ended. A process on another machine never has, as
    /// far as this one can tell.
    pub fn has_ended(&self) -> bool {
        let Some(machine) = &self.machine else {
            return false;
        };
        if machine_is_not(machine) {
            return false;
        }
        if !exists(self.pid) {
            return true;
        }
        // Another process may have its number now, or it may be a zombie.
        stat(self.pid).is_some_and(|stat| stat.ended || Some(stat.start) != self.start)
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)?;
        match &self.task {
            Some(task) => write!(f, ", job {task}"),
            None => Ok(()),
        }
    }
}

fn machine_is_not(machine: &str) -> bool {
    self::machine().as_deref() != Some(machine)
}

fn host() -> String {
    #[cfg(unix)]
    {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    }
    #[cfg(not(unix))]
    {
        std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_owned())
    }
}

/// The boot and the process namespace: two containers of one machine share the boot,
/// but not the process numbers.
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

#[cfg(unix)]
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // A process that we may not signal still exists.
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn exists(_pid: u32) -> bool {
    true
}

struct Stat {
    start: u64,
    ended: bool,
}

/// What `/proc/PID/stat` says; none where there is none.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The program's name, in brackets, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    /// Fields between the state (3) and the start time (22), see proc(5).
    const BETWEEN: usize = 18;
    Some(Stat {
        start: fields.nth(BETWEEN)?.parse().ok()?,
        ended: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_programs_do_not_confuse() {
        let numbers: Vec<String> = (4..=52).map(|i| i.to_string()).collect();
        let text = format!("7 (a) Z (b) S {}", numbers.join(" "));
        let stat = parse_stat(&text).unwrap();
        assert_eq!((stat.start, stat.ended), (22, false));
        assert!(parse_stat("7 (a) Z").is_none());
        let zombie = format!("7 (a) Z {}", numbers.join(" "));
        assert!(parse_stat(&zombie).unwrap().ended);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_has_ended_when_it_is_gone_or_waits_for_its_parent() {
        let this = Process::this();
        assert!(!this.has_ended());
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = child.id();
        let process = Process {
            pid,
            start: stat(pid).map(|s| s.start),
            ..this.clone()
        };
        assert!(!process.has_ended());
        child.kill().unwrap();
        // A killed child is a zombie until it is waited for, and gone after.
        while !process.has_ended() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(process.has_ended());
        let reused = Process {
            start: Some(0),
            ..this.clone()
        };
        assert!(reused.has_ended());
        let elsewhere = Process {
            machine: Some("another boot".to_owned()),
            ..process
        };
        assert!(!elsewhere.has_ended());
    }
}
