//! The figures' colours, told apart with every common colour vision.

use std::fmt;

/// A colour, as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// Okabe & Ito's palette: <https://jfly.uni-koeln.de/color/>.
pub const BLUE: Colour = Colour([0x00, 0x72, 0xb2]);
/// Okabe & Ito's bluish green: the prior.
pub const GREEN: Colour = Colour([0x00, 0x9e, 0x73]);
/// Okabe & Ito's orange: the plain MLP.
pub const ORANGE: Colour = Colour([0xe6, 0x9f, 0x00]);
/// Okabe & Ito's vermillion: diverged trials.
pub const VERMILLION: Colour = Colour([0xd5, 0x5e, 0x00]);
/// Okabe & Ito's reddish purple.
pub const PURPLE: Colour = Colour([0xcc, 0x79, 0xa7]);
/// Okabe & Ito's sky blue.
pub const SKY: Colour = Colour([0x56, 0xb4, 0xe9]);

/// Text and axes.
pub const INK: Colour = Colour([0x22, 0x22, 0x22]);
/// Secondary text.
pub const GREY: Colour = Colour([0x59, 0x59, 0x59]);
/// Grid lines.
pub const FAINT: Colour = Colour([0xe4, 0xe4, 0xe4]);
/// The card that the figure is drawn on.
pub const PAPER: Colour = Colour([0xff, 0xff, 0xff]);

/// Viridis, without its end, which is too bright for a line on white.
const SEQUENTIAL: [Colour; 8] = [
    Colour([0x44, 0x01, 0x54]),
    Colour([0x47, 0x2d, 0x7b]),
    Colour([0x3b, 0x52, 0x8b]),
    Colour([0x2c, 0x72, 0x8e]),
    Colour([0x21, 0x91, 0x8c]),
    Colour([0x28, 0xae, 0x80]),
    Colour([0x5e, 0xc9, 0x62]),
    Colour([0xad, 0xdc, 0x30]),
];

/// ColorBrewer's RdBu, with blue for the negative numbers.
const DIVERGING: [Colour; 9] = [
    Colour([0x05, 0x30, 0x61]),
    Colour([0x21, 0x66, 0xac]),
    Colour([0x43, 0x93, 0xc3]),
    Colour([0x92, 0xc5, 0xde]),
    Colour([0xf7, 0xf7, 0xf7]),
    Colour([0xf4, 0xa5, 0x82]),
    Colour([0xd6, 0x60, 0x4d]),
    Colour([0xb2, 0x18, 0x2b]),
    Colour([0x67, 0x00, 0x1f]),
];

/// The colour of a share from 0 (dark) to 1 (bright), in steps that look equal.
pub fn sequential(share: f64) -> Colour {
    between(&SEQUENTIAL, share)
}

/// The colour of a number from −1 (blue) through 0 (white) to 1 (red).
pub fn diverging(value: f64) -> Colour {
    between(&DIVERGING, (value + 1.0) / 2.0)
}

/// Linear between evenly spaced colours; shares outside 0 to 1 take the ends.
fn between(colours: &[Colour], share: f64) -> Colour {
    // A share that is no number takes the first colour.
    let share = if share.is_nan() { 0.0 } else { share };
    let place = share.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let lower = (place as usize).min(colours.len() - 2);
    let rest = place - lower as f64;
    let (from, to) = (colours[lower].0, colours[lower + 1].0);
    Colour(std::array::from_fn(|i| {
        let (from, to) = (f64::from(from[i]), f64::from(to[i]));
        (from + rest * (to - from)).round() as u8
    }))
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lightness by the weights of sRGB's luminance, without gamma: enough to order.
    fn lightness(colour: Colour) -> f64 {
        let [r, g, b] = colour.0.map(f64::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn the_ramp_only_gets_brighter() {
        let of = |i: u32| lightness(sequential(f64::from(i) / 50.0));
        assert!((0..50).all(|i| of(i) < of(i + 1)));
        assert_eq!(sequential(-3.0), SEQUENTIAL[0]);
        assert_eq!(sequential(f64::NAN), SEQUENTIAL[0]);
        assert_eq!(sequential(7.0), SEQUENTIAL[7]);
    }

    #[test]
    fn zero_is_white_and_both_signs_are_as_dark() {
        assert_eq!(diverging(0.0).to_string(), "#f7f7f7");
        assert_eq!(diverging(-1.0).to_string(), "#053061");
        // Half way between the last two.
        assert_eq!(diverging(0.875).0, [0x8d, 0x0c, 0x25]);
        for i in 1..=4 {
            let value = f64::from(i) / 4.0;
            let apart = lightness(diverging(value)) - lightness(diverging(-value));
            assert!(apart.abs() < 40.0, "{value}: {apart}");
        }
    }
}
