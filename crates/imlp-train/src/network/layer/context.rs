//! What the sizes of a linear layer follow from: its input and the network's classes.

use std::sync::Arc;

use imlp_linear::{LinearError, Shape, StructuredMap};

/// The structured map of a linear layer, or why it does not fit.
pub(crate) type Built = Result<Arc<dyn StructuredMap>, Refusal>;

/// The keys of a linear layer.
pub(crate) trait LinearLayerKeys {
    /// The structured map for `context`.
    ///
    /// # Errors
    /// The keys do not fit each other or the context.
    fn map(&self, context: &LayerContext<'_>) -> Built;
}

/// Why a layer does not fit, in words.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl From<LinearError> for Refusal {
    fn from(error: LinearError) -> Self {
        Self(error.to_string())
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// What reaches a layer, and what the network must end in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerContext<'a> {
    /// Shape of the activations that reach it.
    pub(crate) input: &'a Shape,
    /// Classes of the network.
    pub(crate) classes: usize,
}

impl LayerContext<'_> {
    /// `[channels, height, width]`.
    pub(crate) fn image(&self) -> Result<[usize; 3], Refusal> {
        match *self.input.dims() {
            [c, h, w] => Ok([c, h, w]),
            _ => Err("it needs an image channels×height×width".into()),
        }
    }

    /// `[tokens, channels]`.
    pub(crate) fn tokens(&self) -> Result<[usize; 2], Refusal> {
        match *self.input.dims() {
            [s, c] => Ok([s, c]),
            _ => Err("it needs tokens×channels; put a patch-embedding before it".into()),
        }
    }

    /// `[channels, length]`.
    pub(crate) fn sequence(&self) -> Result<[usize; 2], Refusal> {
        match *self.input.dims() {
            [c, l] => Ok([c, l]),
            _ => Err(
                "it needs channels×length (after a patch-embedding, tokens are its channels)"
                    .into(),
            ),
        }
    }
}
