//! α as a function of the layer: what share of the trial's α each linear layer
//! of the twin receives.
//!
//! An allocation is a multiplier in [0, 1] per linear layer; layer i is
//! interpolated with α_i = multiplier_i · α. With α = 1 the multipliers are
//! the α_i themselves.

use std::collections::BTreeMap;

use imlp_linear::Alpha;
use imlp_suggest::{counted, did_you_mean};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// How α is spread over the linear layers, as written in a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected \"all\", \"first\", a list of multipliers in [0, 1], { from = …, to = … } or { layers = { NAME = … } }"
)]
pub enum Allocation {
    /// `"all"` or `"first"`.
    Named(NamedAllocation),
    /// One multiplier per linear layer, first to last.
    List(Vec<f64>),
    /// A straight line over depth.
    Gradient(Gradient),
    /// Multipliers by layer name.
    ByName(ByName),
}

/// Allocations that need no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedAllocation {
    /// Every linear layer, multiplier 1.
    All,
    /// The first linear layer only.
    First,
}

/// A straight line of multipliers over depth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradient {
    /// Multiplier of the first linear layer.
    pub from: f64,
    /// Multiplier of the last linear layer.
    pub to: f64,
}

/// Multipliers by layer name; a layer that is not named gets 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByName {
    /// Name of a linear layer → multiplier.
    pub layers: BTreeMap<String, f64>,
}

impl Default for Allocation {
    fn default() -> Self {
        Self::Named(NamedAllocation::All)
    }
}

const KEY: &str = "interpolation.allocation";

impl Allocation {
    /// The multipliers of the layers named `layers`, first to last.
    ///
    /// # Errors
    /// A multiplier outside [0, 1], a list of the wrong length, a name that no
    /// layer has.
    pub fn multipliers(&self, layers: &[&str]) -> Result<Vec<Alpha>, TrainError> {
        let count = layers.len();
        let values = match self {
            Self::Named(NamedAllocation::All) => vec![1.0; count],
            Self::Named(NamedAllocation::First) => {
                (0..count).map(|i| f64::from(u8::from(i == 0))).collect()
            }
            Self::List(list) => {
                if list.len() != count {
                    return Err(TrainError::config(
                        KEY,
                        format!("{list:?}"),
                        format!(
                            "must have one multiplier for each of the {} ({}), but has {}",
                            counted(count, "linear layer"),
                            layers.join(", "),
                            list.len()
                        ),
                    ));
                }
                list.clone()
            }
            Self::Gradient(Gradient { from, to }) => (0..count)
                .map(|i| {
                    let depth = if count > 1 {
                        i as f64 / (count - 1) as f64
                    } else {
                        0.0
                    };
                    from + (to - from) * depth
                })
                .collect(),
            Self::ByName(ByName { layers: by_name }) => {
                if let Some(unknown) = by_name.keys().find(|k| !layers.contains(&k.as_str())) {
                    return Err(TrainError::config(
                        KEY,
                        unknown,
                        format!(
                            "no linear layer has this name{}; there are {}",
                            did_you_mean(unknown, layers.iter().copied()),
                            layers.join(", ")
                        ),
                    ));
                }
                layers
                    .iter()
                    .map(|name| by_name.get(*name).copied().unwrap_or(0.0))
                    .collect()
            }
        };
        values
            .into_iter()
            .map(|value| {
                Alpha::new(value).map_err(|_| {
                    TrainError::config(KEY, value, "every multiplier must lie in [0, 1]")
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: [&str; 3] = ["conv1", "conv2", "head"];

    fn parse(text: &str) -> Allocation {
        #[derive(Deserialize)]
        struct Holder {
            allocation: Allocation,
        }
        toml::from_str::<Holder>(&format!("allocation = {text}"))
            .unwrap()
            .allocation
    }

    fn multipliers(text: &str) -> Vec<f64> {
        parse(text)
            .multipliers(&LAYERS)
            .unwrap()
            .into_iter()
            .map(Alpha::get)
            .collect()
    }

    #[test]
    fn allocations_match_values_computed_by_hand() {
        assert_eq!(multipliers("\"all\""), [1.0, 1.0, 1.0]);
        assert_eq!(multipliers("\"first\""), [1.0, 0.0, 0.0]);
        assert_eq!(multipliers("[0.5, 0.25, 0]"), [0.5, 0.25, 0.0]);
        assert_eq!(multipliers("{ from = 1.0, to = 0.5 }"), [1.0, 0.75, 0.5]);
        assert_eq!(
            multipliers("{ layers = { conv2 = 0.5, head = 1 } }"),
            [0.0, 0.5, 1.0]
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (text, part) in [
            (
                "[1.0, 0.5]",
                "one multiplier for each of the 3 linear layers (conv1, conv2, head), but has 2",
            ),
            ("[1.0, 0.5, 1.5]", "1.5"),
            ("{ layers = { conv9 = 1.0 } }", "conv9"),
            ("{ layers = { haed = 1.0 } }", "(did you mean `head`?)"),
            ("{ from = 2.0, to = 0.0 }", "2"),
        ] {
            let message = parse(text).multipliers(&LAYERS).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
