//! The right to work on a trial or a prior, and to publish what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::attempt::{self, Attempt, Ended, Ending, attempts, fruitless, now};
use super::heartbeat::{Heartbeat, Watch, file};
use super::process::Process;
use super::{checkpoint, sealed};
use crate::LabError;
use crate::experiment::Policy;
use crate::files::{create_folder, read_json, write_json, write_new_json};
use crate::identity::Identity;

/// The file that makes a piece of work finished.
pub(super) const RESULT: &str = "result.json";

/// What decides the result, for people and against mix-ups.
pub(super) const IDENTITY: &str = "identity.json";

/// A result with where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published<T> {
    /// The attempt that published it.
    pub attempt: u32,
    /// The process that did.
    pub process: Process,
    /// When the attempt began, seconds since 1970 by that machine's clock.
    pub began: u64,
    /// When it was published, likewise.
    pub at: u64,
    /// The result.
    pub result: T,
}

/// One process at work on a store.
#[derive(Debug)]
pub struct Worker {
    name: String,
    process: Process,
    policy: Policy,
    heartbeat: Heartbeat,
    watch: Watch,
}

/// How it stands with a piece of work, for one worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It can be asked for, as this attempt.
    Free(u32),
    /// Another worker is at it.
    Busy,
    /// There is a result.
    Finished,
    /// It ended with an error, or was given up.
    Failed(String),
}

/// What came of asking for a piece of work.
#[derive(Debug)]
pub enum Claim {
    /// It is this worker's now.
    Mine(Lease),
    /// Another worker is at it.
    Busy,
    /// There is a result.
    Finished,
    /// It ended with an error, or was given up; `imlp retry` tries it again.
    Failed(String),
}

/// The right to work on one trial or prior.
#[derive(Debug)]
pub struct Lease {
    folder: PathBuf,
    attempt: Attempt,
    lost: Arc<AtomicBool>,
}

impl Worker {
    /// Announces this process, which runs as `task` of a scheduler if it does, in
    /// the folder `workers`.
    ///
    /// # Errors
    /// [`LabError::Io`]: a folder that cannot be written to.
    pub(super) fn join(
        workers: &Path,
        policy: Policy,
        task: Option<String>,
    ) -> Result<Self, LabError> {
        create_folder(workers)?;
        let mut process = Process::this();
        process.task = task;
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let host: String = process.host.chars().map(plain).collect();
        // One process may work through several stores that are one folder.
        static JOINED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = JOINED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{host}-{}-{}-{count}", process.pid, now());
        let heartbeat = Heartbeat::start(file(workers, &name), policy.stale_after)?;
        Ok(Self {
            watch: Watch::new(workers.to_owned(), policy.stale_after),
            name,
            process,
            policy,
            heartbeat,
        })
    }

