//! `imlp data`.

mod inspect;

use std::io::IsTerminal;
use std::path::Path;

use imlp_data::{FetchEvent, FetchOptions, FolderOptions, Installed};
use imlp_lab::text::thousands;
use imlp_suggest::one_line;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{DataArguments, DataCommand};
use crate::exit::Failure;
use crate::output::{say, tell};

pub fn run(arguments: &DataArguments) -> Result<(), Failure> {
    match &arguments.command {
        DataCommand::List => list(),
        DataCommand::Fetch { name, from } => fetch(name, from.as_deref()),
        DataCommand::Verify { name } => verify(name),
        DataCommand::Inspect {
            dir,
            size,
            channels,
            memory,
        } => {
            let options = FolderOptions {
                size: *size,
                channels: channels.map(usize::from),
                ..FolderOptions::default()
            };
            inspect::folder(dir, &options, memory.limit())
        }
        DataCommand::Path { name } => {
            say(imlp_data::path(name)?.display())?;
            Ok(())
        }
    }
}

fn list() -> Result<(), Failure> {
    for info in imlp_data::list()? {
        let state = match &info.installed {
            Installed::Embedded => "built in".to_owned(),
            Installed::At(path) => path.display().to_string(),
            Installed::No { .. } => format!("not installed: imlp data fetch {}", info.name),
        };
        say(format_args!("{:<14} {}", info.name, info.summary))?;
        let counts = format!(
            "{:14} {} training, {} test images of {}, {} classes",
            "", info.train_images, info.test_images, info.shape, info.classes
        );
        say(counts)?;
        say(format_args!("{:14} licence: {}", "", info.licence))?;
        say(format_args!("{:14} {state}", ""))?;
    }
    Ok(())
}

fn fetch(name: &str, from: Option<&Path>) -> Result<(), Failure> {
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

/// Shows on `bar` how far a folder of images is read.
pub fn progress(bar: &ProgressBar) -> impl Fn(&'static str, usize) + Sync {
    let bar = bar.clone();
    move |what, files| bar.set_message(format!("{what} images: {}", thousands(files as u64)))
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

fn verify(name: &str) -> Result<(), Failure> {
    let report = imlp_data::verify(name)?;
    for (file, state) in &report.files {
        say(format_args!("{file}: {state}"))?;
    }
    if report.is_ok() {
        Ok(())
    } else {
        Err(Failure::Message(format!(
            "{name} is not the published data set; get it again with `imlp data fetch {name}`"
        )))
    }
}
