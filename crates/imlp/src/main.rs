//! `imlp`: how much inductive bias does a network need?

mod allocator;
mod args;
mod bench;
mod data;
mod dense;
mod eval;
mod exit;
mod inspect;
mod interruption;
mod output;
mod progress;
mod project;
mod sweep;
mod train;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    allocator::tune();
    let outcome = match Arguments::parse().command {
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Data(arguments) => data::run(&arguments),
        Command::Dense(arguments) => dense::run(&arguments),
        Command::Project(arguments) => project::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
    };
    exit::code(outcome)
}
