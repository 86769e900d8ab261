//! The kernels of x86-64.

use super::table::{AmxFunctions, Bf16Functions, KernelTable, VectorIsa};
use crate::instruction_set::InstructionSet;
use crate::operands::Operands;
use crate::vector::micro_kernel::{AVX2_ROWS, AVX512_ROWS};
use crate::vector::{avx2, avx512, avx512_bf16, csr};

const fn avx2_table() -> KernelTable {
    KernelTable {
        instruction_set: InstructionSet::Avx2,
        operands: Operands::F32,
        vector_isa: VectorIsa::Avx2,
        description: "AVX2 and FMA",
        f32_table: &AVX2_F32,
        panel_width: 16,
        micro_rows: AVX2_ROWS,
        micro_kernel: avx2::micro_kernel,
        csr_product: avx2::csr_product,
        contraction: avx2::contraction,
        compress: csr::compress,
        bf16: None,
        amx: None,
    }
}
static AVX2_F32: KernelTable = avx2_table();
static AVX2_EMULATED_BF16: KernelTable = KernelTable {
    operands: Operands::EmulatedBf16,
    ..avx2_table()
};

const fn avx512_table() -> KernelTable {
    KernelTable {
        instruction_set: InstructionSet::Avx512,
        operands: Operands::F32,
        vector_isa: VectorIsa::Avx512,
        description: "AVX-512F",
        f32_table: &AVX512_F32,
        panel_width: 32,
        micro_rows: AVX512_ROWS,
        micro_kernel: avx512::micro_kernel,
        csr_product: avx512::csr_product,
        contraction: avx512::contraction,
        compress: avx512::compress,
        bf16: None,
        amx: None,
    }
}
static AVX512_F32: KernelTable = avx512_table();
static AVX512_EMULATED_BF16: KernelTable = KernelTable {
    operands: Operands::EmulatedBf16,
    ..avx512_table()
};
const fn avx512_bf16_table() -> KernelTable {
    KernelTable {
        operands: Operands::Bf16,
        description: "AVX-512-BF16",
        micro_kernel: avx512_bf16::micro_kernel,
        csr_product: avx512_bf16::csr_product,
        bf16: Some(Bf16Functions {
            pair_neighbours: avx512_bf16::pair_neighbours,
            pair_rows: avx512_bf16::pair_rows,
            interleave_row: avx512_bf16::interleave_row,
            split_pairs: avx512_bf16::split_pairs,
            compress: avx512_bf16::compress_bf16,
        }),
        ..avx512_table()
    }
}
static AVX512_BF16: KernelTable = avx512_bf16_table();

#[cfg(target_os = "linux")]
static AMX_F32: KernelTable = KernelTable {
    instruction_set: InstructionSet::Amx,
    description: "AMX",
    f32_table: &AMX_F32,
    amx: Some(AmxFunctions {
        parts: 3,
        product: crate::amx::x86::product_f32,
        pack_tile: crate::amx::pack_x86::pack_tile::<3>,
        ..AMX_BF16_FUNCTIONS
    }),
    ..avx512_table()
};
#[cfg(target_os = "linux")]
static AMX_BF16: KernelTable = KernelTable {
    instruction_set: InstructionSet::Amx,
    description: "AMX",
    f32_table: &AMX_F32,
    amx: Some(AMX_BF16_FUNCTIONS),
    ..avx512_bf16_table()
};
#[cfg(target_os = "linux")]
const AMX_BF16_FUNCTIONS: AmxFunctions = AmxFunctions {
    parts: 1,
    configure: crate::amx::x86::configure,
    release: crate::amx::x86::release,
    product: crate::amx::x86::product_bf16,
    pack_tile: crate::amx::pack_x86::pack_tile::<1>,
};

/// The kernel of `set` for `operands`.
///
/// # Panics
/// If there is none on any processor.
pub(super) fn table(set: InstructionSet, operands: Operands) -> &'static KernelTable {
    match (set, operands) {
        (InstructionSet::Avx2, Operands::F32) => &AVX2_F32,
        (InstructionSet::Avx2, Operands::EmulatedBf16) => &AVX2_EMULATED_BF16,
        (InstructionSet::Avx512, Operands::F32) => &AVX512_F32,
        (InstructionSet::Avx512, Operands::EmulatedBf16) => &AVX512_EMULATED_BF16,
        (InstructionSet::Avx512, Operands::Bf16) => &AVX512_BF16,
        #[cfg(target_os = "linux")]
        (InstructionSet::Amx, Operands::F32) => &AMX_F32,
        #[cfg(target_os = "linux")]
        (InstructionSet::Amx, Operands::Bf16) => &AMX_BF16,
        _ => unreachable!("no kernel of {set} for {}", operands.name()),
    }
}
