//! Which instructions multiply, and on which operands.

use crate::InstructionSet;
use crate::processor::{Processor, Unsupported};
use crate::tile::{self, Combinations, Contraction, Rounded, Term, Tile};

/// What is multiplied; sums are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// As they are.
    F32,
    /// Rounded to bfloat16, for instructions that multiply two such numbers per lane
    /// (AVX-512-BF16) or whole squares of them (AMX). Denormals count as 0.
    Bf16,
    /// Rounded to bfloat16 and multiplied as f32, where the hardware has no
    /// bfloat16: the same rounding, without its speed.
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

/// The instructions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Plain Rust with the tile of AVX-512-BF16, to test what is around the
    /// instructions anywhere.
    #[cfg(test)]
    Plain,
}

/// A way to multiply that this machine has: the proof that its instructions can
/// be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    pub(crate) level: Level,
    pub(crate) operands: Operands,
    /// Whether products of full matrices are by [squares](crate::amx).
    pub(crate) amx: bool,
}

impl Kernel {
    /// The kernel for `operands` of the `pinned` instruction set, or of the fastest that
    /// this machine has.
    ///
    /// # Errors
    /// [`Unsupported`] if this machine cannot execute it or no such kernel exists.
    pub fn new(operands: Operands, pinned: Option<InstructionSet>) -> Result<Self, Unsupported> {
        let set = Processor::detect().choose(operands, pinned)?;
        Ok(Self::of(set, operands))
    }

    /// Every kernel that this machine can execute, the fastest for each operands last.
    pub fn all() -> Vec<Self> {
        let processor = Processor::detect();
        let all = Operands::ALL.into_iter().flat_map(|operands| {
            let usable = processor.usable(operands).into_iter();
            usable.map(move |set| Self::of(set, operands))
        });
        all.collect()
    }

