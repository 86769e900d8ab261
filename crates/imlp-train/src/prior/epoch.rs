//! One epoch of a prior's training.

use serde::{Deserialize, Serialize};

use crate::training::evaluation::Metrics;

/// One epoch of the prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorEpoch {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Mean training loss over the epoch (with augmentation and smoothing).
    pub train_loss: Option<f64>,
    /// On the sample of training images; none in an epoch that `evaluation.every` skips.
    pub train: Option<Metrics>,
    /// On the validation split, or the part of it that `evaluation.validation_images` names.
    pub validation: Option<Metrics>,
}
