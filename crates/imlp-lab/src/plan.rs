//! A recipe, checked as far as possible without data.

use imlp_linear::Alpha;
use imlp_train::{TrainError, TrialConfig};

use crate::error::LabError;
use crate::recipe::Recipe;
use crate::sweep_config::SweepConfig;
use crate::variation::{Assignment, configurations, label, with_assignments};

/// A recipe, checked as far as possible without data.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) configurations: Vec<PlannedConfiguration>,
    pub(crate) sweep: SweepConfig,
    pub(crate) alphas: Vec<Alpha>,
    pub(crate) seeds: Vec<u64>,
}

/// One configuration of an experiment, trained for every α and seed.
#[derive(Clone, Debug)]
pub struct PlannedConfiguration {
    /// What sets it apart from the others; empty where there is only one.
    pub assignments: Vec<Assignment>,
    /// The trials' configuration, with every default filled in.
    pub config: TrialConfig,
}

impl Plan {
    /// Reads and checks every key of every configuration.
    ///
    /// # Errors
    /// An unknown key, or a value that cannot be used, by name.
    pub fn new(recipe: &Recipe) -> Result<Self, LabError> {
        // A key that no configuration could have is refused before any of them.
        recipe.trial_config()?;
        let sweep = recipe.sweep_config()?;
        let alphas = sweep
            .alphas()?
            .into_iter()
            .map(|a| Alpha::new(a).map_err(|e| TrainError::from(e).into()))
            .collect::<Result<Vec<_>, LabError>>()?;
        let seeds = sweep.seeds()?;
        // Without the axes, which are longer than all else where there are many values.
        let base = recipe.without_sweep();
        let configurations = configurations(recipe, &sweep)?
            .into_iter()
            .map(|assignments| {
                let config =
                    checked(&base, &assignments).map_err(of_configuration(&assignments))?;
                Ok(PlannedConfiguration {
                    assignments,
                    config,
                })
            })
            .collect::<Result<_, LabError>>()?;
        Ok(Self {
            configurations,
            sweep,
            alphas,
            seeds,
        })
    }

    /// The configurations, at least one.
    pub fn configurations(&self) -> &[PlannedConfiguration] {
        &self.configurations
    }

    /// The plan of one trial instead of a sweep.
    ///
    /// # Errors
    /// A recipe that varies more than α and seeds.
    pub fn single(mut self, alpha: Alpha, seed: u64) -> Result<Self, LabError> {
        if self.configurations.len() > 1 {
            return Err(LabError::Key {
                key: "sweep".to_owned(),
                reason: format!(
                    "describes {} configurations, but this command runs one trial; choose one with \
                     --set and leave out sweep.grid, sweep.zip and sweep.list",
                    self.configurations.len()
                ),
            });
        }
        (self.alphas, self.seeds) = (vec![alpha], vec![seed]);
        Ok(self)
    }
}

fn checked(recipe: &Recipe, assignments: &[Assignment]) -> Result<TrialConfig, LabError> {
    let config = with_assignments(recipe, assignments)?.trial_config()?;
    config.check()?;
    Ok(config.resolved())
}

/// Adds to an error which of several configurations has it.
pub(crate) fn of_configuration(
    assignments: &[Assignment],
) -> impl FnOnce(LabError) -> LabError + use<> {
    let label = label(assignments);
    move |error| match label.as_str() {
        "" => error,
        _ => LabError::Configuration {
            label,
            source: Box::new(error),
        },
    }
}