    /// The kernel of `set` for `operands`: whoever calls this knows that the processor has
    /// the instructions.
    #[cfg(target_arch = "x86_64")]
    fn of(set: InstructionSet, operands: Operands) -> Self {
        Self {
            level: match set {
                InstructionSet::Avx2 => Level::Avx2,
                InstructionSet::Avx512 | InstructionSet::Amx => Level::Avx512,
            },
            operands,
            amx: set == InstructionSet::Amx,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of(set: InstructionSet, _: Operands) -> Self {
        unreachable!("{set} on another architecture");
    }

    /// The instruction set that decides the bits of its products. Two kernels of one
    /// instruction set and the same operands give the same bits on any machine.
    pub fn instruction_set(self) -> InstructionSet {
        match self.level {
            _ if self.amx => InstructionSet::Amx,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => InstructionSet::Avx2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => InstructionSet::Avx512,
            #[cfg(test)]
            Level::Plain => InstructionSet::Avx512,
        }
    }

    /// What it multiplies.
    pub fn operands(self) -> Operands {
        self.operands
    }

    /// The fastest instructions that it uses: of full matrices, AMX where there is.
    pub fn instructions(self) -> &'static str {
        match (self.level, self.operands) {
            _ if self.amx => "AMX",
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => "AVX2 and FMA",
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, Operands::Bf16) => "AVX-512-BF16",
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, _) => "AVX-512F",
            #[cfg(test)]
            (Level::Plain, _) => "plain Rust",
        }
    }

    /// The same instructions on f32 operands.
    pub fn with_f32(self) -> Self {
        Self {
            operands: Operands::F32,
            ..self
        }
    }

    /// Samples in one panel.
    pub fn lanes(self) -> usize {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 16,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => 32,
            #[cfg(test)]
            Level::Plain => 32,
        }
    }

    /// Rows of a tile: as many as the registers hold.
    pub(crate) fn rows(self) -> usize {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => tile::AVX2_ROWS,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => tile::AVX512_ROWS,
            #[cfg(test)]
            Level::Plain => tile::AVX512_ROWS,
        }
    }

    /// Whether it is plain Rust.
    pub(crate) fn is_plain(self) -> bool {
        match self.level {
            #[cfg(test)]
            Level::Plain => true,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 | Level::Avx512 => false,
        }
    }

    /// Values of the sum's index that one element of an operand holds.
    pub(crate) fn packed(self) -> usize {
        match self.operands {
            Operands::F32 | Operands::EmulatedBf16 => 1,
            Operands::Bf16 => 2,
        }
    }

    /// Computes one tile.
    ///
    /// # Safety
    /// Every address that `tile` describes is valid for what it says.
    pub(crate) unsafe fn tile(self, tile: &Tile) {
        // SAFETY: a kernel exists only where its instructions do; the addresses
        // are the caller's promise.
        unsafe {
            match (self.level, self.operands) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, _) => tile::avx2(tile),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, Operands::Bf16) => tile::avx512_bf16(tile),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, _) => tile::avx512(tile),
                #[cfg(test)]
                (Level::Plain, Operands::Bf16) => tile::plain_bf16(tile),
                #[cfg(test)]
                (Level::Plain, _) => tile::plain(tile),
            }
        }
    }

    /// Rounds `values` to bfloat16 [pairs](crate::bf16::pair) of neighbours; after an
    /// odd number of them comes 0. What is too small for a normal number may become 0:
    /// products count it as 0. Operands are [`Operands::Bf16`].
    pub(crate) fn pair_neighbours(self, values: &[f32], out: &mut [f32]) {
        assert_eq!(self.operands, Operands::Bf16);
        assert_eq!(out.len(), values.len().div_ceil(2), "pairs");
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a kernel exists only where its instructions do.
            Level::Avx512 => unsafe { tile::pair_neighbours_avx512(values, out) },
            _ => crate::bf16::pair_neighbours(values, out),
        }
    }

    /// The same of the values of two rows at the same places.
    pub(crate) fn pair_rows(self, first: &[f32], second: &[f32], out: &mut [f32]) {
        assert_eq!(self.operands, Operands::Bf16);
        assert!(
            first.len() == out.len() && second.len() == out.len(),
            "rows"
        );
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512 => unsafe { tile::pair_rows_avx512(first, second, out) },
            _ => crate::bf16::pair_rows(first, second, out),
        }
    }

    /// Rounds a row to bfloat16 in the order of
    /// [combinations](tile::Combinations), up to whole registers of `out`; more than
    /// the values is 0.
    pub(crate) fn round_row(self, values: &[f32], out: &mut [f32]) {
        assert_eq!(self.operands, Operands::Bf16);
        assert!(values.len() <= 2 * out.len(), "row");
        assert_eq!(out.len() % self.width(), 0, "registers");
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512 => unsafe { tile::round_row_avx512(values, out) },
            _ => tile::round_row(values, out),
        }
    }

    /// Takes pairs of whole registers apart into rows in the order of
    /// [combinations](tile::Combinations).
    pub(crate) fn split_pairs(self, pairs: &[f32], first: &mut [f32], second: &mut [f32]) {
        assert_eq!(self.operands, Operands::Bf16);
        assert_eq!(pairs.len() % (2 * self.width()), 0, "registers");
        assert!(
            first.len() * 2 == pairs.len() && second.len() == first.len(),
            "rows"
        );
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512 => unsafe { tile::split_pairs_avx512(pairs, first, second) },
            _ => tile::split_pairs(pairs, first, second),
        }
    }

    /// Lists the `values` that are not 0 as factors of rows that start `step` places
    /// apart from `at` on; gives their number. `out` has room for a register more than
    /// there are.
    pub(crate) fn list(self, at: usize, step: usize, values: &[f32], out: &mut [Term]) -> usize {
        assert!(at + values.len() * step <= 1 << 31, "rows in 32 bits");
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a kernel exists only where its instructions do.
            Level::Avx512 => unsafe { tile::list_avx512(at, step, values, out) },
            _ => tile::list(at, step, values, out),
        }
    }

    /// Lists the `values` that are not 0 once they are rounded, as factors of rows that
    /// start `step` places apart from `at` on; gives their number. `out` has room for a
    /// register more than there are.
    pub(crate) fn list_rounded(
        self,
        at: usize,
        step: usize,
        values: &[f32],
        out: &mut [Rounded],
    ) -> usize {
        assert_eq!(self.operands, Operands::Bf16);
        assert!(at + values.len() * step <= 1 << 16, "rows in 16 bits");
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512 => unsafe { tile::list_rounded_avx512(at, step, values, out) },
            _ => tile::list_rounded(at, step, values, out),
        }
    }

    /// Values of one register.
    pub(crate) fn width(self) -> usize {
        self.lanes() / tile::REGISTERS
    }

    /// Combines rows.
    ///
    /// # Safety
    /// Every address that `combinations` describes is valid for what it says.
    pub(crate) unsafe fn combine(self, combinations: &Combinations) {
        // SAFETY: as above.
        unsafe {
            match (self.level, self.operands) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, _) => tile::combine_avx2(combinations),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, Operands::Bf16) => tile::combine_avx512_bf16(combinations),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, _) => tile::combine_avx512(combinations),
                #[cfg(test)]
                (Level::Plain, Operands::Bf16) => tile::combine_plain_bf16(combinations),
                #[cfg(test)]
                (Level::Plain, _) => tile::combine_plain(combinations),
            }
        }
    }

    /// Sums products over lanes and sites; operands are f32.
    ///
    /// # Safety
    /// Every address that `contraction` describes is valid for what it says.
    pub(crate) unsafe fn contract(self, contraction: &Contraction) {
        // SAFETY: as above.
        unsafe {
            match self.level {
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => tile::contract_avx2(contraction),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => tile::contract_avx512(contraction),
                #[cfg(test)]
                Level::Plain => tile::contract_plain(contraction),
            }
        }
    }
}

