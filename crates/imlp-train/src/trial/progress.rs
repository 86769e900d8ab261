//! How far a trial has come.

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};

use crate::training::progress::TrainingProgress;
use crate::training::run::RunProgress;
use crate::trial::point::Point;

/// What a trial took over from a trunk, which was computed once for several trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrunkShare {
    /// Optimiser steps.
    pub steps: u64,
    /// Training images.
    pub images: usize,
    /// Seconds that the trunk was trained for.
    pub train_seconds: f64,
}

/// How far a trial has come: with the twin's weights and its optimiser's state,
/// all that the rest depends on. Checkpoints hold it under these names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    pub(super) training: TrainingProgress,
    /// Whether an assignment restored the twin in the current epoch.
    pub(super) restored: bool,
    /// Epochs in which one did.
    pub(super) restored_epochs: u32,
    pub(super) points: Vec<Point>,
    /// α of every layer at each interpolation.
    pub(super) applied: Vec<Vec<Alpha>>,
    pub(super) interpolation_seconds: f64,
    pub(super) trained_images: usize,
    /// What was taken over from a trunk; the images count among `trained_images`.
    #[serde(default)]
    pub(super) trunk: Option<TrunkShare>,
}

impl RunProgress for Progress {
    fn training(&mut self) -> &mut TrainingProgress {
        &mut self.training
    }
}
