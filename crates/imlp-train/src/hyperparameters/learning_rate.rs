//! The learning rate as a function of the step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Form of the learning-rate schedule after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LearningRateSchedule {
    /// The peak throughout.
    #[default]
    Constant,
    /// From the peak to 0 along half a cosine (Loshchilov & Hutter 2016,
    /// arXiv 1608.03983, without restarts).
    Cosine,
}

/// A checked learning-rate schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LearningRate {
    pub peak: f64,
    pub schedule: LearningRateSchedule,
    /// Steps of linear warm-up.
    pub warmup: f64,
    /// Steps of the whole run.
    pub total: f64,
}

impl LearningRate {
    /// The rate of step `step` (from 0). The warm-up rises linearly and
    /// reaches the peak at its last step.
    pub fn at(self, step: u64) -> f64 {
        let done = step as f64;
        if done < self.warmup {
            return self.peak * ((done + 1.0) / self.warmup).min(1.0);
        }
        match self.schedule {
            LearningRateSchedule::Constant => self.peak,
            LearningRateSchedule::Cosine => {
                let left = (self.total - self.warmup).max(1.0);
                let progress = ((done - self.warmup) / left).min(1.0);
                self.peak * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_match_values_computed_by_hand() {
        let cosine = LearningRate {
            peak: 0.8,
            schedule: LearningRateSchedule::Cosine,
            warmup: 2.0,
            total: 8.0,
        };
        // Warm-up 0.4, 0.8; then cos(0), cos(30°)… over 6 steps.
        let expected = [0.4, 0.8, 0.8, 0.8 * 0.5 * (1.0 + 0.75f64.sqrt()), 0.6, 0.4];
        for (step, e) in expected.into_iter().enumerate() {
            assert!((cosine.at(step as u64) - e).abs() < 1e-12, "step {step}");
        }
        assert!(cosine.at(8).abs() < 1e-12);
        let constant = LearningRate {
            schedule: LearningRateSchedule::Constant,
            warmup: 0.0,
            ..cosine
        };
        assert_eq!(constant.at(0), 0.8);
        assert_eq!(constant.at(7), 0.8);
    }
}
