//! Every recipe in `recipes/` and every key in the documentation is real.

use std::path::{Path, PathBuf};

use imlp_lab::{Plan, Recipe};
use imlp_linear::Shape;
use imlp_train::LayerKind;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_recipe_is_valid_and_says_what_it_shows() {
    let mut count = 0;
    for path in recipes("recipes").chain(recipes("recipes/paper")) {
        let plan = Plan::new(&Recipe::read(&path).unwrap())
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let config = &plan.configurations()[0].config;
        let shape = match config.data.name.as_str() {
            "fashion-mini" => Shape::image(1, 28, 28),
            "cifar10" => Shape::image(3, 32, 32),
            other => panic!("{}: add the shape of {other} here", path.display()),
        };
        config.prior.network(shape, 10).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for part in ["# Shows", "# Run", "# Hardware", "# Time"] {
            assert!(text.contains(part), "{} lacks `{part}`", path.display());
        }
        let name = path.file_name().unwrap().to_string_lossy();
        let command = if path.parent().unwrap().ends_with("paper") {
            let (claim, reading) = name.split_once("-co-trained").map_or_else(
                || (name.trim_end_matches("-frozen.toml"), "frozen"),
                |(claim, _)| (claim, "co-trained"),
            );
            assert!(text.contains("# Rule"), "{name}");
            format!("imlp reproduce {claim} --scale cpu --reading {reading}")
        } else {
            format!("imlp sweep recipes/{name}")
        };
        assert!(text.contains(&command), "{name} lacks `{command}`");
        count += 1;
    }
    assert!(count >= 19, "{count}");
}

/// The recipes in `folder`.
fn recipes(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    })
}

/// The tables of docs/recipes.md list each key that a recipe can have, under
/// the heading of its table: an undocumented or a vanished key fails here.
#[test]
fn the_documentation_lists_every_key() {
    let text = std::fs::read_to_string(root().join("docs/recipes.md")).unwrap();
    for table in [
        "data",
        "prior",
        "twin",
        "interpolation",
        "train",
        "evaluation",
        "sweep",
    ] {
        let section = text
            .split(&format!("## `[{table}]`"))
            .nth(1)
            .unwrap_or_else(|| panic!("no section for [{table}]"))
            .split("\n## ")
            .next()
            .unwrap();
        let mut documented: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
            .flat_map(|cell| cell.split(['`', ',', ' ']).filter(|word| !word.is_empty()))
            .collect();
        documented.sort_unstable();
        let mut known = known_keys(table);
        known.sort_unstable();
        assert_eq!(documented, known, "[{table}]");
    }
}

/// The table of docs/add-a-prior.md lists each type of layer with its keys.
#[test]
fn the_documentation_lists_every_layer_and_its_keys() {
    let text = std::fs::read_to_string(root().join("docs/add-a-prior.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: Vec<(&str, Vec<&str>)> = rows
        .filter_map(|row| {
            let (word, rest) = row.split_once("` | ")?;
            let keys = rest.split('|').next()?;
            Some((word, keys.split('`').skip(1).step_by(2).collect()))
        })
        .filter(|(word, _)| *word != "type")
        .collect();
    documented.sort_unstable();
    let mut known = LayerKind::WORDS.to_vec();
    known.sort_unstable();
    let words: Vec<_> = documented.iter().map(|(word, _)| *word).collect();
    assert_eq!(words, known);
    for (word, keys) in documented {
        let recipe = format!("[[prior.layers]]\ntype = \"{word}\"\nno_such_key = 1");
        let recipe = Recipe::parse(&recipe).unwrap();
        let message = recipe
            .trial_config()
            .and_then(|_| recipe.sweep_config())
            .unwrap_err()
            .to_string();
        let (_, list) = message.split_once("known here: ").unwrap();
        let known: Vec<_> = list
            .split(", ")
            .filter(|k| !["name", ""].contains(k))
            .collect();
        assert_eq!(keys, known, "{word}");
    }
}

/// The keys of a table, from the message that refuses an unknown one.
fn known_keys(table: &str) -> Vec<String> {
    let recipe = Recipe::parse(&format!("[{table}]\nno_such_key = 1")).unwrap();
    let message = recipe
        .trial_config()
        .and_then(|_| recipe.sweep_config())
        .unwrap_err()
        .to_string();
    let (_, list) = message.split_once("known here: ").unwrap();
    list.split(", ").map(str::to_owned).collect()
}

/// Links between files of the repository lead somewhere.
#[test]
fn relative_links_in_the_documentation_resolve() {
    let mut pages = vec![
        "README.md".into(),
        "ARCHITECTURE.md".into(),
        "CONTRIBUTING.md".into(),
    ];
    for folder in ["docs", "docs/decisions"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") {
                pages.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    for page in pages {
        let path = root().join(&page);
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("](").skip(1) {
            let link = part.split([')', '#']).next().unwrap();
            if link.is_empty() || link.starts_with("http") {
                continue;
            }
            let target = path.parent().unwrap().join(link);
            assert!(target.exists(), "{}: {link}", page.display());
        }
    }
}
