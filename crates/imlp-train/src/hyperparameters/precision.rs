//! The numbers in which the products of the dense twin are computed.

use imlp_kernels::Operands;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which numbers the products of the dense twin are computed. Weights, sums,
/// the optimiser's state and everything of the prior are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Operands rounded to bfloat16, on processors with AVX-512-BF16.
    Bf16,
    /// Operands rounded likewise but summed as f32, on any processor, slower than `f32`: for
    /// the effect of the rounding, not for the bits of `bf16`.
    Bf16Emulated,
}

impl Precision {
    /// The word that a recipe uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Bf16Emulated => "bf16-emulated",
        }
    }

    pub(crate) fn operands(self) -> Operands {
        match self {
            Self::F32 => Operands::F32,
            Self::Bf16 => Operands::Bf16,
            Self::Bf16Emulated => Operands::EmulatedBf16,
        }
    }
}
