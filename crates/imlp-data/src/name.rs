//! Finding a data set by its name, and the name that a mistyped one was meant to be.

use crate::catalog::{ENTRIES, Entry};
use crate::error::DataError;

/// The names of all data sets, the default first.
pub fn dataset_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// Finds a data set by its name.
pub(crate) fn find(name: &str) -> Result<&'static Entry, DataError> {
    ENTRIES
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| DataError::UnknownDataset {
            name: name.to_owned(),
            nearest: nearest(name).map(str::to_owned),
            valid: dataset_names().map(str::to_owned).collect(),
        })
}

/// The name closest to `name`, ignoring case and punctuation, if at most a third of it differs.
fn nearest(name: &str) -> Option<&'static str> {
    let simplify = |s: &str| -> Vec<char> {
        s.to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect()
    };
    let wanted = simplify(name);
    let (distance, best) = dataset_names()
        .map(|candidate| (edit_distance(&wanted, &simplify(candidate)), candidate))
        .min_by_key(|&(distance, _)| distance)?;
    (distance * 3 <= wanted.len()).then_some(best)
}

/// Levenshtein's distance: insertions, deletions and replacements that turn `a` into `b`.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_all_names() {
        let text = find("CIFAR-10").unwrap_err().to_string();
        assert_eq!(
            text,
            "unknown data set `CIFAR-10` (did you mean `cifar10`?); the data sets are: \
             fashion-mini, cifar10, cifar100, fashion-mnist, mnist"
        );
        assert!(
            find("fashon-mnist")
                .unwrap_err()
                .to_string()
                .contains("`fashion-mnist`?")
        );
        assert!(
            !find("imagenet")
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
        assert!(!find("").unwrap_err().to_string().contains("did you mean"));
    }

    #[test]
    fn edit_distances_of_known_words() {
        let distance = |a: &str, b: &str| {
            edit_distance(
                &a.chars().collect::<Vec<_>>(),
                &b.chars().collect::<Vec<_>>(),
            )
        };
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
