//! The instructions of AMX, in assembly: their intrinsics are not stable in Rust.

use super::tile::{TILE_LEN, TILE_ROWS, TileProduct};

/// Whether this processor has the instructions and the system permits their use.
pub(crate) fn is_available() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    use std::sync::OnceLock;

    /// `ARCH_REQ_XCOMP_PERM`: the permission to use registers that the system saves only
    /// for processes that ask.
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    /// The tile registers (`XFEATURE_XTILEDATA`).
    const TILE_DATA: libc::c_long = 18;
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;

    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let features = if __cpuid(0).eax < 7 {
            0
        } else {
            __cpuid_count(7, 0).edx
        };
        // SAFETY: the call asks for a permission and touches no memory.
        let permitted =
            || unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 };
        features & (AMX_BF16 | AMX_TILE) == AMX_BF16 | AMX_TILE
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512bf16")
            && permitted()
    })
}

/// The shape of the tile registers, as `ldtilecfg` reads it.
#[repr(C, align(64))]
struct Shapes([u8; 64]);

static SHAPES: Shapes = {
    let mut shapes = [0; 64];
    // Palette 1; then for each register the bytes of a row, in two bytes, and the rows.
    shapes[0] = 1;
    let mut register = 0;
    while register < 8 {
        shapes[16 + 2 * register] = (TILE_ROWS * size_of::<f32>()) as u8;
        shapes[48 + register] = TILE_ROWS as u8;
        register += 1;
    }
    Shapes(shapes)
};

/// Gives every tile register the shape of a whole tile.
///
/// # Safety
/// The instructions exist.
pub(crate) unsafe fn configure() {
    // SAFETY: the caller's promise; 64 bytes are read.
    unsafe {
        std::arch::asm!("ldtilecfg [{}]", in(reg) &SHAPES, options(nostack, readonly));
    }
}

/// Releases the tile registers: the system would save registers in use at every switch
/// between threads.
///
/// # Safety
/// The instructions exist.
pub(crate) unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe {
        std::arch::asm!("tilerelease", options(nostack, nomem));
    }
}

