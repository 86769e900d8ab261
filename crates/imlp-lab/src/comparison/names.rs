//! Short names of configurations: what sets each apart, for legends and tables.

use std::collections::BTreeMap;

use imlp_suggest::one_line;

use crate::variation::{Assignment, value_text};

/// Maximum length of a value in a name.
const LONGEST: usize = 40;

/// The keys in which configurations differ, in their order.
pub(crate) fn differing_keys<'a>(configurations: &[&'a [Assignment]]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = Vec::new();
    for assignment in configurations.iter().copied().flatten() {
        if !keys.contains(&assignment.key.as_str()) {
            keys.push(&assignment.key);
        }
    }
    let value = |assignments: &[Assignment], key: &str| {
        let of_key = assignments.iter().find(|a| a.key == key);
        of_key.map(|a| a.value.clone())
    };
    keys.retain(|key| {
        let mut values = configurations.iter().map(|a| value(a, key));
        let first = values.next();
        values.any(|value| Some(value) != first)
    });
    keys
}

/// One name per configuration, no two the same: `allocation = first`. A key is named by its
/// last part unless two that differ share it.
pub(crate) fn short_names(configurations: &[&[Assignment]]) -> Vec<String> {
    let keys = differing_keys(configurations);
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    for key in &keys {
        *shared.entry(last(key)).or_default() += 1;
    }
    let short_key = |key: &str| match shared.get(&last(key)) {
        Some(1) => last(key),
        _ => key.to_owned(),
    };
    let name = |assignments: &&[Assignment]| {
        let parts: Vec<String> = assignments
            .iter()
            .filter(|a| keys.contains(&a.key.as_str()))
            .map(|a| format!("{} = {}", short_key(&a.key), short_value(a)))
            .collect();
        match parts.is_empty() {
            true => "as the recipe".to_owned(),
            false => parts.join(", "),
        }
    };
    let names: Vec<String> = configurations.iter().map(name).collect();
    // Long values may begin alike.
    let is_alone = |name: &String| names.iter().filter(|n| *n == name).count() == 1;
    let numbered = names
        .iter()
        .enumerate()
        .map(|(i, name)| match is_alone(name) {
            true => name.clone(),
            false => format!("{}: {name}", i + 1),
        });
    numbered.collect()
}

fn short_value(assignment: &Assignment) -> String {
    let text = one_line(&value_text(&assignment.value)).into_owned();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(configurations: &[&[(&str, &str)]]) -> Vec<String> {
        let assignments: Vec<Vec<Assignment>> = configurations
            .iter()
            .map(|keys| {
                let assign = |(key, value): &(&str, &str)| Assignment {
                    key: (*key).to_owned(),
                    value: toml::Value::String((*value).to_owned()),
                };
                keys.iter().map(assign).collect()
            })
            .collect();
        let slices: Vec<&[Assignment]> = assignments.iter().map(Vec::as_slice).collect();
        short_names(&slices)
    }

    #[test]
    fn a_name_is_what_differs() {
        let allocation = |value| [("interpolation.allocation", value), ("prior.kind", "cnn")];
        assert_eq!(
            names(&[&allocation("all"), &allocation("first")]),
            ["allocation = all", "allocation = first"]
        );
        // Both rates differ: their last parts are the same.
        let rates = |a, b| [("train.learning_rate", a), ("prior.learning_rate", b)];
        assert_eq!(
            names(&[&rates("1", "2"), &rates("2", "2"), &rates("2", "3")])[0],
            "train.learning_rate = 1, prior.learning_rate = 2"
        );
        // Only one does.
        assert_eq!(
            names(&[&rates("1", "2"), &rates("2", "2")]),
            ["learning_rate = 1", "learning_rate = 2"]
        );
        assert_eq!(
            names(&[&[], &[("prior.kind", "mixer")]]),
            ["as the recipe", "kind = mixer"]
        );
    }

    #[test]
    fn long_and_odd_values_make_one_short_line_each() {
        let long = "x".repeat(300);
        let (a, b) = (long.clone() + "a", long + "b\u{1b}[2J\n");
        let names = names(&[&[("prior.layers", &a)], &[("prior.layers", &b)]]);
        assert_ne!(names[0], names[1]);
        for name in names {
            assert!(name.chars().count() < 70 && !name.contains('\n'), "{name}");
        }
    }
}
