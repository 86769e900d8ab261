//! The interpolation rule `W ← (1−α)·W + α·W_P`: when it is applied, with
//! which α, and what becomes of the optimiser's state (arXiv 2410.09655).

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};

use crate::{Allocation, Schedule, ScheduleKind, TrainError};

/// When the twin is interpolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Again and again while the twin trains.
    #[default]
    TrainingTime,
    /// Once, after twin and prior have been trained apart.
    TestTime,
}

/// How often training-time interpolation happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"epoch\" or a number of steps")]
pub enum Every {
    /// At the end of every epoch.
    #[default]
    #[serde(with = "epoch_word")]
    Epoch,
    /// After every so many optimiser steps, counted over the whole run.
    Steps(u32),
}

mod epoch_word {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("epoch")
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "epoch" => Ok(()),
            other => Err(D::Error::custom(format!("unknown interval `{other}`"))),
        }
    }
}

/// What becomes of the optimiser's state of a layer that was interpolated.
///
/// The momentum was built up by the weights before interpolation; keeping it
/// pushes the new weights along a direction that belonged to the old ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerState {
    /// Left as it is.
    Keep,
    /// Momentum (AdamW: first moment) times 1−α_i, as the weights it belongs
    /// to; at α_i = 1 as `reset`.
    Scale,
    /// Forgotten: as at the start of training.
    #[default]
    Reset,
}

/// The keys `interpolation.*` of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterpolationConfig {
    /// Peak interpolation weight α.
    pub alpha: Alpha,
    /// During training or once at the end.
    pub timing: Timing,
    /// `"epoch"`, or a number of steps.
    pub every: Every,
    /// α over epochs.
    pub schedule: ScheduleKind,
    /// Share of α at the first epoch (schedules linear and cosine; 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// Share of α at the last epoch (schedules linear and cosine; 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// Factor in [0, 1] (schedules exponential and step; 0.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// Epochs between steps (schedule step).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_epochs: Option<u32>,
    /// Epochs with interpolation (schedule release).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_epochs: Option<u32>,
    /// α over layers.
    pub allocation: Allocation,
    /// Whether biases (and the shifts of normalisations) are interpolated.
    pub biases: bool,
    /// The optimiser's state after an interpolation.
    pub optimizer_state: OptimizerState,
}

impl Default for InterpolationConfig {
    fn default() -> Self {
        Self {
            alpha: Alpha::ZERO,
            timing: Timing::default(),
            every: Every::default(),
            schedule: ScheduleKind::default(),
            from: None,
            to: None,
            decay: None,
            step_epochs: None,
            release_epochs: None,
            allocation: Allocation::default(),
            biases: true,
            optimizer_state: OptimizerState::default(),
        }
    }
}

/// Default of `interpolation.decay`: α halves.
const DEFAULT_DECAY: f64 = 0.5;
/// Default of `interpolation.from`: all of α.
const DEFAULT_FROM: f64 = 1.0;
/// Default of `interpolation.to`: none of it.
const DEFAULT_TO: f64 = 0.0;

impl InterpolationConfig {
    /// The same configuration with the schedule's defaults written out.
    pub(crate) fn resolved(mut self) -> Self {
        match self.schedule {
            ScheduleKind::Linear | ScheduleKind::Cosine => {
                self.from.get_or_insert(DEFAULT_FROM);
                self.to.get_or_insert(DEFAULT_TO);
            }
            ScheduleKind::Exponential | ScheduleKind::Step => {
                self.decay.get_or_insert(DEFAULT_DECAY);
            }
            ScheduleKind::Constant | ScheduleKind::Release => {}
        }
        self
    }

    /// Checks the keys against each other and gives the rule for a twin whose
    /// linear layers are named `layers`, trained for `epochs` epochs.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the key.
    pub fn check(&self, layers: &[&str], epochs: u32) -> Result<InterpolationRule, TrainError> {
        Ok(InterpolationRule {
            alpha: self.alpha,
            timing: self.timing,
            every: self.every,
            schedule: self.check_keys()?,
            multipliers: self.allocation.multipliers(layers)?,
            biases: self.biases,
            optimizer_state: self.optimizer_state,
            epochs,
        })
    }

    /// Checks everything but the allocation, which needs the network.
    pub(crate) fn check_keys(&self) -> Result<Schedule, TrainError> {
        if self.every == Every::Steps(0) {
            return Err(TrainError::config(
                "interpolation.every",
                0,
                "give \"epoch\" or at least 1 step",
            ));
        }
        if self.timing == Timing::TestTime
            && (self.schedule != ScheduleKind::Constant || self.every != Every::Epoch)
        {
            return Err(TrainError::config(
                "interpolation.timing",
                "test-time",
                "interpolates once, so `schedule` and `every` have no meaning; leave them out",
            ));
        }
        self.check_schedule()
    }

