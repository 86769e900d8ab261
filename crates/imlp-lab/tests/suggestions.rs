//! A mistyped word of any key is answered with the word that was meant.

use std::collections::BTreeMap;

use imlp_lab::{Plan, Recipe, recipe_schema};
use serde_json::Value;

/// The words that each key `table.key` of the schema takes.
fn words_by_key() -> BTreeMap<String, Vec<String>> {
    let schema = recipe_schema();
    let root = schema.as_value();
    let mut keys = BTreeMap::new();
    for (table, content) in root["properties"].as_object().unwrap() {
        for (key, value) in properties(root, content) {
            let mut words = Vec::new();
            collect(root, value, &mut words);
            if !words.is_empty() {
                keys.insert(format!("{table}.{key}"), words);
            }
        }
    }
    keys
}

/// What a reference refers to.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix('#'))
    {
        Some(path) => root.pointer(path).unwrap(),
        None => schema,
    }
}

fn properties<'a>(root: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let own = resolved(root, schema)["properties"].as_object();
    own.into_iter().flatten().collect()
}

/// The words of a value itself, not those in its lists or tables.
fn collect(root: &Value, schema: &Value, words: &mut Vec<String>) {
    let schema = resolved(root, schema);
    let mut add = |word: &Value| words.extend(word.as_str().map(str::to_owned));
    add(&schema["const"]);
    schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(add);
    for form in ["oneOf", "anyOf", "allOf"] {
        for one in schema[form].as_array().into_iter().flatten() {
            collect(root, one, words);
        }
    }
}

/// The word with a letter in its middle doubled.
fn mistyped(word: &str) -> String {
    let middle = word.len() / 2;
    format!("{}{}", &word[..=middle], &word[middle..])
}

fn refusal(text: &str) -> String {
    let mut recipe = Recipe::default();
    recipe.set_text(text).unwrap();
    Plan::new(&recipe).expect_err(text).to_string()
}

#[test]
fn every_word_of_every_key_is_suggested() {
    let keys = words_by_key();
    for key in [
        "data.labels",
        "data.augmentation",
        "prior.kind",
        "prior.training",
        "prior.head",
        "twin.initialization",
        "interpolation.timing",
        "interpolation.every",
        "interpolation.schedule",
        "interpolation.allocation",
        "interpolation.optimizer_state",
        "train.optimizer",
        "train.learning_rate_schedule",
        "train.precision",
        "train.instructions",
        "evaluation.test",
    ] {
        assert!(keys.contains_key(key), "{key} of {keys:?}");
    }
    for (key, words) in keys {
        for word in words {
            let wrong = mistyped(&word);
            let message = refusal(&format!("{key}={wrong}"));
            assert!(
                message.contains(&format!("`{wrong}` is not known (did you mean `{word}`?)")),
                "{key}: {message}"
            );
        }
    }
}

#[test]
fn keys_inside_an_allocation_are_suggested() {
    for (text, meant) in [
        (
            "interpolation.allocation={ form = 1.0, to = 0.0 }",
            "`form` is not known (did you mean `from`?)",
        ),
        (
            "interpolation.allocation={ layer = { conv = 1.0 } }",
            "`layer` is not known (did you mean `layers`?)",
        ),
    ] {
        let message = refusal(text);
        assert!(message.contains(meant), "{message}");
    }
}

#[test]
fn words_of_layers_are_suggested() {
    let message = refusal(
        "prior={ kind = \"custom\", layers = [{ type = \"conv2d\", channels = 2, kernel = 3, \
         padding = \"smae\" }] }",
    );
    assert!(
        message.contains("`smae` is not known (did you mean `same`?)"),
        "{message}"
    );
    let message = refusal(
        "prior={ kind = \"custom\", layers = [{ type = \"conv2d\", channels = 2, kernel = 3, \
         padding_mode = \"reflct\" }] }",
    );
    assert!(message.contains("(did you mean `reflect`?)"), "{message}");
}

#[test]
fn the_names_of_grids_are_suggested() {
    for (text, meant) in [
        ("sweep.alphas=\"lgo:1e-4..1:9\"", "log"),
        ("sweep.alphas=\"twosided:1e-3:11\"", "two-sided"),
        ("sweep.alphas=\"0,liner:0..1:5\"", "linear"),
        (
            "sweep.grid={ \"train.learning_rate\" = \"logg:1e-3..1:3\" }",
            "log",
        ),
    ] {
        let message = refusal(text);
        assert!(
            message.contains(&format!("(did you mean `{meant}`?)")),
            "{message}"
        );
    }
    assert!(!refusal("sweep.alphas=\"1e\"").contains("did you mean"));
}
