//! Rounding to bfloat16, the upper half of an f32: to the nearest, ties to even.

use half::bf16;

/// `value` rounded to bfloat16, as an f32.
pub(crate) fn rounded(value: f32) -> f32 {
    bf16::from_f32(value).to_f32()
}

/// Two values as `vdpbf16ps` takes them in one 32-bit lane, the first in the lower half.
/// They are the bits of an f32 only because operands are declared so.
pub(crate) fn pair(first: f32, second: f32) -> f32 {
    let [first, second] = [first, second].map(|value| u32::from(bf16::from_f32(value).to_bits()));
    f32::from_bits(first | second << 16)
}

/// The two values of a [`pair`].
#[cfg(test)]
pub(crate) fn unpair(pair: f32) -> [f32; 2] {
    let bits = pair.to_bits();
    [bits as u16, (bits >> 16) as u16].map(|bits| bf16::from_bits(bits).to_f32())
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

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
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..20_000 {
            let value = f32::from_bits(rng.random());
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
