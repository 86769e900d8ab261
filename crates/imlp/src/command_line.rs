//! The command as the user typed it.

use imlp_lab::text::shell_argument;

/// The command as the user typed it, quoted for a shell.
pub fn command_line() -> String {
    let arguments = std::env::args_os().skip(1);
    std::iter::once("imlp".to_owned())
        .chain(arguments.map(|argument| shell_argument(&argument)))
        .collect::<Vec<_>>()
        .join(" ")
}
