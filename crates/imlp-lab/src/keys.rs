//! TOML files with errors that name the file and the key.

use std::path::Path;

use imlp_suggest::did_you_mean;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::LabError;

/// Longest recipe or network that is read; a long one has some ten kilobytes.
const MAX_BYTES: u64 = 4 << 20;

/// Longest line of a wrong text that an error shows, in characters.
const MAX_LINE: usize = 160;

/// Reads a TOML file into `T`, every key of which is checked.
///
/// # Errors
/// A file that cannot be read or is not TOML; an unknown key (with the nearest
/// known one), a value of a wrong type.
pub fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, LabError> {
    let table = table(path, "read the file")?;
    read(toml::Value::Table(table), "", &[]).map_err(|error| match error {
        LabError::Key { key, reason } => LabError::Key {
            key: format!("{}: {key}", path.display()),
            reason,
        },
        other => other,
    })
}

/// Dotted keys and values of a JSON tree.
pub(crate) fn flat(tree: &Value) -> Vec<(String, &Value)> {
    fn flatten<'a>(value: &'a Value, at: &str, keys: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let at = match at {
                        "" => key.clone(),
                        at => format!("{at}.{key}"),
                    };
                    flatten(value, &at, keys);
                }
            }
            other => keys.push((at.to_owned(), other)),
        }
    }
    let mut keys = Vec::new();
    flatten(tree, "", &mut keys);
    keys
}

/// Reads a TOML file.
pub(crate) fn table(path: &Path, action: &'static str) -> Result<toml::Table, LabError> {
    let text = imlp_input::read_text(path, MAX_BYTES).map_err(LabError::io(action, path))?;
    text.parse()
        .map_err(|error| invalid(path.display().to_string(), &error))
}

/// The error of a text that is not TOML, with the line where it stops being so.
pub(crate) fn invalid(origin: String, error: &toml::de::Error) -> LabError {
    let text = error.to_string();
    let lines = text.lines().map(|line| {
        if line.chars().count() <= MAX_LINE {
            return line.to_owned();
        }
        let start: String = line.chars().take(MAX_LINE).collect();
        format!("{start}…")
    });
    LabError::Toml {
        origin,
        reason: lines.collect::<Vec<_>>().join("\n"),
    }
}

/// Deserialises `value`, naming the key of whatever is wrong. `more` are keys
/// that are known beside those of `T`.
pub(crate) fn read<T: DeserializeOwned>(
    value: toml::Value,
    at: &str,
    more: &[&str],
) -> Result<T, LabError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().to_owned();
        let unknown = message
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split_once('`'));
        match unknown {
            Some((field, rest)) => {
                let path = path.strip_suffix(field).unwrap_or(&path);
                let more = if path.is_empty() { more } else { &[] };
                let known: Vec<&str> = rest
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .chain(more.iter().copied())
                    .collect();
                LabError::Key {
                    key: join(at, &format!("{}{field}", dotted(path))),
                    reason: format!(
                        "is not a known key{}; known here: {}",
                        did_you_mean(field, known.iter().copied()),
                        known.join(", ")
                    ),
                }
            }
            None => LabError::Key {
                key: join(at, &path),
                reason: in_words(&message),
            },
        }
    })
}

/// A path that a field follows, with the dot that belongs between them.
fn dotted(path: &str) -> String {
    if path.is_empty() || path.ends_with('.') {
        path.to_owned()
    } else {
        format!("{path}.")
    }
}

/// The deserialiser's message without Rust's names of types.
fn in_words(message: &str) -> String {
    let Some((before, expected)) = message.split_once("expected ") else {
        return message.to_owned();
    };
    let words = match expected.split_whitespace().next() {
        Some("u8" | "u32" | "u64" | "usize") => "a whole number",
        Some("f64") => "a number",
        Some("struct") => "a table",
        _ => expected,
    };
    format!("{before}expected {words}")
}

fn join(at: &str, path: &str) -> String {
    match (at, path) {
        ("", path) => path.to_owned(),
        (at, "" | ".") => at.to_owned(),
        (at, path) => format!("{at}.{path}"),
    }
}
