//! `include = "base.toml"`: a recipe that says only what differs from another.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::paths;
use crate::error::LabError;
use crate::keys;

/// The key that names a recipe's base.
pub(super) const KEY: &str = "include";

/// Recipes that may be included one through the other.
const MAX_INCLUDES: usize = 16;

/// Reads the recipe `path` over the recipe that it includes, that one over its
/// own base, and so on.
pub(super) fn read(path: &Path) -> Result<Table, LabError> {
    let mut chain = Vec::new();
    read_above(path, &mut chain)
}

/// As [`read`], of the text with that name.
pub(super) fn embedded(
    name: &str,
    text_of: &dyn Fn(&str) -> Option<&'static str>,
) -> Result<Table, LabError> {
    let text = text_of(name).ok_or_else(|| LabError::Key {
        key: KEY.to_owned(),
        reason: format!("there is no recipe `{name}` in this program"),
    })?;
    let mut table = keys::parse(text, || name.to_owned())?;
    match table.remove(KEY) {
        Some(Value::String(base)) => {
            let base = Path::new(name).parent().unwrap_or(Path::new("")).join(base);
            Ok(over(embedded(&base.to_string_lossy(), text_of)?, table))
        }
        _ => Ok(table),
    }
}

/// `chain` holds the recipes that lead here, in canonical spelling.
fn read_above(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Table, LabError> {
    let mut table = keys::table(path, "read the recipe")?;
    paths::make_whole(&mut table, path.parent().unwrap_or(Path::new("")));
    let refuse = |reason: String| LabError::Key {
        key: format!("{}: {KEY}", path.display()),
        reason,
    };
    let Some(include) = table.remove(KEY) else {
        return Ok(table);
    };
    let Value::String(base) = include else {
        let reason = format!("is {include}; expected the path of a recipe, relative to this one");
        return Err(refuse(reason));
    };
    let canonical = path
        .canonicalize()
        .map_err(LabError::io("read the recipe", path))?;
    chain.push(canonical);
    if chain.len() > MAX_INCLUDES {
        let reason = format!(
            "would be the {}th base of a base; at most {MAX_INCLUDES} recipes are included one \
             through the other",
            chain.len()
        );
        return Err(refuse(reason));
    }
    let base_path = path.parent().unwrap_or(Path::new("")).join(&base);
    if let Ok(canonical) = base_path.canonicalize()
        && chain.contains(&canonical)
    {
        let reason = format!("`{base}` includes this recipe in turn; remove one of the two");
        return Err(refuse(reason));
    }
    let base = read_above(&base_path, chain).map_err(|error| match error {
        // The path alone would not say who asked for it.
        LabError::Io { source, .. } => {
            refuse(format!("cannot read {}: {source}", base_path.display()))
        }
        other => other,
    })?;
    Ok(over(base, table))
}

/// `base`, each key of which gives way to the same key of `table`. A key is
/// `table.key`: a value that happens to be a table is replaced whole, so that
/// nothing of it is left over.
pub(super) fn over(mut base: Table, table: Table) -> Table {
    for (name, value) in table {
        match (base.get_mut(&name), value) {
            (Some(Value::Table(there)), Value::Table(here)) => {
                for key in here.keys() {
                    let other = paths::excluded(&format!("{name}.{key}"));
                    if let Some((_, other)) = other.and_then(|other| other.split_once('.')) {
                        there.remove(other);
                    }
                }
                there.extend(here);
            }
            (_, value) => {
                base.insert(name, value);
            }
        }
    }
    base
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::recipe::Recipe;

    fn read(files: &[(&str, &str)]) -> Result<Recipe, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Recipe::read(&folder.path().join(files[0].0)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_recipe_says_only_what_differs_from_its_base() {
        let recipe = read(&[
            (
                "sub/top.toml",
                "include = \"../middle.toml\"\n[train]\nepochs = 3\n\
                 [interpolation]\nallocation = { from = 1.0, to = 0.0 }",
            ),
            (
                "middle.toml",
                "include = \"base.toml\"\n[train]\nepochs = 2\nbatch_size = 7",
            ),
            (
                "base.toml",
                "[train]\nepochs = 1\nmomentum = 0.5\n[sweep]\nseeds = 4\n\
                 [interpolation]\nallocation = { layers = { head = 1.0 } }",
            ),
        ])
        .unwrap();
        let config = recipe.trial_config().unwrap();
        assert_eq!(config.train.epochs, 3);
        assert_eq!(config.train.batch_size, 7);
        assert_eq!(config.train.momentum, Some(0.5));
        assert_eq!(recipe.sweep_config().unwrap().seeds().unwrap().len(), 4);
    }

    #[test]
    fn circles_and_absent_bases_are_refused_by_name() {
        let circle = read(&[
            ("a.toml", "include = \"b.toml\""),
            ("b.toml", "include = \"c.toml\""),
            ("c.toml", "include = \"./a.toml\""),
        ])
        .unwrap_err();
        assert!(circle.contains("c.toml: include"), "{circle}");
        assert!(circle.contains("in turn"), "{circle}");
        let itself = read(&[("a.toml", "include = \"a.toml\"")]).unwrap_err();
        assert!(itself.contains("in turn"), "{itself}");
        let absent = read(&[("a.toml", "include = \"base.toml\"")]).unwrap_err();
        assert!(absent.contains("a.toml: include"), "{absent}");
        assert!(absent.contains("base.toml"), "{absent}");
        let number = read(&[("a.toml", "include = 3")]).unwrap_err();
        assert!(number.contains("is 3"), "{number}");
    }

    #[test]
    fn a_long_chain_of_includes_is_refused() {
        let chain = |length: usize| {
            let folder = tempfile::tempdir().unwrap();
            for i in 0..length {
                let text = format!("include = \"{}.toml\"", i + 1);
                std::fs::write(folder.path().join(format!("{i}.toml")), text).unwrap();
            }
            std::fs::write(folder.path().join(format!("{length}.toml")), "").unwrap();
            Recipe::read(&folder.path().join("0.toml")).map_err(|error| error.to_string())
        };
        chain(super::MAX_INCLUDES).unwrap();
        let text = chain(super::MAX_INCLUDES + 1).unwrap_err();
        assert!(text.contains("16.toml: include: "), "{text}");
        assert!(text.contains("at most 16 recipes are included"), "{text}");
        chain(20_000).unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn devices_fifos_and_huge_files_are_no_recipes() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let huge = folder.path().join("huge.toml");
        let file = std::fs::File::create(&huge).unwrap();
        file.set_len(5_000_000_000).unwrap();
        for (path, reason) in [
            (Path::new("/dev/zero"), "it is a device, not a file"),
            (&fifo, "it is a FIFO, not a file"),
            (&huge, "it has 5000000000 bytes; at most 4194304 are read"),
            (folder.path(), "it is a folder, not a file"),
        ] {
            let text = Recipe::read(path).unwrap_err().to_string();
            assert_eq!(
                text,
                format!("cannot read the recipe {}: {reason}", path.display())
            );
            let top = folder.path().join("top.toml");
            std::fs::write(&top, format!("include = {:?}", path.display().to_string())).unwrap();
            let text = Recipe::read(&top).unwrap_err().to_string();
            assert!(text.contains("top.toml: include: cannot read"), "{text}");
            assert!(text.ends_with(reason), "{text}");
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_not_shown_as_it_is() {
        for text in [
            "x = \u{1b}[2J",
            "\"\\u001b[2J\" = 1",
            "include = \"\\u001b[2J.toml\"",
            "[train]\nepochs = \"\\u001b[2J\"",
            "[data]\nname = \"\\u001b[2J\"",
        ] {
            let read = read(&[("a.toml", text)]);
            let refused = read.and_then(|recipe| recipe.trial_config().map_err(|e| e.to_string()));
            let Err(refused) = refused else { continue };
            assert!(!refused.contains('\u{1b}'), "{refused:?}");
            // Ours, or that of a library that quotes the text.
            let escapes = ["\\u001b[2J", "\\u{1b}[2J"];
            assert!(escapes.iter().any(|e| refused.contains(e)), "{refused:?}");
        }
        let long = format!("x = {}", "y".repeat(1_000_000));
        assert!(read(&[("a.toml", &long)]).unwrap_err().len() < 2000);
    }

    #[test]
    fn text_includes_nothing() {
        let recipe = Recipe::parse("include = \"x.toml\"").unwrap();
        let message = recipe.trial_config().unwrap_err().to_string();
        assert!(message.contains("include: is read only"), "{message}");
    }
}
