//! Standard output and standard error, which may be closed or full.
//!
//! All text goes through [`say`] or [`tell`], which show the control characters of names,
//! metadata and reasons that come from files instead of sending them. A line that is wider than
//! the terminal is broken at a space.

use std::io::{self, ErrorKind, Write};

use imlp_lab::text::wrapped;
use imlp_suggest::visible;
use imlp_train::Metrics;
use terminal_size::{Height, Width, terminal_size_of};

use crate::failure::Failure;

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

/// The outcome of writing to the standard output.
pub fn checked(printed: io::Result<()>) -> Result<(), Failure> {
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Message(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
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
