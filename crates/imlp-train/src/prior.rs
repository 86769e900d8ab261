//! The prior's training. Its trajectory does not depend on α: it is trained
//! once per seed and shared by every trial of that seed.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::evaluate::{Measurement, Metrics};
use crate::learner::Learner;
use crate::parameters::HostParameters;
use crate::seeds::Stream;
use crate::timing::Segment;
use crate::{Observer, PriorTraining, Setup, TrainError};

/// The prior as every trial of one seed meets it.
#[derive(Clone, Debug)]
pub struct PriorTrajectory {
    /// Its record.
    pub record: PriorRecord,
    /// Parameters at each interpolation point in order (co-trained), or the
    /// one set that is used at all points (frozen, untrained). They end where
    /// the prior diverged.
    pub snapshots: Vec<HostParameters>,
}

/// What happened while the prior was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorRecord {
    /// Seed of the trial.
    pub seed: u64,
    /// The epoch in which it diverged; such a prior pulls no twin.
    pub diverged_epoch: Option<u32>,
    /// One entry per epoch of training.
    pub epochs: Vec<PriorEpoch>,
    /// On the validation split, at the end.
    pub validation: Option<Metrics>,
    /// On the test set, at the end.
    pub test: Option<Metrics>,
    /// Seconds of training, evaluation excluded.
    pub train_seconds: f64,
}

/// One epoch of the prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorEpoch {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Mean training loss over the epoch (with augmentation and smoothing).
    pub train_loss: Option<f64>,
    /// On the sample of training images.
    pub train: Option<Metrics>,
    /// On the validation split.
    pub validation: Option<Metrics>,
}

impl PriorTrajectory {
    /// The snapshot for interpolation point `index` (from 0); none from where
    /// the prior diverged.
    pub(crate) fn at(&self, index: usize) -> Option<&HostParameters> {
        // The one snapshot of a finished prior serves every point; what is left
        // of one that diverged does not.
        if self.snapshots.len() == 1 && self.record.diverged_epoch.is_none() {
            self.snapshots.first()
        } else {
            self.snapshots.get(index)
        }
    }
}

/// Trains the prior of `seed` as `prior.training` says.
///
/// # Errors
/// [`TrainError::Interrupted`]. Divergence is not an error: the record tells.
pub fn train_prior(
    setup: &Setup,
    seed: u64,
    observer: &dyn Observer,
) -> Result<PriorTrajectory, TrainError> {
    let mut learner = Learner::new(
        &setup.prior,
        setup.prior_training,
        seed,
        Stream::Prior,
        &setup.backend,
    );
    let training = setup.config.prior.training;
    let data = &setup.data;
    let (mut epochs, mut snapshots) = (Vec::new(), Vec::new());
    let (mut train_seconds, mut diverged_epoch) = (0.0, None);
    for epoch in 1..=setup.prior_epochs() {
        let segments = match training {
            PriorTraining::CoTrained => setup.segments(epoch),
            PriorTraining::Frozen | PriorTraining::Untrained => vec![Segment {
                start: 0,
                end: data.steps(setup.config.train.batch_size),
                interpolate: false,
            }],
        };
        let order = learner.order(data, epoch);
        let before = snapshots.len();
        let (mut loss, mut images, mut diverged) = (0.0, 0, false);
        for segment in segments {
            let started = Instant::now();
            let segment_loss = learner.train(data, &order, epoch, segment, observer)?;
            train_seconds += started.elapsed().as_secs_f64();
            loss += segment_loss.sum;
            images += segment_loss.images;
            diverged |= segment_loss.diverged || !learner.is_finite();
            if diverged {
                break;
            }
            if segment.interpolate {
                snapshots.push(learner.snapshot());
            }
        }
        let measured = learner.measure(data, false);
        diverged |= measured.is_none();
        let measured = measured.unwrap_or_default();
        epochs.push(PriorEpoch {
            epoch,
            train_loss: (!diverged && images > 0).then(|| loss / images as f64),
            train: measured.train,
            validation: measured.validation,
        });
        if diverged {
            // Logits are looked at last: what was kept in this epoch is no good.
            snapshots.truncate(before);
            diverged_epoch = Some(epoch);
            break;
        }
    }
    if training != PriorTraining::CoTrained && diverged_epoch.is_none() {
        snapshots.push(learner.snapshot());
    }
    let at_the_end = if diverged_epoch.is_none() {
        learner.measure(data, true).unwrap_or_default()
    } else {
        Measurement::default()
    };
    Ok(PriorTrajectory {
        record: PriorRecord {
            seed,
            diverged_epoch,
            epochs,
            validation: at_the_end.validation,
            test: at_the_end.test,
            train_seconds,
        },
        snapshots,
    })
}
