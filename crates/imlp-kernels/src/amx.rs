//! Products by Intel's Advanced Matrix Extensions: 16 × 16 sums in one register.
//!
//! An operand is cut into *squares* of 16 × 16 [pairs](crate::bf16::pair) of bfloat16,
//! which lie in memory as a register holds them:
//!
//! - of the left operand, row r has the pairs of its row r: `[r, k / 2]`;
//! - of the right operand, row k has pair k of all columns: `[k / 2, column]`.
//!
//! # Numbers of f32
//! A number of f32 is the sum of three of bfloat16, 8 bits of its 24 each:
//! `a = a₀ + a₁ + a₂`, where each is what the ones before leave, rounded. Of the nine
//! products of two such sums, six are added: what is left out, `a₁b₂`, `a₂b₁` and
//! `a₂b₂`, is below 2⁻²⁴ of `ab`, which is half of the last place of an f32 (Henry,
//! Tang & Heinecke 2019, arXiv 1904.06376). An infinite operand, or one that rounds to
//! infinity (above 3.39e38), gives a NaN. The instructions take a part below 1.2e-38,
//! the smallest normal number, as 0: an operand below 1e-33 has fewer digits.

use crate::{Kernel, Operands};

mod pack;
pub(crate) use pack::{Side, pack_squares};

/// Rows of a square, pairs in one of its rows, and sums in a row of a register.
const SIDE: usize = 16;
/// Places of f32 that a square takes.
pub(crate) const SQUARE: usize = SIDE * SIDE;
/// Rows, or columns, of the results of one [`Product`]: two squares.
pub(crate) const ROWS: usize = 2 * SIDE;
/// Values of the sum's index in a square.
pub(crate) const STEP: usize = 2 * SIDE;

/// Which parts of two numbers are multiplied, small products first.
#[cfg(test)]
const OF_SINGLES: [(usize, usize); 6] = [(0, 2), (0, 1), (1, 1), (1, 0), (0, 0), (2, 0)];

/// Numbers of bfloat16 that stand for one of the operands'.
pub(crate) const fn parts(kernel: Kernel) -> usize {
    match kernel.operands {
        Operands::F32 => 3,
        Operands::Bf16 | Operands::EmulatedBf16 => 1,
    }
}

/// `out[r, c] (+)= Σ_k left[r, k] · right[k, c]` for [`ROWS`] rows and columns.
///
/// An operand lies as `[steps, parts, 2]` squares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    /// Of [`STEP`] values each; at least 1.
    pub steps: usize,
    pub left: *const f32,
    pub right: *const f32,
    /// Whether sums start from what lies in `out`, else from 0.
    pub add: bool,
    pub out: *mut f32,
    /// Values from one row of `out` to the next.
    pub out_step: usize,
    /// Of each step, [`SOON`] addresses, of [`SOON_LEN`] values each, that will be
    /// needed soon; any address will do, nothing is read.
    pub soon: *const [usize; SOON],
}

/// Memory that is asked for with each step, little at a time: a processor waits that is
/// asked for more than it can keep in mind.
pub(crate) const SOON: usize = 2;
/// See [`Product::soon`].
pub(crate) const SOON_LEN: usize = 128;

/// Whether this machine has the instructions and the system lets us use them.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) fn is_available() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    use std::sync::OnceLock;

    /// `ARCH_REQ_XCOMP_PERM`: the right to a state that the system saves only for
    /// those who ask.
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    /// Of the registers' values (`XFEATURE_XTILEDATA`).
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
        // SAFETY: asks for a permission of this process; reads and writes nothing.
        let permitted =
            || unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 };
        features & (AMX_BF16 | AMX_TILE) == AMX_BF16 | AMX_TILE
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512bf16")
            && permitted()
    })
}

/// The registers in the shape of whole squares, while this exists.
pub(crate) struct Configured {
    kernel: Kernel,
}

impl Configured {
    pub fn new(kernel: Kernel) -> Self {
        assert!(kernel.amx, "a kernel without AMX");
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if !kernel.is_plain() {
            #[repr(C, align(64))]
            struct Shapes([u8; 64]);

            const SHAPES: Shapes = {
                let mut shapes = [0; 64];
                // The only palette; then for each register bytes of a row, in two
                // bytes, and rows.
                shapes[0] = 1;
                let mut register = 0;
                while register < 8 {
                    shapes[16 + 2 * register] = (SIDE * size_of::<f32>()) as u8;
                    shapes[48 + register] = SIDE as u8;
                    register += 1;
                }
                Shapes(shapes)
            };
            // SAFETY: the kernel proves the instructions; 64 bytes are read.
            unsafe {
                std::arch::asm!("ldtilecfg [{}]", in(reg) &SHAPES, options(nostack, readonly));
            }
        }
        Self { kernel }
    }

