//! Layer normalisation (Ba et al. 2016, arXiv 1607.06450) over consecutive
//! features of each sample.

use crate::kernel::vectorized;
use crate::pack::MAX_PANEL_WIDTH;

vectorized! {
/// `y = (x − mean)/√(variance + ε)·scale + shift` over each group of as many
/// features as `scale` is long; `x` and `y` lie in panels of `width` samples.
///
/// # Panics
/// If a slice does not fit.
pub fn layer_norm(
    kernel,
    width: usize,
    scale: &[f32],
    shift: &[f32],
    epsilon: f32,
    x: &[f32],
    y: &mut [f32],
) {
    let group = group_len(width, scale, x);
    assert_eq!(shift.len(), scale.len(), "shift");
    assert_eq!(y.len(), x.len(), "results");
    for (x, y) in x.chunks_exact(group).zip(y.chunks_exact_mut(group)) {
        let Statistics {
            mean,
            rest,
            inverse,
        } = &Statistics::new(width, epsilon, x);
        let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(width));
        for ((x, y), (&scale, &shift)) in rows.zip(scale.iter().zip(shift)) {
            let statistics = mean.iter().zip(rest).zip(inverse);
            for ((x, y), ((mean, rest), inverse)) in x.iter().zip(y).zip(statistics) {
                *y = ((x - mean) - rest) * inverse * scale + shift;
            }
        }
    }
}
}

vectorized! {
/// The gradient of the inputs `x` of a [`layer_norm`] in place of that of its
/// outputs, `dy`. Adds the gradients of scale and shift to `sums`, `[channels, width]`
/// each: their sums over the last axis are those of the batch.
///
/// # Panics
/// If a slice does not fit.
pub fn layer_norm_backward(
    kernel,
    width: usize,
    scale: &[f32],
    epsilon: f32,
    x: &[f32],
    dy: &mut [f32],
    sums: (&mut [f32], &mut [f32]),
) {
    let group = group_len(width, scale, x);
    assert_eq!(dy.len(), x.len(), "gradient");
    assert!(sums.0.len() == group && sums.1.len() == group, "sums");
    for (x, dy) in x.chunks_exact(group).zip(dy.chunks_exact_mut(group)) {
        let statistics = Statistics::new(width, epsilon, x);
        // Means over the group of g = scale·dy and of g·x̂.
        let (mut plain, mut along) = ([0.0f32; MAX_PANEL_WIDTH], [0.0f32; MAX_PANEL_WIDTH]);
        let of_scales = sums.0.chunks_exact_mut(width);
        let per_channel = of_scales.zip(sums.1.chunks_exact_mut(width));
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
        for (((x, dy), (of_scale, of_shift)), &scale) in rows.zip(per_channel).zip(scale) {
            for lane in 0..width {
                let normal = statistics.normal(lane, x[lane]);
                of_scale[lane] += dy[lane] * normal;
                of_shift[lane] += dy[lane];
                plain[lane] += scale * dy[lane];
                along[lane] += scale * dy[lane] * normal;
            }
        }
        let channels = scale.len() as f32;
        let rows = x.chunks_exact(width).zip(dy.chunks_exact_mut(width));
        for ((x, dy), &scale) in rows.zip(scale) {
            for lane in 0..width {
                let normal = statistics.normal(lane, x[lane]);
                let centred = scale * dy[lane] - (plain[lane] + normal * along[lane]) / channels;
                dy[lane] = centred * statistics.inverse[lane];
            }
        }
    }
}
}

/// Values of one group of the panels `x`.
#[inline(always)]
fn group_len(width: usize, scale: &[f32], x: &[f32]) -> usize {
    assert!((1..=MAX_PANEL_WIDTH).contains(&width), "panel width");
    let group = scale.len() * width;
    assert!(x.len().is_multiple_of(group), "groups");
    group
}

/// Mean and 1/√(variance + ε) of each sample over one group, by the corrected two-pass
/// algorithm (Chan, Golub & LeVeque 1983).
///
/// The mean stays a sum of two numbers. In one, it would be off by half a unit in the last
/// place of the values, which a small variance turns into much more: up to 1/√ε times as
/// much where all values are equal, and each is its own mean.
struct Statistics {
    /// The mean in f32.
    mean: [f32; MAX_PANEL_WIDTH],
    /// What the mean exceeds it by.
    rest: [f32; MAX_PANEL_WIDTH],
    inverse: [f32; MAX_PANEL_WIDTH],
}

