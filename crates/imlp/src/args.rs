//! The command line: what can be asked. Each option only sets keys of a recipe
//! or says how a run is carried out.

mod conversion;
mod data;
mod experiment;
mod memory;
mod store;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use conversion::{DenseArguments, Described, InspectArguments, ProjectArguments};
pub use data::{DataArguments, DataCommand};
pub use experiment::{
    CheckArguments, Common, SingleArguments, SweepArguments, TrainArguments, TrialArguments,
};
pub use memory::MemoryArguments;
pub use store::{CleanArguments, ExportArguments, FormatName, RetryArguments, StatusArguments};

/// A laboratory for controllable inductive bias.
///
/// Trains a structured prior (a CNN, a Mixer) and its dense twin, an MLP whose
/// weights are pulled toward the prior's by a fraction α, and shows how
/// accuracy depends on α. `imlp sweep` alone runs the main job on a built-in
/// data set.
///
/// Exit codes: 0 success, 1 error, 2 wrong usage, 3 the run ended but some
/// trials failed, 130 interrupted.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub logging: Logging,
}

/// What is logged on the standard error.
#[derive(Clone, Copy, Debug, Args)]
pub struct Logging {
    /// Log what happens; twice for more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Form of the log
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train for many values of α and seeds; draw the α-curve
    Sweep(SweepArguments),
    /// Check every trial of a recipe and predict what it costs, without training
    Check(CheckArguments),
    /// Run one trial and save its record and weights
    Train(TrainArguments),
    /// Run one trial and print its result as one line of JSON
    Trial(TrialArguments),
    /// Measure saved weights
    Eval(EvalArguments),
    /// Show how it stands with an experiment
    Status(StatusArguments),
    /// Let trials that failed be tried again
    Retry(RetryArguments),
    /// List, and with --yes remove, what an experiment no longer needs
    Clean(CleanArguments),
    /// Write the trials of an experiment as a table
    Export(ExportArguments),
    /// List, fetch, verify and find data sets
    Data(DataArguments),
    /// Write PyTorch weights of a network or a layer as dense matrices
    Dense(DenseArguments),
    /// Find the structured layer that is nearest to a dense matrix
    Project(ProjectArguments),
    /// Show what a SafeTensors file holds, and how structured its matrices are
    Inspect(InspectArguments),
    /// Print the completions of a shell
    Completions(CompletionsArguments),
    /// Write the manual pages
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// A weights file that `imlp train` wrote (twin.safetensors, prior.safetensors)
    pub weights: PathBuf,
}

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder for the pages, imlp.1, imlp-sweep.1, …
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
