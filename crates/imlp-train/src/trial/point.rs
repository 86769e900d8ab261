//! One point of a trial's curve.

use serde::{Deserialize, Serialize};

use crate::training::evaluation::Measurement;

/// One interpolation, or the end of an epoch without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Optimiser steps done in this epoch.
    pub step: usize,
    /// α_i of every linear layer; empty where nothing was interpolated.
    pub alphas: Vec<f64>,
    /// Mean training loss since the last point (with augmentation and
    /// smoothing).
    pub train_loss: Option<f64>,
    /// Before the interpolation; empty in an epoch that `evaluation.every` skips.
    pub before: Measurement,
    /// After it, likewise.
    pub after: Measurement,
    /// [`TrialRecord::effective_prior_share`] before the interpolation. Results of early
    /// versions have neither share, nor the learning rate.
    ///
    /// [`TrialRecord::effective_prior_share`]: crate::TrialRecord::effective_prior_share
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_share_before: Option<f64>,
    /// After it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_share_after: Option<f64>,
    /// Of the last optimiser step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}
