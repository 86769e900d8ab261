//! Files in the folder of an experiment that nobody needs.
//!
//! Only what this program wrote is ever removed: files that are known by name, and by
//! content where there is any; never at the end of a link. And only what no process can
//! still need, whether it has ended or not: a process of another machine looks like one
//! that has ended elsewhere, so a file's age decides there, by the clock of the file
//! system that also dated the file.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::folder::Store;
use super::heartbeat::Beat;
use super::job_file::JobFile;
use super::manifest;
use super::result;
use super::state::State;
use super::trunks::sharers;
use super::worker::{IDENTITY, Worker};
use crate::entry::{is_absent, is_plain_folder};
use crate::error::LabError;
use crate::files::{JOB_FOLDERS, UnfinishedFile, is_unfinished, list, read_json, remove_file};
use crate::folder_name::CONFIGURATIONS;
use crate::identity::{Identity, TrialId, TrunkId, is_job_name};
use crate::tensorboard;

/// Age at which a file that was being written is left over: writing one takes seconds.
const UNFINISHED_AFTER: Duration = Duration::from_secs(60 * 60);

/// Age at which a heartbeat whose process cannot be looked at is left over.
const SILENT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Heartbeats that may fail to come before their process counts as gone.
const MISSED_BEATS: u32 = 60;

/// Beginning of the name of a job's folder while it is removed.
const REMOVING: &str = ".removing-";

/// Something that can be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// A file, or the folder of a job.
    pub path: PathBuf,
    /// Why it is not needed.
    pub why: &'static str,
    /// Bytes on the disk.
    pub bytes: u64,
    is_job: bool,
}

impl Store {
    /// What nobody needs: unfinished files that are older than an hour, heartbeats of
    /// processes that have ended, damaged files that were set aside, checkpoints and
    /// snapshots beside a result that does without them, trunks whose trials all have a
    /// result; and, with `unlisted`, trials that the last command did not ask for, and
    /// priors and trunks that no listed trial uses.
    ///
    /// # Errors
    /// [`LabError::Io`]; with `unlisted`, [`LabError::Busy`] while a process works in
    /// the folder, and a damaged `experiment.json`.
    pub fn leftovers(&self, unlisted: bool) -> Result<Vec<Leftover>, LabError> {
        if unlisted {
            self.refuse_while_busy()?;
        }
        let now = self.clock();
        let manifest = self.manifest().or_else(|error| match error {
            LabError::Damaged { .. } if !unlisted => Ok(None),
            other => Err(other),
        })?;
        let manifest = manifest.filter(|_| unlisted);
        let is_listed = |folder: &Path| {
            let name = result::job(folder);
            manifest.as_ref().is_none_or(|manifest| {
                let mut trials = manifest.trials.iter();
                if folder.parent() == Some(&self.root().join("trunks")) {
                    // Of one that is not published, nobody knows which trials share it.
                    let shared = sharers(folder);
                    return trials.any(|t| {
                        (shared.is_empty() || shared.contains(&t.id))
                            && !has_result(&self.trial_folder(&t.id))
                    });
                }
                trials.any(|t| t.id.as_str() == name || t.prior.as_str() == name)
            })
        };
        let mut found = Vec::new();
        for (folder, state) in self.jobs()? {
            let kind = folder.parent().unwrap_or(&folder);
            if !is_plain_folder(kind) || !is_plain_folder(&folder) {
                continue;
            }
            if matches!(state, State::Running(_) | State::NotFetched(_)) {
                continue;
            }
            let shared = sharers(&folder);
            let over = |trial| has_result(&self.trial_folder(trial));
            if !shared.is_empty() && shared.iter().all(over) && is_own_job(&folder)? {
                found.extend(job(folder, "its trials have results")?);
            } else if is_listed(&folder) {
                leftovers_of(&folder, now, &mut found)?;
            } else if is_own_job(&folder)? {
                found.extend(job(folder, "it is not part of the experiment")?);
            }
        }
        for folder in self.folders_of_files()? {
            for name in plain_list(&folder)? {
                let path = folder.join(&name);
                if is_unfinished(&name) && is_old(&path, now, UNFINISHED_AFTER) {
                    found.extend(file(path, "it was never finished")?);
                } else if folder == self.root() && manifest::is_set_aside(&name) {
                    found.extend(file(path, "it was set aside as damaged")?);
                } else if is_half_removed(&path)? {
                    found.extend(job(path, "its removal was cut short")?);
                }
            }
        }
        for (path, heartbeat) in self.heartbeats(now)? {
            if heartbeat == Heartbeat::Ended {
                found.extend(file(path, "its process has ended")?);
            }
        }
        Ok(found)
    }

