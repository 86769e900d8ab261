//! ReLU and GELU.

use crate::kernel::vectorized;

vectorized! {
/// `max(x, 0)`, in place; a NaN stays one.
pub fn relu(kernel, x: &mut [f32]) {
    for x in x {
        *x = if *x < 0.0 { 0.0 } else { *x };
    }
}
}

vectorized! {
/// `dy[i] ← 0` where the output `y[i]` of a ReLU is 0.
///
/// # Panics
/// If the lengths differ.
pub fn relu_backward(kernel, y: &[f32], dy: &mut [f32]) {
    assert_eq!(y.len(), dy.len(), "lengths");
    for (dy, &y) in dy.iter_mut().zip(y) {
        *dy = if y > 0.0 { *dy } else { 0.0 };
    }
}
}

vectorized! {
/// `y = x·Φ(x)` (Hendrycks & Gimpel 2016, arXiv 1606.08415).
///
/// # Panics
/// If the lengths differ.
pub fn gelu(kernel, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "lengths");
    for (y, &x) in y.iter_mut().zip(x) {
        let (cumulative, _) = normal(x);
        *y = x * cumulative;
    }
}
}

vectorized! {
/// `dx = dy·(Φ(x) + x·φ(x))`, in place of `dy`.
///
/// # Panics
/// If the lengths differ.
pub fn gelu_backward(kernel, x: &[f32], dy: &mut [f32]) {
    assert_eq!(x.len(), dy.len(), "lengths");
    for (dy, &x) in dy.iter_mut().zip(x) {
        let (cumulative, density) = normal(x);
        *dy *= cumulative + x * density;
    }
}
}

/// Φ(x) to 1e-7 and φ(x) of the standard normal distribution: both need just one
/// exponential (Abramowitz & Stegun 1964, 7.1.26).
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    /// 1/√(2π).
    const DENSITY: f32 = 0.398_942_3;
    let z = (x * SQRT_HALF).abs();
    let exponential = exp_negative(0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial = t
        * (0.254_829_6
            + t * (-0.284_496_74 + t * (1.421_413_8 + t * (-1.453_152 + t * 1.061_405_4))));
    let upper = 0.5 * polynomial * exponential;
    let cumulative = if x < 0.0 { upper } else { 1.0 - upper };
    (cumulative, DENSITY * exponential)
}

/// `exp(−x)` for x ≥ 0, to 2e-7 of its value; 0 where that is less than the
/// smallest normal number. A NaN stays one.
#[inline(always)]
fn exp_negative(x: f32) -> f32 {
    // −x = n·ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts (Cody & Waite 1980).
    const HIGH: f32 = 0.693_145_75;
    const LOW: f32 = 1.428_606_8e-6;
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let far = x > 87.0;
    let x = if far { 87.0 } else { x };
    let n = (-x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = -x - n * HIGH - n * LOW;
    let series = 1.0
        + r * (1.0
            + r * (0.5
                + r * (0.166_666_67
                    + r * (0.041_666_668 + r * (0.008_333_334 + r * 0.001_388_889)))));
    let power = f32::from_bits((((n as i32) + 127) << 23) as u32);
    let value = series * power;
    if far { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;

    /// Φ by its Taylor series in f64, which converges everywhere.
    fn cumulative(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for k in 1..400 {
            let k = f64::from(k);
            term *= -x * x / (2.0 * k);
            sum += term / (2.0 * k + 1.0);
        }
        0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn gelu_and_its_derivative_are_those_of_the_normal_distribution() {
        for kernel in Kernel::all_and_plain() {
            let x: Vec<f32> = (-500..=500).map(|i| i as f32 * 0.011).collect();
            let mut y = vec![0.0; x.len()];
            gelu(kernel, &x, &mut y);
            let mut slope = vec![2.0; x.len()];
            gelu_backward(kernel, &x, &mut slope);
            for ((&x, y), slope) in x.iter().zip(y).zip(slope) {
                let x = f64::from(x);
                let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let expected = x * cumulative(x);
                assert!((f64::from(y) - expected).abs() < 1e-6, "{x}: {y}");
                let expected = 2.0 * (cumulative(x) + x * density);
                assert!((f64::from(slope) - expected).abs() < 2e-6, "{x}: {slope}");
            }
        }
    }

    #[test]
    fn the_exponential_is_right_to_rounding() {
        for i in 0..9000 {
            let x = i as f32 * 0.01;
            let expected = (-f64::from(x)).exp();
            let got = f64::from(exp_negative(x));
            if x <= 87.0 {
                assert!((got / expected - 1.0).abs() < 4e-7, "{x}: {got}");
            } else {
                assert_eq!(got, 0.0);
            }
        }
    }

    #[test]
    fn activations_of_extreme_values_and_of_nan() {
        let ends = [-1e30, -100.0, 100.0, 1e30, f32::NAN, f32::INFINITY];
        for kernel in Kernel::all_and_plain() {
            let mut y = [0.0; 6];
            gelu(kernel, &ends, &mut y);
            assert_eq!(y[..4], [0.0, 0.0, 100.0, 1e30]);
            assert!(y[4].is_nan());
            let mut y = ends;
            relu(kernel, &mut y);
            assert_eq!(y[..4], [0.0, 0.0, 100.0, 1e30]);
            assert!(y[4].is_nan() && y[5] == f32::INFINITY);
            let mut slope = [3.0; 6];
            relu_backward(kernel, &y, &mut slope);
            assert_eq!(slope, [0.0, 0.0, 3.0, 3.0, 0.0, 3.0]);
        }
    }
}
