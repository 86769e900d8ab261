//! `imlp man`.

use clap::CommandFactory;
use imlp_lab::files::{create_folder, refuse_file};

use crate::args::{Arguments, ManArguments};
use crate::exit::Failure;
use crate::output::say;

pub fn run(arguments: &ManArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    refuse_file(out)?;
    create_folder(out)?;
    clap_mangen::generate_to(Arguments::command(), out).map_err(|error| {
        Failure::Message(format!(
            "cannot write pages into {}: {error}",
            out.display()
        ))
    })?;
    say(format_args!("wrote the pages into {}", out.display()))
}
