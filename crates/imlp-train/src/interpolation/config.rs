//! The keys `interpolation.*` and their check.

use imlp_linear::Alpha;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::interpolation::allocation::Allocation;
use crate::interpolation::optimizer_state::OptimizerState;
use crate::interpolation::rule::InterpolationRule;
use crate::interpolation::schedule::{Schedule, ScheduleKind};
use crate::interpolation::timing::{Every, Timing};

/// The keys `interpolation.*` of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterpolationConfig {
    /// Peak interpolation weight α.
    #[schemars(with = "f64", range(min = 0.0, max = 1.0))]
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
                return Err(TrainError::key(
                    key,
                    format!("belongs to schedule {names}; interpolation.schedule is another"),
                ));
            }
        }
        let share = |key, value: Option<f64>, default: f64| match value.unwrap_or(default) {
            value if (0.0..=1.0).contains(&value) => Ok(value),
            value => Err(TrainError::config(key, value, "must lie in [0, 1]")),
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
                _ => {
                    return Err(TrainError::key(
                        "interpolation.step_epochs",
                        "schedule step needs a number of epochs, at least 1",
                    ));
                }
            },
            Release => match self.release_epochs {
                Some(release_epochs) => Schedule::Release { release_epochs },
                None => {
                    return Err(TrainError::key(
                        "interpolation.release_epochs",
                        "schedule release needs a number of epochs",
                    ));
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
