//! Heartbeats: each worker counts up a number in a file of its own, and others watch
//! whether it changes.
//!
//! A watcher compares the number with the one it read before, by its own monotonic
//! clock. So no job changes hands because a clock is wrong or jumps, on either
//! machine or on the file server.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::attempt::{self, Attempt};
use super::process::Process;
use crate::error::LabError;
use crate::files::remove_file;

/// Heartbeats within the time after which a silent worker counts as gone, so that a
/// late or missed one does no harm.
const BEATS_PER_STALE: u32 = 6;

/// Longest sign of life that is read: a count, and the names of a process and its host.
const MAX_SIGN_BYTES: u64 = 4096;

/// A thread that counts while the worker lives, and marks the leases that other
/// workers have taken over.
#[derive(Debug)]
pub(super) struct Heartbeat {
    file: PathBuf,
    interval: Duration,
    leases: Arc<Mutex<Vec<Held>>>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

/// A lease that is held: it is lost once another attempt has taken over.
#[derive(Debug)]
struct Held {
    folder: PathBuf,
    attempt: Attempt,
    lost: Weak<AtomicBool>,
}

impl Heartbeat {
    /// Begins to count in `file`.
    ///
    /// # Errors
    /// [`LabError::Io`] when the first heartbeat cannot be written.
    pub(super) fn start(
        file: PathBuf,
        process: Process,
        stale_after: Duration,
    ) -> Result<Self, LabError> {
        let interval = stale_after / BEATS_PER_STALE;
        let leases: Arc<Mutex<Vec<Held>>> = Arc::default();
        let mut sign = Beat {
            count: 0,
            seconds: interval.as_secs_f64(),
            process,
        };
        sign.write(&file)?;
        let (stop, stopped) = channel();
        let (counted, held) = (file.clone(), Arc::clone(&leases));
        let thread = std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    sign.count += 1;
                    // The worker continues: others may take its jobs over, and the
                    // store still accepts only one result.
                    if let Err(error) = sign.write(&counted) {
                        tracing::warn!("{error}");
                    }
                    let mut held = held.lock().expect("no holder panics");
                    held.retain(|lease| lease.is_held());
                }
            })
            .map_err(|error| LabError::Threads(error.to_string()))?;
        Ok(Self {
            file,
            interval,
            leases,
            thread: Some((stop, thread)),
        })
    }

    /// Time between two heartbeats.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// A flag that is set once `attempt` is superseded.
    pub(super) fn watch_lease(&self, folder: &Path, attempt: &Attempt) -> Arc<AtomicBool> {
        let lost = Arc::new(AtomicBool::new(false));
        self.leases.lock().expect("no holder panics").push(Held {
            folder: folder.to_owned(),
            attempt: attempt.clone(),
            lost: Arc::downgrade(&lost),
        });
        lost
    }
}

impl Held {
    /// Whether it is still held; marks it as lost if it is not.
    fn is_held(&self) -> bool {
        let Some(lost) = self.lost.upgrade() else {
            return false;
        };
        let taken_over = attempt::is_superseded(&self.folder, &self.attempt);
        if taken_over {
            lost.store(true, Ordering::Relaxed);
        }
        !taken_over
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            // A panic in it has been printed.
            let _ = thread.join();
        }
        if let Err(error) = remove_file(&self.file) {
            tracing::warn!("{error}");
        }
    }
}

/// What a heartbeat file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beat {
    count: u64,
    /// Seconds between two heartbeats.
    pub(super) seconds: f64,
    /// Whose it is.
    pub(super) process: Process,
}

impl Beat {
    /// Writes it in place: a reader that sees half of it sees a change.
    fn write(&self, file: &Path) -> Result<(), LabError> {
        let mut line = serde_json::to_vec(self).expect("a heartbeat has only text keys");
        line.push(b'\n');
        std::fs::write(file, &line).map_err(LabError::io("write", file))
    }
}

/// What this process has seen of other workers.
#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    stale_after: Duration,
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Debug)]
struct Seen {
    sign: Option<Vec<u8>>,
    since: Instant,
}

impl Watch {
    /// Watches the files in `folder`.
    pub(super) fn new(folder: PathBuf, stale_after: Duration) -> Self {
        Self {
            folder,
            stale_after,
            seen: Mutex::default(),
        }
    }

