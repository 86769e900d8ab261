//! The interpolation weight α.

use std::fmt;

use crate::error::LinearError;

/// Interpolation weight α, finite and in [0, 1]: `W ← (1−α)·W + α·W_P`.
///
/// 0 leaves the dense twin untouched, 1 makes it a copy of the prior.
///
/// ```
/// use imlp_linear::Alpha;
/// assert_eq!(Alpha::new(0.25)?.get(), 0.25);
/// assert!(Alpha::new(1.5).is_err());
/// # Ok::<(), imlp_linear::LinearError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Alpha(f64);

impl Alpha {
    /// α = 0: interpolation is an exact no-op.
    pub const ZERO: Self = Self(0.0);
    /// α = 1: interpolation is an exact assignment.
    pub const ONE: Self = Self(1.0);

    /// Checks that `value` is finite and in [0, 1] (−0 becomes 0).
    ///
    /// # Errors
    /// [`LinearError::AlphaOutOfRange`] otherwise.
    pub fn new(value: f64) -> Result<Self, LinearError> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value.abs()))
        } else {
            Err(LinearError::AlphaOutOfRange { value })
        }
    }

    /// The value, in [0, 1].
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether α is exactly 0.
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }

    /// Whether α is exactly 1.
    pub fn is_one(self) -> bool {
        self.0 == 1.0
    }

    /// `v_i ← (1−α)·v_i + α·target(i)`: no bit changes at α = 0, an exact
    /// assignment at α = 1.
    pub fn interpolate(self, values: &mut [f32], target: impl Fn(usize) -> f32) {
        if self.is_zero() {
            return;
        }
        let (kept, added) = self.shares();
        for (i, v) in values.iter_mut().enumerate() {
            *v = if self.is_one() {
                target(i)
            } else {
                kept * *v + added * target(i)
            };
        }
    }

    /// (1−α, α) in single precision; the difference is taken in double
    /// precision, so that 1−α keeps its relative accuracy as α nears 1.
    pub(crate) fn shares(self) -> (f32, f32) {
        ((1.0 - self.0) as f32, self.0 as f32)
    }
}

impl TryFrom<f64> for Alpha {
    type Error = LinearError;

    fn try_from(value: f64) -> Result<Self, LinearError> {
        Self::new(value)
    }
}

impl From<Alpha> for f64 {
    fn from(alpha: Alpha) -> f64 {
        alpha.0
    }
}

impl fmt::Display for Alpha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_closed_unit_interval() {
        assert_eq!(Alpha::new(0.0).unwrap(), Alpha::ZERO);
        assert_eq!(Alpha::new(1.0).unwrap(), Alpha::ONE);
        assert!(Alpha::new(-0.0).unwrap().get().is_sign_positive());
        assert_eq!(format!("{:.2}", Alpha::new(0.1).unwrap()), "0.10");
    }

    #[test]
    fn interpolation_is_exact_at_both_ends() {
        let target = [3.0f32, -5.0];
        let interpolated = |alpha: f64, start: [f32; 2]| {
            let mut values = start;
            Alpha::new(alpha)
                .unwrap()
                .interpolate(&mut values, |i| target[i]);
            values
        };
        assert_eq!(interpolated(0.25, [1.0, 1.0]), [1.5, -0.5]);
        assert_eq!(interpolated(1.0, [f32::NAN, 1.0]), target);
        let untouched = interpolated(0.0, [f32::NAN, -0.0]);
        assert!(untouched[0].is_nan() && untouched[1].is_sign_negative());
    }

    #[test]
    fn refuses_everything_else() {
        let next_above_one = 1.0 + f64::EPSILON;
        for value in [-1e-300, next_above_one, f64::NAN, f64::INFINITY, -1.0] {
            assert!(Alpha::new(value).is_err(), "{value} was accepted");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn deserialising_checks_the_range() {
        assert_eq!(serde_json::from_str::<Alpha>("0.5").unwrap().get(), 0.5);
        assert_eq!(serde_json::to_string(&Alpha::ONE).unwrap(), "1.0");
        let message = serde_json::from_str::<Alpha>("1.5")
            .unwrap_err()
            .to_string();
        assert!(message.contains("1.5") && message.contains("between 0 and 1"));
    }
}