/// Runs `$body` compiled for the instructions of `$kernel`: the compiler then
/// uses its registers for plain loops.
macro_rules! vectorized {
    ($(#[$doc:meta])* $visible:vis fn $name:ident($kernel:ident $(, $arg:ident: $type:ty)* $(,)?) $body:block) => {
        $(#[$doc])*
        $visible fn $name($kernel: $crate::Kernel $(, $arg: $type)*) {
            #[inline(always)]
            fn body($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) {
                body($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($arg: $type),*) {
                body($($arg),*);
            }
            match $kernel.level {
                // SAFETY: a kernel exists only where its instructions do.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Level::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(test)]
                $crate::kernel::Level::Plain => body($($arg),*),
            }
        }
    };
}
pub(crate) use vectorized;

#[cfg(test)]
impl Kernel {
    /// All of this machine, and plain Rust in their place.
    pub(crate) fn all_and_plain() -> Vec<Self> {
        let mut all = Self::all();
        for operands in [Operands::F32, Operands::Bf16, Operands::EmulatedBf16] {
            for amx in [false, true] {
                if !amx || operands != Operands::EmulatedBf16 {
                    all.push(Self {
                        level: Level::Plain,
                        operands,
                        amx,
                    });
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bf16::{rounded, unpair};

    #[test]
    fn what_is_not_0_is_listed_with_its_row() {
        let kinds = [0.0, 1.5, -0.0, f32::NAN, -2.0, 0.0, f32::INFINITY, 1e-40];
        for kernel in Kernel::all_and_plain() {
            for len in 0..100 {
                let values: Vec<f32> = (0..len).map(|i| kinds[i * i % 11 % 8]).collect();
                let mut out = vec![Term::default(); len + kernel.width()];
                let count = kernel.list(7, 3, &values, &mut out);
                let expected = values
                    .iter()
                    .enumerate()
                    .filter(|&(_, &value)| value != 0.0);
                let bits = |(at, value): (usize, f32)| (at, value.to_bits());
                assert_eq!(
                    out[..count]
                        .iter()
                        .map(|term| bits(term.parts()))
                        .collect::<Vec<_>>(),
                    expected
                        .map(|(i, &value)| bits((7 + 3 * i, value)))
                        .collect::<Vec<_>>(),
                    "{kernel:?}, {len} values"
                );
            }
        }
    }

    #[test]
    fn the_fastest_instructions_are_chosen() {
        for operands in Operands::ALL {
            let all = Kernel::all().into_iter();
            let sets: Vec<_> = all
                .filter(|kernel| kernel.operands == operands)
                .map(Kernel::instruction_set)
                .collect();
            match Kernel::new(operands, None) {
                Ok(kernel) => {
                    assert_eq!(kernel.operands(), operands);
                    assert_eq!(Some(kernel.instruction_set()), sets.into_iter().max());
                }
                Err(error) => {
                    assert_eq!((error.operands, error.pinned), (operands, None));
                    assert!(sets.is_empty());
                }
            }
        }
    }

    /// Pinned to AVX-512, a machine with AMX must not use it.
    #[test]
    fn a_pinned_instruction_set_is_the_kernels_or_refused() {
        for operands in Operands::ALL {
            for set in InstructionSet::ALL {
                match Kernel::new(operands, Some(set)) {
                    Ok(kernel) => {
                        assert_eq!(kernel.operands(), operands);
                        assert_eq!(kernel.instruction_set(), set);
                        assert_eq!(kernel.amx, set == InstructionSet::Amx);
                        assert!(Kernel::all().contains(&kernel));
                    }
                    Err(error) => {
                        assert_eq!((error.operands, error.pinned), (operands, Some(set)));
                        assert!(!error.usable.contains(&set));
                        let message = error.to_string();
                        for usable in &error.usable {
                            assert!(message.contains(usable.name()), "{message}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rounded_values_lie_where_products_read_them() {
        // All kinds of numbers but those too small for a normal one; the first of
        // each length is no number at all.
        let mut bits = 3u32;
        let mut values = |len: usize| -> Vec<f32> {
            let mut next = || loop {
                bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let value = f32::from_bits(bits);
                if value.is_normal() {
                    return value;
                }
            };
            let values = (0..len).map(|_| next());
            [f32::NAN].into_iter().chain(values).take(len).collect()
        };
        let same = |got: f32, first: f32, second: f32| {
            for (got, value) in unpair(got).into_iter().zip([first, second]) {
                let expected = rounded(value);
                assert!(got == expected || got.is_nan() && expected.is_nan());
            }
        };
        let all = Kernel::all_and_plain().into_iter();
        for kernel in all.filter(|kernel| kernel.operands == Operands::Bf16) {
            for len in 0..100 {
                let (first, second) = (values(len), values(len));
                let mut out = vec![0.0; len];
                kernel.pair_rows(&first, &second, &mut out);
                for (i, &got) in out.iter().enumerate() {
                    same(got, first[i], second[i]);
                }
                let mut out = vec![0.0; len.div_ceil(2)];
                kernel.pair_neighbours(&first, &mut out);
                for (two, &got) in first.chunks(2).zip(&out) {
                    same(got, two[0], two.get(1).copied().unwrap_or(0.0));
                }
                // As two registers are unpacked: of each 128 bits, four values of the
                // first 16 and four of the second.
                let whole = len.next_multiple_of(32);
                let value = |row: &[f32], at: usize| {
                    let (group, i) = (at % 32 / 8, at % 8);
                    let from = at / 32 * 32 + i / 4 * 16 + group * 4 + i % 4;
                    row.get(from).copied().unwrap_or(0.0)
                };
                let mut out = vec![0.0; whole / 2];
                kernel.round_row(&first, &mut out);
                for (k, &got) in out.iter().enumerate() {
                    same(got, value(&first, 2 * k), value(&first, 2 * k + 1));
                }
                let mut pairs = vec![0.0; whole];
                kernel.pair_rows(&first, &second, &mut pairs[..len]);
                let mut split = vec![0.0; whole / 2];
                kernel.split_pairs(&pairs, &mut out, &mut split);
                for (row, out) in [(&first, &out), (&second, &split)] {
                    for (k, &got) in out.iter().enumerate() {
                        same(got, value(row, 2 * k), value(row, 2 * k + 1));
                    }
                }
            }
        }
    }
}
