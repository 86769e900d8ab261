//! What can be wrong with a geometry, its parameters or a target matrix.

use crate::Shape;

/// Why a structured linear map could not be built or used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// A size is 0.
    #[error("{kind}: {what} is 0 ({input} → {output}); every size must be at least 1")]
    Zero {
        /// Kind of the map.
        kind: &'static str,
        /// Which size.
        what: &'static str,
        /// Input shape, as far as it was given.
        input: Shape,
        /// Requested output, in words or as a shape.
        output: String,
    },

    /// The kernel does not fit even once into the padded input.
    #[error(
        "{kind}: kernel {}×{} is larger than the padded input {}×{} (input {input}, padding {}×{}); \
         use a smaller kernel or a larger image",
        kernel[0], kernel[1], padded[0], padded[1], padding[0], padding[1]
    )]
    KernelTooLarge {
        /// Kind of the map.
        kind: &'static str,
        /// Kernel height and width.
        kernel: [usize; 2],
        /// Padding on each side, vertically and horizontally.
        padding: [usize; 2],
        /// Height and width with padding.
        padded: [usize; 2],
        /// Input shape.
        input: Shape,
    },

    /// Padding so wide that some outputs would see no input at all.
    #[error(
        "{kind}: padding {}×{} must be smaller than the kernel {}×{} (input {input}), \
         or border outputs see no input; reduce the padding",
        padding[0], padding[1], kernel[0], kernel[1]
    )]
    PaddingTooLarge {
        /// Kind of the map.
        kind: &'static str,
        /// Padding on each side, vertically and horizontally.
        padding: [usize; 2],
        /// Kernel height and width.
        kernel: [usize; 2],
        /// Input shape.
        input: Shape,
    },

    /// Patches do not tile the image.
    #[error(
        "{kind}: patches of {}×{} do not tile the image {input}; \
         choose a patch whose sides divide {} and {}",
        patch[0], patch[1], input.dims()[1], input.dims()[2]
    )]
    Indivisible {
        /// Kind of the map.
        kind: &'static str,
        /// Patch height and width.
        patch: [usize; 2],
        /// Input shape `[channels, height, width]`.
        input: Shape,
    },

    /// A count does not fit the machine's address space.
    #[error("{kind}: {what} of {input} → {output} does not fit in memory; use smaller sizes")]
    TooLarge {
        /// Kind of the map.
        kind: &'static str,
        /// Which count.
        what: &'static str,
        /// Input shape.
        input: Shape,
        /// Output, in words or as a shape.
        output: String,
    },

    /// The weight slice does not match the map.
    #[error(
        "{kind} ({input} → {output}): weight has {got} values, expected {expected} = {shape:?}; \
         pass the layer's weight in PyTorch layout"
    )]
    WeightLength {
        /// Kind of the map.
        kind: &'static str,
        /// Input shape.
        input: Shape,
        /// Output shape.
        output: Shape,
        /// The weight's shape (empty: the map has no weight).
        shape: Vec<usize>,
        /// Values expected.
        expected: usize,
        /// Values given.
        got: usize,
    },

    /// The bias is missing, unexpected or of another length.
    #[error(
        "{kind} ({input} → {output}): bias is {}, expected {}; \
         pass the bias exactly when the map was built with one",
        bias_words(*got), bias_words(*expected)
    )]
    BiasLength {
        /// Kind of the map.
        kind: &'static str,
        /// Input shape.
        input: Shape,
        /// Output shape.
        output: Shape,
        /// Values expected; `None`: no bias.
        expected: Option<usize>,
        /// Values given; `None`: no bias.
        got: Option<usize>,
    },

    /// The dense matrix to write into has another size.
    #[error(
        "{kind} ({input} → {output}): the dense weight has {got} values, expected \
         {}×{} (out×in); is it the twin of this layer?",
        output.len(), input.len()
    )]
    TargetWeight {
        /// Kind of the map.
        kind: &'static str,
        /// Input shape.
        input: Shape,
        /// Output shape.
        output: Shape,
        /// Values given.
        got: usize,
    },

    /// The dense bias to write into has another size.
    #[error(
        "{kind} ({input} → {output}): the dense bias has {got} values, expected {} \
         (one per output); is it the twin of this layer?",
        output.len()
    )]
    TargetBias {
        /// Kind of the map.
        kind: &'static str,
        /// Input shape.
        input: Shape,
        /// Output shape.
        output: Shape,
        /// Values given.
        got: usize,
    },

    /// α is not a number in [0, 1].
    #[error(
        "alpha is {value}; it must be a finite number between 0 and 1 (0: no prior, 1: a copy of the prior)"
    )]
    AlphaOutOfRange {
        /// The value given.
        value: f64,
    },
}

fn bias_words(length: Option<usize>) -> String {
    length.map_or_else(|| "absent".into(), |n| format!("of length {n}"))
}
