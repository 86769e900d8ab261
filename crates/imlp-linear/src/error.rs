//! What can be wrong with a geometry, its parameters or a target matrix.

use crate::padding::PaddingMode;
use crate::shape::Shape;

/// Why a structured linear map could not be built or used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// A size is 0.
    #[error("{kind}: {what} is 0; every size must be at least 1")]
    Zero {
        /// Kind of the map.
        kind: &'static str,
        /// Which size.
        what: String,
    },

    /// The kernel does not fit even once into the padded input.
    #[error(
        "{kind}: the kernel spans {span} ({kernel} at dilation {dilation}) along the {axis}, more \
         than the padded input {} + {input} + {}; use a smaller kernel, more padding or a larger \
         image",
        padding[0], padding[1]
    )]
    KernelTooLarge {
        /// Kind of the map.
        kind: &'static str,
        /// Which axis.
        axis: &'static str,
        /// Kernel size.
        kernel: usize,
        /// Distance of its positions.
        dilation: usize,
        /// Pixels from its first position to its last, both included.
        span: usize,
        /// Input size.
        input: usize,
        /// Padding before and after.
        padding: [usize; 2],
    },

    /// More padding than the mode can give.
    #[error(
        "{kind}: padding {} + {} along the {axis} of {input}: {mode} padding can add at most \
         {most} on each side",
        padding[0], padding[1]
    )]
    Padding {
        /// Kind of the map.
        kind: &'static str,
        /// Which axis.
        axis: &'static str,
        /// Padding before and after.
        padding: [usize; 2],
        /// Mode.
        mode: PaddingMode,
        /// Input size.
        input: usize,
        /// The most on one side.
        most: usize,
    },

    /// Padding wider than half a pooling window.
    #[error(
        "{kind}: padding {}×{} is more than half the window {}×{}; reduce the padding",
        padding[0], padding[1], kernel[0], kernel[1]
    )]
    PoolPadding {
        /// Kind of the map.
        kind: &'static str,
        /// Padding on each side, vertically and horizontally.
        padding: [usize; 2],
        /// Window height and width.
        kernel: [usize; 2],
    },

    /// Groups that do not divide the channels.
    #[error(
        "{kind}: {groups} groups do not divide the {channels} {what} channels; choose a common \
         divisor of the input and output channels"
    )]
    Groups {
        /// Kind of the map.
        kind: &'static str,
        /// Number of groups.
        groups: usize,
        /// `"input"` or `"output"`.
        what: &'static str,
        /// Number of channels.
        channels: usize,
    },

    /// Output padding of a transposed convolution that is too wide.
    #[error(
        "{kind}: output_padding {output_padding} along the {axis} must be less than the stride \
         {stride} or the dilation {dilation}"
    )]
    OutputPadding {
        /// Kind of the map.
        kind: &'static str,
        /// Which axis.
        axis: &'static str,
        /// Output padding.
        output_padding: usize,
        /// Stride.
        stride: usize,
        /// Dilation.
        dilation: usize,
    },

    /// Padding of a transposed convolution that cuts everything off.
    #[error(
        "{kind}: padding {padding} cuts the whole output {axis} of {full} off; reduce the padding"
    )]
    NoOutput {
        /// Kind of the map.
        kind: &'static str,
        /// Which axis.
        axis: &'static str,
        /// Padding on each side.
        padding: usize,
        /// The size without padding.
        full: usize,
    },

    /// Patches do not tile the image.
    #[error(
        "{kind}: patches of {}×{} do not tile the image {input} (padding {}×{}), and pixels would \
         be ignored; choose a patch that divides it, or a stride below the patch",
        patch[0], patch[1], padding[0], padding[1]
    )]
    Indivisible {
        /// Kind of the map.
        kind: &'static str,
        /// Patch height and width.
        patch: [usize; 2],
        /// Padding on each side, vertically and horizontally.
        padding: [usize; 2],
        /// Input shape `[channels, height, width]`.
        input: Shape,
    },

    /// A rank above the smaller side of the matrix.
    #[error("{kind}: rank {rank} is more than the smaller of input and output, {most}")]
    Rank {
        /// Kind of the map.
        kind: &'static str,
        /// Rank.
        rank: usize,
        /// The smaller side.
        most: usize,
    },

    /// An order that does not take every input exactly once.
    #[error("{kind}: {reason}; the order must take every input exactly once")]
    NotAPermutation {
        /// Kind of the map.
        kind: &'static str,
        /// What is wrong.
        reason: String,
    },

    /// Something that this kind of map does not do.
    #[error("{kind}: {what} is not supported; use {instead}")]
    Unsupported {
        /// Kind of the map.
        kind: &'static str,
        /// What.
        what: String,
        /// What to do instead.
        instead: &'static str,
    },

    /// Statistics of a batch normalisation that make no scale and shift.
    #[error("batch-norm: {0}")]
    Statistics(String),

    /// A layer that no fixed matrix equals.
    #[error("{layer} has no dense equivalent: {reason}")]
    NoFixedMatrix {
        /// The layer.
        layer: String,
        /// Why.
        reason: &'static str,
    },

    /// A layer's text that cannot be read.
    #[error("layer `{text}`: {reason}")]
    Syntax {
        /// The text.
        text: String,
        /// What is wrong.
        reason: String,
    },

    /// A count does not fit the machine's address space.
    #[error("{kind}: {what} does not fit in memory; use smaller sizes")]
    TooLarge {
        /// Kind of the map.
        kind: &'static str,
        /// Which count, with its sizes.
        what: String,
    },

    /// A result needs more memory than allowed.
    #[error(
        "{map}: the {what} ({out_len}×{in_len}) needs {bytes} bytes, more than the limit of \
         {limit}; use the sparse form, a smaller layer or a higher limit"
    )]
    OverLimit {
        /// The map or composition.
        map: String,
        /// What was asked for.
        what: &'static str,
        /// Outputs.
        out_len: usize,
        /// Inputs.
        in_len: usize,
        /// What it needs.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },

    /// More columns or weights than an index of 32 bits numbers.
    #[error(
        "{map}: {len} inputs or weights are more than the {} that an index of its structure \
         numbers; use a smaller layer",
        u32::MAX
    )]
    TooWide {
        /// The map or composition.
        map: String,
        /// Inputs or weights.
        len: usize,
    },

    /// A matrix entry is NaN or infinite.
    #[error("{kind}: {what}{position} of the dense equivalent is {value}; it must be finite")]
    NotFinite {
        /// Kind of the map.
        kind: &'static str,
        /// `"weight"` or `"bias"`.
        what: &'static str,
        /// Where.
        position: String,
        /// The value.
        value: f32,
    },

    /// Parts of a chain that do not fit together.
    #[error(
        "part {position} of the chain, {name}, takes {input} values, but {before} before it gives \
         {output}"
    )]
    Chain {
        /// Position, from 0.
        position: usize,
        /// The part.
        name: String,
        /// The part before it.
        before: String,
        /// What that gives.
        output: usize,
        /// What the part takes.
        input: usize,
    },

    /// A chain without parts.
    #[error("a chain of linear maps needs at least one part")]
    EmptyChain,

    /// A residual branch that changes the length.
    #[error(
        "the residual branch {name} turns {input} values into {output}; x + L(x) needs as many"
    )]
    Residual {
        /// The branch.
        name: String,
        /// Its inputs.
        input: usize,
        /// Its outputs.
        output: usize,
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
