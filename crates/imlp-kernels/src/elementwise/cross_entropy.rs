//! Cross-entropy with label smoothing, and its gradient.

use crate::panels::Panels;

/// The mean over the batch of `−Σ_k q_k·log softmax(logits)_k` with
/// `q = (1−ε)·onehot + ε/K` (Szegedy et al. 2015, arXiv 1512.00567), and its
/// gradient `(softmax − q) / batch` in place of the logits; padding becomes 0.
///
/// `logits` lie in panels of `layout`, whose features are the classes.
///
/// # Panics
/// If a slice does not fit, or a label is not below the number of classes.
pub fn cross_entropy(layout: Panels, labels: &[u8], smoothing: f64, logits: &mut [f32]) -> f64 {
    assert_eq!(labels.len(), layout.samples, "labels");
    assert_eq!(logits.len(), layout.len(), "logits");
    let (classes, width) = (layout.features, layout.width);
    // In f64: of an ε near 1, f32 may leave nothing of 1 − ε.
    let uniform = smoothing / classes as f64;
    let (of_label, of_others) = ((1.0 - smoothing + uniform) as f32, uniform as f32);
    let scale = 1.0 / layout.samples as f32;
    let mut loss = 0.0;
    for (p, panel) in logits.chunks_exact_mut(layout.panel_len()).enumerate() {
        for lane in 0..width {
            let Some(&label) = labels.get(p * width + lane) else {
                panel[lane..]
                    .iter_mut()
                    .step_by(width)
                    .for_each(|z| *z = 0.0);
                continue;
            };
            assert!(usize::from(label) < classes, "label {label}");
            let column = || panel[lane..].iter().step_by(width).copied();
            let top = column().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = column().map(|z| (z - top).exp()).sum();
            let log_total = total.ln() + top;
            let mut sum = 0.0f32;
            for (class, z) in panel[lane..].iter_mut().step_by(width).enumerate() {
                let q = if class == usize::from(label) {
                    of_label
                } else {
                    of_others
                };
                let log_probability = *z - log_total;
                // 0·∞ would be NaN, but a class without weight adds nothing.
                if q > 0.0 {
                    sum -= q * log_probability;
                }
                *z = ((*z - top).exp() / total - q) * scale;
            }
            loss += f64::from(sum);
        }
    }
    loss / layout.samples as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_gradient_match_the_definition_in_f64() {
        let layout = Panels {
            samples: 5,
            features: 3,
            width: 4,
        };
        let rows: Vec<f32> = (0..15).map(|i| (i as f32 * 1.7).sin() * 3.0).collect();
        let labels = [2, 0, 1, 1, 2];
        for smoothing in [0.0, 0.1, 0.6] {
            let loss_of = |rows: &[f64]| {
                let mut sum = 0.0;
                for (z, &label) in rows.chunks(3).zip(&labels) {
                    let total: f64 = z.iter().map(|z| z.exp()).sum();
                    for (k, z) in z.iter().enumerate() {
                        let onehot = f64::from(u8::from(k == usize::from(label)));
                        let q = (1.0 - smoothing) * onehot + smoothing / 3.0;
                        sum -= q * (z.exp() / total).ln();
                    }
                }
                sum / 5.0
            };
            let mut logits = vec![f32::NAN; layout.len()];
            layout.from_rows(&rows, &mut logits);
            let loss = cross_entropy(layout, &labels, smoothing, &mut logits);
            let rows: Vec<f64> = rows.iter().map(|&z| f64::from(z)).collect();
            assert!((loss - loss_of(&rows)).abs() < 1e-6);
            let mut gradient = vec![0.0; 15];
            layout.to_rows(&logits, &mut gradient);
            for (i, g) in gradient.into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut rows = rows.clone();
                    rows[i] += by;
                    loss_of(&rows)
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((f64::from(g) - expected).abs() < 1e-6, "{i}: {g}");
            }
            let padding: f32 = logits[12..].chunks(4).flat_map(|row| &row[1..]).sum();
            assert_eq!(padding, 0.0);
        }
    }

    #[test]
    fn a_nan_in_the_logits_is_one_in_the_loss() {
        let layout = Panels {
            samples: 1,
            features: 2,
            width: 4,
        };
        let mut logits = [0.0; 8];
        logits[0] = f32::NAN;
        assert!(cross_entropy(layout, &[1], 0.0, &mut logits).is_nan());
        let mut logits = [0.0; 8];
        logits[0] = f32::INFINITY;
        assert!(!cross_entropy(layout, &[1], 0.0, &mut logits).is_finite());
    }
}
