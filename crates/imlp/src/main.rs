//! `imlp`: how much inductive bias does a network need?

// They panic where nobody can read them; `output` has what does not.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod allocator;
mod analyse;
mod args;
mod bench;
mod best;
mod browser;
mod cancel;
mod check;
mod clean;
mod command_line;
mod completions;
mod data;
mod dense;
mod echo;
mod eval;
mod executor;
mod exit;
mod export;
mod file_format;
mod inspect;
mod interruption;
mod live;
mod logging;
mod man;
mod output;
mod plot;
mod prepare;
mod processor;
mod progress;
mod project;
mod report;
mod reproduce;
mod retry;
mod schema;
mod slurm;
mod status;
mod sweep;
mod terminal;
mod time_left;
mod train;
mod worker;

use std::process::ExitCode;

use args::{Arguments, Command};

fn main() -> ExitCode {
    allocator::tune();
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(usage) => return output::answer(&usage),
    };
    logging::start(arguments.logging);
    let outcome = match arguments.command {
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Analyse(arguments) => analyse::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Plot(arguments) => plot::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
        Command::Cancel(arguments) => cancel::run(&arguments),
        Command::Worker(arguments) => worker::run(&arguments),
        Command::Clean(arguments) => clean::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::Dense(arguments) => dense::run(&arguments),
        Command::Project(arguments) => project::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Schema => schema::run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    exit::code(outcome)
}
