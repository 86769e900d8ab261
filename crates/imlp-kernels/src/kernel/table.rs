//! The functions of one kernel.

use crate::amx::tile::{OperandSide, TileProduct, TileSource};
use crate::instruction_set::InstructionSet;
use crate::operands::Operands;
use crate::vector::contraction::Contraction;
use crate::vector::csr::{Bf16Nonzero, CsrProduct, Nonzero};
use crate::vector::micro_kernel::MicroTile;

/// The vector instructions that a function is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VectorIsa {
    #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
    Avx2,
    #[cfg(all(target_arch = "x86_64", not(imlp_portable)))]
    Avx512,
    /// Plain Rust in the place of AVX-512, for tests.
    #[cfg(test)]
    Plain,
}

/// The functions of one instruction set for one kind of operands, and their sizes.
///
/// The functions are unsafe where the processor lacks the instructions, and where a struct
/// that they take does not fit (its method `fits`).
pub(crate) struct KernelTable {
    pub instruction_set: InstructionSet,
    pub operands: Operands,
    pub vector_isa: VectorIsa,
    /// The instructions that multiply, in words.
    pub description: &'static str,
    /// The kernel of the same instruction set for f32.
    pub f32_table: &'static KernelTable,
    /// Samples of a panel: the values of two registers.
    pub panel_width: usize,
    /// Most rows of a micro-tile.
    pub micro_rows: usize,
    pub micro_kernel: unsafe fn(&mut MicroTile<'_>),
    pub csr_product: unsafe fn(&mut CsrProduct<'_>),
    pub contraction: unsafe fn(&mut Contraction<'_>),
    pub compress: unsafe fn(usize, usize, &[f32], &mut [Nonzero]) -> usize,
    /// Conversions of operands, for [`Operands::Bf16`].
    pub bf16: Option<Bf16Functions>,
    /// Products of full matrices, where AMX computes them.
    pub amx: Option<AmxFunctions>,
}

/// Conversions to operands of bfloat16.
#[derive(Clone, Copy)]
pub(crate) struct Bf16Functions {
    pub pair_neighbours: unsafe fn(&[f32], &mut [f32]),
    pub pair_rows: unsafe fn(&[f32], &[f32], &mut [f32]),
    pub interleave_row: unsafe fn(&[f32], &mut [f32]),
    pub split_pairs: unsafe fn(&[f32], &mut [f32], &mut [f32]),
    pub compress: unsafe fn(usize, usize, &[f32], &mut [Bf16Nonzero]) -> usize,
}

/// Products of AMX tiles.
#[derive(Clone, Copy)]
pub(crate) struct AmxFunctions {
    /// Values of bfloat16 that stand for one value of an operand.
    pub parts: usize,
    /// Gives the tile registers their shape.
    pub configure: unsafe fn(),
    /// Gives them back.
    pub release: unsafe fn(),
    pub product: unsafe fn(&mut TileProduct<'_>),
    /// Packs one tile of each part, two tiles apart.
    pub pack_tile: unsafe fn(OperandSide, TileSource<'_>, &mut [f32]),
}
