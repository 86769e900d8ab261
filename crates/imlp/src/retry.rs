//! `imlp retry`.

use imlp_lab::store::Store;

use crate::args::RetryArguments;
use crate::exit::Failure;
use crate::output::say;

pub fn run(arguments: &RetryArguments) -> Result<(), Failure> {
    let count = Store::existing(&arguments.folder)?.retry()?;
    say(format_args!(
        "{count} trial(s) and prior(s) will run again; run the same command to start them"
    ))
}
