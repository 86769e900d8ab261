//! The place of a linear layer in a network, from which its sizes follow.

use std::sync::Arc;

use imlp_linear::{LinearError, Shape, StructuredMap};

/// What a linear layer of a recipe becomes, or why it cannot be.
pub(crate) type Built = Result<Arc<dyn StructuredMap>, Refusal>;

/// The keys of a linear layer.
pub(crate) trait LinearLayerKeys {
    /// The structured map at `site`.
    ///
    /// # Errors
    /// The keys do not fit each other or the site.
    fn map(&self, site: &Site<'_>) -> Built;
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

/// Where a layer stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// Shape of the activations that reach it.
    pub(crate) input: &'a Shape,
    /// Classes of the network.
    pub(crate) classes: usize,
}

impl Site<'_> {
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
