//! What this processor can execute.

use std::fmt;

use crate::instruction_set::InstructionSet;
use crate::operands::Operands;

/// The instructions that the processor has and the system permits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Processor {
    /// AVX2 and FMA.
    pub avx2: bool,
    /// AVX-512F.
    pub avx512: bool,
    /// AVX-512BW and AVX-512-BF16.
    pub avx512_bf16: bool,
    /// AMX-TILE and AMX-BF16, with the permission to use the tile registers.
    pub amx: bool,
}

impl Processor {
    /// This one. Miri executes none of the instructions.
    #[cfg(all(target_arch = "x86_64", not(imlp_portable), not(miri)))]
    pub fn detect() -> Self {
        let avx512 = is_x86_feature_detected!("avx512f");
        let bf16 = is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw");
        #[cfg(target_os = "linux")]
        let amx = crate::amx::x86::is_available();
        #[cfg(not(target_os = "linux"))]
        let amx = false;
        Self {
            avx2: is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            avx512,
            avx512_bf16: avx512 && bf16,
            amx,
        }
    }

    /// This one, for which there are no kernels.
    #[cfg(any(not(target_arch = "x86_64"), imlp_portable, miri))]
    pub fn detect() -> Self {
        Self::default()
    }

    /// Why the kernel of `set` for `operands` cannot run here; `None` if it can.
    pub fn obstacle(self, set: InstructionSet, operands: Operands) -> Option<&'static str> {
        use InstructionSet::{Amx, Avx2, Avx512};
        let (available, obstacle) = match (set, operands) {
            (Avx2, Operands::Bf16) => (false, "AVX2 has no bfloat16"),
            (Avx2, _) => (self.avx2, "this processor has no AVX2 with FMA"),
            (Avx512, _) if !self.avx512 => (false, "this processor has no AVX-512F"),
            (Avx512, Operands::Bf16) => (self.avx512_bf16, "this processor has no AVX-512-BF16"),
            (Avx512, _) => (true, ""),
            (Amx, Operands::EmulatedBf16) => (
                false,
                "AMX multiplies bfloat16 itself and has no emulation of it",
            ),
            (Amx, _) => (
                self.amx,
                "this machine has no AMX (the processor lacks AMX-BF16, or the system does \
                 not permit it)",
            ),
        };
        (!available).then_some(obstacle)
    }

    /// The instruction sets that have a kernel for `operands` here, the fastest last.
    pub fn usable(self, operands: Operands) -> Vec<InstructionSet> {
        let all = InstructionSet::ALL.into_iter();
        all.filter(|&set| self.obstacle(set, operands).is_none())
            .collect()
    }

    /// The instruction set that multiplies `operands` here: the pinned one, else the
    /// fastest.
    ///
    /// # Errors
    /// [`Unsupported`] if there is none.
    pub fn choose(
        self,
        operands: Operands,
        pinned: Option<InstructionSet>,
    ) -> Result<InstructionSet, Unsupported> {
        let usable = self.usable(operands);
        let chosen = match pinned {
            Some(set) => usable.iter().copied().find(|&usable| usable == set),
            None => usable.last().copied(),
        };
        chosen.ok_or_else(|| {
            let obstacle = match (pinned, operands) {
                (Some(set), _) => self.obstacle(set, operands).unwrap_or_default(),
                (None, Operands::Bf16) => "this processor has no AVX-512-BF16",
                (None, _) => "this processor has neither AVX-512F nor AVX2 with FMA",
            };
            Unsupported {
                operands,
                pinned,
                usable,
                obstacle,
            }
        })
    }
}

