//! Running an experiment.
//!
//! The store is the truth about what is finished; an executor only decides who runs
//! the jobs that have no result yet, and where. [`local`] uses the cores of this
//! machine; [`batch`] submits jobs to the scheduler of a cluster. Any number of
//! executors may work on one store at once.

mod affinity;
pub mod batch;
mod collect;
mod job_queue;
pub mod local;
mod outcome;
mod progress;

pub use collect::{Results, collect};
pub use outcome::{Failed, Outcome, outcome};
pub use progress::{JobEnd, JobLabel, PriorEnd, Progress, Steps};
