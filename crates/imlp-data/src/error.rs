//! The errors of this crate: what is wrong, where, and what to do.

use std::path::{Path, PathBuf};

use imlp_suggest::one_line;

/// Why a data set could not be found, fetched, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No data set has this name.
    #[error("unknown data set `{}`{}; the data sets are: {}",
        one_line(.name),
        .nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default(),
        .valid.join(", "))]
    UnknownDataset {
        /// The name that was asked for.
        name: String,
        /// The valid name closest to it, if one is close.
        nearest: Option<String>,
        /// Every valid name.
        valid: Vec<String>,
    },

    /// The data set is known but its files are not in the cache.
    #[error("data set `{name}` is not installed: {} lacks {}; get it with `imlp data fetch {name}`",
        shown(.dir), .missing.join(", "))]
    NotInstalled {
        /// Name of the data set.
        name: String,
        /// The folder where its files are looked for.
        dir: PathBuf,
        /// The files that are not there.
        missing: Vec<String>,
    },

    /// The data set is compiled into the program and has no folder.
    #[error("data set `{name}` is built into imlp: it has no folder and needs no fetching")]
    Embedded {
        /// Name of the data set.
        name: String,
    },

    /// The content of a file does not follow its format.
    #[error("{}: at byte {offset}: expected {expected}, found {}; the file is damaged or of another format: \
             `imlp data verify` lists damaged files, `imlp data fetch` replaces them", shown(.file), one_line(.found))]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Offset in bytes into the (decompressed) file.
        offset: u64,
        /// What the format requires there.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A file of a known data set that was put in place by hand is not the published one.
    #[error("{} is not the published file of `{name}`: {why}; get it with `imlp data fetch {name}`, or use the \
             files as they are with data.path = {:?} instead of data.name",
        shown(.file), .file.parent().unwrap_or(.file).display().to_string())]
    NotPublished {
        /// Name of the data set.
        name: &'static str,
        /// The file.
        file: PathBuf,
        /// What was expected and found.
        why: String,
    },

    /// A folder of images cannot be used as it is.
    #[error("{}: {}", shown(.path), one_line(.reason))]
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// Why, and what to do about it.
        reason: String,
    },

    /// The images need more memory than allowed.
    #[error("the images in {} need about {} MiB, more than the limit of {} MiB; choose a smaller data.size or \
             fewer images, or raise --max-memory", shown(.path), .needed >> 20, .limit >> 20)]
    Memory {
        /// The folder.
        path: PathBuf,
        /// Predicted bytes.
        needed: u64,
        /// The limit, bytes.
        limit: u64,
    },

    /// The content of a file is not the published one.
    #[error("{}: expected MD5 {expected}, found {found}; the file is damaged or not the official one", shown(.file))]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The published checksum, in hexadecimal.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },

    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {}", shown(.path), one_line(&.source.to_string()))]
    Io {
        /// What was attempted, as a verb: "read", "create" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// No source delivered the data set.
    #[error("could not fetch `{name}`; tried:\n{}\nget the files on another machine and give them with \
             `imlp data fetch {name} --from <archive or folder>`; official source: {url}",
        .attempts.iter().map(|a| format!("  - {a}")).collect::<Vec<_>>().join("\n"))]
    FetchFailed {
        /// Name of the data set.
        name: String,
        /// One line per source: what it is and why it failed.
        attempts: Vec<String>,
        /// Where the data set is published.
        url: String,
    },

    /// One source of a data set failed; `fetch` collects these.
    #[error("{}: {}", one_line(.what), one_line(.reason))]
    Source {
        /// The address, program or file.
        what: String,
        /// Why it delivered nothing.
        reason: String,
    },

    /// The platform has no data folder for the user.
    #[error(
        "this platform has no data folder for the user: set the environment variable {variable} to a folder"
    )]
    NoDataFolder {
        /// The environment variable that replaces it.
        variable: &'static str,
    },

    /// An argument lies outside what the function accepts.
    #[error("{what} is {found}, but must be {expected}")]
    Argument {
        /// The argument.
        what: String,
        /// What the function accepts.
        expected: String,
        /// What it got.
        found: String,
    },
}

/// A path as it is shown: members of archives have names that a terminal would obey.
fn shown(path: &Path) -> String {
    one_line(&path.display().to_string()).into_owned()
}

impl DataError {
    /// Wraps a system error with the path and the attempted action.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| DataError::Io {
            action,
            path,
            source,
        }
    }

    /// Builds a [`DataError::Argument`].
    pub(crate) fn argument(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        DataError::Argument {
            what: what.into(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// Builds a [`DataError::Folder`].
    pub(crate) fn folder(path: &Path, reason: impl ToString) -> Self {
        DataError::Folder {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Builds a [`DataError::Source`].
    pub(crate) fn source_failed(what: impl ToString, reason: impl ToString) -> Self {
        DataError::Source {
            what: what.to_string(),
            reason: reason.to_string(),
        }
    }
}
