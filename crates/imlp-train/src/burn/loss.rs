//! Cross-entropy with label smoothing.

use burn::tensor::{Int, Tensor, activation};

/// Mean over the batch of `−Σ_k q_k · log softmax(logits)_k`, where
/// `q = (1−ε)·onehot + ε/K` (Szegedy et al. 2015, arXiv 1512.00567).
///
/// `logits` are `[batch, K]`, `labels` `[batch]`; as
/// `torch.nn.CrossEntropyLoss(label_smoothing=ε)`.
pub(crate) fn cross_entropy(
    logits: Tensor<2>,
    labels: Tensor<1, Int>,
    smoothing: f64,
) -> Tensor<1> {
    let [batch, _] = logits.dims();
    let log_probabilities = activation::log_softmax(logits, 1);
    let chosen = log_probabilities
        .clone()
        .gather(1, labels.reshape([batch, 1]))
        .mean();
    if smoothing == 0.0 {
        return chosen.neg();
    }
    // The mean over all entries is the uniform part's Σ_k (1/K)·log p_k,
    // averaged over the batch.
    (chosen * (1.0 - smoothing) + log_probabilities.mean() * smoothing).neg()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    /// By hand in f64, from the definition.
    fn oracle(logits: &[[f64; 3]], labels: &[usize], smoothing: f64) -> f64 {
        let mut sum = 0.0;
        for (row, &label) in logits.iter().zip(labels) {
            let total: f64 = row.iter().map(|z| z.exp()).sum();
            for (k, z) in row.iter().enumerate() {
                let onehot = f64::from(u8::from(k == label));
                let q = (1.0 - smoothing) * onehot + smoothing / 3.0;
                sum -= q * (z.exp() / total).ln();
            }
        }
        sum / logits.len() as f64
    }

    #[test]
    fn it_matches_the_definition() {
        let logits = [[0.5, -1.25, 2.0], [3.0, 0.0, -0.5]];
        let device = Device::flex();
        for smoothing in [0.0, 0.1, 0.7] {
            let flat: Vec<f32> = logits.iter().flatten().map(|&z| z as f32).collect();
            let got = cross_entropy(
                Tensor::from_data(TensorData::new(flat, [2, 3]), &device),
                Tensor::from_data(TensorData::new(vec![2i64, 1], [2]), &device),
                smoothing,
            )
            .into_scalar::<f32>();
            let expected = oracle(&logits, &[2, 1], smoothing);
            assert!(
                (f64::from(got) - expected).abs() < 1e-6,
                "{got} is not {expected}"
            );
        }
    }
}
