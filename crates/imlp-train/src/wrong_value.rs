//! What is wrong with a value in TOML, in the words of TOML instead of Rust's.

use imlp_suggest::did_you_mean;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use toml::Value;

/// Says why `T` does not take the value at `path` of `root`; `message` is the
/// deserialiser's.
pub fn wrong_value<T: DeserializeOwned>(root: &Value, path: &Path, message: &str) -> String {
    let mut root = root.clone();
    let given = find(&mut root, path);
    if let (Some(given), true) = (given, message.starts_with("invalid type: unit variant")) {
        // Only a word that is not known makes serde tell those that are.
        let given = std::mem::replace(given, Value::String(String::new()));
        return match T::deserialize(root) {
            Err(error) if error.message().starts_with("unknown variant ") => {
                not_a_word(&given, &listed(error.message()))
            }
            _ => format!("is {given}; expected a word"),
        };
    }
    let given = find(&mut root, path);
    if message.starts_with("unknown variant ") {
        let words = listed(message);
        return match given {
            Some(Value::String(word)) => {
                let nearest = did_you_mean(word, words.iter().copied());
                format!(
                    "`{word}` is not known{nearest}; known here: {}",
                    words.join(", ")
                )
            }
            Some(other) => not_a_word(other, &words),
            None => message.to_owned(),
        };
    }
    let Some((before, expected)) = message.split_once("expected ") else {
        return message.to_owned();
    };
    let is_beyond = message.starts_with("invalid value");
    let expected = match expected.split_whitespace().next() {
        Some("u32") if is_beyond => "a whole number from 0 to 4294967295",
        Some("u64" | "usize") if is_beyond => "a whole number from 0",
        Some("u8" | "u32" | "u64" | "usize") => "a whole number",
        Some("f64") => "a number",
        Some("struct") => "a table",
        _ => expected,
    };
    if let Some((word, nearest)) = given.as_deref().and_then(|given| mistyped(given, expected)) {
        return format!("`{word}` is not known{nearest}; expected {expected}");
    }
    let remedy = given.and_then(|given| remedy(given, expected));
    let remedy = remedy.map_or(String::new(), |remedy| format!("; {remedy}"));
    format!("{before}expected {expected}{remedy}")
}

/// How TOML writes the number or the truth value that `text` means in other languages (`.01`,
/// `True`); `None` if it means neither.
pub fn toml_literal(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if ["true", "false"].contains(&lower.as_str()) {
        return Some(lower);
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.to_string());
    }
    let number: f64 = text.parse().ok()?;
    Some(match number {
        n if n.is_nan() => "nan".to_owned(),
        n => format!("{n:?}"),
    })
}

/// A word or a key of `given` that is nearly one of those in `expected`, which a type of
/// several forms writes as `"word"` and `{ key = … }`; and what was probably meant.
fn mistyped<'a>(given: &'a Value, expected: &str) -> Option<(&'a str, String)> {
    let (given, nearest) = match given {
        Value::String(word) => {
            let words = expected.split('"').skip(1).step_by(2);
            (word.as_str(), did_you_mean(word, words))
        }
        Value::Table(table) => {
            let keys: Vec<&str> = expected
                .split(" = ")
                .filter_map(|before| before.rsplit([' ', '{']).next())
                .collect();
            let unknown = table.keys().find(|key| !keys.contains(&key.as_str()))?;
            (
                unknown.as_str(),
                did_you_mean(unknown, keys.iter().copied()),
            )
        }
        _ => return None,
    };
    (!nearest.is_empty()).then_some((given, nearest))
}

/// What to write instead of `given`.
fn remedy(given: &Value, expected: &str) -> Option<String> {
    let is_whole = expected.starts_with("a whole number");
    match given {
        Value::String(text) if is_whole && text.bytes().all(|b| b.is_ascii_digit()) => {
            match text.parse::<i64>() {
                Ok(whole) => Some(format!("write {whole}")),
                Err(_) if text.is_empty() => None,
                Err(_) => Some(format!("the largest is {}", i64::MAX)),
            }
        }
        Value::String(text) => {
            let literal = toml_literal(text)?;
            let is_truth = ["true", "false"].contains(&literal.as_str());
            let fits = match expected {
                "a number" => !is_truth,
                "a boolean" => is_truth,
                _ => false,
            };
            fits.then(|| format!("write {literal}"))
        }
        Value::Float(number) if is_whole && number.fract() == 0.0 && *number >= 0.0 => {
            Some(format!("write {number}"))
        }
        _ => None,
    }
}

fn not_a_word(given: &Value, words: &[&str]) -> String {
    format!("is {given}, but must be one of {}", words.join(", "))
}

/// The words in backticks after "expected".
fn listed(message: &str) -> Vec<&str> {
    let expected = message
        .rsplit_once("expected ")
        .map_or("", |(_, words)| words);
    expected.split('`').skip(1).step_by(2).collect()
}

fn find<'a>(root: &'a mut Value, path: &Path) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |value, segment| match segment {
        Segment::Map { key } => value.as_table_mut()?.get_mut(key),
        Segment::Enum { variant } => value.as_table_mut()?.get_mut(variant),
        Segment::Seq { index } => value.as_array_mut()?.get_mut(*index),
        Segment::Unknown => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_languages_are_written_as_toml_does() {
        for (text, literal) in [
            (".01", "0.01"),
            ("1.", "1.0"),
            ("+.5", "0.5"),
            ("-.5e-3", "-0.0005"),
            ("007", "7"),
            ("True", "true"),
            ("FALSE", "false"),
            ("NaN", "nan"),
            ("-Infinity", "-inf"),
        ] {
            assert_eq!(toml_literal(text).as_deref(), Some(literal), "{text}");
            let read: Result<toml::Table, _> = format!("v = {literal}").parse();
            assert!(read.is_ok_and(|t| !t["v"].is_str()), "{literal}");
        }
        for word in ["", "many", "1,5", "0.1 m", "truely"] {
            assert_eq!(toml_literal(word), None, "{word}");
        }
    }
}
