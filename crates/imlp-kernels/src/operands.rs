//! What is multiplied.

/// The numbers that are multiplied. Sums are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Values of f32 as they are.
    F32,
    /// Rounded to bfloat16, for instructions that multiply two of them per lane
    /// (AVX-512-BF16) or whole tiles of them (AMX). Subnormal numbers count as 0.
    Bf16,
    /// Rounded to bfloat16 likewise, then multiplied and summed as values of f32: shows
    /// what the rounding of operands costs on a processor without bfloat16, slower than
    /// f32. Not the bits of [`Bf16`](Self::Bf16), whose instructions sum pairs of
    /// products in an order of their own, round each sum by their own rule, and count
    /// subnormal numbers as 0.
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
