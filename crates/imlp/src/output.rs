//! What reaches the terminal, and files.
//!
//! All text goes through [`say`] or [`tell`], which show the control characters of names,
//! metadata and reasons that come from files instead of sending them.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::files::{UnfinishedFile, free_space};
use imlp_suggest::visible;
use imlp_train::{Metrics, NewFile, bytes};

use crate::exit::Failure;
use crate::interruption::stop_on_ctrl_c;

/// Prints `text` and a line end to the standard output.
///
/// A reader that has gone (`imlp data list | head -1`) is no error; a full disk
/// is.
pub fn say(text: impl std::fmt::Display) -> Result<(), Failure> {
    print(visible(&format!("{text}\n")).as_bytes())
}

/// Prints `text` and a line end to the standard error. Where that cannot be written, nobody
/// reads it.
pub fn tell(text: impl std::fmt::Display) {
    let line = format!("{text}\n");
    let _ = io::stderr().lock().write_all(visible(&line).as_bytes());
}

/// Prints `bytes` as they are: a file for another program.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Message(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes `file` under a temporary name beside `out`; the caller keeps it. Says
/// its size first, and refuses what does not fit on the disk.
pub fn write_beside(out: &Path, file: NewFile<'_>) -> Result<UnfinishedFile, Failure> {
    let size = file.bytes();
    if let Some(free) = free_space(out).filter(|&free| free < size) {
        return Err(Failure::Message(format!(
            "{} will have {}, but only {} are free there; free some space or give another --out",
            out.display(),
            bytes(size),
            bytes(free)
        )));
    }
    let mut unfinished = UnfinishedFile::beside(out)?;
    let stop = stop_on_ctrl_c()?;
    let written = unfinished.write(|out| file.write(&mut Stoppable { out, stop: &stop }));
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted(
            "interrupted; nothing was written".to_owned(),
        ));
    }
    written?;
    Ok(unfinished)
}

/// `59.31 %`, or a dash for a subset that was not measured.
pub fn percent(metrics: Option<Metrics>) -> String {
    metrics.map_or("–".to_owned(), |m| format!("{:.2} %", 100.0 * m.accuracy))
}

/// A number with about five digits: `0.1234`, `1.234e-7`.
pub fn number(value: f64) -> String {
    /// Magnitudes that are readable without an exponent.
    const PLAIN: std::ops::Range<f64> = 1e-3..1e5;
    if value == 0.0 {
        "0".to_owned()
    } else if PLAIN.contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// Refuses an output file that is the input file.
pub fn refuse_same(out: &Path, input: &Path) -> Result<(), Failure> {
    let same = match (out.canonicalize(), input.canonicalize()) {
        (Ok(out), Ok(input)) => out == input,
        _ => false,
    };
    if same {
        return Err(Failure::Message(format!(
            "--out {} is the file that --weights reads; give another name",
            out.display()
        )));
    }
    Ok(())
}

/// Writes until the user asks to stop.
struct Stoppable<'a> {
    out: &'a mut dyn Write,
    stop: &'a AtomicBool,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
