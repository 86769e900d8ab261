//! From a recipe to an experiment that can run, for every command that trains.

use std::collections::BTreeSet;
use std::time::Duration;

use imlp_data::Loading;
use imlp_lab::text::{COLUMNS, thousands, wrapped};
use imlp_lab::{Execution, Experiment, Plan, Prediction, Recipe};
use imlp_linear::Alpha;
use imlp_suggest::counted;
use imlp_train::bytes;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::args::DeviceName;
use crate::failure::Failure;
use crate::fetching::ensure;
use crate::output::{say, tell};

/// Whether data sets that are not installed are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingData {
    /// Fetch them.
    Fetch,
    /// Refuse to run.
    Refuse,
}

/// Where to print what will be trained, and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    Nowhere,
    StandardOutput,
    StandardError,
}

impl Announce {
    /// On the standard error, beside the progress, unless the user wants `quiet`.
    pub fn unless(quiet: bool) -> Self {
        match quiet {
            true => Self::Nowhere,
            false => Self::StandardError,
        }
    }
}

/// The plan of one trial of `recipe`, with the recipe's α unless `alpha` is given.
pub fn one_trial(recipe: &Recipe, alpha: Option<Alpha>, seed: u64) -> Result<Plan, Failure> {
    let plan = Plan::new(recipe)?;
    let config = &plan.configurations()[0].config;
    let alpha = alpha.unwrap_or(config.interpolation.alpha);
    Ok(plan.single(alpha, seed)?)
}

/// Loads the data and builds the networks of `plan`, and checks that the memory
/// suffices; `execution.jobs` becomes at most the number of trials.
pub fn prepare(
    plan: Plan,
    device: DeviceName,
    mut execution: Execution,
    missing_data: MissingData,
    announce: Announce,
) -> Result<(Experiment, Execution), Failure> {
    if missing_data == MissingData::Fetch {
        fetch_data(&plan)?;
    }
    let experiment = {
        let bar = checking(&plan, announce);
        let progress = reading(&bar);
        let loading = Loading {
            max_bytes: execution.max_memory,
            progress: &progress,
        };
        Experiment::loading(plan, device.backend(), &loading)?
    };
    execution.jobs = execution.jobs.min(experiment.trials().len());
    for line in announcement(&experiment, &experiment.predict(execution.jobs), &execution) {
        match announce {
            Announce::Nowhere => {}
            Announce::StandardOutput => say(line)?,
            Announce::StandardError => tell(line),
        }
    }
    experiment.check_memory(&execution)?;
    Ok((experiment, execution))
}

/// What the terminal shows while the data are loaded and the networks built, where that
/// takes longer than a moment.
fn checking(plan: &Plan, announce: Announce) -> ProgressBar {
    if announce == Announce::Nowhere {
        return ProgressBar::hidden();
    }
    let configurations = counted(plan.configurations().len(), "configuration");
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::default_spinner())
        .with_finish(ProgressFinish::AndClear)
        .with_message(format!("checking {configurations}"));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// Shows on `bar` how far a folder of images is read.
pub fn reading(bar: &ProgressBar) -> impl Fn(&'static str, usize) + Sync {
    let bar = bar.clone();
    move |what, files| bar.set_message(format!("{what} images: {}", thousands(files as u64)))
}

/// Fetches the data sets of `plan` that are not installed.
fn fetch_data(plan: &Plan) -> Result<(), Failure> {
    let configurations = plan.configurations().iter();
    let names: BTreeSet<&str> = configurations
        .filter(|c| c.config.data.path.is_none())
        .map(|c| c.config.data.name.as_str())
        .collect();
    names.into_iter().try_for_each(ensure)
}

/// Lines that say what will be trained, and its cost.
fn announcement(
    experiment: &Experiment,
    prediction: &Prediction,
    execution: &Execution,
) -> Vec<String> {
    /// Configurations that are described; more scroll everything else away.
    const DESCRIBED: usize = 10;
    let mut lines = Vec::new();
    for configuration in experiment.configurations.iter().take(DESCRIBED) {
        let data = configuration.setup.data();
        let cost = configuration.cost();
        if !configuration.assignments.is_empty() {
            lines.push(format!("with    {}", configuration.label()));
        }
        lines.push(format!(
            "data    {}: {} training, {} validation, {} test images, {}",
            configuration.config.data.name,
            data.train_len(),
            data.validation_len(),
            data.dataset().test.len(),
            data.shape(),
        ));
        let notes = data.dataset().notes.iter();
        lines.extend(notes.map(|note| format!("note    {note}")));
        let fraction = configuration.config.data.validation_fraction;
        if fraction > 0.0 && data.validation_len() == 0 {
            lines.push(format!(
                "note    the validation split is empty: data.validation_fraction = {fraction} of \
                 so few images of each class rounds to none"
            ));
        }
        for (name, network) in [("prior", &cost.prior), ("twin", &cost.twin)] {
            lines.push(format!(
                "{name:<7} {} parameters, {} FLOPs per image",
                thousands(network.parameters),
                thousands(network.flops_per_image),
            ));
        }
    }
    if experiment.configurations.len() > DESCRIBED {
        let more = experiment.configurations.len() - DESCRIBED;
        lines.push(format!("and     {} more", counted(more, "configuration")));
    }
    lines.push(format!(
        "plan    {} and {}, {} at a time, about {} of memory",
        counted(prediction.trials, "trial"),
        counted(prediction.priors, "prior"),
        execution.jobs,
        bytes(prediction.peak_bytes),
    ));
    lines.push(format!(
        "FLOPs   {:.2e} in all, forward and backward (a multiply-add is 2)",
        prediction.total_flops,
    ));
    let sharing = experiment.sharing();
    if execution.policy.share && sharing.trunks > 0 {
        let line = format!(
            "shared  {} that several trials begin with: {:.2e} FLOPs less ({:.0} %), at most {} on \
             the disk meanwhile",
            counted(sharing.trunks, "trunk"),
            sharing.flops_saved,
            100.0 * sharing.flops_saved / prediction.total_flops,
            bytes(sharing.disk_bytes),
        );
        lines.push(wrapped(&line, COLUMNS, "        "));
    }
    lines
}
