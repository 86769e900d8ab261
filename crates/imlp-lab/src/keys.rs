//! TOML files with errors that name the file and the key.

use std::path::Path;

use imlp_suggest::did_you_mean;
use imlp_train::{toml_literal, wrong_value};
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
    parse(&text, || path.display().to_string())
}

/// Reads TOML that comes from `origin`. An error shows the line where it stops being TOML.
pub(crate) fn parse(text: &str, origin: impl FnOnce() -> String) -> Result<toml::Table, LabError> {
    text.parse().map_err(|error: toml::de::Error| {
        let reason = error.to_string();
        let lines = reason.trim_end().lines().map(|line| {
            if line.chars().count() <= MAX_LINE {
                return line.to_owned();
            }
            let start: String = line.chars().take(MAX_LINE).collect();
            format!("{start}…")
        });
        let mut reason = lines.collect::<Vec<_>>().join("\n");
        let word = error.span().and_then(|span| word_at(text, span.start));
        if let Some(literal) = word.and_then(toml_literal) {
            reason += &format!("; write {literal}");
        }
        LabError::Toml {
            origin: origin(),
            reason,
        }
    })
}

/// The value around byte `at`.
fn word_at(text: &str, at: usize) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || "=,[]{}#".contains(c);
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    let from = before.rfind(ends).map_or(0, |i| i + 1);
    let to = at + after.find(ends).unwrap_or(after.len());
    text.get(from..to)
}

/// Deserialises `value`, naming the key of whatever is wrong. `more` are keys
/// that are known beside those of `T`.
pub(crate) fn read<T: DeserializeOwned>(
    value: toml::Value,
    at: &str,
    more: &[&str],
) -> Result<T, LabError> {
    serde_path_to_error::deserialize(value.clone()).map_err(|error| {
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
                reason: wrong_value::<T>(&value, error.path(), &message),
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

fn join(at: &str, path: &str) -> String {
    match (at, path) {
        ("", path) => path.to_owned(),
        (at, "" | ".") => at.to_owned(),
        (at, path) => format!("{at}.{path}"),
    }
}