/// This machine has no kernel for the operands, or not of the pinned instruction set.
/// Its message says what is missing and what can be used instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The operands that were asked for.
    pub operands: Operands,
    /// The instruction set that was asked for.
    pub pinned: Option<InstructionSet>,
    /// The instruction sets that this machine has for these operands, the fastest last.
    pub usable: Vec<InstructionSet>,
    obstacle: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operands = self.operands.name();
        f.write_str(self.obstacle)?;
        match self.usable.as_slice() {
            [] if self.pinned.is_some() => {
                write!(f, "; this machine has no instruction set for {operands}")?;
            }
            [] => {}
            usable => {
                let names: Vec<_> = usable.iter().map(|set| set.name()).collect();
                write!(f, "; for {operands} this machine has {}", names.join(", "))?;
            }
        }
        match self.operands {
            Operands::F32 => Ok(()),
            Operands::Bf16 => write!(
                f,
                "; use \"bf16-emulated\", which rounds operands likewise but gives other bits \
                 and no speed, or \"f32\""
            ),
            Operands::EmulatedBf16 => write!(f, "; or use \"f32\""),
        }
    }
}

impl std::error::Error for Unsupported {}

#[cfg(test)]
mod tests {
    use super::*;

    const AVX2: Processor = Processor {
        avx2: true,
        avx512: false,
        avx512_bf16: false,
        amx: false,
    };
    const AVX512: Processor = Processor {
        avx512: true,
        ..AVX2
    };
    const SAPPHIRE_RAPIDS: Processor = Processor {
        avx512_bf16: true,
        amx: true,
        ..AVX512
    };

    #[test]
    fn the_fastest_set_is_chosen_and_a_pinned_one_obeyed() {
        use InstructionSet::{Amx, Avx2, Avx512};
        use Operands::{Bf16, EmulatedBf16, F32};
        for (processor, operands, pinned, chosen) in [
            (AVX2, F32, None, Avx2),
            (AVX2, EmulatedBf16, None, Avx2),
            (AVX512, F32, None, Avx512),
            (AVX512, F32, Some(Avx2), Avx2),
            (AVX512, EmulatedBf16, Some(Avx512), Avx512),
            (SAPPHIRE_RAPIDS, F32, None, Amx),
            (SAPPHIRE_RAPIDS, Bf16, None, Amx),
            (SAPPHIRE_RAPIDS, EmulatedBf16, None, Avx512),
            (SAPPHIRE_RAPIDS, F32, Some(Avx512), Avx512),
            (SAPPHIRE_RAPIDS, Bf16, Some(Avx512), Avx512),
            (SAPPHIRE_RAPIDS, F32, Some(Avx2), Avx2),
        ] {
            assert_eq!(processor.choose(operands, pinned), Ok(chosen));
        }
    }

    #[test]
    fn a_refusal_says_what_is_missing_and_what_there_is() {
        use InstructionSet::{Amx, Avx2, Avx512};
        use Operands::{Bf16, EmulatedBf16, F32};
        for (processor, operands, pinned, message) in [
            (
                Processor::default(),
                F32,
                None,
                "this processor has neither AVX-512F nor AVX2 with FMA",
            ),
            (
                Processor::default(),
                F32,
                Some(Avx2),
                "this processor has no AVX2 with FMA; this machine has no instruction set \
                 for f32",
            ),
            (
                AVX2,
                F32,
                Some(Avx512),
                "this processor has no AVX-512F; for f32 this machine has avx2",
            ),
            (
                AVX512,
                F32,
                Some(Amx),
                "this machine has no AMX (the processor lacks AMX-BF16, or the system does \
                 not permit it); for f32 this machine has avx2, avx512",
            ),
            (
                AVX512,
                Bf16,
                None,
                "this processor has no AVX-512-BF16; use \"bf16-emulated\", which rounds \
                 operands likewise but gives other bits and no speed, or \"f32\"",
            ),
            (
                SAPPHIRE_RAPIDS,
                Bf16,
                Some(Avx2),
                "AVX2 has no bfloat16; for bf16 this machine has avx512, amx; use \
                 \"bf16-emulated\", which rounds operands likewise but gives other bits and no \
                 speed, or \"f32\"",
            ),
            (
                SAPPHIRE_RAPIDS,
                EmulatedBf16,
                Some(Amx),
                "AMX multiplies bfloat16 itself and has no emulation of it; for \
                 bf16-emulated this machine has avx2, avx512; or use \"f32\"",
            ),
        ] {
            let error = processor.choose(operands, pinned).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.usable, processor.usable(operands));
        }
    }
}
