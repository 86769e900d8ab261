//! How far the training of a network has come.

use serde::{Deserialize, Serialize};

use crate::interpolation::timing::Pause;

/// How far the training of a segment has come, or the sums over several segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentProgress {
    /// Steps.
    pub done: usize,
    /// Sum over the images of the mean loss of their batch.
    pub loss: f64,
    /// Images.
    pub images: usize,
    /// Whether a loss was not finite. The rest of the segment is then skipped:
    /// nothing that follows from such weights is finite.
    pub diverged: bool,
}

impl SegmentProgress {
    /// Adds the losses of another segment.
    pub fn add(&mut self, of: Self) {
        self.loss += of.loss;
        self.images += of.images;
        self.diverged |= of.diverged;
    }

    /// Mean loss of the images.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.images as f64
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainingProgress {
    /// Whole epochs that are done.
    pub epochs: u32,
    /// Segments of the current epoch that are done.
    pub segments: usize,
    /// Steps of the current segment.
    pub within: SegmentProgress,
    /// Losses since the last record.
    pub loss: SegmentProgress,
    /// Seconds of training.
    pub train_seconds: f64,
}

impl TrainingProgress {
    /// Counts the segment that ends at `pause`.
    pub fn pass(&mut self, pause: Pause) {
        if pause.ends_epoch {
            self.epochs = pause.epoch;
            self.segments = 0;
        } else {
            self.segments += 1;
        }
    }
}
