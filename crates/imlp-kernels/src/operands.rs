//! What is multiplied.

/// The numbers that are multiplied. Sums are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Values of f32 as they are.
    F32,
    /// Rounded to bfloat16, for instructions that multiply two of them per lane
    /// (AVX-512-BF16) or whole tiles of them (AMX). Subnormal numbers count as 0.
    Bf16,
    /// Rounded to bfloat16 and multiplied as f32: the same rounding on a processor
    /// without bfloat16, and without its speed.
    EmulatedBf16,
}

impl Operands {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::EmulatedBf16];

    /// Its name in recipes and messages: `f32`, `bf16` or `bf16-emulated`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::EmulatedBf16 => "bf16-emulated",
        }
    }
}
