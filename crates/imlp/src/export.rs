//! `imlp export`.

use std::io::IsTerminal;

use imlp_lab::export::{rows, write};
use imlp_lab::files::write_atomically;
use imlp_lab::store::Store;

use crate::args::{ExportArguments, FormatName};
use crate::exit::Failure;
use crate::output::print;

pub fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let to_terminal = arguments.out.is_none() && std::io::stdout().is_terminal();
    if to_terminal && arguments.format == FormatName::Parquet {
        return Err(Failure::Message(
            "--format parquet writes bytes that no terminal shows; give --out FILE".to_owned(),
        ));
    }
    let rows = rows(&Store::existing(&arguments.folder)?)?;
    let mut table = Vec::new();
    write(&rows, arguments.format.into(), &mut table)?;
    match &arguments.out {
        Some(out) => Ok(write_atomically(out, &table)?),
        None => print(&table),
    }
}
