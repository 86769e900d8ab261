//! `imlp completions`.

use crate::args::{CompletionsArguments, command};
use crate::failure::Failure;
use crate::output::print;

pub fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(), "imlp", &mut script);
    print(&script)
}
