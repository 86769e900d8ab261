//! The instruction sets that have kernels of their own.

use std::fmt;
use std::str::FromStr;

/// An instruction set that decides the bits of a product: each sums in an order of its
/// own, so two of them agree only up to rounding. Ordered from the slowest to the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename_all = "kebab-case"))]
pub enum InstructionSet {
    /// AVX2 with FMA: 8 values of f32 per register.
    Avx2,
    /// AVX-512F: 16 values of f32 per register. For bfloat16 operands also AVX-512BW and
    /// AVX-512-BF16.
    Avx512,
    /// AMX for products with full matrices, AVX-512 for everything else.
    Amx,
}

impl InstructionSet {
    /// All of them, from the slowest to the fastest.
    pub const ALL: [Self; 3] = [Self::Avx2, Self::Avx512, Self::Amx];

    /// Its name in recipes, flags and results: `avx2`, `avx512` or `amx`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no instruction set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownInstructionSet(String);

impl fmt::Display for UnknownInstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown instruction set \"{}\"; use avx2, avx512 or amx",
            self.0
        )
    }
}

impl std::error::Error for UnknownInstructionSet {}

impl FromStr for InstructionSet {
    type Err = UnknownInstructionSet;

    /// Reads a [name](Self::name).
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|set| set.name() == word)
            .ok_or_else(|| UnknownInstructionSet(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for set in InstructionSet::ALL {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        let error = "sse2".parse::<InstructionSet>().unwrap_err().to_string();
        for word in ["sse2", "avx2", "avx512", "amx"] {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn faster_sets_come_later() {
        assert!(InstructionSet::ALL.is_sorted());
        assert!(InstructionSet::Avx2 < InstructionSet::Avx512);
        assert!(InstructionSet::Avx512 < InstructionSet::Amx);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn serde_uses_the_names() {
        for set in InstructionSet::ALL {
            let word = serde_json::to_string(&set).unwrap();
            assert_eq!(word, format!("\"{set}\""));
            assert_eq!(serde_json::from_str::<InstructionSet>(&word).unwrap(), set);
        }
    }
}
