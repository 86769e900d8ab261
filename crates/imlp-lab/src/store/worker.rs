//! A process that takes jobs from a store.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::attempt::{self, Attempt, Ending, attempts, given_up, now};
use super::despite_sweeping::despite_sweeping;
use super::heartbeat::{Heartbeat, Watch, file};
use super::lease::Lease;
use super::process::Process;
use super::result::has_result;
use crate::error::LabError;
use crate::experiment::Policy;
use crate::files::{create_folder, read_json, write_json, write_new_json};
use crate::identity::Identity;

/// What decides a job's result, for people and against mix-ups.
pub(super) const IDENTITY: &str = "identity.json";

/// A process that takes jobs from a store.
#[derive(Debug)]
pub struct Worker {
    name: String,
    process: Process,
    policy: Policy,
    heartbeat: Heartbeat,
    watch: Watch,
}

/// Whether a worker can take a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Availability {
    /// It can, as the attempt of this number.
    Free(u32),
    /// Another worker has it.
    Busy,
    /// It has a result.
    Finished,
    /// It ended with an error, or too many attempts ended without a result.
    Failed(String),
}

/// Answer to a worker that tries to take a job.
#[derive(Debug)]
pub enum Claim {
    /// The worker has it.
    Acquired(Lease),
    /// Another worker has it.
    Busy,
    /// It has a result.
    Finished,
    /// It failed; `imlp retry` lets it run again.
    Failed(String),
}

impl Worker {
    /// Registers this process, which may be the `task` of a scheduler, in the
    /// folder `workers`.
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
        // A process may join one folder several times.
        static JOINED: AtomicU32 = AtomicU32::new(0);
        let count = JOINED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{host}-{}-{}-{count}", process.pid, now());
        let file = file(workers, &name);
        let heartbeat = Heartbeat::start(file, process.clone(), policy.stale_after)?;
        Ok(Self {
            watch: Watch::new(workers.to_owned(), policy.stale_after),
            name,
            process,
            policy,
            heartbeat,
        })
    }

    /// Whether this worker can take the job in `folder`.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub(super) fn poll(&self, folder: &Path) -> Result<Availability, LabError> {
        if has_result(folder)? {
            return Ok(Availability::Finished);
        }
        let earlier = attempts(folder)?;
        let Some((number, last)) = earlier.last() else {
            return Ok(Availability::Free(1));
        };
        match last.as_ref().map(|last| (last, &last.ended)) {
            Some((last, None)) if !self.watch.is_gone(last) => return Ok(Availability::Busy),
            Some((_, Some(ended))) if ended.how == Ending::Failed => {
                let reason = ended.reason.clone();
                return Ok(Availability::Failed(reason.unwrap_or_default()));
            }
            _ => {}
        }
        if let Some(reason) = given_up(&earlier, self.policy.max_attempts) {
            return Ok(Availability::Failed(reason));
        }
        Ok(Availability::Free(number + 1))
    }

    /// Tries to take the job in `folder`, whose result `identity` decides.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Damaged`] when the folder belongs to another
    /// job; [`LabError::NotFetched`].
    pub(super) fn claim(&self, folder: &Path, identity: &Identity) -> Result<Claim, LabError> {
        despite_sweeping(|| self.try_to_claim(folder, identity))
    }

    fn try_to_claim(&self, folder: &Path, identity: &Identity) -> Result<Claim, LabError> {
        let number = match self.poll(folder)? {
            Availability::Free(number) => number,
            Availability::Busy => return Ok(Claim::Busy),
            Availability::Finished => return Ok(Claim::Finished),
            Availability::Failed(reason) => return Ok(Claim::Failed(reason)),
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
            lost: self.heartbeat.watch_lease(folder, &attempt),
            folder: folder.to_owned(),
            attempt,
        };
        // The previous attempt may have published in the meantime.
        if has_result(folder)? {
            lease.end(Ending::Superseded, None)?;
            return Ok(Claim::Finished);
        }
        if number > 1 {
            tracing::info!("attempt {number} at {}", folder.display());
        }
        Ok(Claim::Acquired(lease))
    }
}

/// Writes the identity into a new folder, and refuses a folder of another job.
fn check_identity(folder: &Path, identity: &Identity) -> Result<(), LabError> {
    let path = folder.join(IDENTITY);
    match read_json::<Identity>(&path) {
        Ok(Some(there)) if there == *identity => Ok(()),
        Ok(Some(_)) => Err(LabError::Damaged {
            path,
            reason: "it describes another trial than its folder's name".to_owned(),
        }),
        Ok(None) => write_json(&path, identity),
        // The folder's name follows from it, so it can be written again.
        Err(LabError::Damaged { .. }) => write_json(&path, identity),
        Err(other) => Err(other),
    }
}
