//! The prior's training. Its trajectory does not depend on α: it is trained
//! once per seed and shared by every trial of that seed.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::interpolation::timing::Segment;
use crate::network::parameters::HostParameters;
use crate::network::prior_config::PriorTraining;
use crate::observer::Observer;
use crate::seeds::Stream;
use crate::setup::Setup;
use crate::training::checkpoint::{Checkpoints, NoCheckpoints};
use crate::training::evaluation::{Measurement, Metrics};
use crate::training::learner::{Company, Learner, Pause, SegmentProgress};

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

/// How far the training of a prior has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Whole epochs that are done.
    epochs: u32,
    /// Segments of the current epoch that are done.
    segments: usize,
    /// Steps of the current segment.
    within: SegmentProgress,
    /// Loss of the current epoch.
    loss: SegmentProgress,
    records: Vec<PriorEpoch>,
    train_seconds: f64,
    /// How many snapshots there are, and were at the start of the epoch.
    snapshots: usize,
    snapshots_before: usize,
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
    continue_prior(setup, seed, observer, &NoCheckpoints)
}

/// As [`train_prior`], from the last of `checkpoints` if there is one; see
/// [`continue_trial`](crate::continue_trial).
///
/// # Errors
/// As [`train_prior`]; [`TrainError::Checkpoint`].
pub fn continue_prior(
    setup: &Setup,
    seed: u64,
    observer: &dyn Observer,
    checkpoints: &dyn Checkpoints,
) -> Result<PriorTrajectory, TrainError> {
    let mut learner = Learner::new(
        &setup.prior,
        setup.prior_training,
        seed,
        Stream::Prior,
        &setup.backend,
    );
    let run = format!("the prior of seed {seed} on {}", setup.backend_name());
    let company = Company {
        observer,
        checkpoints,
    };
    let training = setup.config.prior.training;
    let data = &setup.data;
    let mut snapshots: Vec<HostParameters> = Vec::new();
    let mut progress = Progress::default();
    if let Some(file) = checkpoints.load()? {
        progress = learner.resume(&run, &file)?;
        for index in 0..progress.snapshots {
            let snapshot = file.parameters(&snapshot_prefix(index), learner.specs());
            snapshots.push(snapshot.map_err(TrainError::Checkpoint)?);
        }
        observer.steps(setup.steps_before(progress.epochs, progress.segments, progress.within));
    }
    let mut diverged_epoch = None;
    while progress.epochs < setup.prior_epochs() {
        let epoch = progress.epochs + 1;
        let segments = match training {
            PriorTraining::CoTrained => setup.segments(epoch),
            PriorTraining::Frozen | PriorTraining::Untrained => vec![Segment {
                start: 0,
                end: data.steps(setup.config.train.batch_size),
                interpolate: false,
            }],
        };
        let order = learner.order(data, epoch);
        let save = |learner: &Learner, snapshots: &[HostParameters], progress: &Progress| {
            let progress = Progress {
                snapshots: snapshots.len(),
                ..progress.clone()
            };
            let mut file = learner.checkpoint(&run, &progress);
            for (index, snapshot) in snapshots.iter().enumerate() {
                file.add(&snapshot_prefix(index), learner.specs(), snapshot);
            }
            checkpoints.save(&file)
        };
        while let Some(&segment) = segments.get(progress.segments) {
            loop {
                let started = Instant::now();
                let within = &mut progress.within;
                let pause = learner.train(data, &order, epoch, segment, within, company);
                progress.train_seconds += started.elapsed().as_secs_f64();
                if pause == Pause::Ended {
                    break;
                }
                save(&learner, &snapshots, &progress)?;
                if pause == Pause::Interrupted {
                    return Err(TrainError::Interrupted);
                }
            }
            let trained = std::mem::take(&mut progress.within);
            progress.loss.loss += trained.loss;
            progress.loss.images += trained.images;
            progress.loss.diverged |= trained.diverged || !learner.is_finite();
            progress.segments += 1;
            if progress.loss.diverged {
                break;
            }
            if segment.interpolate {
                snapshots.push(learner.snapshot());
            }
        }
        let measured = learner.measure(data, false);
        let loss = std::mem::take(&mut progress.loss);
        let diverged = loss.diverged || measured.is_none();
        let measured = measured.unwrap_or_default();
        progress.records.push(PriorEpoch {
            epoch,
            train_loss: (!diverged && loss.images > 0).then(|| loss.loss / loss.images as f64),
            train: measured.train,
            validation: measured.validation,
        });
        progress.epochs = epoch;
        progress.segments = 0;
        if diverged {
            // Logits are looked at last: what was kept in this epoch is no good.
            snapshots.truncate(progress.snapshots_before);
            diverged_epoch = Some(epoch);
            break;
        }
        progress.snapshots_before = snapshots.len();
        if epoch < setup.prior_epochs() && checkpoints.due(epoch) {
            save(&learner, &snapshots, &progress)?;
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
            epochs: progress.records,
            validation: at_the_end.validation,
            test: at_the_end.test,
            train_seconds: progress.train_seconds,
        },
        snapshots,
    })
}

/// What stands before the names of a snapshot's tensors in a file.
fn snapshot_prefix(index: usize) -> String {
    format!("snapshot{index:05}.")
}