    /// The folders outside of jobs into which files are written.
    fn folders_of_files(&self) -> Result<Vec<PathBuf>, LabError> {
        let mut folders = vec![self.root().to_owned()];
        folders.extend(JOB_FOLDERS.map(|name| self.root().join(name)));
        for parent in [CONFIGURATIONS, tensorboard::FOLDER] {
            let parent = self.root().join(parent);
            let names = plain_list(&parent)?;
            folders.extend(names.iter().map(|name| parent.join(name)));
        }
        Ok(folders)
    }

    /// Removes a leftover; false when it is no longer one, or is gone.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Busy`].
    pub fn remove(&self, leftover: &Leftover) -> Result<bool, LabError> {
        let path = &leftover.path;
        if !leftover.is_job {
            let is_there = file(path.clone(), leftover.why)?.is_some();
            return remove_file(path).map(|()| is_there);
        }
        if !result::job(path).starts_with(REMOVING) {
            self.refuse_while_busy()?;
        }
        remove_job(path)
    }

    /// Removes a trunk for which no trial waits; false when there is none, or when somebody
    /// may need it: an attempt runs, or a trial without a result shares it, or is asked for
    /// by another command than that which has `planned` its own.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn free_trunk(
        &self,
        worker: &Worker,
        id: &TrunkId,
        planned: impl Fn(&TrialId) -> bool,
    ) -> Result<bool, LabError> {
        let folder = self.trunk_folder(id);
        let waits = |trial: &TrialId| self.is_unfinished(worker, trial);
        let of_others = || {
            // Without it nobody is known to ask for more.
            let manifest = self.manifest().ok().flatten();
            let listed = manifest.into_iter().flat_map(|manifest| manifest.trials);
            listed.map(|trial| trial.id).filter(|trial| !planned(trial))
        };
        if matches!(State::of_prior(&folder)?, State::Running(_))
            || sharers(&folder).iter().any(waits)
            || of_others().any(|trial| waits(&trial))
        {
            return Ok(false);
        }
        remove_job(&folder)
    }

    /// Refuses to go on while a process may work in the folder.
    fn refuse_while_busy(&self) -> Result<(), LabError> {
        let heartbeats = self.heartbeats(self.clock())?.into_iter();
        let workers: Vec<String> = heartbeats
            .filter_map(|(path, heartbeat)| match heartbeat {
                Heartbeat::Ended | Heartbeat::Foreign => None,
                Heartbeat::Lives(who) => Some(who),
                Heartbeat::Unknown => Some(path.display().to_string()),
            })
            .collect();
        if workers.is_empty() {
            return Ok(());
        }
        Err(LabError::Busy {
            path: self.root().to_owned(),
            workers,
        })
    }

    /// The files in `workers`, and what each says.
    fn heartbeats(&self, now: SystemTime) -> Result<Vec<(PathBuf, Heartbeat)>, LabError> {
        let folder = self.root().join("workers");
        let paths = plain_list(&folder)?.into_iter();
        let paths = paths.map(|name| folder.join(name));
        Ok(paths
            .map(|path| (path.clone(), Heartbeat::read(&path, now)))
            .collect())
    }

    /// The present time by the clock of the file system, which another machine may have.
    fn clock(&self) -> SystemTime {
        let probe = UnfinishedFile::beside(&self.root().join("clock"));
        let written = probe.ok().and_then(|mut probe| {
            probe.write(|out| out.write_all(b"now")).ok()?;
            probe.path().metadata().ok()?.modified().ok()
        });
        // Where nothing may be written, nothing can be removed either.
        written.unwrap_or_else(SystemTime::now)
    }
}

/// Removes the folder of a job; false when it holds anything else, or is gone.
///
/// # Errors
/// [`LabError::Io`].
fn remove_job(path: &Path) -> Result<bool, LabError> {
    let (Some(kind), name) = (path.parent(), result::job(path)) else {
        return Ok(false);
    };
    let mut aside = path.to_owned();
    if !name.starts_with(REMOVING) {
        if !is_own_job(path)? {
            return Ok(false);
        }
        // At once, so that whoever comes now finds no half of it, and begins anew.
        aside = kind.join(format!("{REMOVING}{name}"));
        if is_half_removed(&aside)? {
            // A removal that was cut short; the name is needed.
            remove_job(&aside)?;
        }
        match std::fs::rename(path, &aside) {
            Err(error) if is_absent(&error) => return Ok(false),
            renamed => renamed.map_err(LabError::io("rename", path))?,
        }
    }
    for name in plain_list(&aside)? {
        if JobFile::of(&name).is_some() {
            remove_file(&aside.join(name))?;
        }
    }
    std::fs::remove_dir(&aside).map_err(LabError::io("remove", &aside))?;
    Ok(true)
}

/// Whether `folder` holds a whole result.
fn has_result(folder: &Path) -> bool {
    result::read::<Value>(folder).is_ok_and(|result| result.is_some())
}

