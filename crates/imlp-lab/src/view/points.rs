//! The course of a trial or a prior, and the accuracies at its end.

use imlp_train::{Measurement, Metrics, Point, PriorRecord, TrialRecord};

use super::{Accuracies, PointView, PriorView};

impl From<&Measurement> for Accuracies {
    fn from(measurement: &Measurement) -> Self {
        let accuracy = |metrics: Option<Metrics>| metrics.map(|m| m.accuracy);
        Self {
            training: accuracy(measurement.train),
            validation: accuracy(measurement.validation),
            test: accuracy(measurement.test),
        }
    }
}

/// The course of a trial with so many optimiser steps in an epoch.
pub(super) fn of_trial(record: &TrialRecord, steps: Option<f64>) -> Vec<PointView> {
    record
        .points
        .iter()
        .map(|point| of_point(point, steps))
        .collect()
}

fn of_point(point: &Point, steps: Option<f64>) -> PointView {
    // The steps of the first epoch tell how long one is; without them a point counts as the
    // end of its epoch.
    let within = steps.map_or(1.0, |steps| point.step as f64 / steps);
    PointView {
        epoch: f64::from(point.epoch) - 1.0 + within.min(1.0),
        loss: point.train_loss,
        before: Accuracies::from(&point.before),
        after: Accuracies::from(&point.after),
        alphas: point.alphas.clone(),
        prior_share: point.prior_share_after,
    }
}

/// Steps of an epoch: those at which the points of an epoch end.
pub(super) fn steps_of_epoch(record: &TrialRecord) -> Option<f64> {
    let most = record.points.iter().map(|point| point.step).max()?;
    (most > 0).then_some(most as f64)
}

impl From<&PriorRecord> for PriorView {
    fn from(record: &PriorRecord) -> Self {
        let accuracy = |metrics: Option<Metrics>| metrics.map(|m| m.accuracy);
        let epochs = record.epochs.iter();
        let course = epochs.map(|epoch| {
            let accuracies = Accuracies {
                training: accuracy(epoch.train),
                validation: accuracy(epoch.validation),
                test: None,
            };
            PointView {
                epoch: f64::from(epoch.epoch),
                loss: epoch.train_loss,
                before: accuracies,
                after: accuracies,
                alphas: Vec::new(),
                prior_share: None,
            }
        });
        let last = record.epochs.last();
        Self {
            seed: record.seed,
            diverged_epoch: record.diverged_epoch,
            end: Accuracies {
                training: last.and_then(|epoch| accuracy(epoch.train)),
                validation: accuracy(record.validation),
                test: accuracy(record.test),
            },
            train_seconds: record.train_seconds,
            points: course.collect(),
        }
    }
}
