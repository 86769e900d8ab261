//! The bits of products are part of what results are named by: a change here changes
//! every result, and asks for a new version of them.

use crate::indirect::IndirectGemm;
use crate::instruction_set::InstructionSet;
use crate::kernel::Kernel;
use crate::operands::Operands;
use crate::panels::Panels;
use crate::products::Products;
use crate::products::gradient_sink::GradientSink;

/// FNV-1a (Fowler, Noll & Vo) of the bits of values.
struct Fingerprint(u64);

impl Fingerprint {
    fn add(&mut self, values: &[f32]) {
        for byte in values
            .iter()
            .flat_map(|value| value.to_bits().to_le_bytes())
        {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

struct Collect {
    columns: usize,
    values: Vec<f32>,
}

impl GradientSink for Collect {
    fn targets(&self, _: usize, _: usize) -> [&[f32]; 3] {
        [&[]; 3]
    }

    fn take(
        &mut self,
        (row, column): (usize, usize),
        (rows, columns): (usize, usize),
        block: &[f32],
        stride: usize,
    ) {
        for r in 0..rows {
            let to = (row + r) * self.columns + column;
            self.values[to..to + columns].copy_from_slice(&block[r * stride..][..columns]);
        }
    }
}

/// Values from −1 to 1 that no library computes.
fn values(len: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 20_011) as f32 / 10_005.0 - 1.0;
    (0..len).map(value).collect()
}

/// The three products of a full matrix, with few and with many zeros.
fn of_full_matrices(kernel: Kernel) -> u64 {
    let mut fingerprint = Fingerprint(0xcbf2_9ce4_8422_2325);
    let mut products = Products::new(kernel);
    for (samples, inputs, outputs) in [(5, 7, 3), (37, 601, 29), (67, 205, 401), (643, 33, 31)] {
        for threshold in [-2.0, 0.2] {
            let sparse = |len, seed| -> Vec<f32> {
                let values = values(len, seed).into_iter();
                values
                    .map(|v| if v < threshold { 0.0 } else { v })
                    .collect()
            };
            let layout = Panels {
                samples,
                features: inputs,
                width: kernel.panel_width(),
            };
            let of_outputs = layout.with_features(outputs);
            let (weight, bias) = (values(inputs * outputs, 1), values(outputs, 2));
            let (mut x, mut y) = (vec![0.0; layout.len()], vec![0.0; of_outputs.len()]);
            layout.from_rows(&sparse(samples * inputs, 3), &mut x);
            products.forward(layout, (&weight, &bias), true, &x, &mut y);
            let mut rows = vec![0.0; samples * outputs];
            of_outputs.to_rows(&y, &mut rows);
            fingerprint.add(&rows);
            of_outputs.from_rows(&sparse(samples * outputs, 4), &mut y);
            let mut sink = Collect {
                columns: inputs,
                values: vec![0.0; inputs * outputs],
            };
            products.gradient(layout, outputs, &x, &y, &mut sink);
            fingerprint.add(&sink.values);
            products.backward(of_outputs, &weight, inputs, &y, &mut x);
            let mut rows = vec![0.0; samples * inputs];
            layout.to_rows(&x, &mut rows);
            fingerprint.add(&rows);
        }
    }
    fingerprint.0
}

/// The three products of a small matrix at several positions.
fn of_indirect_gemm(kernel: Kernel) -> u64 {
    let mut fingerprint = Fingerprint(0xcbf2_9ce4_8422_2325);
    let (rows, columns, positions, inputs) = (17, 11, 4, 19);
    let outputs = rows * positions;
    let gather: Vec<u32> = (0..positions)
        .flat_map(|position| (0..columns).map(move |c| ((position * 3 + c * 5) % inputs) as u32))
        .collect();
    let scatter: Vec<u32> = (0..outputs).map(|o| (o * 7 % outputs) as u32).collect();
    let mut gemm = IndirectGemm::new(
        kernel,
        (rows, columns),
        (inputs, &gather),
        (outputs, &scatter),
    )
    .unwrap();
    gemm.set(&values(rows * columns, 5));
    for samples in [3, 70] {
        let layout = Panels {
            samples,
            features: inputs,
            width: kernel.panel_width(),
        };
        let of_outputs = layout.with_features(outputs);
        let (mut x, mut y) = (vec![0.0; layout.len()], vec![0.0; of_outputs.len()]);
        layout.from_rows(&values(samples * inputs, 6), &mut x);
        gemm.forward(layout, Some(&values(rows, 7)), &x, &mut y);
        let mut out = vec![0.0; samples * outputs];
        of_outputs.to_rows(&y, &mut out);
        fingerprint.add(&out);
        of_outputs.from_rows(&values(samples * outputs, 8), &mut y);
        let mut gradient = vec![0.0; rows * columns];
        gemm.gradient(layout, &x, &y, &mut gradient);
        fingerprint.add(&gradient);
        gemm.backward(layout, &y, &mut x);
        let mut out = vec![0.0; samples * inputs];
        layout.to_rows(&x, &mut out);
        fingerprint.add(&out);
    }
    fingerprint.0
}

/// On every machine: kernels in plain Rust stand for the instructions that it lacks. Of the
/// kernels that multiply bfloat16 in hardware, only those in plain Rust are compared here:
/// `hardware_multiplies_as_plain_rust` compares the others with them.
#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn products_have_the_bits_of_results_version_6() {
    use InstructionSet::{Amx, Avx2, Avx512};
    use Operands::{Bf16, EmulatedBf16, F32};
    let expected = |kernel: Kernel| match (kernel.instruction_set(), kernel.operands()) {
        (Avx2, F32) => (0x582b_245b_71fb_9d56, 0x5bb3_a6e1_b6ef_eaa2),
        (Avx2, EmulatedBf16) => (0x3154_5b5b_f3b1_8e17, 0x5bb3_a6e1_b6ef_eaa2),
        (Avx512, F32) => (0x43d4_dd5f_3b26_fe2b, 0xfa62_25ac_96e5_7629),
        (Avx512, EmulatedBf16) => (0x3154_5b5b_f3b1_8e17, 0xfa62_25ac_96e5_7629),
        (Avx512, Bf16) => (0xcb6b_0bb7_2629_54ae, 0xfa62_25ac_96e5_7629),
        (Amx, F32) => (0x47a5_4b98_29a3_45a2, 0xfa62_25ac_96e5_7629),
        (Amx, Bf16) => (0x2b06_f99b_9069_83c9, 0xfa62_25ac_96e5_7629),
        (set, operands) => panic!("{set} for {operands:?}"),
    };
    for kernel in Kernel::all_and_plain() {
        let by_f32_vectors = kernel.operands() != Bf16 && kernel.amx().is_none();
        if by_f32_vectors || kernel.is_plain() {
            let bits = (of_full_matrices(kernel), of_indirect_gemm(kernel));
            assert_eq!(bits, expected(kernel), "{kernel:?}");
        }
    }
}

/// The kernels in plain Rust sum in the order that the processor's manual gives for
/// bfloat16. Where the processor has it, in vectors or tiles, they must agree.
#[test]
#[cfg_attr(miri, ignore = "no instructions")]
fn hardware_multiplies_as_plain_rust() {
    for plain in Kernel::all_plain() {
        match Kernel::new(plain.operands(), Some(plain.instruction_set())) {
            Ok(kernel) => {
                let bits = |kernel| (of_full_matrices(kernel), of_indirect_gemm(kernel));
                assert_eq!(bits(kernel), bits(plain), "{kernel:?}");
            }
            Err(error) => println!("skipped: {error}"),
        }
    }
}
