//! Standard output and standard error, which may be closed or full, and files.
//!
//! All text goes through [`say`] or [`tell`], which show the control characters of names,
//! metadata and reasons that come from files instead of sending them. A line that is wider than
//! the terminal is broken at a space.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::files::Output;
use imlp_lab::text::wrapped;
use imlp_suggest::visible;
use imlp_train::{Metrics, NewFile, bytes};
use terminal_size::{Height, Width, terminal_size_of};

use crate::exit::{Failure, WRONG_USAGE, code};
use crate::interruption::stop_on_ctrl_c;

/// Prints `text` and a line end to the standard output.
///
/// A reader that has gone (`imlp data list | head -1`) is no error; a full disk
/// is.
pub fn say(text: impl std::fmt::Display) -> Result<(), Failure> {
    print(fitted(&text.to_string(), terminal_size_of(io::stdout())).as_bytes())
}

/// Prints `bytes` as they are: a file for another program.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    checked(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Tells `text` on the standard error, if anyone can read it: a terminal that was closed
/// or a disk that is full must not end the work.
pub fn tell(text: impl std::fmt::Display) {
    let text = fitted(&text.to_string(), terminal_size_of(io::stderr()));
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// `text` with a line end as it is shown on a terminal of that size, or to a file. Lines of a
/// command that goes on below stay whole: they are copied into a shell.
fn fitted(text: &str, terminal: Option<(Width, Height)>) -> String {
    let text = visible(text);
    // A terminal that does not know its width says 0.
    let width = terminal.map_or(0, |(width, _)| usize::from(width.0));
    if width == 0 {
        return format!("{text}\n");
    }
    let mut fitted = String::new();
    for line in text.split('\n') {
        if line.ends_with('\\') {
            fitted += &format!("{line}\n");
            continue;
        }
        let words = line.trim_start_matches(' ');
        let indent = &line[..line.len() - words.len()];
        for part in wrapped(words, width.saturating_sub(indent.len()), "").split('\n') {
            fitted += &format!("{indent}{part}\n");
        }
    }
    fitted
}

/// Prints the help or a version, or tells of wrong usage; returns the exit code.
pub fn answer(usage: &clap::Error) -> ExitCode {
    let printed = usage.print().and_then(|()| io::stdout().flush());
    if usage.use_stderr() {
        return ExitCode::from(WRONG_USAGE);
    }
    code(checked(printed))
}

/// The outcome of writing to the standard output.
fn checked(printed: io::Result<()>) -> Result<(), Failure> {
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Message(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes `file` to `output`, which the caller keeps, unless it does not fit on the disk. `out`
/// is the name of the output.
pub fn write(output: &mut Output, out: &Path, file: NewFile<'_>) -> Result<(), Failure> {
    if output.is_standard_output() {
        return Err(Failure::Message(format!(
            "{} is where this text is printed, which would be mixed with the tensors; give the \
             name of a file or of another pipe",
            out.display()
        )));
    }
    let size = file.bytes();
    if let Some(free) = output.free_space().filter(|&free| free < size) {
        return Err(Failure::Message(format!(
            "{} will have {}, but only {} are free there; free some space or give another --out",
            out.display(),
            bytes(size),
            bytes(free)
        )));
    }
    let stop = stop_on_ctrl_c()?;
    let written = output.write(|out| file.write(&mut Stoppable { out, stop: &stop }));
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted(
            "interrupted; nothing was written".to_owned(),
        ));
    }
    Ok(written?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wider_than_a_terminal_are_broken_at_spaces() {
        let at = |columns| Some((Width(columns), Height(24)));
        let text = "error: x holds no experiment\n  a  b ccc\n  imlp train \\\n  done";
        assert_eq!(
            fitted(text, at(12)),
            "error: x\nholds no\nexperiment\n  a  b ccc\n  imlp train \\\n  done\n"
        );
        assert_eq!(fitted("  one two three", at(10)), "  one two\n  three\n");
        for not_one in [None, at(0)] {
            assert_eq!(fitted(text, not_one), format!("{text}\n"));
        }
    }
}
