//! The command line. Each option sets keys of a recipe, or says how a command runs.

mod conversion;
mod data;
mod duration;
mod examples;
mod experiment;
mod memory;
mod plot;
mod reproduce;
mod slurm;
mod store;

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use imlp_data::ImageShape;
use imlp_suggest::nearest;

pub use conversion::{DenseArguments, InspectArguments, ProjectArguments};
pub use data::{DataArguments, DataCommand};
pub use experiment::{
    CheckArguments, Common, DeviceName, ProductArguments, SweepArguments, TrainArguments,
    WorkerArguments, jobs, recipe,
};
pub use memory::{MemoryArguments, memory_limit};
pub use plot::{FigureFormat, FigureName, PlotArguments};
pub use reproduce::ReproduceArguments;
pub use slurm::{ExecutorName, SlurmArguments};
pub use store::{
    AnalyseArguments, CancelArguments, CleanArguments, ExportArguments, FormatName,
    ReportArguments, RetryArguments, StatusArguments,
};

/// A laboratory for controllable inductive bias.
///
/// Trains a structured prior (a CNN, a Mixer) and its dense twin, an MLP whose
/// weights are interpolated toward the prior's by a fraction α, and shows
/// how accuracy depends on α. `imlp sweep` alone runs the main job on a built-in
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

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    /// Wrong usage; or the help or the version, for which it asks.
    pub fn read() -> Result<Self, clap::Error> {
        let matches = command().try_get_matches();
        let mut matches = matches.map_err(without_misleading_tip)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command()))
    }
}

/// The command line, with the examples of every command.
pub fn command() -> clap::Command {
    examples::added(with_negative_numbers(Arguments::command()))
}

/// The error without a tip where this program would give none (`--device gpu` is not `cpu`).
fn without_misleading_tip(mut error: clap::Error) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (given, tip) = (
        text(ContextKind::InvalidValue),
        text(ContextKind::SuggestedValue),
    );
    if let (Some(given), Some(tip)) = (given, tip)
        && nearest(given, [tip]).is_none()
    {
        error.remove(ContextKind::SuggestedValue);
    }
    error
}

/// `--epochs -1`: a number, which the option refuses by name, not an unknown option.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes_numbers = |arg: &Arg| {
        arg.get_action().takes_values() && !arg.is_positional() && !arg.is_allow_hyphen_values_set()
    };
    command
        .mut_args(|arg| {
            let negative = takes_numbers(&arg);
            if negative {
                arg.allow_negative_numbers(true)
            } else {
                arg
            }
        })
        .mut_subcommands(with_negative_numbers)
}