/// What a file in `workers` says about its process.
#[derive(Debug, PartialEq, Eq)]
enum Heartbeat {
    /// It has ended.
    Ended,
    /// It lives, or may live on another machine.
    Lives(String),
    /// It is being written now.
    Unknown,
    /// The file is no heartbeat.
    Foreign,
}

impl Heartbeat {
    fn read(path: &Path, now: SystemTime) -> Self {
        let is_file = std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
        if !is_file || path.extension() != Some("beat".as_ref()) {
            return Self::Foreign;
        }
        match read_json::<Beat>(path) {
            Ok(Some(Beat {
                process, seconds, ..
            })) => {
                let own = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                let silent = SILENT_AFTER.max(own.saturating_mul(MISSED_BEATS));
                if process.has_ended() || is_old(path, now, silent) {
                    Self::Ended
                } else {
                    Self::Lives(process.to_string())
                }
            }
            Ok(None) => Self::Foreign,
            Err(_) if is_old(path, now, SILENT_AFTER) => Self::Foreign,
            Err(_) => Self::Unknown,
        }
    }
}

/// Files to remove from a job's folder in which no worker runs.
fn leftovers_of(folder: &Path, now: SystemTime, found: &mut Vec<Leftover>) -> Result<(), LabError> {
    // The files first: what is written after the result was read is not among them.
    let names = plain_list(folder)?;
    let result = result::read::<Value>(folder).ok().flatten();
    let named = |key: &str| result.as_ref().map(|published| &published.result[key]);
    for name in names {
        let path = folder.join(&name);
        let is_named = |key| named(key).map(|named| named.as_str() == Some(name.as_str()));
        let why = match JobFile::of(&name) {
            Some(JobFile::Unfinished) if is_old(&path, now, UNFINISHED_AFTER) => {
                "it was never finished"
            }
            Some(JobFile::SetAside) => "it was set aside as damaged",
            // Without a result its attempt may be about to publish.
            Some(JobFile::Snapshots) if is_named("snapshots") == Some(false) => {
                "its attempt published nothing"
            }
            Some(JobFile::Trunk) if is_named("state") == Some(false) => {
                "its attempt published nothing"
            }
            Some(JobFile::Checkpoint) if result.is_some() => "there is a result",
            _ => continue,
        };
        found.extend(file(path, why)?);
    }
    Ok(())
}

/// Whether the folder is that of a job, as its name and `identity.json` agree, and holds
/// nothing but files of this program.
fn is_own_job(folder: &Path) -> Result<bool, LabError> {
    let identity = match read_json::<Identity>(&folder.join(IDENTITY)) {
        Err(LabError::Damaged { .. } | LabError::NotFetched { .. }) => None,
        other => other?,
    };
    let named =
        identity.is_some_and(|identity| identity.trial_id().as_str() == result::job(folder));
    Ok(named && holds_only_job_files(folder)?)
}

/// Whether the folder is one whose removal was cut short.
fn is_half_removed(folder: &Path) -> Result<bool, LabError> {
    let name = result::job(folder);
    let is_name = name.strip_prefix(REMOVING).is_some_and(is_job_name);
    Ok(is_name && is_plain_folder(folder) && holds_only_job_files(folder)?)
}

fn holds_only_job_files(folder: &Path) -> Result<bool, LabError> {
    let is_file = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|a| a.is_file());
    let names = list(folder)?;
    Ok(names
        .iter()
        .all(|name| JobFile::of(name).is_some() && is_file(&folder.join(name))))
}

/// The names in a folder; none at the end of a link.
fn plain_list(folder: &Path) -> Result<Vec<String>, LabError> {
    if is_plain_folder(folder) {
        list(folder)
    } else {
        Ok(Vec::new())
    }
}

/// Whether a file was last written `age` before `now`, or earlier.
fn is_old(path: &Path, now: SystemTime, age: Duration) -> bool {
    let about = std::fs::symlink_metadata(path).and_then(|about| about.modified());
    about.is_ok_and(|written| now.duration_since(written).is_ok_and(|since| since >= age))
}

/// A file that is left over; none if it is gone, or no plain file.
fn file(path: PathBuf, why: &'static str) -> Result<Option<Leftover>, LabError> {
    match std::fs::symlink_metadata(&path) {
        Ok(about) if about.is_file() => Ok(Some(Leftover {
            path,
            why,
            bytes: about.len(),
            is_job: false,
        })),
        Ok(_) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(LabError::io("read", &path)(error)),
    }
}

/// The folder of a job that is left over.
fn job(folder: PathBuf, why: &'static str) -> Result<Option<Leftover>, LabError> {
    let mut bytes = 0;
    for name in plain_list(&folder)? {
        let inside = file(folder.join(name), why)?;
        bytes += inside.map_or(0, |inside| inside.bytes);
    }
    Ok(Some(Leftover {
        path: folder,
        why,
        bytes,
        is_job: true,
    }))
}
