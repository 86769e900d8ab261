//! Kernels in plain Rust, which stand for those of AVX-512 and AMX in tests.

use super::table::{AmxFunctions, Bf16Functions, KernelTable, VectorIsa};
use crate::amx;
use crate::instruction_set::InstructionSet;
use crate::operands::Operands;
use crate::vector::micro_kernel::AVX512_ROWS;
use crate::vector::{csr, plain};

const fn plain_table() -> KernelTable {
    KernelTable {
        instruction_set: InstructionSet::Avx512,
        operands: Operands::F32,
        vector_isa: VectorIsa::Plain,
        description: "plain Rust",
        f32_table: &F32,
        panel_width: 32,
        micro_rows: AVX512_ROWS,
        micro_kernel: plain::micro_kernel,
        csr_product: plain::csr_product,
        contraction: plain::contraction,
        compress: csr::compress,
        bf16: None,
        amx: None,
    }
}
const fn plain_bf16_table() -> KernelTable {
    KernelTable {
        operands: Operands::Bf16,
        micro_kernel: plain::micro_kernel_bf16,
        csr_product: plain::csr_product_bf16,
        bf16: Some(Bf16Functions {
            pair_neighbours: plain::pair_neighbours,
            pair_rows: plain::pair_rows,
            interleave_row: plain::interleave_row,
            split_pairs: plain::split_pairs,
            compress: plain::compress_bf16,
        }),
        ..plain_table()
    }
}
const AMX_BF16_FUNCTIONS: AmxFunctions = AmxFunctions {
    parts: 1,
    configure: || {},
    release: || {},
    product: amx::plain::product::<1>,
    pack_tile: amx::plain::pack_tile::<1>,
};

static F32: KernelTable = plain_table();
static EMULATED_BF16: KernelTable = KernelTable {
    operands: Operands::EmulatedBf16,
    ..plain_table()
};
static BF16: KernelTable = plain_bf16_table();
static AMX_F32: KernelTable = KernelTable {
    instruction_set: InstructionSet::Amx,
    f32_table: &AMX_F32,
    amx: Some(AmxFunctions {
        parts: 3,
        product: amx::plain::product::<3>,
        pack_tile: amx::plain::pack_tile::<3>,
        ..AMX_BF16_FUNCTIONS
    }),
    ..plain_table()
};
static AMX_BF16: KernelTable = KernelTable {
    instruction_set: InstructionSet::Amx,
    f32_table: &AMX_F32,
    amx: Some(AMX_BF16_FUNCTIONS),
    ..plain_bf16_table()
};

pub(super) static ALL: [&KernelTable; 5] = [&F32, &EMULATED_BF16, &BF16, &AMX_F32, &AMX_BF16];