impl Statistics {
    #[inline(always)]
    fn new(width: usize, epsilon: f32, x: &[f32]) -> Self {
        let channels = (x.len() / width) as f32;
        let [mut mean, mut rest, mut inverse] = [[0.0f32; MAX_PANEL_WIDTH]; 3];
        for x in x.chunks_exact(width) {
            for (sum, x) in mean.iter_mut().zip(x) {
                *sum += x;
            }
        }
        for sum in &mut mean {
            *sum /= channels;
        }
        // Sums of the deviations from the mean in f32, and of their squares.
        for x in x.chunks_exact(width) {
            let sums = rest.iter_mut().zip(&mut inverse);
            for (((sum, squares), x), mean) in sums.zip(x).zip(&mean) {
                let deviation = x - mean;
                *sum += deviation;
                *squares += deviation * deviation;
            }
        }
        for (rest, inverse) in rest.iter_mut().zip(&mut inverse) {
            let (sum, squares) = (*rest, *inverse);
            *rest = sum / channels;
            let variance = (squares - sum * *rest) / channels;
            // Rounding may leave less than 0 of two equal numbers; a NaN stays one.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            *inverse = 1.0 / (variance + epsilon).sqrt();
        }
        Self {
            mean,
            rest,
            inverse,
        }
    }

    /// `(x − mean)/√(variance + ε)` of the sample in `lane`.
    #[inline(always)]
    fn normal(&self, lane: usize, x: f32) -> f32 {
        ((x - self.mean[lane]) - self.rest[lane]) * self.inverse[lane]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementwise::sum_samples;
    use crate::kernel::Kernel;
    use crate::panels::Panels;

    const EPSILON: f64 = 1e-3;

    /// One sample from the definition, in f64.
    fn oracle(x: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
        let n = scale.len() as f64;
        let mut y = Vec::new();
        for group in x.chunks(scale.len()) {
            let mean = group.iter().sum::<f64>() / n;
            let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            for (x, (scale, shift)) in group.iter().zip(scale.iter().zip(shift)) {
                y.push((x - mean) / (variance + EPSILON).sqrt() * scale + shift);
            }
        }
        y
    }

    fn wave(len: usize, speed: f64) -> Vec<f64> {
        // Values that an f32 holds exactly.
        let exact = |v: f64| f64::from(v as f32);
        (0..len)
            .map(|i| exact((i as f64 * speed).sin() * 2.0))
            .collect()
    }

    fn single(values: &[f64]) -> Vec<f32> {
        values.iter().map(|&v| v as f32).collect()
    }

    #[test]
    fn outputs_and_gradients_match_the_definition_in_f64() {
        for kernel in Kernel::all_and_plain() {
            let (samples, groups, channels) = (19, 3, 5);
            let features = groups * channels;
            let layout = Panels {
                samples,
                features,
                width: kernel.panel_width(),
            };
            let (scale, shift) = (wave(channels, 2.1), wave(channels, 0.7));
            let (x, dy) = (
                wave(samples * features, 0.37),
                wave(samples * features, 1.3),
            );
            let value = |x: &[f64], scale: &[f64], shift: &[f64]| -> f64 {
                let y = x.chunks(features).flat_map(|x| oracle(x, scale, shift));
                y.zip(&dy).map(|(y, dy)| y * dy).sum()
            };
            let in_panels = |rows: &[f64]| {
                let mut panels = vec![0.0; layout.len()];
                layout.from_rows(&single(rows), &mut panels);
                panels
            };
            let px = in_panels(&x);
            let mut y = vec![0.0; layout.len()];
            let (width, epsilon) = (layout.width, EPSILON as f32);
            layer_norm(
                kernel,
                width,
                &single(&scale),
                &single(&shift),
                epsilon,
                &px,
                &mut y,
            );
            let mut rows = vec![0.0; samples * features];
            layout.to_rows(&y, &mut rows);
            let expected = x.chunks(features).flat_map(|x| oracle(x, &scale, &shift));
            for (got, expected) in rows.iter().zip(expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-5);
            }

            let mut gradient = in_panels(&dy);
            let sums = Panels {
                samples: width,
                features: channels,
                width,
            };
            let (mut a, mut b) = (vec![0.0; sums.len()], vec![0.0; sums.len()]);
            layer_norm_backward(
                kernel,
                width,
                &single(&scale),
                epsilon,
                &px,
                &mut gradient,
                (&mut a, &mut b),
            );
            layout.to_rows(&gradient, &mut rows);
            let mut of_scale = vec![0.0; channels];
            sum_samples(sums, &a, &mut of_scale);
            let mut of_shift = vec![0.0; channels];
            sum_samples(sums, &b, &mut of_shift);
            let slope = |f: &dyn Fn(f64) -> f64| (f(1e-5) - f(-1e-5)) / 2e-5;
            let moved = |values: &[f64], i: usize, by: f64| {
                let mut values = values.to_vec();
                values[i] += by;
                values
            };
            for (i, got) in rows.iter().enumerate() {
                let expected = slope(&|by| value(&moved(&x, i, by), &scale, &shift));
                assert!((f64::from(*got) - expected).abs() < 2e-4, "input {i}");
            }
            for i in 0..channels {
                let expected = slope(&|by| value(&x, &moved(&scale, i, by), &shift));
                assert!(
                    (f64::from(of_scale[i]) - expected).abs() < 1e-4,
                    "scale {i}"
                );
                let expected = slope(&|by| value(&x, &scale, &moved(&shift, i, by)));
                assert!(
                    (f64::from(of_shift[i]) - expected).abs() < 1e-4,
                    "shift {i}"
                );
            }
        }
    }