    fn check_schedule(&self) -> Result<Schedule, TrainError> {
        use ScheduleKind::{Constant, Cosine, Exponential, Linear, Release, Step};
        let kind = self.schedule;
        let unused: [(&'static str, bool, &[ScheduleKind], &str); 5] = [
            (
                "interpolation.from",
                self.from.is_some(),
                &[Linear, Cosine],
                "linear and cosine",
            ),
            (
                "interpolation.to",
                self.to.is_some(),
                &[Linear, Cosine],
                "linear and cosine",
            ),
            (
                "interpolation.decay",
                self.decay.is_some(),
                &[Exponential, Step],
                "exponential and step",
            ),
            (
                "interpolation.step_epochs",
                self.step_epochs.is_some(),
                &[Step],
                "step",
            ),
            (
                "interpolation.release_epochs",
                self.release_epochs.is_some(),
                &[Release],
                "release",
            ),
        ];
        for (key, given, kinds, names) in unused {
            if given && !kinds.contains(&kind) {
                return Err(TrainError::config(
                    key,
                    "given",
                    format!("belongs to schedule {names}; interpolation.schedule is another"),
                ));
            }
        }
        let share = |key, value: Option<f64>, default: f64| match value.unwrap_or(default) {
            value if (0.0..=1.0).contains(&value) => Ok(value),
            value => Err(TrainError::config(key, value, "lies in [0, 1]")),
        };
        let from = share("interpolation.from", self.from, DEFAULT_FROM)?;
        let to = share("interpolation.to", self.to, DEFAULT_TO)?;
        let decay = share("interpolation.decay", self.decay, DEFAULT_DECAY)?;
        Ok(match kind {
            Constant => Schedule::Constant,
            Linear => Schedule::Linear { from, to },
            Exponential => Schedule::Exponential { decay },
            Cosine => Schedule::Cosine { from, to },
            Step => match self.step_epochs {
                Some(step_epochs) if step_epochs > 0 => Schedule::Step { decay, step_epochs },
                other => {
                    return Err(TrainError::config(
                        "interpolation.step_epochs",
                        other.map_or("missing".into(), |n| n.to_string()),
                        "schedule step needs a number of epochs, at least 1",
                    ));
                }
            },
            Release => match self.release_epochs {
                Some(release_epochs) => Schedule::Release { release_epochs },
                None => {
                    return Err(TrainError::config(
                        "interpolation.release_epochs",
                        "missing",
                        "schedule release needs a number of epochs",
                    ));
                }
            },
        })
    }
}

/// A checked interpolation rule for one twin.
#[derive(Clone, Debug)]
pub struct InterpolationRule {
    alpha: Alpha,
    timing: Timing,
    every: Every,
    schedule: Schedule,
    multipliers: Vec<Alpha>,
    biases: bool,
    optimizer_state: OptimizerState,
    epochs: u32,
}

/// Optimiser steps `start..end` of one epoch, and whether an interpolation
/// follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First step, from 0 within the epoch.
    pub start: usize,
    /// One past the last step.
    pub end: usize,
    /// Whether the twin may be interpolated after the last step.
    pub interpolate: bool,
}

impl InterpolationRule {
    /// α_i at `epoch`, for every linear layer.
    pub fn alphas(&self, epoch: u32) -> Vec<Alpha> {
        self.allocate(self.schedule.at(self.alpha, epoch, self.epochs))
    }

    /// α_i for every linear layer where the schedule gives all of α.
    pub fn peak_alphas(&self) -> Vec<Alpha> {
        self.allocate(self.alpha)
    }

    fn allocate(&self, alpha: Alpha) -> Vec<Alpha> {
        self.multipliers
            .iter()
            .map(|m| Alpha::new(alpha.get() * m.get()).expect("a product of two values in [0, 1]"))
            .collect()
    }

    /// The segments of `epoch` (from 1), which has `steps` steps.
    pub fn segments(&self, epoch: u32, steps: usize) -> Vec<Segment> {
        segments(self.timing, self.every, epoch, self.epochs, steps)
    }

    /// Whether biases are interpolated.
    pub fn biases(&self) -> bool {
        self.biases
    }

    /// What becomes of the optimiser's state.
    pub fn optimizer_state(&self) -> OptimizerState {
        self.optimizer_state
    }
}

