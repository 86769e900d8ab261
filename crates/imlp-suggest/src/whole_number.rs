//! Why a text is no size or count.

/// Why `text`, which could not be read as a whole number from 0, is none.
pub fn no_whole_number(text: &str) -> &'static str {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match (is_whole, text.starts_with('-')) {
        (false, _) => "is not a whole number",
        (true, true) => "is negative",
        (true, false) => "is too large",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_out_of_range_is_called_one() {
        for (text, why) in [
            ("99999999999999999999", "is too large"),
            ("-1", "is negative"),
            ("1.5", "is not a whole number"),
            ("-", "is not a whole number"),
            ("", "is not a whole number"),
            ("ten", "is not a whole number"),
        ] {
            assert_eq!(no_whole_number(text), why, "{text}");
        }
    }
}
