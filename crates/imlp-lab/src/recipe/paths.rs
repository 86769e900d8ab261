//! `data.path`: whole paths in the place of relative ones, and never beside `data.name`.

use std::path::Path;

use toml::{Table, Value};

use crate::error::LabError;

/// The key whose values are paths.
const PATH: &str = "data.path";
/// The key that it excludes.
const NAME: &str = "data.name";

/// Makes every value of `data.path` in a recipe, also those that a sweep varies, relative to
/// `folder`, and whole.
pub(super) fn make_whole(table: &mut Table, folder: &Path) {
    walk(table, "", folder);
}

fn walk(table: &mut Table, at: &str, folder: &Path) {
    for (key, value) in table.iter_mut() {
        let key = match at {
            "" => key.clone(),
            at => format!("{at}.{key}"),
        };
        make_value_whole(value, &key, folder);
    }
}

fn make_value_whole(value: &mut Value, key: &str, folder: &Path) {
    let is_path = key == PATH || key.ends_with(&format!(".{PATH}"));
    match value {
        // An empty one is refused later.
        Value::String(path) if is_path && !path.is_empty() => {
            let joined = folder.join(&*path);
            // Without a working directory it stays as it is.
            let whole = std::path::absolute(&joined).unwrap_or(joined);
            if let Some(text) = whole.to_str() {
                *path = text.to_owned();
            }
        }
        Value::Table(table) => walk(table, key, folder),
        Value::Array(items) => {
            for item in items {
                make_value_whole(item, key, folder);
            }
        }
        _ => {}
    }
}

/// The key that gives way where `key` is set later than it.
pub(super) fn excluded(key: &str) -> Option<&'static str> {
    match key {
        PATH => Some(NAME),
        NAME => Some(PATH),
        _ => None,
    }
}

/// Refuses a recipe that names a data set and a folder.
pub(super) fn refuse_both(table: &Table) -> Result<(), LabError> {
    let data = table.get("data").and_then(Value::as_table);
    let keys = data.into_iter().flat_map(Table::keys);
    refuse_both_keys(keys.map(|key| format!("data.{key}")))
}

/// Refuses keys that are set together and exclude each other.
pub(crate) fn refuse_both_keys<K: AsRef<str>>(
    keys: impl IntoIterator<Item = K>,
) -> Result<(), LabError> {
    let (mut name, mut path) = (false, false);
    for key in keys {
        name |= key.as_ref() == NAME;
        path |= key.as_ref() == PATH;
    }
    if !(name && path) {
        return Ok(());
    }
    Err(LabError::Key {
        key: PATH.to_owned(),
        reason: format!("excludes {NAME}: a trial has one data set; remove one of the two"),
    })
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;

    #[test]
    fn a_path_is_relative_to_its_recipe_and_of_set_to_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("sub/base.toml", "[data]\npath = \"photos\"");
        write(
            "top.toml",
            "include = \"sub/base.toml\"\n[sweep.grid]\ndata.path = [\"a\", \"/b\"]\n\
             [[sweep.list]]\n\"data.path\" = \"c\"\n[[sweep.list]]\ndata = { path = \"d\" }",
        );
        let mut recipe = Recipe::read(&folder.path().join("top.toml")).unwrap();
        let path = |recipe: &Recipe| recipe.trial_config().unwrap().data.path.unwrap();
        assert_eq!(path(&recipe), folder.path().join("sub/photos"));
        let sweep = recipe.get("sweep").unwrap().to_string();
        for name in ["a", "c", "d"] {
            let whole = folder.path().join(name);
            assert!(
                sweep.contains(&format!("\"{}\"", whole.display())),
                "{sweep}"
            );
        }
        assert!(sweep.contains("\"/b\""), "{sweep}");
        recipe.set_text("data.path=mine/of set").unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(path(&recipe), here.join("mine/of set"));
    }

    #[test]
    fn a_name_and_a_path_exclude_each_other() {
        let both = Recipe::parse("[data]\nname = \"mnist\"\npath = \"x\"").unwrap();
        let text = both.trial_config().unwrap_err().to_string();
        assert!(text.contains("data.path: excludes data.name"), "{text}");
        // What comes later replaces what a recipe says.
        let mut recipe = Recipe::parse("[data]\nname = \"mnist\"").unwrap();
        recipe.set_text("data.path=x").unwrap();
        assert!(recipe.trial_config().unwrap().data.path.is_some());
        recipe.set_text("data.name=mnist").unwrap();
        assert_eq!(recipe.trial_config().unwrap().data.path, None);
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("base.toml", "[data]\nname = \"mnist\"");
        write("top.toml", "include = \"base.toml\"\n[data]\npath = \"x\"");
        let recipe = Recipe::read(&folder.path().join("top.toml")).unwrap();
        assert!(recipe.trial_config().unwrap().data.path.is_some());
        // Two axes of a sweep do not.
        let recipe = "[sweep.grid]\n\"data.name\" = [\"mnist\"]\n\"data.path\" = [\"x\"]";
        let recipe = Recipe::parse(recipe).unwrap();
        let text = crate::plan::Plan::new(&recipe).unwrap_err().to_string();
        assert!(text.contains("excludes"), "{text}");
    }
}
