//! Arguments of `imlp sweep --executor slurm`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use imlp_lab::executor::batch::SlurmOptions;

use super::duration::parse_duration;

/// What runs the trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorName {
    /// This process, on the cores of this machine
    Local,
    /// The job arrays of a Slurm cluster
    Slurm,
}

/// Options of the Slurm executor.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --executor slurm")]
pub struct SlurmArguments {
    /// Partition [default: the cluster's]
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Time limit of a task, e.g. 30 (minutes) or 4:00:00; a trial that needs longer continues
    /// in the next task [default: the cluster's]
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Generic resources of a task, e.g. gpu:1 [default: none]
    #[arg(long, value_name = "LIST")]
    gres: Option<String>,
    /// Cores of a task, which runs that many trials side by side [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    cpus: Option<u32>,
    /// Limit on tasks that run at the same time [default: none]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    max_parallel: Option<u32>,
    /// How long before its time limit a task saves a checkpoint and queues again [default: 90s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    stop_before: Option<Duration>,
    /// Another option of sbatch, e.g. --sbatch-arg=--account=lab (repeatable) [default: none]
    #[arg(long = "sbatch-arg", value_name = "ARG", allow_hyphen_values = true)]
    sbatch_args: Vec<String>,
    /// Follow the jobs until they end, then write the results
    #[arg(long)]
    pub wait: bool,
}

impl SlurmArguments {
    /// Trials that a task runs side by side.
    pub fn jobs_per_task(&self) -> u32 {
        self.cpus.unwrap_or(1)
    }

    /// Limit on tasks that run at the same time.
    pub fn max_parallel(&self) -> Option<u32> {
        self.max_parallel
    }

    /// Options of `sbatch`.
    pub fn options(&self) -> SlurmOptions {
        /// Slurm may warn up to a minute early, and end a task up to half a minute
        /// late.
        const STOP_BEFORE: Duration = Duration::from_secs(90);
        let seconds = self.stop_before.unwrap_or(STOP_BEFORE).as_secs();
        SlurmOptions {
            partition: self.partition.clone(),
            time: self.time.clone(),
            gres: self.gres.clone(),
            cpus: self.cpus,
            // Slurm takes no more.
            warn_seconds: u32::try_from(seconds).unwrap_or(u32::MAX).clamp(1, 65535),
            more: self.sbatch_args.clone(),
        }
    }

    /// The first option that was given, if any was.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--partition", self.partition.is_some()),
            ("--time", self.time.is_some()),
            ("--gres", self.gres.is_some()),
            ("--cpus", self.cpus.is_some()),
            ("--max-parallel", self.max_parallel.is_some()),
            ("--stop-before", self.stop_before.is_some()),
            ("--sbatch-arg", !self.sbatch_args.is_empty()),
            ("--wait", self.wait),
        ];
        let mut given = given.into_iter();
        given.find(|(_, given)| *given).map(|(name, _)| name)
    }
}
