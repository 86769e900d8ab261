//! α as a function of the epoch.
//!
//! Epochs count from 1 to T. With peak α (the trial's α):
//!
//! | schedule | α(t) |
//! |---|---|
//! | constant | α |
//! | linear | from `from`·α at t = 1 to `to`·α at t = T, in equal steps |
//! | exponential | α·γ^(t−1), γ = `decay` |
//! | cosine | from `from`·α at t = 1 to `to`·α at t = T, along half a cosine |
//! | step | α·γ^⌊(t−1)/n⌋, γ = `decay`, n = `step_epochs` |
//! | release | α for t ≤ n = `release_epochs`, then 0 |
//!
//! Every form is α times something in [0, 1], so α = 0 is the plain MLP under
//! every schedule.
//!
//! The paper (arXiv 2410.09655) uses constant α and tries exponential decay;
//! the other forms are this project's.

use imlp_linear::Alpha;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of the schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// The same α at every epoch.
    #[default]
    Constant,
    /// A straight line.
    Linear,
    /// A factor `decay` per epoch.
    Exponential,
    /// Half a cosine.
    Cosine,
    /// A factor `decay` every `step_epochs` epochs.
    Step,
    /// α for `release_epochs` epochs, then 0.
    Release,
}

/// A checked schedule: with its parameters and the number of epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// α.
    Constant,
    /// From `from`·α to `to`·α.
    Linear {
        /// Share of α at the first epoch, in [0, 1].
        from: f64,
        /// Share of α at the last epoch, in [0, 1].
        to: f64,
    },
    /// α·`decay`^(t−1).
    Exponential {
        /// Factor per epoch, in [0, 1].
        decay: f64,
    },
    /// Half a cosine from `from`·α to `to`·α.
    Cosine {
        /// Share of α at the first epoch, in [0, 1].
        from: f64,
        /// Share of α at the last epoch, in [0, 1].
        to: f64,
    },
    /// α·`decay`^⌊(t−1)/`step_epochs`⌋.
    Step {
        /// Factor per step, in [0, 1].
        decay: f64,
        /// Epochs between two steps, at least 1.
        step_epochs: u32,
    },
    /// α while t ≤ `release_epochs`.
    Release {
        /// Epochs before the twin is released.
        release_epochs: u32,
    },
}

impl Schedule {
    /// α at `epoch` (1 ≤ `epoch` ≤ `epochs`), for the peak `alpha`.
    pub fn at(self, alpha: Alpha, epoch: u32, epochs: u32) -> Alpha {
        let done = f64::from(epoch - 1);
        // The share of the way from the first epoch to the last.
        let progress = if epochs > 1 {
            done / f64::from(epochs - 1)
        } else {
            0.0
        };
        let share = match self {
            Self::Constant => 1.0,
            Self::Linear { from, to } => from + (to - from) * progress,
            Self::Exponential { decay } => decay.powf(done),
            Self::Cosine { from, to } => {
                let kept = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                to + (from - to) * kept
            }
            Self::Step { decay, step_epochs } => decay.powf(f64::from((epoch - 1) / step_epochs)),
            Self::Release { release_epochs } => f64::from(u8::from(epoch <= release_epochs)),
        };
        let value = alpha.get() * share;
        // A convex combination of two values in [0, 1] can leave it by an ulp.
        Alpha::new(value.clamp(0.0, 1.0)).expect("a clamped finite value is an α")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(schedule: Schedule, alpha: f64, epochs: u32) -> Vec<f64> {
        let alpha = Alpha::new(alpha).unwrap();
        (1..=epochs)
            .map(|t| schedule.at(alpha, t, epochs).get())
            .collect()
    }

    #[track_caller]
    fn assert_close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-12, "{got:?} is not {expected:?}");
        }
    }

    #[test]
    fn schedules_match_values_computed_by_hand() {
        assert_close(&values(Schedule::Constant, 0.3, 3), &[0.3, 0.3, 0.3]);
        assert_close(
            &values(
                Schedule::Linear {
                    from: 1.0,
                    to: 0.25,
                },
                0.8,
                4,
            ),
            &[0.8, 0.6, 0.4, 0.2],
        );
        assert_close(
            &values(Schedule::Exponential { decay: 0.5 }, 0.8, 4),
            &[0.8, 0.4, 0.2, 0.1],
        );
        // cos 0, cos 60°, cos 120°, cos 180° → kept 1, 3/4, 1/4, 0
        assert_close(
            &values(Schedule::Cosine { from: 1.0, to: 0.0 }, 0.8, 4),
            &[0.8, 0.6, 0.2, 0.0],
        );
        assert_close(
            &values(Schedule::Cosine { from: 0.0, to: 1.0 }, 0.6, 3),
            &[0.0, 0.3, 0.6],
        );
        let step = Schedule::Step {
            decay: 0.1,
            step_epochs: 2,
        };
        assert_close(&values(step, 1.0, 5), &[1.0, 1.0, 0.1, 0.1, 0.01]);
        let release = Schedule::Release { release_epochs: 2 };
        assert_close(&values(release, 0.7, 4), &[0.7, 0.7, 0.0, 0.0]);
    }

    #[test]
    fn one_epoch_starts_at_the_peak() {
        for schedule in [
            Schedule::Linear { from: 1.0, to: 0.0 },
            Schedule::Cosine { from: 1.0, to: 0.0 },
            Schedule::Exponential { decay: 0.0 },
        ] {
            assert_close(&values(schedule, 0.4, 1), &[0.4]);
        }
    }
}
