//! Text of others (names in files, metadata, reasons) as a terminal may show it.
//!
//! A control character in a file could move the cursor, colour the screen or hide what stands
//! there. Such characters are written as `\u001b`, which JSON and TOML read as the character
//! itself.

use std::borrow::Cow;

/// `text` with control characters as escapes; line ends and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && c != '\t' && is_hidden(c))
}

/// `text` on one line: as [`visible`], and line ends and tabs are escapes too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// The first `most` characters of `text` on one line, and how many are left out.
pub fn beginning(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => one_line(text),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            let plural = if left_out == 1 { "" } else { "s" };
            let shown = one_line(&text[..end]);
            format!("{shown}… ({left_out} more character{plural})").into()
        }
    }
}

/// Whether a terminal acts on `c` instead of showing it: control characters, line separators,
/// and marks that change the direction of writing or are of no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        )
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if hidden(c) => shown += "\\n",
            '\r' => shown += "\\r",
            '\t' if hidden(c) => shown += "\\t",
            c if hidden(c) => shown += &format!("\\u{:04x}", u32::from(c)),
            c => shown.push(c),
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_written_as_an_escape() {
        let text = "a\u{1b}[31mb\u{7}\r\u{9b}2J\u{202e}\u{2028}é\u{7f}\0";
        let expected = "a\\u001b[31mb\\u0007\\r\\u009b2J\\u202e\\u2028é\\u007f\\u0000";
        assert_eq!(visible(text), expected);
        assert_eq!(one_line(text), expected);
        assert_eq!(visible("one\n\ttwo"), "one\n\ttwo");
        assert_eq!(one_line("one\n\ttwo"), "one\\n\\ttwo");
        for plain in ["", "α → β, 5\u{202f}256", "日本語 🙂"] {
            assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn a_long_text_says_how_much_is_left_out() {
        assert_eq!(beginning("αβγδ", 4), "αβγδ");
        assert_eq!(beginning("αβγδ", 3), "αβγ… (1 more character)");
        assert_eq!(beginning("a\nbcd", 2), "a\\n… (3 more characters)");
    }
}
