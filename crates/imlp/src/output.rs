//! Standard output that may be closed or full.

use std::io::{ErrorKind, Write};

use crate::exit::Failure;

/// Prints `text` and a line end.
///
/// A reader that has gone (`imlp data list | head -1`) is no error; a full disk
/// is.
pub fn say(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Message(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
}
