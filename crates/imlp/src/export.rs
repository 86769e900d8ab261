//! `imlp export`.

use imlp_lab::export::{rows, write};
use imlp_lab::files::write_atomically;
use imlp_lab::store::Store;

use crate::args::ExportArguments;
use crate::exit::Failure;
use crate::output::print;

pub fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let rows = rows(&Store::existing(&arguments.folder)?)?;
    let mut table = Vec::new();
    write(&rows, arguments.format.into(), &mut table)?;
    match &arguments.out {
        Some(out) => Ok(write_atomically(out, &table)?),
        None => print(&table),
    }
}