/// Declares a function for products. The sums of two by two tiles are in tmm0–3, the left
/// operand in tmm4 and 5, the right one in tmm6 and 7.
macro_rules! product {
    ($name:ident, $parts:literal, [$($step:literal)*]) => {
        /// # Safety
        /// The instructions exist, the registers are configured, the product fits.
        #[inline(never)]
        pub(crate) unsafe fn $name(product: &mut TileProduct<'_>) {
            let out = product.out.as_mut_ptr();
            // SAFETY: the caller's promise.
            unsafe {
                std::arch::asm!(
                    "test {accumulate:e}, {accumulate:e}",
                    "jz 2f",
                    "tileloadd tmm0, [{out} + {out_stride}]",
                    "tileloadd tmm1, [{out} + {out_stride} + 64]",
                    "tileloadd tmm2, [{lower} + {out_stride}]",
                    "tileloadd tmm3, [{lower} + {out_stride} + 64]",
                    "jmp 3f",
                    "2:",
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "3:",
                    $($step,)*
                    "add {left}, {bytes}",
                    "add {right}, {bytes}",
                    "add {prefetch}, 16",
                    "dec {steps}",
                    "jnz 3b",
                    "tilestored [{out} + {out_stride}], tmm0",
                    "tilestored [{out} + {out_stride} + 64], tmm1",
                    "tilestored [{lower} + {out_stride}], tmm2",
                    "tilestored [{lower} + {out_stride} + 64], tmm3",
                    accumulate = in(reg) u32::from(product.accumulate),
                    out = in(reg) out,
                    lower = in(reg) out.add(TILE_ROWS * product.out_stride),
                    out_stride = in(reg) product.out_stride * size_of::<f32>(),
                    left = inout(reg) product.left.as_ptr() => _,
                    right = inout(reg) product.right.as_ptr() => _,
                    steps = inout(reg) product.steps => _,
                    prefetch = inout(reg) product.prefetch.as_ptr() => _,
                    at = out(reg) _,
                    row = in(reg) TILE_ROWS * size_of::<f32>(),
                    bytes = const $parts * 2 * TILE_LEN * size_of::<f32>(),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

product!(product_bf16, 1, [
    "tileloadd tmm4, [{left} + {row}]"
    "tileloadd tmm6, [{right} + {row}]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "mov {at}, [{prefetch}]"
    "prefetcht1 [{at}]"
    "prefetcht1 [{at} + 64]"
    "prefetcht1 [{at} + 128]"
    "prefetcht1 [{at} + 192]"
    "tileloadd tmm7, [{right} + {row} + 1024]"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "prefetcht1 [{at} + 256]"
    "prefetcht1 [{at} + 320]"
    "prefetcht1 [{at} + 384]"
    "prefetcht1 [{at} + 448]"
    "tileloadd tmm5, [{left} + {row} + 1024]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "mov {at}, [{prefetch} + 8]"
    "prefetcht1 [{at}]"
    "prefetcht1 [{at} + 64]"
    "prefetcht1 [{at} + 128]"
    "prefetcht1 [{at} + 192]"
    "tdpbf16ps tmm3, tmm5, tmm7"
    "prefetcht1 [{at} + 256]"
    "prefetcht1 [{at} + 320]"
    "prefetcht1 [{at} + 384]"
    "prefetcht1 [{at} + 448]"
]);

// From one pair of parts to the next, one operand stays in its registers.
product!(product_f32, 3, [
    // The first of the left, the third of the right.
    "tileloadd tmm4, [{left} + {row}]"
    "tileloadd tmm6, [{right} + {row} + 4096]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "mov {at}, [{prefetch}]"
    "prefetcht1 [{at}]"
    "tileloadd tmm7, [{right} + {row} + 5120]"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "prefetcht1 [{at} + 64]"
    "tileloadd tmm5, [{left} + {row} + 1024]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "prefetcht1 [{at} + 128]"
    "tdpbf16ps tmm3, tmm5, tmm7"
    "prefetcht1 [{at} + 192]"
    // First, second.
    "tileloadd tmm6, [{right} + {row} + 2048]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "prefetcht1 [{at} + 256]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "prefetcht1 [{at} + 320]"
    "tileloadd tmm7, [{right} + {row} + 3072]"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "prefetcht1 [{at} + 384]"
    "tdpbf16ps tmm3, tmm5, tmm7"
    "prefetcht1 [{at} + 448]"
    // Second, second.
    "tileloadd tmm4, [{left} + {row} + 2048]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "mov {at}, [{prefetch} + 8]"
    "prefetcht1 [{at}]"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "prefetcht1 [{at} + 64]"
    "tileloadd tmm5, [{left} + {row} + 3072]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "prefetcht1 [{at} + 128]"
    "tdpbf16ps tmm3, tmm5, tmm7"
    "prefetcht1 [{at} + 192]"
    // Second, first.
    "tileloadd tmm6, [{right} + {row}]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "prefetcht1 [{at} + 256]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "prefetcht1 [{at} + 320]"
    "tileloadd tmm7, [{right} + {row} + 1024]"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "prefetcht1 [{at} + 384]"
    "tdpbf16ps tmm3, tmm5, tmm7"
    "prefetcht1 [{at} + 448]"
    // First, first.
    "tileloadd tmm4, [{left} + {row}]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "tileloadd tmm5, [{left} + {row} + 1024]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "tdpbf16ps tmm3, tmm5, tmm7"
    // Third, first.
    "tileloadd tmm4, [{left} + {row} + 4096]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "tdpbf16ps tmm1, tmm4, tmm7"
    "tileloadd tmm5, [{left} + {row} + 5120]"
    "tdpbf16ps tmm2, tmm5, tmm6"
    "tdpbf16ps tmm3, tmm5, tmm7"
]);
