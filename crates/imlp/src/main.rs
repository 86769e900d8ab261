//! `imlp`: how much inductive bias does a network need?

// They panic where nobody can read them; `output` has what does not.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod allocator;
mod args;
mod browser;
mod command_line;
mod commands;
mod echo;
mod executor;
mod exit;
mod failure;
mod fetching;
mod file_format;
mod interruption;
mod live;
mod logging;
mod output;
mod prepare;
mod processor;
mod progress;
mod slurm;
mod tensor_output;
mod terminal;
mod time_left;

use std::process::ExitCode;

use args::Arguments;

fn main() -> ExitCode {
    allocator::tune();
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(usage) => return exit::answer(&usage),
    };
    logging::start(arguments.logging);
    exit::code(commands::run(arguments.command))
}