    /// How it stands with the work in `folder`, for this worker.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub(super) fn look(&self, folder: &Path) -> Result<Standing, LabError> {
        if has_result(folder)? {
            return Ok(Standing::Finished);
        }
        let earlier = attempts(folder)?;
        let Some((number, last)) = earlier.last() else {
            return Ok(Standing::Free(1));
        };
        match last.as_ref().map(|last| (last, &last.ended)) {
            Some((last, None)) if !self.watch.is_gone(last) => return Ok(Standing::Busy),
            Some((_, Some(ended))) if ended.how == Ending::Failed => {
                let reason = ended.reason.clone();
                return Ok(Standing::Failed(reason.unwrap_or_default()));
            }
            _ => {}
        }
        let fruitless = fruitless(&earlier);
        if fruitless >= self.policy.max_attempts {
            return Ok(Standing::Failed(format!(
                "given up after {fruitless} attempts without an end (the last one {})",
                ending_in_words(last.as_ref())
            )));
        }
        Ok(Standing::Free(number + 1))
    }

    /// Asks for the work in `folder`, which is what `identity` says.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Damaged`] when the folder is of something
    /// else.
    pub(super) fn claim(&self, folder: &Path, identity: &Identity) -> Result<Claim, LabError> {
        let number = match self.look(folder)? {
            Standing::Free(number) => number,
            Standing::Busy => return Ok(Claim::Busy),
            Standing::Finished => return Ok(Claim::Finished),
            Standing::Failed(reason) => return Ok(Claim::Failed(reason)),
        };
        create_folder(folder)?;
        check_identity(folder, identity)?;
        let attempt = Attempt {
            number,
            worker: self.name.clone(),
            process: self.process.clone(),
            beat_seconds: self.heartbeat.interval().as_secs_f64(),
            began: now(),
            ended: None,
        };
        if !write_new_json(&attempt::path(folder, number), &attempt)? {
            return Ok(Claim::Busy);
        }
        let lease = Lease {
            lost: self.heartbeat.watch_lease(folder, number),
            folder: folder.to_owned(),
            attempt,
        };
        // The attempt before may have published while this one was made.
        if has_result(folder)? {
            lease.end(Ending::Superseded, None)?;
            return Ok(Claim::Finished);
        }
        if number > 1 {
            tracing::info!("attempt {number} at {}", folder.display());
        }
        Ok(Claim::Mine(lease))
    }
}

/// `interrupted`, `timed out` or `lost`, of an attempt without result or error.
pub(super) fn ending_in_words(attempt: Option<&Attempt>) -> &'static str {
    let ended = attempt.and_then(|attempt| attempt.ended.as_ref());
    match ended.map(|ended| ended.how) {
        Some(Ending::Interrupted) => "interrupted",
        Some(Ending::TimedOut) => "timed out",
        _ => "lost",
    }
}

impl Lease {
    /// Which attempt this is.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// The folder of the work.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether another attempt has taken over: what is done from here on is for
    /// nothing.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// As [`is_lost`](Self::is_lost), by looking now.
    pub(super) fn is_superseded(&self) -> bool {
        attempt::path(&self.folder, self.attempt.number + 1).exists()
    }

    /// Publishes `result` and ends the attempt; gives what was published, none
    /// when another attempt has taken over or has published. Of all attempts at
    /// one piece of work, by any processes on any hosts, exactly one is given it.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn publish<T: Serialize>(self, result: T) -> Result<Option<Published<T>>, LabError> {
        let folder = self.folder.clone();
        let path = folder.join(RESULT);
        let result = Published {
            attempt: self.attempt.number,
            process: self.attempt.process.clone(),
            began: self.attempt.began,
            at: now(),
            result,
        };
        let published = self.unless_superseded(|| sealed::write_new(&path, &result))? == Some(true);
        let how = if published {
            Ending::Published
        } else {
            Ending::Superseded
        };
        self.end(how, None)?;
        if published {
            checkpoint::remove(&folder)?;
        }
        Ok(published.then_some(result))
    }

    /// Ends the attempt without a result.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn end(self, how: Ending, reason: Option<String>) -> Result<(), LabError> {
        let path = attempt::path(&self.folder, self.attempt.number);
        let mut attempt = self.attempt.clone();
        attempt.ended = Some(Ended {
            how,
            at: now(),
            kept: checkpoint::is_kept(&self.folder, self.attempt.number)?,
            reason,
        });
        self.unless_superseded(|| write_json(&path, &attempt))?;
        Ok(())
    }

    /// Writes into the folder; none when another attempt has taken over: what
    /// this one fails to write then is missed by nobody.
    pub(super) fn unless_superseded<T>(
        &self,
        write: impl FnOnce() -> Result<T, LabError>,
    ) -> Result<Option<T>, LabError> {
        if self.is_superseded() {
            return Ok(None);
        }
        match write() {
            Err(_) if self.is_superseded() => Ok(None),
            outcome => outcome.map(Some),
        }
    }
}