    /// Normalised rows of `samples`, in f32 with ε = 1e-5, scale 1 and shift 0.
    fn normalized(kernel: Kernel, samples: &[Vec<f32>]) -> Vec<f32> {
        let layout = Panels {
            samples: samples.len(),
            features: samples[0].len(),
            width: kernel.panel_width(),
        };
        let [mut x, mut y] = [vec![0.0; layout.len()], vec![0.0; layout.len()]];
        layout.from_rows(&samples.concat(), &mut x);
        let (scale, shift) = (vec![1.0; layout.features], vec![0.0; layout.features]);
        layer_norm(kernel, layout.width, &scale, &shift, 1e-5, &x, &mut y);
        let mut rows = vec![f32::NAN; samples.len() * layout.features];
        layout.to_rows(&y, &mut rows);
        rows
    }

    #[test]
    fn a_constant_row_is_its_own_mean() {
        for kernel in Kernel::all_and_plain() {
            for channels in [1, 2, 3, 7, 11, 96, 100, 768, 1000, 3001] {
                let values = [0.1, 1.0, -0.3, 0.7, 1e-3, -12.345, 255.1, 1e4 / 3.0];
                let samples = values.map(|value: f32| vec![value; channels]);
                let rows = normalized(kernel, &samples);
                assert!(rows.iter().all(|&y| y == 0.0), "{channels} channels");
            }
        }
    }

    #[test]
    fn rows_far_from_zero_have_the_normal_values_of_their_deviations() {
        for kernel in Kernel::all_and_plain() {
            for (offset, size) in [(1e4, 1.0), (-3e5, 1.0), (1.0, 1e-6), (100.0, 1e-4)] {
                let sample: Vec<f32> = (0..57)
                    .map(|i| (offset + size * (f64::from(i) * 0.7).sin()) as f32)
                    .collect();
                let exact: Vec<f64> = sample.iter().map(|&x| f64::from(x)).collect();
                let mean = exact.iter().sum::<f64>() / 57.0;
                let variance = exact.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 57.0;
                for (x, got) in exact
                    .iter()
                    .zip(normalized(kernel, std::slice::from_ref(&sample)))
                {
                    let expected = (x - mean) / (variance + 1e-5).sqrt();
                    let error = (f64::from(got) - expected).abs();
                    assert!(error < 2e-6, "{offset}: {got}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let sample = |s: usize| (0..57).map(move |i| ((i * 7 + s * 31) as f32).sin() + s as f32);
        let samples: Vec<Vec<f32>> = (0..37).map(|s| sample(s).collect()).collect();
        let bits = |kernel| -> Vec<u32> {
            let rows = normalized(kernel, &samples);
            rows.iter().map(|y| y.to_bits()).collect()
        };
        let kernels = Kernel::all_and_plain();
        for &kernel in &kernels {
            assert!(bits(kernel) == bits(kernels[0]), "{kernel:?}");
        }
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for kernel in Kernel::all_and_plain() {
            for bad in [f32::NAN, f32::INFINITY] {
                let rows = normalized(kernel, &[vec![1.0, bad, 2.0]]);
                assert!(rows.iter().all(|y| y.is_nan()), "{rows:?}");
            }
        }
    }
}
