//! `imlp data`.

mod inspect;

use imlp_data::{FolderOptions, Installed};

use crate::args::{DataArguments, DataCommand};
use crate::failure::Failure;
use crate::fetching::fetch;
use crate::output::say;

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
