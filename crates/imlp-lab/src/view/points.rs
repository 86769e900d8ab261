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

/// The course of a trial.
pub(super) fn of_trial(record: &TrialRecord) -> Vec<PointView> {
    // An epoch is as long as its last point is late.
    let steps = record.points.iter().map(|point| point.step).max();
    let steps = steps.unwrap_or_default();
    let points = record.points.iter();
    points.map(|point| of_point(point, steps)).collect()
}

/// A point in epochs of so many optimiser steps; without any it counts as the end of its own.
fn of_point(point: &Point, steps: usize) -> PointView {
    let within = match steps {
        0 => 1.0,
        steps => point.step as f64 / steps as f64,
    };
    PointView {
        epoch: f64::from(point.epoch) - 1.0 + within,
        loss: point.train_loss,
        before: Accuracies::from(&point.before),
        after: Accuracies::from(&point.after),
        alphas: point.alphas.clone(),
        prior_share: point.prior_share_after,
    }
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
