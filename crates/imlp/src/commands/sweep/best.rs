//! The command that trains the best α of a sweep again and keeps its weights.

use std::ffi::OsString;
use std::path::Path;

use imlp_lab::curve::{Curve, CurvePoint, alpha_label};
use imlp_lab::text::{command_lines, shell_argument};
use imlp_lab::variation::{Assignment, value_text};
use imlp_lab::{Configuration, Experiment, Recipe, folder_name};

use crate::args::Common;

/// What to tell after the table of `configuration`, whose test curve this is; none where no
/// trial finished. `recipe` is the sweep's, and `out` its folder: there the trial's result is
/// compared with that of the second training.
pub fn how_to_train(
    common: &Common,
    recipe: &Recipe,
    experiment: &Experiment,
    configuration: &Configuration,
    curve: &Curve,
    out: &Path,
) -> Option<String> {
    let (best, why) = best(curve)?;
    let seed = *experiment
        .seeds
        .iter()
        .find(|seed| best.seeds.values.iter().any(|value| value.seed == **seed))?;
    let mut words = common.words();
    let mut add = |word: String| words.push(OsString::from(word));
    let varies = experiment.configurations.len() > 1;
    for (key, none) in [("grid", "{}"), ("zip", "{}"), ("list", "[]")] {
        let key = format!("sweep.{key}");
        if varies && recipe.get(&key).is_some() {
            add(format!("--set={key}={none}"));
        }
    }
    for assignment in &configuration.assignments {
        add(format!(
            "--set={}={}",
            assignment.key,
            set_value(assignment)
        ));
    }
    // A float for TOML, whatever its value.
    add(format!("--set=interpolation.alpha={:?}", best.alpha));
    add(format!("--seed={seed}"));
    let mut folder = OsString::from("--out=");
    // The weights in a folder are those of one trial.
    folder.push(if varies {
        out.join("best").join(folder_name(&configuration.label()))
    } else {
        out.to_owned()
    });
    words.push(folder);
    let words: Vec<String> = words.iter().map(|word| shell_argument(word)).collect();
    Some(format!(
        "best α = {} by the {why}; to train it and keep its weights:\n{}",
        alpha_label(best.alpha),
        command_lines("imlp train", &words)
    ))
}

/// The best point, and by what it is. A choice is made on the validation split; without one
/// there is only the test set to look at.
fn best(curve: &Curve) -> Option<(&CurvePoint, &'static str)> {
    match curve.chosen() {
        Some(chosen) => Some((chosen, "validation split")),
        None => Some((curve.highest()?, "test set, for want of a validation split")),
    }
}

/// The value as `--set` reads it back.
fn set_value(assignment: &Assignment) -> String {
    let text = value_text(&assignment.value);
    let mut recipe = Recipe::default();
    let read = recipe.set_text(&format!("value={text}"));
    if read.is_ok() && recipe.get("value") == Some(&assignment.value) {
        text
    } else {
        // A word that TOML reads as something else, in quotation marks.
        assignment.value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        for value in ["1e-3", "true", "cnn", "two words", "[1]", "a\"b"] {
            let assignment = Assignment {
                key: "data.name".to_owned(),
                value: value.into(),
            };
            let mut recipe = Recipe::default();
            let text = format!("data.name={}", set_value(&assignment));
            recipe.set_text(&text).unwrap();
            assert_eq!(recipe.get("data.name"), Some(&assignment.value), "{text}");
        }
    }
}
