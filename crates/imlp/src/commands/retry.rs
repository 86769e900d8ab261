//! `imlp retry`.

use imlp_lab::store::Store;
use imlp_suggest::counted;

use crate::args::RetryArguments;
use crate::failure::Failure;
use crate::output::say;

pub fn run(arguments: &RetryArguments) -> Result<(), Failure> {
    let count = Store::existing(&arguments.folder)?.retry()?;
    say(format_args!(
        "{} will run again; the same command starts what is left",
        counted(count, "failed run")
    ))
}
