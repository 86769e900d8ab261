//! A window that slides along one image axis.

use crate::error::LinearError;
use crate::padding::PaddingMode;
use crate::registration::Sampler;

/// One image axis under a sliding window; output size as in PyTorch,
/// `⌊(input + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    before: usize,
    mode: PaddingMode,
    pub(super) output: usize,
}

/// Consecutive kernel positions that meet input positions `dilation` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// First kernel position.
    pub(super) kernel: usize,
    /// The input position it meets.
    pub(super) input: usize,
    /// How many positions.
    pub(super) len: usize,
}

/// What [`Axis::new`] checks.
#[derive(Clone, Copy, Debug)]
pub(super) struct AxisConfig {
    /// `"height"`, `"width"` or `"length"`.
    pub(super) name: &'static str,
    pub(super) input: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// Before and after.
    pub(super) padding: [usize; 2],
    pub(super) mode: PaddingMode,
}

impl Axis {
    /// Checks the window and sizes its output.
    ///
    /// # Errors
    /// A size of 0, padding that the mode cannot give, a window larger than
    /// the padded input, or an overflow.
    pub(super) fn new(kind: &'static str, config: AxisConfig) -> Result<Self, LinearError> {
        let AxisConfig {
            name,
            input,
            kernel,
            stride,
            dilation,
            padding: [before, after],
            mode,
        } = config;
        for (what, size) in [
            ("input", input),
            ("kernel", kernel),
            ("stride", stride),
            ("dilation", dilation),
        ] {
            if size == 0 {
                let what = format!("the {what} along the {name}");
                return Err(LinearError::Zero { kind, what });
            }
        }
        let most = mode.most(input);
        if before.max(after) > most {
            return Err(LinearError::Padding {
                kind,
                axis: name,
                padding: [before, after],
                mode,
                input,
                most,
            });
        }
        let padded = input.checked_add(before).and_then(|n| n.checked_add(after));
        let span = (kernel - 1)
            .checked_mul(dilation)
            .and_then(|n| n.checked_add(1));
        let (Some(padded), Some(span)) = (padded, span) else {
            let what = format!("the padded input along the {name}");
            return Err(LinearError::TooLarge { kind, what });
        };
        if span > padded {
            return Err(LinearError::KernelTooLarge {
                kind,
                axis: name,
                kernel,
                dilation,
                span,
                input,
                padding: [before, after],
            });
        }
        Ok(Self {
            input,
            kernel,
            stride,
            dilation,
            before,
            mode,
            output: (padded - span) / stride + 1,
        })
    }

    /// Visits what the window of output position `o` meets: first the part
    /// inside the image as one span, then what padding repeats, one by one.
    pub(super) fn spans(&self, o: usize, mut visit: impl FnMut(Span)) {
        let corner = o * self.stride;
        let missing = self.before.saturating_sub(corner);
        let start = missing.div_ceil(self.dilation);
        let end = (self.input + self.before).saturating_sub(corner);
        let end = end.div_ceil(self.dilation).min(self.kernel);
        let (start, end) = if start < end { (start, end) } else { (0, 0) };
        if start < end {
            visit(Span {
                kernel: start,
                input: corner + start * self.dilation - self.before,
                len: end - start,
            });
        }
        if self.mode != PaddingMode::Zeros {
            for kernel in (0..start).chain(end..self.kernel) {
                let position = (corner + kernel * self.dilation) as i64 - self.before as i64;
                let input = self.mode.source(position, self.input);
                visit(Span {
                    kernel,
                    input,
                    len: 1,
                });
            }
        }
    }

    /// Visits each kernel position and the input position it meets.
    pub(super) fn taps(&self, o: usize, mut visit: impl FnMut(usize, usize)) {
        self.spans(o, |span| {
            for k in 0..span.len {
                visit(span.kernel + k, span.input + k * self.dilation);
            }
        });
    }
}

/// `[height, width]`, each from `low` to `high`.
pub(super) fn sample_pair(sampler: &mut dyn Sampler, low: usize, high: usize) -> [usize; 2] {
    [sampler.between(low, high), sampler.between(low, high)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(input: usize, kernel: usize, dilation: usize, padding: [usize; 2]) -> AxisConfig {
        AxisConfig {
            name: "height",
            input,
            kernel,
            stride: 2,
            dilation,
            padding,
            mode: PaddingMode::Zeros,
        }
    }

    fn taps(axis: &Axis, o: usize) -> Vec<(usize, usize)> {
        let mut taps = Vec::new();
        axis.taps(o, |k, i| taps.push((k, i)));
        taps
    }

    #[test]
    fn spans_stay_inside_the_image() {
        let axis = Axis::new("conv2d", axis(5, 3, 1, [1, 1])).unwrap();
        assert_eq!(axis.output, 3);
        assert_eq!(taps(&axis, 0), [(1, 0), (2, 1)]);
        assert_eq!(taps(&axis, 1), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(taps(&axis, 2), [(0, 3), (1, 4)]);
    }

    #[test]
    fn padding_repeats_what_its_mode_says() {
        // Positions −2, 1 and 4 of an axis of 3, at dilation 3.
        for (mode, want) in [
            (PaddingMode::Zeros, vec![(1, 1)]),
            (PaddingMode::Reflect, vec![(1, 1), (0, 2), (2, 0)]),
            (PaddingMode::Replicate, vec![(1, 1), (0, 0), (2, 2)]),
            (PaddingMode::Circular, vec![(1, 1), (0, 1), (2, 1)]),
        ] {
            let config = AxisConfig {
                mode,
                ..axis(3, 3, 3, [2, 2])
            };
            let axis = Axis::new("conv2d", config).unwrap();
            assert_eq!(taps(&axis, 0), want, "{mode:?}");
        }
    }

    #[test]
    fn a_kernel_wider_than_the_image_needs_its_padding() {
        let inside = Axis::new("conv2d", axis(1, 3, 1, [1, 1])).unwrap();
        assert_eq!((inside.output, taps(&inside, 0)), (1, vec![(1, 0)]));
        let message = Axis::new("conv2d", axis(1, 3, 1, [0, 1])).unwrap_err();
        assert_eq!(
            message.to_string(),
            "conv2d: the kernel spans 3 (3 at dilation 1) along the height, more than the padded \
             input 0 + 1 + 1; use a smaller kernel, more padding or a larger image"
        );
    }

    #[test]
    fn windows_wholly_in_the_padding_see_nothing() {
        let axis = Axis::new("conv2d", axis(2, 1, 1, [3, 3])).unwrap();
        let seen: Vec<_> = (0..axis.output).map(|o| taps(&axis, o)).collect();
        assert_eq!(seen, [vec![], vec![], vec![(0, 1)], vec![]]);
    }
}
