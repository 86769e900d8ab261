//! Fetching a data set, with progress.

use std::io::IsTerminal;
use std::path::Path;

use imlp_data::{FetchEvent, FetchOptions, Installed};
use imlp_suggest::one_line;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::output::{say, tell};

/// Fetches the data set `name`, from `from` if that is given, and says where it is.
pub fn fetch(name: &str, from: Option<&Path>) -> Result<(), Failure> {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
        .expect("the template is fixed");
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(0).with_style(style)
    } else {
        ProgressBar::hidden()
    };
    let above = |line: String| bar.suspend(|| tell(line));
    let mut progress = |event: FetchEvent<'_>| match event {
        FetchEvent::Trying { source } => above(format!("trying {source}")),
        FetchEvent::Failed { source, reason } => {
            let reason = reason.strip_prefix(source).unwrap_or(reason);
            above(format!("  {source}: {}", reason.trim_start_matches(": ")));
        }
        FetchEvent::Bytes { file, done, total } => {
            bar.set_message(one_line(file).into_owned());
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }
        _ => {}
    };
    let report = imlp_data::fetch(
        name,
        FetchOptions {
            from: from.map(Path::to_owned),
            progress: &mut progress,
        },
    );
    bar.finish_and_clear();
    let report = report?;
    match report.dir {
        Some(dir) => say(format_args!(
            "{name}: {} ({})",
            dir.display(),
            report.source
        ))?,
        None => say(format_args!("{name}: {}", report.source))?,
    }
    Ok(())
}

/// Fetches a data set that an experiment names and that is not there.
pub fn ensure(name: &str) -> Result<(), Failure> {
    let missing = imlp_data::list()?
        .into_iter()
        .any(|info| info.name == name && matches!(info.installed, Installed::No { .. }));
    if missing {
        tell(format_args!("{name} is not installed yet; fetching it"));
        fetch(name, None)?;
    }
    Ok(())
}
