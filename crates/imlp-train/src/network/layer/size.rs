//! Sizes and paddings as a recipe writes them.

use imlp_linear::{Padding, PaddingMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Refusal;

/// A size in both directions: `3` or `[3, 5]` (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number or [height, width]")]
pub enum Pair {
    /// The same in both directions.
    Square(usize),
    /// Height, width.
    Rectangle([usize; 2]),
}

impl Pair {
    /// Height and width.
    pub fn get(self) -> [usize; 2] {
        match self {
            Self::Square(n) => [n, n],
            Self::Rectangle(pair) => pair,
        }
    }

    pub(super) fn zero() -> Self {
        Self::Square(0)
    }

    pub(super) fn one() -> Self {
        Self::Square(1)
    }
}

/// The default of keys that are 1 unless given.
pub(super) fn one() -> usize {
    1
}

/// The default of keys that are true unless given.
pub(super) fn yes() -> bool {
    true
}

/// PyTorch's words for a padding: `"same"` and `"valid"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PaddingWord {
    /// The padding that keeps the size: `dilation·(kernel − 1)` in all, the odd
    /// one after.
    Same,
    /// No padding.
    Valid,
}

impl PaddingWord {
    /// The padding of an image under a kernel.
    ///
    /// # Errors
    /// `"same"` with a stride.
    fn get(
        self,
        kernel: [usize; 2],
        dilation: [usize; 2],
        stride: [usize; 2],
    ) -> Result<Padding, Refusal> {
        match self {
            Self::Valid => Ok(Padding::NONE),
            Self::Same if stride == [1, 1] => Ok(Padding::same(kernel, dilation)),
            Self::Same => Err(SAME_NEEDS_STRIDE_1.into()),
        }
    }
}

/// Padding of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a whole number, [vertical, horizontal], [[top, bottom], [left, right]], \"same\" or \"valid\""
)]
pub enum ImagePadding {
    /// As much on both sides of an axis.
    Symmetric(Pair),
    /// `[[top, bottom], [left, right]]`.
    Sides([[usize; 2]; 2]),
    /// A padding by name.
    Word(PaddingWord),
}

impl ImagePadding {
    pub(super) fn none() -> Self {
        Self::Symmetric(Pair::zero())
    }

    /// The padding around an image under a kernel.
    ///
    /// # Errors
    /// `"same"` with a stride.
    pub(super) fn get(
        self,
        kernel: [usize; 2],
        dilation: [usize; 2],
        stride: [usize; 2],
    ) -> Result<Padding, Refusal> {
        match self {
            Self::Symmetric(pair) => Ok(Padding::symmetric(pair.get())),
            Self::Sides([vertical, horizontal]) => Ok(Padding {
                vertical,
                horizontal,
            }),
            Self::Word(word) => word.get(kernel, dilation, stride),
        }
    }
}

impl From<Pair> for ImagePadding {
    fn from(pair: Pair) -> Self {
        Self::Symmetric(pair)
    }
}

/// Padding of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a whole number, [before, after], \"same\" or \"valid\""
)]
pub enum SequencePadding {
    /// As much before as after.
    Symmetric(usize),
    /// `[before, after]`.
    Sides([usize; 2]),
    /// A padding by name.
    Word(PaddingWord),
}

impl SequencePadding {
    pub(super) fn none() -> Self {
        Self::Symmetric(0)
    }

    /// The padding `[before, after]` of a sequence under a kernel.
    ///
    /// # Errors
    /// `"same"` with a stride.
    pub(super) fn get(
        self,
        kernel: usize,
        dilation: usize,
        stride: usize,
    ) -> Result<[usize; 2], Refusal> {
        match self {
            Self::Symmetric(n) => Ok([n, n]),
            Self::Sides(sides) => Ok(sides),
            Self::Word(word) => Ok(word
                .get([1, kernel], [1, dilation], [1, stride])?
                .horizontal),
        }
    }
}

const SAME_NEEDS_STRIDE_1: &str =
    "padding \"same\" needs stride 1 (as in PyTorch); give the padding as numbers";

/// How a recipe writes [`PaddingMode`].
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "PaddingMode", rename_all = "lowercase")]
pub(super) enum PaddingModeWord {
    Zeros,
    Circular,
    Reflect,
    Replicate,
}
