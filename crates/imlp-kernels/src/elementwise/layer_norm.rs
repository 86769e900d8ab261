//! Layer normalisation (Ba et al. 2016, arXiv 1607.06450) over consecutive
//! features of each sample.

use crate::kernel::vectorized;
use crate::pack::MAX_PANEL_WIDTH;

vectorized! {
/// `y = (x − mean)/√(variance + ε)·scale + shift` over each group of as many
/// features as `scale` is long; `x` and `y` lie in panels of `width` samples.
pub fn layer_norm(
    kernel,
    width: usize,
    scale: &[f32],
    shift: &[f32],
    epsilon: f32,
    x: &[f32],
    y: &mut [f32],
) {
    let group = scale.len() * width;
    for (x, y) in x.chunks_exact(group).zip(y.chunks_exact_mut(group)) {
        let (mean, inverse) = statistics(width, epsilon, x);
        let rows = x.chunks_exact(width).zip(y.chunks_exact_mut(width));
        for ((x, y), (&scale, &shift)) in rows.zip(scale.iter().zip(shift)) {
            for (lane, (x, y)) in x.iter().zip(y).enumerate() {
                *y = (x - mean[lane]) * inverse[lane] * scale + shift;
            }
        }
    }
}
}

vectorized! {
/// The gradient of the inputs `x` of a [`layer_norm`] in place of that of its
/// outputs, `dy`. Adds the gradients of scale and shift to `sums`, `[channels, width]`
/// each: their sums over the last axis are those of the batch.
pub fn layer_norm_backward(
    kernel,
    width: usize,
    scale: &[f32],
    epsilon: f32,
    x: &[f32],
    dy: &mut [f32],
    sums: (&mut [f32], &mut [f32]),
) {
    let group = scale.len() * width;
    for (x, dy) in x.chunks_exact(group).zip(dy.chunks_exact_mut(group)) {
        let (mean, inverse) = statistics(width, epsilon, x);
        // Means over the group of g = scale·dy and of g·x̂.
        let (mut plain, mut along) = ([0.0f32; MAX_PANEL_WIDTH], [0.0f32; MAX_PANEL_WIDTH]);
        let of_scales = sums.0.chunks_exact_mut(width);
        let per_channel = of_scales.zip(sums.1.chunks_exact_mut(width));
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
        for (((x, dy), (of_scale, of_shift)), &scale) in rows.zip(per_channel).zip(scale) {
            for lane in 0..width {
                let normal = (x[lane] - mean[lane]) * inverse[lane];
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
                let normal = (x[lane] - mean[lane]) * inverse[lane];
                let centred = scale * dy[lane] - (plain[lane] + normal * along[lane]) / channels;
                dy[lane] = centred * inverse[lane];
            }
        }
    }
}
}

/// Mean and 1/√(variance + ε) of each sample over one group.
#[inline(always)]
fn statistics(
    width: usize,
    epsilon: f32,
    x: &[f32],
) -> ([f32; MAX_PANEL_WIDTH], [f32; MAX_PANEL_WIDTH]) {
    let channels = (x.len() / width) as f32;
    let (mut mean, mut variance) = ([0.0f32; MAX_PANEL_WIDTH], [0.0f32; MAX_PANEL_WIDTH]);
    for x in x.chunks_exact(width) {
        for (sum, x) in mean.iter_mut().zip(x) {
            *sum += x;
        }
    }
    for sum in &mut mean {
        *sum /= channels;
    }
    for x in x.chunks_exact(width) {
        for ((sum, x), mean) in variance.iter_mut().zip(x).zip(&mean) {
            *sum += (x - mean) * (x - mean);
        }
    }
    let inverse = variance.map(|sum| 1.0 / (sum / channels + epsilon).sqrt());
    (mean, inverse)
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
}
