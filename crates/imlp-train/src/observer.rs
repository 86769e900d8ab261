//! What a run reports to its caller, and how the caller stops it.

use crate::prior::epoch::PriorEpoch;
use crate::trial::point::Point;

/// Receives the progress of a run; the run asks it before every step whether to stop.
pub trait Observer: Sync {
    /// A trial, or a trunk, has recorded a point; these are all so far, those that it took
    /// over included.
    fn trial_recorded(&self, _points: &[Point]) {}

    /// A prior has recorded an epoch; these are all so far.
    fn prior_recorded(&self, _epochs: &[PriorEpoch]) {}

    /// `count` more optimiser steps are done.
    fn steps(&self, count: u64);

    /// The run goes on from a checkpoint, in this epoch, from 1.
    fn resumed(&self, _epoch: u32) {}

    /// An epoch has ended.
    fn epoch_ended(&self, _standing: Standing) {}

    /// Whether to stop now. The run then ends with
    /// [`TrainError::Interrupted`](crate::TrainError::Interrupted).
    fn cancelled(&self) -> bool;
}

/// Where a network in training stands at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Mean training loss in it, nats; none if it was not finite.
    pub loss: Option<f64>,
    /// Accuracy on the validation split as a fraction, where it was measured.
    pub validation: Option<f64>,
}

/// Observes nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn steps(&self, _count: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
