//! α as a function of the epoch.
//!
//! Epochs count from 1 to T. With peak α (the trial's α):
//!
//! | schedule | α(t) |
//! |---|---|
//! | constant | α |
//! | linear | from α at t = 1 to `final_alpha` at t = T, in equal steps |
//! | exponential | α·γ^(t−1), γ = `decay` |
//! | cosine | from α at t = 1 to `final_alpha` at t = T, along half a cosine |
//! | step | α·γ^⌊(t−1)/n⌋, γ = `decay`, n = `step_epochs` |
//! | release | α for t ≤ n = `release_epochs`, then 0 |
//!
//! The paper (arXiv 2410.09655) uses constant α and tries exponential decay;
//! the other forms are this project's.

use imlp_linear::Alpha;
use serde::{Deserialize, Serialize};

/// The form of the schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// The same α at every epoch.
    #[default]
    Constant,
    /// A straight line to `final_alpha`.
    Linear,
    /// A factor `decay` per epoch.
    Exponential,
    /// Half a cosine to `final_alpha`.
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
    /// From α to `final_alpha`, both in [0, 1].
    Linear {
        /// α at the last epoch.
        final_alpha: f64,
    },
    /// α·`decay`^(t−1).
    Exponential {
        /// Factor per epoch, in [0, 1].
        decay: f64,
    },
    /// Half a cosine from α to `final_alpha`.
    Cosine {
        /// α at the last epoch.
        final_alpha: f64,
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
        let peak = alpha.get();
        let done = f64::from(epoch - 1);
        // The share of the way from the first epoch to the last.
        let progress = if epochs > 1 {
            done / f64::from(epochs - 1)
        } else {
            0.0
        };
        let value = match self {
            Self::Constant => peak,
            Self::Linear { final_alpha } => peak + (final_alpha - peak) * progress,
            Self::Exponential { decay } => peak * decay.powf(done),
            Self::Cosine { final_alpha } => {
                let kept = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                final_alpha + (peak - final_alpha) * kept
            }
            Self::Step { decay, step_epochs } => {
                peak * decay.powf(f64::from((epoch - 1) / step_epochs))
            }
            Self::Release { release_epochs } => {
                if epoch <= release_epochs {
                    peak
                } else {
                    0.0
                }
            }
        };
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
            &values(Schedule::Linear { final_alpha: 0.2 }, 0.8, 4),
            &[0.8, 0.6, 0.4, 0.2],
        );
        assert_close(
            &values(Schedule::Exponential { decay: 0.5 }, 0.8, 4),
            &[0.8, 0.4, 0.2, 0.1],
        );
        // cos 0, cos 60°, cos 120°, cos 180° → kept 1, 3/4, 1/4, 0
        assert_close(
            &values(Schedule::Cosine { final_alpha: 0.0 }, 0.8, 4),
            &[0.8, 0.6, 0.2, 0.0],
        );
        assert_close(
            &values(Schedule::Cosine { final_alpha: 1.0 }, 0.0, 3),
            &[0.0, 0.5, 1.0],
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
            Schedule::Linear { final_alpha: 0.0 },
            Schedule::Cosine { final_alpha: 0.0 },
            Schedule::Exponential { decay: 0.0 },
        ] {
            assert_close(&values(schedule, 0.4, 1), &[0.4]);
        }
    }
}
