use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::bf16::{rounded, unpair};

#[test]
fn compression_keeps_what_is_not_0() {
    let kinds = [0.0, 1.5, -0.0, f32::NAN, -2.0, 0.0, f32::INFINITY, 1e-40];
    for kernel in Kernel::all_and_plain() {
        for len in 0..100 {
            let values: Vec<f32> = (0..len).map(|i| kinds[i * i % 11 % 8]).collect();
            let mut out = vec![Nonzero::default(); len + kernel.register_width()];
            let count = kernel.compress(7, 3, &values, &mut out);
            let expected = values
                .iter()
                .enumerate()
                .filter(|&(_, &value)| value != 0.0);
            let bits = |(at, value): (usize, f32)| (at, value.to_bits());
            assert_eq!(
                out[..count]
                    .iter()
                    .map(|nonzero| bits(nonzero.parts()))
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
            .filter(|kernel| kernel.operands() == operands)
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
                    assert_eq!(kernel.amx().is_some(), set == InstructionSet::Amx);
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
    // All kinds of normal numbers; the first value is a NaN.
    let mut rng = StdRng::seed_from_u64(3);
    let mut values = |len: usize| -> Vec<f32> {
        let numbers = std::iter::repeat_with(|| f32::from_bits(rng.random()));
        let numbers = numbers.filter(|value| value.is_normal());
        [f32::NAN].into_iter().chain(numbers).take(len).collect()
    };
    let same = |got: f32, first: f32, second: f32| {
        for (got, value) in unpair(got).into_iter().zip([first, second]) {
            let expected = rounded(value);
            assert!(got == expected || got.is_nan() && expected.is_nan());
        }
    };
    let all = Kernel::all_and_plain().into_iter();
    for kernel in all.filter(|kernel| kernel.operands() == Operands::Bf16) {
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
            kernel.interleave_row(&first, &mut out);
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