/// Logging on the standard error.
#[derive(Clone, Copy, Debug, Args)]
pub struct Logging {
    /// Log events; twice for more
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
    /// Try the claims of the paper, and judge them by rules that were fixed beforehand
    ///
    /// Trains what is missing for each claim, keeps the records of every trial, and writes the
    /// verdicts on one page. Without arguments: all claims on the built-in images, in about a
    /// quarter of an hour.
    Reproduce(ReproduceArguments),
    /// Check every trial of a recipe and predict what it costs, without training
    Check(CheckArguments),
    /// Run one trial and keep its result and weights
    ///
    /// The folder is like that of a sweep: an interrupted trial continues from its last
    /// checkpoint, and a finished one is read instead of trained. The weights in it are those
    /// of one trial.
    Train(TrainArguments),
    /// Measure saved weights
    Eval(EvalArguments),
    /// Measure how fast this machine trains a recipe's networks
    Bench(BenchArguments),
    /// Show the status of an experiment
    Status(StatusArguments),
    /// Say what the α-curve of an experiment shows, by tests that are fixed beforehand
    ///
    /// Reads a folder of finished or unfinished trials, without the data, and writes
    /// analysis.json beside the results (docs/analysis.md).
    #[command(alias = "analyze")]
    Analyse(AnalyseArguments),
    /// Write the interactive page of an experiment, or one that compares several
    ///
    /// Reads folders of finished or unfinished trials, without the data. `imlp sweep` writes
    /// the same page while it runs.
    Report(ReportArguments),
    /// Draw a figure of one experiment, or of several, for print
    ///
    /// Colours are told apart with every common colour vision; text is 7 to 8 pt high at the
    /// width on paper. On paper a caption has the title and the notes, which the command says.
    /// A figure of that name is replaced, another file is not (docs/figures.md).
    Plot(PlotArguments),
    /// Let failed trials run again
    Retry(RetryArguments),
    /// Cancel an experiment's jobs in the scheduler's queue
    Cancel(CancelArguments),
    /// Run one task of an array job, which `imlp sweep --executor` submits
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// List, and with --yes remove, files that an experiment no longer needs
    ///
    /// These are files that imlp wrote, and no others: unfinished ones that are older than an
    /// hour, heartbeats of processes that have ended, damaged files that were set aside,
    /// checkpoints and snapshots beside a result that does without them. Links are not followed.
    /// It may run beside a sweep; with --unlisted it refuses while a process works there.
    Clean(CleanArguments),
    /// Write the trials of an experiment as a table
    Export(ExportArguments),
    /// List, fetch, verify and find data sets
    Data(DataArguments),
    /// Write PyTorch weights of a network or a layer as dense matrices
    Dense(DenseArguments),
    /// Find the structured layer that is nearest to a dense matrix
    Project(ProjectArguments),
    /// Show the tensors of a SafeTensors file, and how structured its matrices are
    Inspect(InspectArguments),
    /// Print the JSON Schema of a recipe, for editors that complete and check TOML
    Schema,
    /// Print the completions of a shell
    Completions(CompletionsArguments),
    /// Write the manual pages
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// A weights file that `imlp train` wrote (twin.safetensors, prior.safetensors)
    pub weights: PathBuf,
    /// Folder of the images, of weights that were trained on one [default: where it lay then]
    #[arg(long, value_name = "DIR")]
    pub data_path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    /// A recipe [default: recipes/first-run.toml, which is built in]
    pub recipe: Option<PathBuf>,
    /// Network to train
    #[arg(long, value_enum, default_value_t = BenchNetwork::Twin)]
    pub network: BenchNetwork,
    /// Size of the random images: CHANNELSxHEIGHTxWIDTH
    #[arg(long, value_name = "CxHxW", default_value = "3x32x32", value_parser = parse_image)]
    pub image: ImageShape,
    /// Optimiser steps to time
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub steps: u32,
    /// Trials at a time, each on one thread [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub jobs: Option<u32>,
    #[command(flatten)]
    pub products: ProductArguments,
    /// Set any key of the recipe, e.g. --set train.batch_size=512 (repeatable) [default: none]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Device that trains the networks
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    pub device: DeviceName,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Which network is measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BenchNetwork {
    /// The dense twin
    Twin,
    /// The structured prior
    Prior,
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

/// `3x32x32`: channels, height, width.
fn parse_image(text: &str) -> Result<ImageShape, String> {
    let sizes: Vec<usize> = text
        .split('x')
        .filter_map(|size| size.parse().ok())
        .collect();
    match (sizes.as_slice(), text.split('x').count()) {
        (&[channels, height, width], 3) if channels > 0 && height > 0 && width > 0 => {
            Ok(ImageShape {
                channels,
                height,
                width,
            })
        }
        _ => Err("give channels, height and width such as 3x32x32".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    /// Every command, with its path: `data fetch`.
    fn commands() -> Vec<(String, clap::Command)> {
        fn below(path: &str, command: &clap::Command, all: &mut Vec<(String, clap::Command)>) {
            all.push((path.to_owned(), command.clone()));
            for sub in command
                .get_subcommands()
                .filter(|sub| sub.get_name() != "help")
            {
                below(format!("{path} {}", sub.get_name()).trim(), sub, all);
            }
        }
        let mut all = Vec::new();
        let mut command = command();
        command.build();
        below("", &command, &mut all);
        all
    }

    #[test]
    fn every_option_states_its_default() {
        let mut stated = 0;
        for (path, command) in commands() {
            let one_of: Vec<_> = command
                .get_groups()
                .filter(|group| group.is_required_set())
                .flat_map(|group| group.get_args())
                .collect();
            for option in command.get_opts() {
                if !option.get_action().takes_values()
                    || option.is_required_set()
                    || one_of.contains(&option.get_id())
                {
                    continue;
                }
                let help = [option.get_help(), option.get_long_help()];
                let help: String = help
                    .into_iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect();
                let has_default = !option.get_default_values().is_empty();
                assert!(
                    has_default != help.contains("[default: "),
                    "{path} --{}: {help}",
                    option.get_long().unwrap_or_default()
                );
                stated += 1;
            }
        }
        assert!(stated > 40, "{stated}");
    }

    /// The defaults of keys, which the help repeats.
    #[test]
    fn stated_defaults_of_keys_are_those_of_a_recipe() {
        let plan = imlp_lab::Plan::new(&imlp_lab::Recipe::default()).unwrap();
        let config = &plan.configurations()[0].config;
        let sweep = imlp_lab::SweepConfig::default();
        let imlp_lab::Alphas::Grid(alphas) = sweep.alphas else {
            panic!("a grid by name");
        };
        let imlp_lab::Seeds::Count(seeds) = sweep.seeds else {
            panic!("a number of seeds");
        };
        let all = commands();
        let help = |path: &str, option: &str| {
            let (_, command) = all.iter().find(|(name, _)| name == path).unwrap();
            let mut options = command.get_opts();
            let option = options.find(|o| o.get_long() == Some(option)).unwrap();
            option.get_help().unwrap().to_string().replace('\n', " ")
        };
        for (path, option, default) in [
            ("sweep", "data", config.data.name.clone()),
            ("sweep", "prior", config.prior.kind.name().to_owned()),
            ("sweep", "epochs", config.train.epochs.to_string()),
            (
                "sweep",
                "precision",
                config.train.precision.name().to_owned(),
            ),
            ("sweep", "alphas", alphas),
            ("sweep", "seeds", seeds.to_string()),
            (
                "train",
                "alpha",
                config.interpolation.alpha.get().to_string(),
            ),
        ] {
            let help = help(path, option);
            let stated = format!("[default: recipe, else {default}]");
            assert!(help.contains(&stated), "{option}: {help}");
        }
    }

    /// `text` as a shell divides it, without variables.
    fn shell_words(text: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in text.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                other => words.last_mut().expect("there is one").push(other),
            }
        }
        words
    }

    #[test]
    fn every_command_has_examples_that_are_read() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        for (path, command) in commands() {
            let text = [command.get_after_help(), command.get_after_long_help()];
            for text in text.into_iter().flatten() {
                let text = text.to_string();
                let (_, examples) = text.split_once("Examples:\n").expect(&path);
                let mut count = 0;
                for line in examples.lines() {
                    assert!(line.chars().count() <= 80, "{line}");
                    let Some(example) = line.strip_prefix("  imlp") else {
                        assert!(line.starts_with("      "), "{path}: {line}");
                        continue;
                    };
                    let example = example.split(" > ").next().unwrap_or_default();
                    assert!(example.trim().starts_with(&path), "{path}: {line}");
                    let words = shell_words(&format!("imlp{example}"));
                    if let Err(error) = super::command().try_get_matches_from(&words) {
                        panic!("{line}: {error}");
                    }
                    for recipe in words.iter().filter(|word| word.starts_with("recipes/")) {
                        assert!(root.join(recipe).is_file(), "{line}");
                    }
                    for (index, word) in words.iter().enumerate() {
                        let layer = match word.strip_prefix("--layer=") {
                            Some(layer) => layer,
                            None if word == "--layer" => &words[index + 1],
                            None => continue,
                        };
                        imlp_train::parse_layer(layer, false)
                            .map(drop)
                            .unwrap_or_else(|e| panic!("{line}: {e}"));
                    }
                    count += 1;
                }
                assert!(count > 0, "{path} has no example");
            }
            assert!(command.get_after_help().is_some(), "{path}");
        }
    }

    #[test]
    fn mistyped_values_of_options_are_suggested() {
        let mut tried = 0;
        for (path, command) in commands() {
            for option in command.get_opts() {
                for value in option.get_possible_values() {
                    let (name, long) = (value.get_name(), option.get_long().unwrap_or_default());
                    let wrong = format!("{}{name}", &name[..1]);
                    let line = format!("imlp {path} --{long}={wrong}");
                    let read = super::command().try_get_matches_from(line.split_whitespace());
                    let error = without_misleading_tip(read.expect_err(&line)).to_string();
                    let tip = format!("similar value exists: '{name}'");
                    assert!(error.contains(&tip), "{line}: {error}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 10, "{tried}");
    }

    #[test]
    fn a_device_that_is_known_elsewhere_is_no_typing_error() {
        let message = |device: &str| {
            let line = ["imlp", "train", "--device", device];
            let error = command().try_get_matches_from(line).unwrap_err();
            without_misleading_tip(error).to_string()
        };
        let gpu = message("gpu");
        assert!(!gpu.contains("similar") && gpu.contains("flex"), "{gpu}");
        assert!(message("cpuu").contains("similar value exists: 'cpu'"));
    }

    #[test]
    fn a_negative_number_is_refused_by_the_name_of_its_option() {
        let mut tried = 0;
        for command in Arguments::command().get_subcommands() {
            for option in command.get_arguments() {
                let Some(long) = option
                    .get_long()
                    .filter(|_| option.get_action().takes_values())
                else {
                    continue;
                };
                let line = ["imlp", command.get_name(), &format!("--{long}"), "-1"];
                let read = super::command().try_get_matches_from(line);
                let message = read.map_or_else(|error| error.to_string(), |_| String::new());
                assert!(
                    !message.contains("unexpected argument"),
                    "{line:?}: {message}"
                );
                tried += 1;
            }
        }
        assert!(tried > 30, "{tried}");
    }
}