/// Whether `folder` holds a whole result. One that is damaged is set aside, so
/// that the work is done again.
fn has_result(folder: &Path) -> Result<bool, LabError> {
    let path = folder.join(RESULT);
    match sealed::read::<serde_json::Value>(&path) {
        Ok(result) => Ok(result.is_some()),
        Err(error @ LabError::Damaged { .. }) => {
            set_aside(&path, &error)?;
            Ok(false)
        }
        Err(other) => Err(other),
    }
}

/// Renames a damaged file, so that it is not read again and not lost either.
pub(super) fn set_aside(path: &Path, error: &LabError) -> Result<(), LabError> {
    let aside = path.with_extension(format!("damaged-{}", now()));
    tracing::warn!("{error} (set aside as {})", aside.display());
    match std::fs::rename(path, &aside) {
        // Another worker has set it aside.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(LabError::io("rename", path)),
    }
}

/// Notes what the folder is of, and refuses one that is of something else.
fn check_identity(folder: &Path, identity: &Identity) -> Result<(), LabError> {
    let path = folder.join(IDENTITY);
    match read_json::<Identity>(&path) {
        Ok(Some(there)) if there == *identity => Ok(()),
        Ok(Some(_)) => Err(LabError::Damaged {
            path,
            reason: "it describes another trial than its folder's name".to_owned(),
        }),
        Ok(None) => write_json(&path, identity),
        // It follows from the folder's name; nothing is lost.
        Err(LabError::Damaged { .. }) => write_json(&path, identity),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::files::unfinished;

    fn identity() -> Identity {
        Identity {
            results_version: 1,
            burn_version: String::new(),
            backend: String::new(),
            data_checksum: String::new(),
            config: json!({}),
            seed: 0,
        }
    }

    /// The policy of tests: nobody waits.
    fn policy() -> Policy {
        Policy {
            stale_after: std::time::Duration::from_secs(60),
            ..Policy::default()
        }
    }

    #[test]
    fn of_many_that_ask_at_once_one_is_told_that_it_is_theirs() {
        const ASKING: usize = 8;
        const ROUNDS: usize = 100;
        let root = tempfile::tempdir().unwrap();
        let workers: Vec<Worker> = (0..ASKING)
            .map(|_| Worker::join(&root.path().join("workers"), policy(), None).unwrap())
            .collect();
        for round in 0..ROUNDS {
            let folder = root.path().join(format!("{round}"));
            let start = std::sync::Barrier::new(ASKING);
            let claims: Vec<Claim> = std::thread::scope(|scope| {
                let asking: Vec<_> = workers
                    .iter()
                    .map(|worker| {
                        scope.spawn(|| {
                            start.wait();
                            worker.claim(&folder, &identity()).unwrap()
                        })
                    })
                    .collect();
                asking.into_iter().map(|a| a.join().unwrap()).collect()
            });
            let (mine, others): (Vec<_>, Vec<_>) = claims
                .into_iter()
                .partition(|claim| matches!(claim, Claim::Mine(_)));
            assert_eq!(mine.len(), 1, "round {round}");
            for claim in others {
                assert!(matches!(claim, Claim::Busy), "{claim:?}");
            }
            assert_eq!(unfinished(&folder).unwrap(), [] as [PathBuf; 0]);
        }
    }

    #[test]
    fn an_attempt_that_was_taken_over_publishes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let folder = root.path().join("trial");
        let Claim::Mine(old) = worker.claim(&folder, &identity()).unwrap() else {
            panic!("nobody else asks");
        };
        // As another worker that takes the first for gone would.
        let new = Attempt {
            number: 2,
            ..old.attempt.clone()
        };
        assert!(write_new_json(&attempt::path(&folder, 2), &new).unwrap());
        let new = Lease {
            folder: folder.clone(),
            attempt: new,
            lost: Arc::default(),
        };
        assert!(old.publish("old").unwrap().is_none());
        assert!(!folder.join(RESULT).exists());
        assert!(new.publish("new").unwrap().is_some());
        let there: Published<String> = sealed::read(&folder.join(RESULT)).unwrap().unwrap();
        assert_eq!((there.attempt, there.result.as_str()), (2, "new"));
        let claim = worker.claim(&folder, &identity()).unwrap();
        assert!(matches!(claim, Claim::Finished), "{claim:?}");
    }

    #[test]
    fn a_result_is_published_once_even_by_two_that_both_believe_to_hold_it() {
        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let folder = root.path().join("trial");
        let Claim::Mine(lease) = worker.claim(&folder, &identity()).unwrap() else {
            panic!("nobody else asks");
        };
        let copy = Lease {
            folder: folder.clone(),
            attempt: lease.attempt.clone(),
            lost: Arc::default(),
        };
        let told = std::thread::scope(|scope| {
            let one = scope.spawn(|| lease.publish(1).unwrap());
            let two = scope.spawn(|| copy.publish(2).unwrap());
            [one.join().unwrap(), two.join().unwrap()]
        });
        assert_eq!(told.iter().filter(|told| told.is_some()).count(), 1);
    }

    #[test]
    fn a_folder_of_something_else_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let folder = root.path().join("trial");
        let claim = worker.claim(&folder, &identity()).unwrap();
        let Claim::Mine(lease) = claim else {
            panic!("nobody else asks");
        };
        lease.end(Ending::Interrupted, None).unwrap();
        let other = Identity {
            seed: 1,
            ..identity()
        };
        let refused = worker.claim(&folder, &other);
        assert!(matches!(refused, Err(LabError::Damaged { .. })));
    }

    #[test]
    fn a_checkpoint_is_due_once_after_so_many_epochs() {
        use imlp_train::Checkpoints;

        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let claim = worker.claim(&root.path().join("trial"), &identity());
        let Claim::Mine(lease) = claim.unwrap() else {
            panic!("nobody else asks");
        };
        let every = crate::experiment::CheckpointEvery::Epochs(3);
        let checkpoints = checkpoint::LeaseCheckpoints::new(&lease, every);
        // As a trial asks: after each step and at each end of an epoch.
        let asked = [0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 6, 6, 7];
        let due: Vec<u32> = asked
            .into_iter()
            .filter(|epochs| checkpoints.due(*epochs))
            .collect();
        assert_eq!(due, [3, 6]);
    }

    #[test]
    fn an_interruption_that_kept_a_checkpoint_counts_for_nothing() {
        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let folder = root.path().join("trial");
        for _ in 0..2 * policy().max_attempts {
            let Claim::Mine(lease) = worker.claim(&folder, &identity()).unwrap() else {
                panic!("it can always be asked for");
            };
            let name = format!("checkpoint-{:04}-000000-00.safetensors", lease.attempt());
            std::fs::write(folder.join(name), "").unwrap();
            lease.end(Ending::Interrupted, None).unwrap();
        }
    }

    #[test]
    fn what_ends_without_a_result_is_tried_again_up_to_the_limit() {
        let root = tempfile::tempdir().unwrap();
        let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
        let folder = root.path().join("trial");
        for number in 1..=policy().max_attempts {
            match worker.claim(&folder, &identity()).unwrap() {
                Claim::Mine(lease) => {
                    assert_eq!(lease.attempt(), number);
                    lease.end(Ending::TimedOut, None).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        match worker.claim(&folder, &identity()).unwrap() {
            Claim::Failed(reason) => assert!(reason.contains("timed out"), "{reason}"),
            other => panic!("{other:?}"),
        }
        let failed = root.path().join("failed");
        let Claim::Mine(lease) = worker.claim(&failed, &identity()).unwrap() else {
            panic!("nobody else asks");
        };
        let reason = Some("out of luck".to_owned());
        lease.end(Ending::Failed, reason).unwrap();
        let claim = worker.claim(&failed, &identity()).unwrap();
        assert!(matches!(claim, Claim::Failed(reason) if reason == "out of luck"));
    }
}
