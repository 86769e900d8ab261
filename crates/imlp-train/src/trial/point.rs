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
    /// Before the interpolation.
    pub before: Measurement,
    /// After it.
    pub after: Measurement,
}
