//! Rounding to bfloat16 (the upper half of an f32).

/// The bits of the bfloat16 nearest to `value`, ties to even; a NaN stays one.
pub fn round_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        // Quiet, so that cutting the mantissa cannot make an infinity of it.
        return (bits >> 16) as u16 | 0x40;
    }
    // Half a unit in the last place, less one where the lower neighbour is even.
    let even = (bits >> 16) & 1;
    (bits.wrapping_add(0x7fff + even) >> 16) as u16
}

/// `value` rounded to bfloat16, as an f32.
pub(crate) fn rounded(value: f32) -> f32 {
    f32::from_bits(u32::from(round_to_bf16(value)) << 16)
}

/// Two values as `vdpbf16ps` takes them in one 32-bit lane: the first in the low
/// half. The bits of an f32 only because registers are declared so.
pub(crate) fn pair(first: f32, second: f32) -> f32 {
    let bits = u32::from(round_to_bf16(first)) | u32::from(round_to_bf16(second)) << 16;
    f32::from_bits(bits)
}

/// [`Kernel::pair_neighbours`](crate::Kernel::pair_neighbours) in plain Rust.
pub(crate) fn pair_neighbours(values: &[f32], out: &mut [f32]) {
    for (out, two) in out.iter_mut().zip(values.chunks(2)) {
        *out = pair(two[0], two.get(1).copied().unwrap_or(0.0));
    }
}

/// [`Kernel::pair_rows`](crate::Kernel::pair_rows) in plain Rust.
pub(crate) fn pair_rows(first: &[f32], second: &[f32], out: &mut [f32]) {
    for (out, (&first, &second)) in out.iter_mut().zip(first.iter().zip(second)) {
        *out = pair(first, second);
    }
}

/// The two values of a [`pair`].
pub(crate) fn unpair(pair: f32) -> [f32; 2] {
    let bits = pair.to_bits();
    [
        f32::from_bits(bits << 16),
        f32::from_bits(bits & 0xffff_0000),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest of the two neighbours, by their distance in f64.
    fn oracle(value: f32) -> f32 {
        let below = f32::from_bits(value.to_bits() & 0xffff_0000);
        let above = f32::from_bits((value.to_bits() & 0xffff_0000).wrapping_add(0x1_0000));
        let distance = |x: f32| (f64::from(x) - f64::from(value)).abs();
        if distance(below) < distance(above) {
            below
        } else if distance(below) > distance(above) {
            above
        } else if below.to_bits() >> 16 & 1 == 0 {
            below
        } else {
            above
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_and_to_even() {
        let mut bits = 1u32;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f32::from_bits(bits);
            // Above the largest finite bfloat16 the neighbour is an infinity.
            if value.abs() < 3.38e38 {
                assert_eq!(rounded(value), oracle(value), "{value:e}");
            }
        }
        for tie in [0x3f80_8000u32, 0x3f81_8000, 0xbf80_8000] {
            let value = f32::from_bits(tie);
            assert_eq!(rounded(value), oracle(value), "{value:e}");
        }
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        assert_eq!(rounded(f32::INFINITY), f32::INFINITY);
        assert_eq!(rounded(f32::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(rounded(f32::NAN).is_nan());
        assert!(rounded(f32::from_bits(0x7f80_0001)).is_nan());
        assert_eq!(rounded(f32::MAX), f32::INFINITY);
        assert_eq!(rounded(-0.0).to_bits(), (-0.0f32).to_bits());
    }

    #[test]
    fn pairs_hold_both_values() {
        assert_eq!(unpair(pair(1.5, -2.0)), [1.5, -2.0]);
    }
}
