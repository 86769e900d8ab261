//! Accuracy and loss of a network on a set of images.

use serde::{Deserialize, Serialize};

use crate::backend::Precision;
use crate::model::Model;
use crate::network::Network;
use crate::network::parameters::HostParameters;
use crate::setup::Setup;
use crate::training::data::{Subset, TrainingData};
use crate::training::learner::Training;

/// Images per forward pass; bounds the memory of an evaluation.
const EVALUATION_BATCH: usize = 512;

/// What was measured on a set of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Share of images whose largest logit is their label's, in [0, 1].
    pub accuracy: f64,
    /// Mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
}

/// What was measured at one moment; `None` where nothing was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// On a fixed sample of the training images, without augmentation.
    pub train: Option<Metrics>,
    /// On the validation split.
    pub validation: Option<Metrics>,
    /// On the test set.
    pub test: Option<Metrics>,
}

/// Measures on `subset`; `None` when the subset is empty or a logit is not
/// finite: what has diverged has no accuracy.
pub(crate) fn evaluate(
    model: &mut dyn Model,
    data: &TrainingData,
    subset: Subset,
) -> Option<Metrics> {
    let (set, indices) = data.subset(subset);
    let mut correct = 0usize;
    let mut loss = 0.0;
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for batch in indices.chunks(EVALUATION_BATCH) {
        data.evaluation_batch(set, batch, &mut images, &mut labels);
        let logits = model.logits(&images, batch.len());
        for (row, &label) in logits.chunks_exact(data.classes()).zip(&labels) {
            let label = usize::from(label);
            let (best, image_loss) = score(row, label)?;
            correct += usize::from(best == label);
            loss += image_loss;
        }
    }
    let images = indices.len() as f64;
    (images > 0.0).then(|| Metrics {
        accuracy: correct as f64 / images,
        loss: loss / images,
    })
}

/// Measures saved `parameters` of `network`, in f32, on a subset of the set-up's
/// images; `None` as for a trial: an empty subset, or logits that are not finite.
pub fn evaluate_parameters(
    setup: &Setup,
    network: &Network,
    parameters: &HostParameters,
    subset: Subset,
) -> Option<Metrics> {
    let training = Training {
        precision: Precision::F32,
        ..setup.training
    };
    let mut model = setup.backend.model(network, training, parameters.clone());
    evaluate(model.as_mut(), &setup.data, subset)
}

/// The first largest logit and the cross-entropy; `None` for a logit that is
/// not finite.
fn score(logits: &[f32], label: usize) -> Option<(usize, f64)> {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if !logit.is_finite() {
            return None;
        }
        if logit > logits[best] {
            best = class;
        }
    }
    let top = f64::from(logits[best]);
    let total: f64 = logits.iter().map(|&z| (f64::from(z) - top).exp()).sum();
    Some((best, total.ln() + top - f64::from(logits[label])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_of_one_image_is_right() {
        let (best, loss) = score(&[0.0, 2.0, 1.0], 2).unwrap();
        let expected = (1.0 + 2f64.exp() + 1f64.exp()).ln() - 1.0;
        assert_eq!(best, 1);
        assert!((loss - expected).abs() < 1e-12);
        assert_eq!(score(&[1.0, 1.0], 1).unwrap().0, 0, "the first of equals");
        assert!(score(&[0.0, f32::NAN], 0).is_none());
        assert!(score(&[0.0, f32::INFINITY], 0).is_none());
        // Large finite logits do not overflow.
        assert!(score(&[3e38, -3e38], 1).unwrap().1.is_finite());
    }
}
