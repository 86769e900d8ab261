//! The mean accuracy so far of every α.

use std::collections::BTreeMap;

use imlp_lab::executor::JobLabel;
use imlp_train::Standing;

/// Validation accuracies of finished trials, by configuration and α.
#[derive(Debug, Default)]
pub struct Means {
    by_configuration: BTreeMap<String, Vec<OfAlpha>>,
}

#[derive(Debug)]
struct OfAlpha {
    alpha: f64,
    sum: f64,
    count: u32,
}

impl Means {
    /// Adds a job that has ended, if it was a trial that was measured.
    pub fn add(&mut self, job: &JobLabel, standing: Option<Standing>) {
        let JobLabel::Trial {
            configuration,
            alpha,
            ..
        } = job
        else {
            return;
        };
        let Some(accuracy) = standing.and_then(|standing| standing.validation) else {
            return;
        };
        let of_configuration = self
            .by_configuration
            .entry(configuration.clone())
            .or_default();
        let alpha = alpha.get();
        match of_configuration.iter_mut().find(|of| of.alpha == alpha) {
            Some(of) => {
                of.sum += accuracy;
                of.count += 1;
            }
            None => {
                of_configuration.push(OfAlpha {
                    alpha,
                    sum: accuracy,
                    count: 1,
                });
                of_configuration.sort_by(|a, b| a.alpha.total_cmp(&b.alpha));
            }
        }
    }

    /// All in one line, per cent on validation, with the number of seeds: of one configuration
    /// `so far: 0 84.5×3, 0.1 79.2×2`; of several only how many have a trial.
    pub fn line(&self) -> String {
        let mut configurations = self.by_configuration.values();
        match (configurations.next(), configurations.next()) {
            (Some(only), None) => {
                let means = only.iter().map(|of| {
                    let mean = 100.0 * of.sum / f64::from(of.count);
                    format!("{} {mean:.1}×{}", of.alpha, of.count)
                });
                format!("so far: {}", means.collect::<Vec<_>>().join(", "))
            }
            (Some(_), Some(_)) => self.best_of_each(),
            _ => String::new(),
        }
    }

    /// Of each configuration the α that is highest so far.
    fn best_of_each(&self) -> String {
        let best = self.by_configuration.iter().filter_map(|(name, means)| {
            let mean = |of: &OfAlpha| of.sum / f64::from(of.count);
            let best = means.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)))?;
            Some(format!(
                "{name}: {:.1} at α = {}",
                100.0 * mean(best),
                best.alpha
            ))
        });
        format!("highest so far: {}", best.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use imlp_linear::Alpha;

    use super::*;

    #[test]
    fn means_are_over_seeds() {
        let mut means = Means::default();
        for (alpha, seed, accuracy) in [(0.1, 1, 0.5), (0.0, 1, 0.8), (0.1, 2, 0.6)] {
            let job = JobLabel::Trial {
                configuration: String::new(),
                alpha: Alpha::new(alpha).unwrap(),
                seed,
            };
            let standing = Standing {
                epoch: 3,
                loss: None,
                validation: Some(accuracy),
            };
            means.add(&job, Some(standing));
            means.add(&job, None);
        }
        assert_eq!(means.line(), "so far: 0 80.0×1, 0.1 55.0×2");
    }
}