/// Where the interpolations of an epoch fall. It depends on neither α nor the
/// schedule's values, so every trial of an experiment shares the prior's
/// snapshots at these points.
pub fn segments(
    timing: Timing,
    every: Every,
    epoch: u32,
    epochs: u32,
    steps: usize,
) -> Vec<Segment> {
    let whole = |interpolate| Segment {
        start: 0,
        end: steps,
        interpolate,
    };
    match (timing, every) {
        (Timing::TestTime, _) => vec![whole(epoch == epochs)],
        (Timing::TrainingTime, Every::Epoch) => vec![whole(true)],
        (Timing::TrainingTime, Every::Steps(k)) => {
            let k = k as usize;
            let before = (epoch as usize - 1) * steps;
            let mut segments = Vec::new();
            let mut start = 0;
            while start < steps {
                let next = ((before + start) / k + 1) * k - before;
                let end = next.min(steps);
                segments.push(Segment {
                    start,
                    end,
                    interpolate: next <= steps,
                });
                start = end;
            }
            segments
        }
    }
}

/// The prior's share of the weights after interpolations with `alphas` and no
/// gradient in between: `1 − Π(1−α_s)`.
pub fn effective_prior_share(alphas: impl IntoIterator<Item = Alpha>) -> f64 {
    1.0 - alphas
        .into_iter()
        .map(|alpha| 1.0 - alpha.get())
        .product::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(timing: Timing, every: Every, epochs: u32, steps: usize) -> Vec<(u32, usize, bool)> {
        (1..=epochs)
            .flat_map(|epoch| {
                segments(timing, every, epoch, epochs, steps)
                    .into_iter()
                    .map(move |s| (epoch, s.end, s.interpolate))
            })
            .collect()
    }

    #[test]
    fn interpolations_fall_where_the_rule_says() {
        let train = Timing::TrainingTime;
        assert_eq!(
            ends(train, Every::Epoch, 2, 7),
            [(1, 7, true), (2, 7, true)]
        );
        assert_eq!(
            ends(Timing::TestTime, Every::Epoch, 2, 7),
            [(1, 7, false), (2, 7, true)]
        );
        // Steps 3, 6, 9, 12 of 14, over two epochs of 7.
        assert_eq!(
            ends(train, Every::Steps(3), 2, 7),
            [
                (1, 3, true),
                (1, 6, true),
                (1, 7, false),
                (2, 2, true),
                (2, 5, true),
                (2, 7, false)
            ]
        );
        // Steps 10, 20: the first falls in epoch 2.
        assert_eq!(
            ends(train, Every::Steps(10), 3, 7),
            [
                (1, 7, false),
                (2, 3, true),
                (2, 7, false),
                (3, 6, true),
                (3, 7, false)
            ]
        );
        assert_eq!(ends(train, Every::Steps(7), 1, 7), [(1, 7, true)]);
    }

    #[test]
    fn segments_cover_every_step_once() {
        for (k, steps) in [(1, 5), (2, 5), (5, 5), (6, 5), (4, 9)] {
            for epoch in 1..=4 {
                let mut next = 0;
                for s in segments(Timing::TrainingTime, Every::Steps(k), epoch, 4, steps) {
                    assert_eq!(s.start, next);
                    assert!(s.end > s.start);
                    next = s.end;
                }
                assert_eq!(next, steps);
            }
        }
    }

    #[test]
    fn the_prior_share_follows_its_closed_form() {
        let alphas = [0.5, 0.2, 0.0].map(|a| Alpha::new(a).unwrap());
        assert!((effective_prior_share(alphas) - 0.6).abs() < 1e-12);
        let constant = [Alpha::new(0.1).unwrap(); 10];
        assert!((effective_prior_share(constant) - (1.0 - 0.9f64.powi(10))).abs() < 1e-12);
        assert_eq!(effective_prior_share([Alpha::ONE]), 1.0);
        assert_eq!(effective_prior_share([]), 0.0);
    }

    #[test]
    fn keys_of_another_schedule_are_refused() {
        let config = InterpolationConfig {
            release_epochs: Some(3),
            ..Default::default()
        };
        let message = config.check(&["head"], 5).unwrap_err().to_string();
        assert!(message.contains("release_epochs"), "{message}");
        for text in ["schedule = \"step\"", "schedule = \"release\"", "every = 0"] {
            let config: InterpolationConfig = toml::from_str(text).unwrap();
            assert!(config.check(&["head"], 5).is_err(), "{text}");
        }
    }

    #[test]
    fn every_is_a_word_or_a_number() {
        let parse = |text: &str| toml::from_str::<InterpolationConfig>(text).map(|c| c.every);
        assert_eq!(parse("every = \"epoch\"").unwrap(), Every::Epoch);
        assert_eq!(parse("every = 12").unwrap(), Every::Steps(12));
        assert!(parse("every = \"day\"").is_err());
        assert!(parse("alpha = 1.5").is_err());
        assert!(parse("alpha = nan").is_err());
    }
}
