//! `imlp completions`.

use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments};
use crate::exit::Failure;
use crate::output::print;

pub fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "imlp",
        &mut script,
    );
    print(&script)
}
