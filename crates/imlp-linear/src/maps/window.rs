//! A window that slides along one image axis, and the checks all maps share.

use crate::{LinearError, Sampler, Shape};

/// One image axis under a sliding window; output size as in PyTorch,
/// `⌊(input + 2·padding − kernel) / stride⌋ + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) output: usize,
}

/// The part of a window that lies inside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// First kernel position inside.
    pub(super) kernel_start: usize,
    /// The input position it meets.
    pub(super) input_start: usize,
    /// How many positions are inside.
    pub(super) len: usize,
}

impl Axis {
    /// The span of the window of output position `o`; never empty, as padding
    /// is smaller than the kernel.
    pub(super) fn span(&self, o: usize) -> Span {
        let corner = o * self.stride;
        let kernel_start = self.padding.saturating_sub(corner);
        let kernel_end = self.kernel.min(self.input + self.padding - corner);
        Span {
            kernel_start,
            input_start: corner + kernel_start - self.padding,
            len: kernel_end - kernel_start,
        }
    }
}

/// Checks a window over `[height, width]` of `input` and sizes its output.
///
/// Sizes must be at least 1 already (see [`refuse_zeros`]).
pub(super) fn axes(
    kind: &'static str,
    input: &Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Result<[Axis; 2], LinearError> {
    if padding[0] >= kernel[0] || padding[1] >= kernel[1] {
        return Err(LinearError::PaddingTooLarge {
            kind,
            padding,
            kernel,
            input: input.clone(),
        });
    }
    let size = [input.dims()[1], input.dims()[2]];
    let pad = |i: usize| size[i].checked_add(padding[i].checked_mul(2)?);
    let (Some(height), Some(width)) = (pad(0), pad(1)) else {
        return Err(too_large(kind, "the padded input", input, "its window"));
    };
    let padded = [height, width];
    if kernel[0] > padded[0] || kernel[1] > padded[1] {
        return Err(LinearError::KernelTooLarge {
            kind,
            kernel,
            padding,
            padded,
            input: input.clone(),
        });
    }
    Ok([0, 1].map(|i| Axis {
        input: size[i],
        kernel: kernel[i],
        stride: stride[i],
        padding: padding[i],
        output: (padded[i] - kernel[i]) / stride[i] + 1,
    }))
}

/// Refuses sizes of 0, each given with its name.
pub(super) fn refuse_zeros(
    kind: &'static str,
    input: &Shape,
    output: impl ToString,
    sizes: &[(&'static str, usize)],
) -> Result<(), LinearError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some(&(what, _)) => Err(LinearError::Zero {
            kind,
            what,
            input: input.clone(),
            output: output.to_string(),
        }),
        None => Ok(()),
    }
}

/// Refuses shapes and weights whose lengths overflow.
pub(super) fn refuse_overflow(
    kind: &'static str,
    input: &Shape,
    output: &Shape,
    weight: &[usize],
) -> Result<(), LinearError> {
    let weight_len = weight.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    for (what, len) in [
        ("the input", input.checked_len()),
        ("the output", output.checked_len()),
        ("the weight", weight_len),
    ] {
        if len.is_none() {
            return Err(too_large(kind, what, input, output));
        }
    }
    Ok(())
}

fn too_large(
    kind: &'static str,
    what: &'static str,
    input: &Shape,
    output: impl ToString,
) -> LinearError {
    LinearError::TooLarge {
        kind,
        what,
        input: input.clone(),
        output: output.to_string(),
    }
}

/// `[height, width]`, each from `low` to `high`.
pub(super) fn sample_pair(sampler: &mut dyn Sampler, low: usize, high: usize) -> [usize; 2] {
    [sampler.between(low, high), sampler.between(low, high)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_inside_the_image() {
        let [axis, _] = axes("conv2d", &Shape::image(1, 5, 5), [3; 2], [2; 2], [1; 2]).unwrap();
        assert_eq!(axis.output, 3);
        let spans = [0, 1, 2].map(|o| {
            let span = axis.span(o);
            (span.kernel_start, span.input_start, span.len)
        });
        assert_eq!(spans, [(1, 0, 2), (0, 1, 3), (0, 3, 2)]);
    }

    #[test]
    fn a_kernel_wider_than_the_image_needs_its_padding() {
        let image = Shape::image(1, 1, 1);
        let [axis, _] = axes("conv2d", &image, [3; 2], [1; 2], [1; 2]).unwrap();
        assert_eq!(axis.output, 1);
        assert_eq!((axis.span(0).kernel_start, axis.span(0).len), (1, 1));
        let message = axes("conv2d", &image, [3; 2], [1; 2], [0; 2]).unwrap_err();
        assert_eq!(
            message.to_string(),
            "conv2d: kernel 3×3 is larger than the padded input 1×1 (input 1×1×1, padding 0×0); \
             use a smaller kernel or a larger image"
        );
    }
}
