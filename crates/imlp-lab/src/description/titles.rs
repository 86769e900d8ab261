//! The title of a configuration's figure and the line under it: what was trained, and how.

use imlp_suggest::counted;
use imlp_train::{
    Allocation, ByName, Every, Gradient, InterpolationConfig, LearningRateSchedule,
    NamedAllocation, ScheduleKind, Timing,
};

use crate::experiment::Experiment;
use crate::text::thousands;

/// What titles of α-curves begin with.
pub(crate) const ACCURACY_AGAINST_ALPHA: &str = "Accuracy against α: ";

/// The title and the subtitle of the configuration with index `index`.
pub(crate) fn titles(experiment: &Experiment, index: usize) -> (String, String) {
    let seeds = experiment.seeds.len();
    let configuration = &experiment.configurations[index];
    let config = &configuration.config;
    let title = format!(
        "{ACCURACY_AGAINST_ALPHA}{} toward {}",
        config.data.name,
        config.prior.kind.name()
    );
    let mut parts = vec![
        format!(
            "dense twin with {} parameters",
            thousands(configuration.cost().twin.parameters)
        ),
        counted(config.train.epochs, "epoch"),
        counted(seeds, "seed"),
        format!("{} prior", config.prior.training.name()),
        interpolated(&config.interpolation),
    ];
    if config.train.learning_rate_schedule == LearningRateSchedule::Cosine {
        parts.push("cosine learning rate".to_owned());
    }
    let subtitle = parts.join(", ");
    if configuration.assignments.is_empty() {
        return (title, subtitle);
    }
    (title, format!("{}; {subtitle}", configuration.label()))
}

/// `interpolated after every epoch in all layers`.
fn interpolated(config: &InterpolationConfig) -> String {
    let when = match (config.timing, config.every) {
        (Timing::TestTime, _) => "once after training".to_owned(),
        (Timing::TrainingTime, Every::Epoch) => "after every epoch".to_owned(),
        (Timing::TrainingTime, Every::Steps(1)) => "after every step".to_owned(),
        (Timing::TrainingTime, Every::Steps(steps)) => format!("every {steps} steps"),
    };
    let schedule = match config.schedule {
        ScheduleKind::Constant => "",
        ScheduleKind::Linear => " with linear α",
        ScheduleKind::Exponential => " with α that decays",
        ScheduleKind::Cosine => " with cosine α",
        ScheduleKind::Step => " with α in steps",
        ScheduleKind::Release => " until release",
    };
    format!(
        "interpolated {when}{schedule} {}",
        allocated(&config.allocation)
    )
}

/// `in all layers`, `in the first layer`, and the multipliers of α otherwise.
fn allocated(allocation: &Allocation) -> String {
    match allocation {
        Allocation::Named(NamedAllocation::All) => "in all layers".to_owned(),
        Allocation::Named(NamedAllocation::First) => "in the first layer".to_owned(),
        Allocation::List(multipliers) => {
            let list: Vec<String> = multipliers.iter().map(f64::to_string).collect();
            format!("in layers × {}", list.join("/"))
        }
        Allocation::Gradient(Gradient { from, to }) => {
            format!("in layers × {from} to {to} over depth")
        }
        Allocation::ByName(ByName { layers }) => {
            let layers = layers
                .iter()
                .map(|(name, multiplier)| format!("{name} × {multiplier}"));
            format!("in {}", layers.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn timing_schedule_and_allocation_are_told() {
        for (keys, words) in [
            ("", "interpolated after every epoch in all layers"),
            ("every = 1", "interpolated after every step in all layers"),
            (
                "every = 20\nallocation = \"first\"",
                "interpolated every 20 steps in the first layer",
            ),
            (
                "timing = \"test-time\"\nallocation = [1.0, 0.5]",
                "interpolated once after training in layers × 1/0.5",
            ),
            (
                "schedule = \"cosine\"\nallocation = { from = 1.0, to = 0.25 }",
                "interpolated after every epoch with cosine α in layers × 1 to 0.25 over depth",
            ),
            (
                "allocation = { layers = { conv1 = 1.0, head = 0.5 } }",
                "interpolated after every epoch in conv1 × 1, head × 0.5",
            ),
        ] {
            let recipe = Recipe::parse(&format!("[interpolation]\n{keys}")).unwrap();
            let config = recipe.trial_config().unwrap().interpolation;
            assert_eq!(interpolated(&config), words);
        }
    }
}
