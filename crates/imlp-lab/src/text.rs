//! Numbers and words as text.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use imlp_linear::Alpha;

/// α in the name of a file or folder.
pub fn alpha_text(alpha: Alpha) -> String {
    /// Below this a plain decimal is longer than scientific notation.
    const SMALL: f64 = 1e-4;
    let value = alpha.get();
    if value > 0.0 && value < SMALL {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// `5256202` as `5 256 202`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `word` as a shell reads it back, in quotes where it needs them.
///
/// Not the crate `shlex`, which quotes `=` and `,` too: every option of a command line in
/// a report or script would stand in quotes.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// `word` as a shell reads it back, to be pasted at a prompt: whatever no terminal shows
/// as itself is written as `\\xHH`, which bash, zsh and ksh read.
pub fn shell_argument(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.contains(char::is_control) => shell_word(text),
        _ => {
            let mut quoted = "$'".to_owned();
            for &byte in word.as_encoded_bytes() {
                match byte {
                    b'\'' | b'\\' => quoted.extend(['\\', char::from(byte)]),
                    b' '..=b'~' => quoted.push(char::from(byte)),
                    _ => quoted.push_str(&format!("\\x{byte:02x}")),
                }
            }
            quoted + "'"
        }
    }
}

/// The path `to` as a link in a page in the folder `from`; empty where they are the same.
pub fn link(from: &Path, to: &Path) -> String {
    // Whole paths, for one may be relative and the other not.
    let whole = |path: &Path| {
        let absolute = match path.as_os_str().is_empty() {
            true => std::env::current_dir(),
            false => std::path::absolute(path),
        };
        without_parents(&absolute.unwrap_or_else(|_| path.to_owned()))
    };
    let (from, to) = (whole(from), whole(to));
    let path = pathdiff::diff_paths(&to, &from).unwrap_or(to);
    let parts = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}

/// The path with `a/..` left out.
fn without_parents(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                short.pop();
            }
            part => short.push(part),
        }
    }
    short
}

/// The path of a folder as an argument of a command, see [`shell_argument`].
pub fn shell_path(path: &Path) -> String {
    // Not an option.
    match path.as_os_str().as_encoded_bytes() {
        [b'-', ..] => shell_argument(Path::new(".").join(path).as_os_str()),
        _ => shell_argument(path.as_os_str()),
    }
}

/// A command line for a shell in lines of at most [`COLUMNS`] characters that end with `\`,
/// where no word is longer.
pub fn command_lines(command: &str, words: &[String]) -> String {
    let mut lines = vec![format!("  {command}")];
    for word in words {
        let line = lines.last_mut().expect("there is a first line");
        // Space for ` \`.
        if line.chars().count() + 1 + word.chars().count() + 2 <= COLUMNS {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("    {word}"));
        }
    }
    lines.join(" \\\n")
}

/// Text in a cell of a CSV file that a spreadsheet shows and does not run: what would begin a
/// formula has an apostrophe before it. Numbers stay as they are.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if runs && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Columns of a terminal that nobody has made wider.
pub const COLUMNS: usize = 80;

/// `text` broken at spaces into lines of at most `width` characters; a longer word has a line
/// of its own. Lines after the first begin with `indent`.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            *line += word;
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            *line += word;
        } else {
            lines.push(format!("{indent}{word}"));
        }
    }
    lines.join("\n")
}

/// Seconds as `45 s`, `12 min`, `3.4 h` or `2.1 d`.
pub fn duration(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    match seconds {
        s if s < 2.0 * MINUTE => format!("{s:.0} s"),
        s if s < 2.0 * HOUR => format!("{:.0} min", s / MINUTE),
        s if s < 2.0 * DAY => format!("{:.1} h", s / HOUR),
        s => format!("{:.1} d", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_the_page_to_the_files() {
        let from = Path::new("docs");
        assert_eq!(
            link(from, Path::new("results/a/b.svg")),
            "../results/a/b.svg"
        );
        assert_eq!(link(Path::new(""), Path::new("results/a")), "results/a");
        let here = std::env::current_dir().unwrap();
        assert_eq!(link(from, &here.join("runs")), "../runs");
        assert_eq!(link(from, &here.join("docs")), "");
        assert_eq!(
            link(Path::new("a/../docs"), Path::new("../my (old) [r]/é")),
            "../../my (old) [r]/é"
        );
    }

    #[test]
    fn a_command_is_broken_between_words() {
        let words = [
            "--a=1".to_owned(),
            format!("--b={}", "x".repeat(60)),
            "--c".to_owned(),
        ];
        let lines = command_lines("imlp train", &words);
        let long = "x".repeat(60);
        assert_eq!(lines, format!("  imlp train --a=1 \\\n    --b={long} --c"));
        assert_eq!(
            command_lines("imlp status", &["o".to_owned()]),
            "  imlp status o"
        );
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for text in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "-",
        ] {
            assert_eq!(csv_cell(text), format!("'{text}"));
        }
        for text in ["", "keep", "a=b", "-0.5", "+1e-3", "'=1"] {
            assert_eq!(csv_cell(text), text);
        }
    }

    #[test]
    fn words_survive_the_shell() {
        for word in [
            "it's a $HOME \"path\" `x` \\",
            "--set=train.epochs=3",
            "100%",
            "*",
            "",
        ] {
            let echo = format!("printf %s {}", shell_word(word));
            let said = std::process::Command::new("sh")
                .args(["-c", &echo])
                .output();
            assert_eq!(said.unwrap().stdout, word.as_bytes());
        }
        assert_eq!(shell_word("--epochs=3"), "--epochs=3");
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_pasted_is_what_it_was() {
        use std::os::unix::ffi::OsStrExt;

        for bytes in [
            &b"plain"[..],
            b"two words",
            b"it's \xe2\x91\xa0",
            b"not UTF-8: \xff\xfe it's \\ $HOME",
            b"\x1b[31mred\nline",
        ] {
            let quoted = shell_argument(OsStr::from_bytes(bytes));
            assert!(!quoted.contains(char::is_control), "{quoted}");
            let said = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {quoted}")])
                .output();
            assert_eq!(said.unwrap().stdout, bytes, "{quoted}");
        }
        assert_eq!(shell_path(Path::new("-o")), "./-o");
        assert_eq!(shell_path(Path::new("runs/a b")), "'runs/a b'");
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        let text = "- α = 0.1 is a-word-that-is-long and b";
        assert_eq!(
            wrapped(text, 12, "  "),
            "- α = 0.1 is\n  a-word-that-is-long\n  and b"
        );
        assert_eq!(wrapped("", 3, ""), "");
    }

    #[test]
    fn durations_are_short() {
        let all = [0.4, 90.0, 600.0, 9000.0, 1e6].map(duration);
        assert_eq!(all, ["0 s", "90 s", "10 min", "2.5 h", "11.6 d"]);
        assert_eq!(thousands(5256202), "5\u{202f}256\u{202f}202");
    }
}
