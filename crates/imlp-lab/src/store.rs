//! The folder of an experiment, safe to share: any number of processes, on any
//! hosts that see it, may work on it at once.
//!
//! ```text
//! experiment.json          what the last command asked for: configurations and trials
//! trials/ID/               one folder per trial, named by what decides its result
//!   identity.json          what that is
//!   attempt-0001.json      which process worked on it, when, and how that ended
//!   checkpoint-….safetensors     where the next attempt continues
//!   first-layer.json       what some units of its first layer see, for the report
//!   result.json            its result, under a checksum; written once
//! priors/ID/               likewise, one folder per trained prior
//!   snapshots-0001.safetensors   its parameters at every interpolation
//! trunks/ID/               likewise, while several trials wait for it
//!   trunk-….safetensors    the state from which they go on
//! workers/NAME.beat        a number that a living worker counts up, and its process
//! batch/                   submissions to a scheduler (see `executor/batch.rs`)
//! ```
//!
//! There are no locks, because shared file systems do not implement them reliably.
//! The store needs two operations that they do implement: a file appears whole, by
//! renaming; and of several processes that create one file, exactly one succeeds
//! (see `store/attempt.rs`, `store/heartbeat.rs` and `store/worker.rs`).

mod attempt;
mod checkpoint;
mod checkpoint_file;
mod despite_sweeping;
mod first_layer;
mod folder;
mod heartbeat;
mod job_file;
mod lease;
mod leftovers;
mod manifest;
mod priors;
mod process;
mod restore;
mod result;
mod retry;
mod sealed;
mod state;
mod trunk_file;
mod trunks;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use attempt::now;
pub use attempt::{Attempt, Ended, Ending};
pub use checkpoint::LeaseCheckpoints;
pub use folder::Store;
pub use lease::Lease;
pub use leftovers::Leftover;
pub use manifest::{ListedConfiguration, ListedTrial, Manifest};
pub use process::Process;
pub use result::Published;
pub use state::State;
pub use worker::{Availability, Claim, Worker};
