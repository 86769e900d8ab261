//! What can go wrong while a trial is set up or run.

use imlp_linear::{LinearError, Shape};
use imlp_suggest::one_line;

/// Errors of this crate. Divergence is not one: it is an outcome, which the record of a
/// trial states (see [`TrialStatus`](crate::TrialStatus)).
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A configuration value that cannot be used.
    #[error("{key} = {value}: {reason}")]
    Config {
        /// Dotted key, as in a recipe.
        key: &'static str,
        /// The value given, as text.
        value: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A key that is missing, or given where it has no meaning.
    #[error("{key}: {reason}")]
    Key {
        /// Dotted key, as in a recipe.
        key: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A layer's text form that cannot be read.
    #[error("layer `{}`: {}", one_line(text), one_line(reason))]
    LayerText {
        /// The text.
        text: String,
        /// What is wrong with it and what would do.
        reason: String,
    },
    /// A layer that does not fit what comes before it.
    #[error("layer `{layer}` ({kind}) cannot follow activations of shape {input}: {reason}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// Type of the layer.
        kind: &'static str,
        /// Shape that reaches it.
        input: Shape,
        /// What does not fit.
        reason: String,
    },
    /// A residual branch that does not return to the shape it left.
    #[error(
        "residual block `{layer}` takes {input} but its branch gives {output}; a skip needs equal shapes"
    )]
    Residual {
        /// Name of the block.
        layer: String,
        /// Shape at its start.
        input: Shape,
        /// Shape at the end of its branch.
        output: Shape,
    },
    /// The last layer does not give one logit per class.
    #[error(
        "the network ends in layer `{layer}` with shape {output}, but the data set has {classes} classes; end with a `linear` layer of {classes} features"
    )]
    Head {
        /// Name of the last layer.
        layer: String,
        /// Shape of its output.
        output: Shape,
        /// Classes of the data set.
        classes: usize,
    },
    /// Two layers with the same name.
    #[error("two layers are named `{0}`; give each `name` once")]
    DuplicateLayer(String),
    /// A structured map refused its geometry or its parameters.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// A data set could not be used.
    #[error(transparent)]
    Data(#[from] imlp_data::DataError),
    /// A weights file could not be read or written.
    #[error("{path}: {reason}")]
    Weights {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint that cannot be read, used or written.
    #[error("the checkpoint cannot be used: {0}")]
    Checkpoint(String),
    /// A checkpoint that was made with another instruction set: its run would go on with
    /// other bits.
    #[error(
        "the checkpoint was made {}, and this run uses {here}",
        there.as_ref().map_or(
            "by an early version, which did not record its instruction set".to_owned(),
            |there| format!("with {there}")
        )
    )]
    OtherInstructions {
        /// What the checkpoint was made with, if it says so.
        there: Option<String>,
        /// What this run uses.
        here: String,
    },
    /// A conversion that needs more memory than allowed.
    #[error("{what} needs {needed}, more than the limit of {limit}; {advice}raise --max-memory")]
    Memory {
        /// What needs it.
        what: String,
        /// Predicted peak.
        needed: String,
        /// The limit.
        limit: String,
        /// Other advice; empty, or ending in "or ".
        advice: &'static str,
    },
    /// The caller asked to stop (Ctrl-C).
    #[error("interrupted")]
    Interrupted,
}

impl TrainError {
    pub(crate) fn key(key: &'static str, reason: impl Into<String>) -> Self {
        Self::Key {
            key,
            reason: reason.into(),
        }
    }

    pub(crate) fn config(
        key: &'static str,
        value: impl std::fmt::Display,
        reason: impl Into<String>,
    ) -> Self {
        Self::Config {
            key,
            value: value.to_string(),
            reason: reason.into(),
        }
    }
}
