//! Padding of an image: how much, and with what.

use std::fmt;

/// AffineOperator and columns added around an image, `[before, after]` along each axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padding {
    /// Above and below.
    pub vertical: [usize; 2],
    /// Left and right.
    pub horizontal: [usize; 2],
}

impl Padding {
    /// None.
    pub const NONE: Self = Self {
        vertical: [0, 0],
        horizontal: [0, 0],
    };

    /// As much on both sides: `[vertical, horizontal]`, PyTorch's `padding`.
    pub const fn symmetric([vertical, horizontal]: [usize; 2]) -> Self {
        Self {
            vertical: [vertical, vertical],
            horizontal: [horizontal, horizontal],
        }
    }

    /// What keeps the size at stride 1, PyTorch's `padding='same'`:
    /// `dilation·(kernel − 1)` in all, the odd one after. (Saturating.)
    pub const fn same(kernel: [usize; 2], dilation: [usize; 2]) -> Self {
        const fn axis(kernel: usize, dilation: usize) -> [usize; 2] {
            let total = dilation.saturating_mul(kernel.saturating_sub(1));
            [total / 2, total - total / 2]
        }
        Self {
            vertical: axis(kernel[0], dilation[0]),
            horizontal: axis(kernel[1], dilation[1]),
        }
    }
}

/// What padding is filled with, PyTorch's `padding_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The image again, as on a torus; at most the whole image.
    Circular,
    /// The image mirrored at its border pixels, which are not repeated; less
    /// than the image.
    Reflect,
    /// The border pixels.
    Replicate,
}

impl PaddingMode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Zeros, Self::Circular, Self::Reflect, Self::Replicate];

    /// PyTorch's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Circular => "circular",
            Self::Reflect => "reflect",
            Self::Replicate => "replicate",
        }
    }

    /// The most padding on one side of an axis of `input` pixels.
    pub(crate) fn most(self, input: usize) -> usize {
        match self {
            Self::Zeros | Self::Replicate => usize::MAX,
            Self::Circular => input,
            Self::Reflect => input - 1,
        }
    }

    /// The pixel that stands at `position` outside `0..input`.
    ///
    /// # Panics
    /// For zeros, which no pixel gives.
    pub(crate) fn source(self, position: i64, input: usize) -> usize {
        let last = input as i64 - 1;
        let source = match self {
            Self::Zeros => unreachable!("zeros come from no pixel"),
            Self::Circular => position.rem_euclid(input as i64),
            Self::Reflect if position < 0 => -position,
            Self::Reflect => 2 * last - position,
            Self::Replicate => position.clamp(0, last),
        };
        source as usize
    }
}

impl fmt::Display for PaddingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
