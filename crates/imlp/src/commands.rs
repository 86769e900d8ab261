//! The commands, one file each.

mod analyse;
mod bench;
mod cancel;
mod check;
mod clean;
mod completions;
mod data;
mod dense;
mod eval;
mod export;
mod inspect;
mod man;
mod plot;
mod project;
mod report;
mod reproduce;
mod retry;
mod schema;
mod status;
mod sweep;
mod train;
mod worker;

use crate::args::Command;
use crate::failure::Failure;

/// Runs the command that was asked for.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
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
    }
}
