//! `imlp export`.

use std::io::IsTerminal;

use imlp_lab::export::{epoch_table, table, write};
use imlp_lab::files::write_output;
use imlp_lab::store::Store;

use crate::args::{ExportArguments, FormatName};
use crate::failure::Failure;
use crate::file_format::choose;
use crate::output::{print, say};

pub fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let out = arguments.out.as_deref();
    let format = choose(arguments.format, out, FormatName::Csv, "a table")?;
    let to_terminal = out.is_none() && std::io::stdout().is_terminal();
    if to_terminal && format == FormatName::Parquet {
        return Err(Failure::Message(
            "--format parquet writes bytes that no terminal shows; give --out FILE".to_owned(),
        ));
    }
    let store = Store::existing(&arguments.folder)?;
    let rows = if arguments.epochs {
        epoch_table(&store)?
    } else {
        table(&store)?
    };
    let mut bytes = Vec::new();
    write(&rows, format.into(), &mut bytes)?;
    match out {
        Some(out) => Ok(write_output(out, &bytes)?),
        None if to_terminal => say(String::from_utf8_lossy(&bytes).trim_end()),
        None => print(&bytes),
    }
}
