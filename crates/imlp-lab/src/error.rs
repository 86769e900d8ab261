//! What can go wrong around an experiment.

use std::path::{Path, PathBuf};

use imlp_suggest::one_line;

use imlp_suggest::counted;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Text that is not TOML.
    #[error("{} is not valid TOML: {}", one_line(origin), lines(reason))]
    Toml {
        /// The file, or where the text came from.
        origin: String,
        /// What the parser says.
        reason: String,
    },
    /// A key of a recipe that cannot be used.
    #[error("{}: {}", one_line(key), lines(reason))]
    Key {
        /// Dotted key.
        key: String,
        /// What is wrong and what would do.
        reason: String,
    },
    /// A file or folder that cannot be used.
    #[error("cannot {action} {}: {}{}", shown(path), lines(&source.to_string()), remedy(action, source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The output path is a file.
    #[error(
        "the output {} is not a folder; give one (it is created if it does not exist)", shown(.0)
    )]
    OutputIsFile(PathBuf),
    /// The output path is a folder.
    #[error("the output {} is a folder; give the name of a file in it", shown(.0))]
    OutputIsFolder(PathBuf),
    /// A folder that is no experiment's.
    #[error(
        "{} holds no experiment; give the folder that `imlp sweep` names (its --out)", .0.display()
    )]
    NoStore(PathBuf),
    /// A folder whose trials no file lists.
    #[error(
        "{}: experiment.json is {}, so which trials belong together is not known; the same \
         `imlp sweep` writes it again and keeps what is finished",
        shown(path),
        lines(reason)
    )]
    Unlisted {
        /// The folder.
        path: PathBuf,
        /// `missing`, or how it is damaged.
        reason: String,
    },
    /// Something is wrong in one of several configurations.
    #[error("in the configuration {label}: {source}")]
    Configuration {
        /// What sets it apart.
        label: String,
        /// What is wrong.
        source: Box<LabError>,
    },
    /// The folder holds an experiment of other configurations.
    #[error(
        "{} holds results of another configuration:\n{}\nGive another --out, or the same configuration to continue.",
        shown(path),
        lines(&differences.join("\n"))
    )]
    OtherExperiment {
        /// The folder.
        path: PathBuf,
        /// `key: there …, now …`.
        differences: Vec<String>,
    },
    /// A stored result that cannot be read.
    #[error(
        "{} is damaged: {}; delete it and run the same command again",
        shown(path),
        lines(reason)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Records of a study that cannot be used.
    #[error(
        "{} cannot be used: {}. It is left as it is: put a copy of it in its place, use the imlp \
         that wrote it, or move it away to train the study anew",
        shown(path),
        lines(reason)
    )]
    DamagedRecords {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A damaged `experiment.json` beside trials that the present command does not ask for.
    #[error(
        "{} is damaged: {reason}. The present command does not ask for trials/{other}, so this may \
         be the folder of another experiment: give another --out, or delete that file to use this \
         one", path.display()
    )]
    DamagedBeside {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Such a trial.
        other: String,
    },
    /// A link to content that is not on this machine.
    #[error(
        "{} is a link to {}, which is not here; fetch its content (`git annex get`, `dvc pull`), \
         or remove the link to compute it again", path.display(), target.display()
    )]
    NotFetched {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A path that the script of a job cannot name.
    #[error(
        "{} is not a path in UTF-8, so the script of a job cannot name it; give another --out, or \
         rename the folder", .0.display()
    )]
    NotUtf8(PathBuf),
    /// Processes work in the folder of an experiment.
    #[error(
        "still at work in {1}: {0}; wait for the end, or stop what runs there", workers.join(", "),
        path.display()
    )]
    Busy {
        /// The folder.
        path: PathBuf,
        /// The processes.
        workers: Vec<String>,
    },
    /// More memory than allowed.
    #[error(
        "this experiment needs about {needed} with {} at a time, more than the limit of {limit}; \
         use {}a smaller network or batch, of a folder smaller images (data.size), or raise --max-memory",
        counted(*jobs, "trial"),
        if *jobs > 1 { "fewer --jobs, " } else { "" }
    )]
    Memory {
        /// Predicted peak.
        needed: String,
        /// The limit.
        limit: String,
        /// Trials at a time.
        jobs: usize,
    },
    /// Something in the set-up or in a trial.
    #[error(transparent)]
    Train(#[from] imlp_train::TrainError),
    /// Something with the data.
    #[error(transparent)]
    Data(#[from] imlp_data::DataError),
    /// The curve could not be built.
    #[error(transparent)]
    Curve(#[from] crate::curve::CurveError),
    /// A statistic could not be computed.
    #[error(transparent)]
    Statistics(#[from] crate::statistics::StatisticsError),
    /// The figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] crate::figure::FigureError),
    /// Threads could not be started.
    #[error("cannot start worker threads: {0}")]
    Threads(String),
    /// No trial of a configuration has finished.
    #[error("there is no finished trial to show; `imlp status` tells why")]
    NothingFinished,
    /// A table that cannot be written.
    #[error("cannot write the table: {0}")]
    Table(String),
    /// A checkpoint that cannot be laid out.
    #[error("cannot lay out a checkpoint: {0}")]
    Checkpoint(String),
    /// Weights that cannot be written as a file.
    #[error("cannot write weights: {0}")]
    Weights(String),
    /// A file with the weights of another trial.
    #[error(
        "{} holds weights of another trial; give another --out, or --no-weights to keep the \
         record alone", .0.display()
    )]
    OtherWeights(PathBuf),
    /// A scheduler's program that cannot be run, does not answer or refuses.
    #[error("{program}: {reason}")]
    Scheduler {
        /// The program.
        program: &'static str,
        /// What it says.
        reason: String,
    },
    /// A defect of this program.
    #[error("a defect of imlp stopped {0}; please report it with the message above")]
    Panicked(String),
    /// The caller asked to stop.
    #[error("interrupted; finished trials are kept, run the same command again to continue")]
    Interrupted,
}

/// A path as it is shown.
fn shown(path: &Path) -> String {
    one_line(&path.display().to_string()).into_owned()
}

/// Text of several lines as it is shown: it may quote what a file holds.
fn lines(text: &str) -> String {
    text.split('\n')
        .map(one_line)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What to do about an error of the system, where there is something to say.
fn remedy(action: &str, error: &std::io::Error) -> &'static str {
    let writes = ["write", "make the folder", "rename"].contains(&action);
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            "; free some space and run the same command again, what is finished is kept"
        }
        std::io::ErrorKind::NotFound if writes => "; make the folder first, or give another",
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem if writes => {
            "; choose a folder that you may write to with --out"
        }
        _ => "",
    }
}

impl LabError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