    /// Computes one product.
    ///
    /// # Safety
    /// Every address that `product` describes is valid for what it says.
    pub unsafe fn multiply(&self, product: &Product) {
        debug_assert!(product.steps > 0, "no steps");
        // SAFETY: the registers are configured; the addresses are the caller's promise.
        unsafe {
            #[cfg(test)]
            if self.kernel.is_plain() {
                return multiply_plain(parts(self.kernel), product);
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            match self.kernel.operands {
                Operands::F32 => multiply_singles(product),
                Operands::Bf16 | Operands::EmulatedBf16 => multiply_rounded(product),
            }
            #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
            unreachable!("a product {product:?}");
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if !self.kernel.is_plain() {
            // SAFETY: the kernel proves the instruction. Registers in use would be
            // saved at every switch between threads.
            unsafe {
                std::arch::asm!("tilerelease", options(nostack, nomem));
            }
        }
    }
}

/// Declares a function for products. The sums of two by two squares are in tmm0–3,
/// the left operand in tmm4 and 5, the right one in tmm6 and 7.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
macro_rules! product {
    ($name:ident, $parts:literal, [$($step:literal)*]) => {
        #[inline(never)]
        unsafe fn $name(product: &Product) {
            // SAFETY: the caller promises instructions, configuration and addresses.
            unsafe {
                std::arch::asm!(
                    "test {add:e}, {add:e}",
                    "jz 2f",
                    "tileloadd tmm0, [{out} + {out_step}]",
                    "tileloadd tmm1, [{out} + {out_step} + 64]",
                    "tileloadd tmm2, [{lower} + {out_step}]",
                    "tileloadd tmm3, [{lower} + {out_step} + 64]",
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
                    "add {soon}, 16",
                    "dec {steps}",
                    "jnz 3b",
                    "tilestored [{out} + {out_step}], tmm0",
                    "tilestored [{out} + {out_step} + 64], tmm1",
                    "tilestored [{lower} + {out_step}], tmm2",
                    "tilestored [{lower} + {out_step} + 64], tmm3",
                    add = in(reg) u32::from(product.add),
                    out = in(reg) product.out,
                    lower = in(reg) product.out.add(SIDE * product.out_step),
                    out_step = in(reg) product.out_step * size_of::<f32>(),
                    left = inout(reg) product.left => _,
                    right = inout(reg) product.right => _,
                    steps = inout(reg) product.steps => _,
                    soon = inout(reg) product.soon => _,
                    at = out(reg) _,
                    row = in(reg) SIDE * size_of::<f32>(),
                    bytes = const $parts * 2 * SQUARE * size_of::<f32>(),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
product!(multiply_rounded, 1, [
    "tileloadd tmm4, [{left} + {row}]"
    "tileloadd tmm6, [{right} + {row}]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "mov {at}, [{soon}]"
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
    "mov {at}, [{soon} + 8]"
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
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
product!(multiply_singles, 3, [
    // The first of the left, the third of the right.
    "tileloadd tmm4, [{left} + {row}]"
    "tileloadd tmm6, [{right} + {row} + 4096]"
    "tdpbf16ps tmm0, tmm4, tmm6"
    "mov {at}, [{soon}]"
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
    "mov {at}, [{soon} + 8]"
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

/// The same in plain Rust: the sums of the instructions, in their order.
#[cfg(test)]
unsafe fn multiply_plain(parts: usize, product: &Product) {
    use crate::bf16::unpair;

    let of_parts: &[(usize, usize)] = if parts == 1 { &[(0, 0)] } else { &OF_SINGLES };
    // SAFETY: the caller's promise.
    let pair = |from: *const f32, square: usize, row: usize, column: usize| unsafe {
        unpair(*from.add(square * SQUARE + row * SIDE + column))
    };
    for r in 0..ROWS {
        for c in 0..ROWS {
            // SAFETY: the caller's promise.
            let out = unsafe { &mut *product.out.add(r * product.out_step + c) };
            let mut sum = if product.add { *out } else { 0.0 };
            for step in 0..product.steps {
                for &(left, right) in of_parts {
                    let square = |part: usize, i: usize| (step * parts + part) * 2 + i / SIDE;
                    // One sum of the first values of pairs, one of the second.
                    let mut sums = [0.0f32; 2];
                    for k in 0..SIDE {
                        let a = pair(product.left, square(left, r), r % SIDE, k);
                        let b = pair(product.right, square(right, c), k, c % SIDE);
                        for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
                            *sum = a.mul_add(b, *sum);
                        }
                    }
                    sum += sums[0] + sums[1];
                }
            }
            *out = sum;
        }
    }
}
