//! The JSON Schema of a recipe says what the reader of recipes says.

use std::path::Path;

use imlp_lab::{LabError, Recipe, recipe_schema};
use jsonschema::Validator;

fn validator() -> Validator {
    jsonschema::validator_for(recipe_schema().as_value()).expect("the schema is one")
}

fn accepts(validator: &Validator, text: &str) -> bool {
    let table: toml::Table = text.parse().unwrap();
    validator.is_valid(&serde_json::to_value(table).unwrap())
}

/// Whether every key and every type is read.
fn is_read(text: &str) -> Result<(), LabError> {
    let recipe = Recipe::parse(text)?;
    recipe.trial_config()?;
    recipe.sweep_config()?;
    Ok(())
}

#[test]
fn every_recipe_fits() {
    let validator = validator();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes"));
    let folders = ["", "paper", "paper/scale"].map(|name| folder.join(name));
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(accepts(&validator, &text), "{}", path.display());
    }
    assert!(accepts(&validator, "include = \"base.toml\""));
}

/// What is read fits the schema, and what is refused for a key or a type does
/// not; but for the name of a layer that takes none, which the schema lets by.
#[test]
fn schema_and_reader_agree() {
    let validator = validator();
    let layers = |layer: &str| format!("prior.layers = [{layer}]");
    let mut texts: Vec<String> = [
        "",
        "train.epochs = 3",
        "train.epochs = -1",
        "train.epochs = \"many\"",
        "train.epoch = 3",
        "trian.epochs = 3",
        "train.optimizer = \"adamw\"",
        "train.optimizer = \"adam\"",
        "train.momentum = 0.9",
        "data.augmentation = \"crop-flip\"",
        "data.augmentation = \"flip\"",
        "data.labels = \"coarse\"",
        "prior.kind = \"mixer\"",
        "prior.kind = \"transformer\"",
        "prior.channels = 16",
        "prior.channels = [4, 16]",
        "prior.channels = \"four\"",
        "prior.kernel = [3, 5]",
        "prior.kernel = [3, 5, 7]",
        "interpolation.alpha = 0.5",
        "interpolation.alpha = 1.5",
        "interpolation.every = \"epoch\"",
        "interpolation.every = 20",
        "interpolation.every = \"step\"",
        "interpolation.allocation = \"first\"",
        "interpolation.allocation = \"last\"",
        "interpolation.allocation = [1, 0.5]",
        "interpolation.allocation = { from = 1, to = 0 }",
        "interpolation.allocation = { from = 1 }",
        "interpolation.allocation = { layers = { head = 1 } }",
        "interpolation.schedule = \"cosine\"",
        "evaluation.test = \"always\"",
        "evaluation.tset = \"always\"",
        "twin.initialization = \"kaiming-uniform\"",
        "sweep.seeds = 3",
        "sweep.seeds = [1, 2]",
        "sweep.seeds = \"three\"",
        "sweep.alphas = \"log:1e-3..1:4\"",
        "sweep.alphas = [0, 0.5]",
        "sweep.alpha = 0.5",
        "sweep.grid = { train = { epochs = [1, 2] } }",
        "sweep.zip = 3",
        "sweep.list = [{ prior = { kind = \"mixer\" } }]",
    ]
    .map(str::to_owned)
    .to_vec();
    for layer in [
        "{ type = \"relu\" }",
        "{ type = \"lineer\" }",
        "{ type = \"linear\", name = \"head\" }",
        "{ type = \"linear\", features = 10, bias = false }",
        "{ type = \"linear\", feature = 10 }",
        "{ type = \"conv2d\", name = \"c\", channels = 3, kernel = 3, padding = \"same\" }",
        "{ type = \"conv2d\", channels = 3, kernel = 3, padding = \"valid\" }",
        "{ type = \"conv2d\", channels = 3, kernel = 3, padding = [[1, 2], [0, 0]] }",
        "{ type = \"conv2d\", channels = 3, kernel = 3, padding_mode = \"circular\" }",
        "{ type = \"conv2d\", channels = 3, kernel = 3, padding_mode = \"mirror\" }",
        "{ type = \"conv2d\", channels = 3, kernel = 3, strid = 2 }",
        "{ type = \"conv2d\", channels = 3 }",
        "{ type = \"locally-connected2d\", channels = 3, kernel = 3 }",
        "{ type = \"conv1d\", channels = 3, kernel = 3, padding = [1, 2] }",
        "{ type = \"avg-pool2d\", kernel = 2 }",
        "{ type = \"residual\", layers = [{ type = \"gelu\" }] }",
        "{ type = \"residual\", layers = [{ type = \"gelo\" }] }",
        "{ kernel = 2 }",
    ] {
        texts.push(layers(layer));
    }
    let differ: Vec<String> = texts
        .into_iter()
        .filter(|text| accepts(&validator, text) != is_read(text).is_ok())
        .collect();
    assert_eq!(differ, [] as [&str; 0]);
}