    /// Whether the worker of `attempt` is gone: its process has certainly ended, or
    /// its heartbeat has stood still for too long.
    pub(super) fn is_gone(&self, attempt: &Attempt) -> bool {
        attempt.process.has_ended() || self.is_silent(attempt, Instant::now())
    }

    fn is_silent(&self, attempt: &Attempt, now: Instant) -> bool {
        let sign = imlp_input::read(&file(&self.folder, &attempt.worker), MAX_SIGN_BYTES).ok();
        // A worker with a long --stale-after beats seldom.
        let own = Duration::try_from_secs_f64(attempt.beat_seconds).unwrap_or_default();
        let patience = self
            .stale_after
            .max(own.saturating_mul(BEATS_PER_STALE / 2));
        let mut seen = self.seen.lock().expect("no holder panics");
        match seen.get(&attempt.worker) {
            Some(seen) if seen.sign == sign => now.duration_since(seen.since) >= patience,
            _ => {
                let first = Seen { sign, since: now };
                seen.insert(attempt.worker.clone(), first);
                false
            }
        }
    }
}

/// The file in which `worker` counts.
pub(super) fn file(folder: &Path, worker: &str) -> PathBuf {
    folder.join(format!("{worker}.beat"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_json;

    fn attempt(worker: &str, began: u64) -> Attempt {
        Attempt {
            number: 1,
            worker: worker.to_owned(),
            process: Process::this(),
            beat_seconds: 0.0,
            began,
            ended: None,
        }
    }

    #[test]
    fn silence_is_judged_by_change_and_the_own_steady_clock() {
        let folder = tempfile::tempdir().unwrap();
        let stale_after = Duration::from_secs(60);
        let watch = Watch::new(folder.path().to_owned(), stale_after);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        // Clocks that are years apart, in either direction, decide nothing.
        for (worker, began) in [("past", 0), ("future", u64::MAX)] {
            let attempt = attempt(worker, began);
            let beat = |count| {
                let sign = Beat {
                    count,
                    seconds: 10.0,
                    process: Process::this(),
                };
                sign.write(&file(folder.path(), worker)).unwrap();
            };
            beat(0);
            assert!(!watch.is_silent(&attempt, at(0)), "seen for the first time");
            assert!(!watch.is_silent(&attempt, at(59)));
            beat(1);
            assert!(!watch.is_silent(&attempt, at(61)), "it has counted on");
            assert!(!watch.is_silent(&attempt, at(120)));
            assert!(watch.is_silent(&attempt, at(121)));
            // A counter that goes back is a sign of life too.
            beat(0);
            assert!(!watch.is_silent(&attempt, at(500)));
        }
    }

    #[test]
    fn a_patient_worker_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(folder.path().to_owned(), Duration::from_secs(6));
        let start = Instant::now();
        let slow = Attempt {
            beat_seconds: 10.0,
            ..attempt("slow", 0)
        };
        assert!(!watch.is_silent(&slow, start));
        assert!(!watch.is_silent(&slow, start + Duration::from_secs(29)));
        assert!(watch.is_silent(&slow, start + Duration::from_secs(30)));
    }

    #[test]
    fn a_lease_learns_that_it_was_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let stale_after = Duration::from_millis(6);
        let file = folder.path().join("w.beat");
        let heart = Heartbeat::start(file, Process::this(), stale_after).unwrap();
        let third = Attempt {
            number: 3,
            ..attempt("w", 9)
        };
        write_json(&attempt::path(folder.path(), 3), &third).unwrap();
        let lost = heart.watch_lease(folder.path(), &third);
        assert!(!lost.load(Ordering::Relaxed));
        std::fs::write(attempt::path(folder.path(), 4), "{}").unwrap();
        while !lost.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        // A folder that is removed takes the lease with it.
        let swept = folder.path().join("swept");
        std::fs::create_dir(&swept).unwrap();
        write_json(&attempt::path(&swept, 1), &attempt("w", 9)).unwrap();
        let lost = heart.watch_lease(&swept, &attempt("w", 9));
        std::thread::sleep(5 * stale_after);
        assert!(!lost.load(Ordering::Relaxed));
        std::fs::remove_dir_all(&swept).unwrap();
        while !lost.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        drop(heart);
        assert!(!folder.path().join("w.beat").exists());
    }
}
