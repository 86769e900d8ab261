//! What the standard output can show.

use std::io::{IsTerminal, stdout};

use imlp_lab::curve::Curve;
use imlp_lab::terminal_chart::terminal_chart;

/// `curve` in characters, where the standard output is a terminal that can show it.
pub fn chart(curve: &Curve) -> Option<String> {
    terminal_chart(curve, columns()?)
}

/// Columns of the terminal that the standard output is, if it can show more than ASCII: not a
/// file or a pipe, not `TERM=dumb`, and a locale of UTF-8.
fn columns() -> Option<usize> {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !stdout().is_terminal() || is_dumb || !is_utf8() {
        return None;
    }
    let (width, _) = terminal_size::terminal_size_of(stdout())?;
    Some(usize::from(width.0))
}

/// Whether text is UTF-8, by the first of the variables that is set.
fn is_utf8() -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let set = names
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let locale = set.into_iter().find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}
