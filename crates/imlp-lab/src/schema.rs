//! The JSON Schema of a recipe, for editors that complete and check TOML.

use imlp_train::TrialConfig;
use schemars::{Schema, generate::SchemaSettings, json_schema};

use crate::sweep_config::SweepConfig;

/// The schema of a recipe: every key and its type. Conditions on several keys or
/// on the data are checked only by [`Plan`](crate::Plan) and
/// [`Experiment`](crate::Experiment).
pub fn recipe_schema() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let sweep = generator.subschema_for::<SweepConfig>();
    let mut schema = generator.into_root_schema_for::<TrialConfig>();
    schema.insert("title".to_owned(), "A recipe of imlp".into());
    let more = [
        ("sweep", sweep),
        (
            "include",
            json_schema!({
                "type": "string",
                "description": "A recipe, relative to this one, from which every key is taken \
                                that this one does not set.",
            }),
        ),
    ];
    let properties = schema.get_mut("properties").and_then(|p| p.as_object_mut());
    if let Some(properties) = properties {
        for (key, value) in more {
            properties.insert(key.to_owned(), value.into());
        }
    }
    schema
}
