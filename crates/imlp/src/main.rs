//! `imlp`: how much inductive bias does a network need?

mod allocator;
mod args;
mod data;
mod eval;
mod exit;
mod output;
mod progress;
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
        Command::Data(arguments) => data::run(&arguments),
    };
    exit::code(outcome)
}
